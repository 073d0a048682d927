//! The formats of an export.

use std::borrow::Cow;

use logbook_engine::event::Event;
use parquet::errors::ParquetError;

use super::{columns, parquet::ParquetFile, streamed::Words};

/// Bytes of events that are written at once, more or less.
pub const PIECE_BYTES: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    Csv,
    Parquet,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    pub fn content_type(self, has_head: bool) -> &'static str {
        match (self, has_head) {
            (Self::Ndjson, _) => "application/x-ndjson",
            (Self::Csv, true) => "text/csv; charset=utf-8; header=present",
            (Self::Csv, false) => "text/csv; charset=utf-8; header=absent",
            (Self::Parquet, _) => "application/vnd.apache.parquet",
        }
    }
}

/// A file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Parquet(#[from] ParquetError),
}

/// A file while it is written.
pub enum File<W> {
    Ndjson,
    Csv,
    Parquet(ParquetFile<W>),
}

impl<W: Words> File<W> {
    /// # Errors
    /// It cannot be written.
    pub fn new(format: Format) -> Result<Self, Unwritten> {
        Ok(match format {
            Format::Ndjson => Self::Ndjson,
            Format::Csv => Self::Csv,
            Format::Parquet => Self::Parquet(ParquetFile::new()?),
        })
    }

    /// What comes before the first event.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn head(&self) -> Result<Vec<u8>, Unwritten> {
        match self {
            Self::Csv => Ok(lines([columns::head::<W>().map(Cow::Borrowed)])?),
            Self::Ndjson | Self::Parquet(_) => Ok(Vec::new()),
        }
    }

    /// The next events. What is written of them may come later.
    ///
    /// # Errors
    /// They cannot be written.
    pub async fn events(&mut self, events: Vec<Event>) -> Result<Vec<u8>, Unwritten> {
        match self {
            Self::Ndjson => {
                let mut text = Vec::with_capacity(PIECE_BYTES);
                for event in events {
                    serde_json::to_writer(&mut text, &W::Written::from(event))?;
                    text.push(b'\n');
                }
                Ok(text)
            }
            Self::Csv => Ok(lines(events.iter().map(columns::cells::<W>))?),
            Self::Parquet(file) => Ok(file.add(events).await?),
        }
    }

    /// What comes behind the last event.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn end(&mut self) -> Result<Vec<u8>, Unwritten> {
        match self {
            Self::Ndjson | Self::Csv => Ok(Vec::new()),
            Self::Parquet(file) => Ok(file.end().await?),
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
