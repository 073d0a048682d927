//! Which values of a field a filter accepts.

/// A value is accepted when it is one of `only`, unless that list is empty, and none of `not`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Accepted<T> {
    /// Empty: every value, and no value at all.
    pub only: Vec<T>,
    pub not: Vec<T>,
}

impl<T> Default for Accepted<T> {
    fn default() -> Self {
        Self { only: Vec::new(), not: Vec::new() }
    }
}

impl<T> Accepted<T> {
    pub fn only(values: impl IntoIterator<Item = impl Into<T>>) -> Self {
        Self { only: values.into_iter().map(Into::into).collect(), not: Vec::new() }
    }

    pub fn not(values: impl IntoIterator<Item = impl Into<T>>) -> Self {
        Self { only: Vec::new(), not: values.into_iter().map(Into::into).collect() }
    }

    /// True when everything is accepted.
    pub fn is_all(&self) -> bool {
        self.only.is_empty() && self.not.is_empty()
    }

    /// All values that are named.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.only.iter().chain(&self.not)
    }

    /// Whether an event is accepted that has the values for which `has` is true. An event without a value is accepted
    /// unless `only` asks for one.
    pub fn accepts(&self, mut has: impl FnMut(&T) -> bool) -> bool {
        (self.only.is_empty() || self.only.iter().any(&mut has)) && !self.not.iter().any(has)
    }

    pub(super) fn sort(&mut self)
    where
        T: Ord,
    {
        self.only.sort();
        self.not.sort();
    }
}

impl Accepted<String> {
    /// Whether an event with this value is accepted.
    pub fn accepts_text(&self, have: Option<&str>) -> bool {
        self.accepts(|wanted| have == Some(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_value_is_no_value() {
        let all: Accepted<String> = Accepted::default();
        assert!(all.is_all() && all.accepts_text(None) && all.accepts_text(Some("a")));
        let only: Accepted<String> = Accepted::only(["a", "b"]);
        assert!(only.accepts_text(Some("b")) && !only.accepts_text(Some("c")) && !only.accepts_text(None));
        let not: Accepted<String> = Accepted::not(["a"]);
        assert!(not.accepts_text(Some("b")) && !not.accepts_text(Some("a")) && not.accepts_text(None));
        let both: Accepted<String> = Accepted { only: vec!["a".into(), "b".into()], not: vec!["b".into()] };
        assert!(both.accepts_text(Some("a")) && !both.accepts_text(Some("b")));
    }
}
