//! The formats of an export.

use std::{borrow::Cow, marker::PhantomData};

use logbook_engine::event::Event;

use super::{columns, streamed::Words};

/// Bytes of events that are written at once, more or less.
pub const PIECE_BYTES: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    Csv,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    pub fn content_type(self, has_head: bool) -> &'static str {
        match (self, has_head) {
            (Self::Ndjson, _) => "application/x-ndjson",
            (Self::Csv, true) => "text/csv; charset=utf-8; header=present",
            (Self::Csv, false) => "text/csv; charset=utf-8; header=absent",
        }
    }
}

/// A file while it is written.
pub struct File<W> {
    format: Format,
    of: PhantomData<fn() -> W>,
}

impl<W: Words> File<W> {
    pub fn new(format: Format) -> Self {
        Self { format, of: PhantomData }
    }

    /// What comes before the first event.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn head(&self) -> csv::Result<Vec<u8>> {
        match self.format {
            Format::Ndjson => Ok(Vec::new()),
            Format::Csv => lines([columns::head::<W>().map(Cow::Borrowed)]),
        }
    }

    /// The next events.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn events(&self, events: Vec<Event>) -> csv::Result<Vec<u8>> {
        match self.format {
            Format::Ndjson => {
                let mut text = Vec::with_capacity(PIECE_BYTES);
                for event in events {
                    serde_json::to_writer(&mut text, &W::Written::from(event))
                        .map_err(std::io::Error::from)?;
                    text.push(b'\n');
                }
                Ok(text)
            }
            Format::Csv => lines(events.iter().map(columns::cells::<W>)),
        }
    }
}

/// Lines of CSV, which end with CR LF (RFC 4180).
fn lines<'a, I>(rows: impl IntoIterator<Item = I>) -> csv::Result<Vec<u8>>
where
    I: Iterator<Item = Cow<'a, str>>,
{
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::with_capacity(PIECE_BYTES));
    for row in rows {
        for cell in row {
            writer.write_field(cell.as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
