//! What rows refer to by id, in memory: users, roles, content types.

use std::collections::HashMap;

use super::{
    ImportError,
    rejects::{Reject, Rejects},
    row::Row,
    source::{Read, Source, TableSpec},
};

/// A table by id.
#[derive(Debug)]
pub(super) struct Register<T> {
    table: &'static TableSpec,
    read: fn(&Row) -> Option<T>,
    /// None for a row that says nothing, or is not there.
    rows: HashMap<i64, Option<T>>,
}

impl<T> Register<T> {
    pub(super) fn new(table: &'static TableSpec, read: fn(&Row) -> Option<T>) -> Self {
        Self { table, read, rows: HashMap::new() }
    }

    /// Reads the table as it is now, if the source has it.
    pub(super) fn load(&mut self, source: &Source, rejects: &mut Rejects) -> Result<(), ImportError> {
        self.rows.clear();
        each(source, self.table, rejects, |row| drop(self.rows.insert(row.id, (self.read)(row))))
    }

    /// Asks a database for a row that was not there when the table was read.
    pub(super) fn look_up(&mut self, source: &Source, id: i64) -> Result<(), ImportError> {
        if source.is_folder() || self.rows.contains_key(&id) {
            return Ok(());
        }
        let found = match source.find_ids(self.table, &[], vec![id..=id])? {
            Some(mut stream) => stream.next(source)?,
            None => None,
        };
        let value = match found {
            Some(Read::Row(row)) => (self.read)(&row),
            _ => None,
        };
        self.rows.insert(id, value);
        Ok(())
    }

    pub(super) fn get(&self, id: i64) -> Option<&T> {
        self.rows.get(&id)?.as_ref()
    }

    #[cfg(test)]
    pub(super) fn with(mut self, rows: impl IntoIterator<Item = (i64, T)>) -> Self {
        self.rows.extend(rows.into_iter().map(|(id, value)| (id, Some(value))));
        self
    }
}

/// Every row of a table, if the source has it. Those that cannot be read go to the rejects.
pub(super) fn each(
    source: &Source,
    table: &TableSpec,
    rejects: &mut Rejects,
    mut take: impl FnMut(&Row),
) -> Result<(), ImportError> {
    let Some(mut stream) = source.find(table)? else { return Ok(()) };
    while let Some(read) = stream.next(source)? {
        match read {
            Read::Row(row) => take(&row),
            Read::Bad { row, reason } => {
                let reject = Reject::new(&table.name, &row, reason);
                rejects.add(reject).map_err(|error| ImportError::rejects(rejects.path(), &error))?;
            }
        }
    }
    Ok(())
}
