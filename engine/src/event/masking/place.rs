//! Where something is in an event. Its text is written only when something there is masked, which is seldom.

use std::fmt;

use crate::event::pointer::escape_pointer;

#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    above: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    /// A JSON pointer, or a part of one.
    Pointer(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Place<'a> {
    pub(super) fn at(pointer: &'a str) -> Self {
        Self { above: None, step: Step::Pointer(pointer) }
    }

    pub(super) fn pointer(&'a self, pointer: &'a str) -> Self {
        Self { above: Some(self), step: Step::Pointer(pointer) }
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { above: Some(self), step: Step::Index(index) }
    }

    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self { above: Some(self), step: Step::Key(key) }
    }
}

/// A JSON pointer (RFC 6901).
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            above.fmt(f)?;
        }
        match self.step {
            Step::Pointer(pointer) => f.write_str(pointer),
            Step::Index(index) => write!(f, "/{index}"),
            Step::Key(key) => write!(f, "/{}", escape_pointer(key)),
        }
    }
}
