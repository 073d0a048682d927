//! A CSV file as a table: read from front to back if its rows are in order of id, otherwise through an index.
//!
//! `\copy` writes rows as they lie in the table, and an update moves a row, so order cannot be taken for granted. The
//! first pass over a file finds out; a file out of order costs 32 bytes of memory per row.

use std::{fs::File, io, path::Path, sync::Arc};

use csv::{ByteRecord, Position, Reader, ReaderBuilder};

use super::{Read, TableSpec};
use crate::import::{
    ImportError,
    row::{Reason, Row, quoted},
};

pub(super) struct CsvTable {
    reader: Reader<File>,
    location: String,
    /// The columns of the file that are used, and their indexes.
    columns: Arc<[String]>,
    indexes: Vec<usize>,
    /// Fields in a row.
    width: usize,
    id_index: usize,
    not_null: Option<usize>,
    /// Whether ids are positive whole numbers.
    numbered: bool,
    /// The positions of the rows in order of id, if the file is out of order.
    index: Option<std::vec::IntoIter<(i64, Position)>>,
    last_id: Option<i64>,
    /// How many rows will be returned.
    pub total: u64,
}

impl CsvTable {
    /// The rows; only those that have a value in the column `not_null`.
    pub(super) fn open(
        path: &Path,
        table: &TableSpec,
        not_null: Option<&'static str>,
    ) -> Result<Self, ImportError> {
        let (mut csv, names) = Self::open_header(path, table)?;
        csv.not_null = not_null.and_then(|column| names.iter().position(|name| name == column));
        if not_null.is_some() && csv.not_null.is_none() {
            // A missing optional column has no values.
            csv.index = Some(Vec::new().into_iter());
            return Ok(csv);
        }
        csv.survey()?;
        Ok(csv)
    }

    /// The file with its first line read, and the names in that line.
    pub(super) fn open_header(path: &Path, table: &TableSpec) -> Result<(Self, Vec<String>), ImportError> {
        let location = path.display().to_string();
        let broken = |reason: String| ImportError::Source { location: location.clone(), reason };
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_path(path)
            .map_err(|error| broken(error.to_string()))?;
        let mut header = ByteRecord::new();
        if !reader.read_byte_record(&mut header).map_err(|error| broken(error.to_string()))? {
            return Err(broken("the file is empty; its first line must name the columns".into()));
        }
        let names: Vec<String> = header
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_owned())
            .collect();
        let columns = table.used(&names, &location)?;
        let find = |column: &str| names.iter().position(|name| name == column);
        let indexes: Vec<usize> = columns.iter().filter_map(|column| find(column)).collect();
        let id_index = find("id").unwrap_or_default();
        let csv = Self {
            reader,
            width: names.len(),
            id_index,
            not_null: None,
            columns: columns.into(),
            indexes,
            numbered: table.numbered,
            index: None,
            last_id: None,
            total: 0,
            location,
        };
        Ok((csv, names))
    }

    /// Counts the rows and, if they are out of order, builds the index; then goes back to the first row.
    fn survey(&mut self) -> Result<(), ImportError> {
        let first = self.reader.position().clone();
        let mut record = ByteRecord::new();
        let (mut last, mut in_order, mut total) = (i64::MIN, true, 0);
        while self.advance(&mut record)? {
            if !self.is_wanted(&record) {
                continue;
            }
            total += 1;
            if let Some(id) = self.id(&record) {
                in_order &= id >= last;
                last = id;
            }
        }
        self.seek(first.clone())?;
        self.total = total;
        if in_order {
            return Ok(());
        }
        let mut index = Vec::with_capacity(usize::try_from(total).unwrap_or_default());
        while self.advance(&mut record)? {
            if self.is_wanted(&record)
                && let Some(position) = record.position()
            {
                // Rows without an id come first: they are only going to be rejected.
                index.push((self.id(&record).unwrap_or(i64::MIN), position.clone()));
            }
        }
        index.sort_by_key(|(id, position)| (*id, position.byte()));
        self.index = Some(index.into_iter());
        Ok(())
    }

    fn advance(&mut self, record: &mut ByteRecord) -> Result<bool, ImportError> {
        self.reader.read_byte_record(record).map_err(|error| self.broken(&error))
    }

    fn seek(&mut self, position: Position) -> Result<(), ImportError> {
        let seeked = self.reader.seek(position);
        seeked.map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &csv::Error) -> ImportError {
        let reason = match error.kind() {
            csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::IsADirectory => {
                "it is a folder".into()
            }
            _ => error.to_string(),
        };
        ImportError::Source { location: self.location.clone(), reason }
    }

    fn id(&self, record: &ByteRecord) -> Option<i64> {
        let text = std::str::from_utf8(record.get(self.id_index)?).ok()?;
        text.parse().ok().filter(|id| *id > 0)
    }

    /// False for rows without a value in `not_null`.
    fn is_wanted(&self, record: &ByteRecord) -> bool {
        self.not_null.is_none_or(|index| record.get(index).is_some_and(|text| !text.is_empty()))
    }

    fn read(&mut self, record: &ByteRecord) -> Read {
        let number = record.position().map(Position::record);
        let id = self.id(record);
        let mut reason = self.fault(record, id);
        if id.is_some() {
            self.last_id = id;
        }
        let text = |index: &usize| {
            let bytes = record.get(*index)?;
            Some(String::from_utf8_lossy(bytes).into_owned())
        };
        let values: Vec<Option<String>> = self.indexes.iter().map(text).collect();
        let row = Row::new(id.unwrap_or_default(), number, Arc::clone(&self.columns), values);
        match reason.take() {
            Some(reason) => Read::Bad { row, reason },
            None => Read::Row(row),
        }
    }

    fn fault(&self, record: &ByteRecord, id: Option<i64>) -> Option<Reason> {
        if record.len() != self.width {
            return Some(format!("the line has {} fields, the header {}", record.len(), self.width));
        }
        let Some(id) = id else {
            if !self.numbered {
                return not_utf8(record);
            }
            let text = String::from_utf8_lossy(record.get(self.id_index).unwrap_or_default());
            return Some(format!("id is not a positive whole number: {}", quoted(&text)));
        };
        if self.last_id == Some(id) {
            return Some(format!("there is another row with the id {id}"));
        }
        not_utf8(record)
    }
}

fn not_utf8(record: &ByteRecord) -> Option<Reason> {
    record.iter().any(|field| std::str::from_utf8(field).is_err()).then(|| "the line is not UTF-8".into())
}

impl Iterator for CsvTable {
    type Item = Result<Read, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut record = ByteRecord::new();
        loop {
            if let Some(index) = &mut self.index {
                let (_, position) = index.next()?;
                if let Err(error) = self.seek(position) {
                    return Some(Err(error));
                }
            }
            match self.advance(&mut record) {
                Ok(true) if self.is_wanted(&record) => return Some(Ok(self.read(&record))),
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
