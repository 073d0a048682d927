//! The rows of a table, one by one.

use std::{collections::VecDeque, ops::RangeInclusive, sync::Arc, time::Instant};

use super::{CsvTable, Read, RowsQuery, Source, TableSpec};
use crate::import::{ImportError, row::Row};

/// Rows that are fetched from a database at a time.
const PAGE: usize = 1000;
/// Ranges of ids in one query. Each may have as many rows as a page.
const RANGES: usize = 100;

pub(in crate::import) struct Stream {
    pub table: String,
    /// How many rows there are, of a folder's table.
    pub total: u64,
    rows: Rows,
}

enum Rows {
    Csv(Box<CsvTable>),
    Database(Box<Pages>),
}

struct Pages {
    query: RowsQuery,
    columns: Arc<[String]>,
    /// Where rows are still to be looked for.
    ids: VecDeque<RangeInclusive<i64>>,
    page: VecDeque<Row>,
    /// Rows in a page.
    size: usize,
}

impl Stream {
    pub(super) fn csv(table: &TableSpec, csv: CsvTable) -> Self {
        Self { table: table.name.clone().into_owned(), total: csv.total, rows: Rows::Csv(Box::new(csv)) }
    }

    pub(super) fn rows(query: RowsQuery, columns: Vec<String>, ids: Vec<RangeInclusive<i64>>) -> Self {
        let (columns, ids, page) = (columns.into(), ids.into(), VecDeque::new());
        let table = query.table.clone();
        let pages = Pages { query, columns, ids, page, size: PAGE };
        Self { table, total: 0, rows: Rows::Database(Box::new(pages)) }
    }

    /// Asks a database for one row at a time, as when only the first is wanted.
    pub(in crate::import) fn fetch_singly(&mut self) {
        if let Rows::Database(pages) = &mut self.rows {
            pages.size = 1;
        }
    }

    /// The next row. None at the end.
    pub(in crate::import) fn next(&mut self, source: &Source) -> Result<Option<Read>, ImportError> {
        match &mut self.rows {
            Rows::Csv(csv) => csv.next().transpose(),
            Rows::Database(pages) => Ok(pages.next(source)?.map(Read::Row)),
        }
    }
}

impl Pages {
    fn next(&mut self, source: &Source) -> Result<Option<Row>, ImportError> {
        while self.page.is_empty() && !self.ids.is_empty() {
            self.fetch(source)?;
        }
        Ok(self.page.pop_front())
    }

    fn fetch(&mut self, source: &Source) -> Result<(), ImportError> {
        let first = self.ids.len().min(RANGES);
        let ranges = &self.ids.make_contiguous()[..first];
        let start = Instant::now();
        let rows = source.ask(|database| database.rows(&self.query, ranges, self.size))?;
        if rows.is_empty() {
            source.searched.set(source.searched.get() + start.elapsed());
        }
        let is_whole = rows.len() < self.size;
        let id_column = self.columns.iter().position(|column| column == "id");
        for values in rows {
            let id = id_column.and_then(|index| values.get(index)?.as_deref()?.parse().ok());
            let no_id = || source.broken(&format!("a row of {} has no id", self.query.table));
            self.page.push_back(Row::new(id.ok_or_else(no_id)?, None, Arc::clone(&self.columns), values));
        }
        if is_whole {
            self.ids.drain(..first);
        } else if let Some(last) = self.page.back().map(|row| row.id) {
            self.ids.retain(|range| *range.end() > last);
            if let Some(range) = self.ids.front_mut() {
                *range = (*range.start()).max(last + 1)..=*range.end();
            }
        }
        Ok(())
    }
}
