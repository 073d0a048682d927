//! What an importer asks a database, whichever it is.

use std::ops::RangeInclusive;

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Text},
};
use logbook_engine::db::Result;

/// Rows with these columns, and with columns of other tables.
#[derive(Clone, Debug)]
pub(super) struct RowsQuery {
    pub schema: String,
    pub table: String,
    pub columns: Vec<String>,
    pub lookups: Vec<FoundLookup>,
}

/// A [`super::Lookup`] whose table and columns exist.
#[derive(Clone, Debug)]
pub(super) struct FoundLookup {
    pub table: String,
    pub key: String,
    pub by: String,
    pub columns: Vec<String>,
}

/// One row: its values in the order of [`RowsQuery::columns`], then those of the lookups.
pub(super) type Values = Vec<Option<String>>;

#[derive(QueryableByName)]
pub(super) struct TextRow {
    #[diesel(sql_type = Text)]
    pub value: String,
}

#[derive(QueryableByName)]
pub(super) struct CountRow {
    #[diesel(sql_type = BigInt)]
    pub value: i64,
}

#[derive(QueryableByName)]
pub(super) struct IdRow {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = BigInt)]
    pub value: i64,
}

/// A connection that only reads, and is never part of a pool. No transaction stays open between two questions: it would keep
/// the other system from cleaning up.
pub(super) trait Database {
    /// Whether a new connection would come to the same database.
    fn is_current(&self) -> bool {
        true
    }

    fn has_schema(&mut self, schema: &str) -> Result<bool>;

    /// The table's columns; empty when there is no such table.
    fn columns(&mut self, schema: &str, table: &str) -> Result<Vec<String>>;

    /// How many rows have an id above `after`.
    fn count(&mut self, schema: &str, table: &str, after: i64) -> Result<u64>;

    /// The first `limit` rows whose ids are in these ranges, in order of id. Ranges are in growing order, and few.
    fn rows(&mut self, query: &RowsQuery, ids: &[RangeInclusive<i64>], limit: usize) -> Result<Vec<Values>>;

    /// Every row that has a value in the column: its id, and the value if it is a whole number. In no order.
    fn each_with_value(
        &mut self,
        schema: &str,
        table: &str,
        column: &str,
        number: bool,
        take: &mut dyn FnMut(i64, i64),
    ) -> Result<()>;
}

/// A quoted SQL identifier, whatever the name contains.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out() {
        assert_eq!(identifier("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
    }
}
