//! Reads tables of another system's PostgreSQL, over separate read-only connections that are never part of a pool.
//!
//! Rows are read in pages by id, and every value as PostgreSQL's own text (times in UTC). A CSV of the same table holds
//! the same texts, so an importer sees no difference.

use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _,
    connection::SimpleConnection as _,
    sql_query,
    sql_types::{BigInt, Text},
};
use logbook_engine::db::{Error, Result};

/// A table, and the columns to read.
#[derive(Clone, Debug)]
pub struct Table {
    pub schema: String,
    pub name: String,
    pub columns: Vec<String>,
    /// Only rows that have a value in this column.
    pub not_null: Option<String>,
    pub join: Option<Join>,
}

/// One column of another table of the same schema, found by its id; null where there is no such row.
#[derive(Clone, Debug)]
pub struct Join {
    pub table: String,
    /// The column of the first table that holds the other's id.
    pub key: String,
    pub column: String,
}

/// One row: its values in the order of [`Table::columns`], then the joined one.
pub type Values = Vec<Option<String>>;

pub struct SourceDb {
    conn: PgConnection,
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

impl SourceDb {
    pub fn open(url: &str) -> Result<Self> {
        let mut conn = PgConnection::establish(url)
            .map_err(|error| Error::Unavailable(error.to_string().trim().to_owned()))?;
        conn.batch_execute(
            "SET client_encoding = 'UTF8'; SET TIME ZONE 'UTC'; SET DateStyle = 'ISO';
             SET default_transaction_read_only = on;",
        )?;
        Ok(Self { conn })
    }

    pub fn has_schema(&mut self, schema: &str) -> Result<bool> {
        let found = sql_query("SELECT count(*) AS value FROM pg_namespace WHERE nspname = $1")
            .bind::<Text, _>(schema)
            .get_result::<CountRow>(&mut self.conn)?;
        Ok(found.value > 0)
    }

    /// The table's columns; empty when there is no such table.
    pub fn columns(&mut self, schema: &str, table: &str) -> Result<Vec<String>> {
        let rows = sql_query(
            "SELECT attname::text AS value FROM pg_attribute
             WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        )
        .bind::<Text, _>(path(schema, table))
        .load::<TextRow>(&mut self.conn)?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    /// How many rows [`SourceDb::page`] would return in all.
    pub fn count(&mut self, table: &Table, after: i64) -> Result<u64> {
        let sql = format!(
            "SELECT count(*) AS value FROM {} t WHERE {}",
            path(&table.schema, &table.name),
            filter(table)
        );
        let found = sql_query(sql).bind::<BigInt, _>(after).get_result::<CountRow>(&mut self.conn)?;
        Ok(u64::try_from(found.value).unwrap_or_default())
    }

    /// The next `limit` rows with an id above `after`, in order of id.
    pub fn page(&mut self, table: &Table, after: i64, limit: i64) -> Result<Vec<Values>> {
        let mut values: Vec<String> =
            table.columns.iter().map(|column| format!("t.{}::text", identifier(column))).collect();
        let mut join = String::new();
        if let Some(Join { table: other, key, column }) = &table.join {
            values.push(format!("o.{}::text", identifier(column)));
            join = format!("LEFT JOIN {} o ON o.id = t.{}", path(&table.schema, other), identifier(key));
        }
        let sql = format!(
            "SELECT array_to_json(ARRAY[{}]::text[])::text AS value
             FROM (SELECT * FROM {} t WHERE {} ORDER BY id LIMIT $2) t {join} ORDER BY t.id",
            values.join(", "),
            path(&table.schema, &table.name),
            filter(table),
        );
        let rows = sql_query(sql)
            .bind::<BigInt, _>(after)
            .bind::<BigInt, _>(limit)
            .load::<TextRow>(&mut self.conn)?;
        let parse = |row: TextRow| {
            serde_json::from_str(&row.value)
                .map_err(|error| Error::Setup(format!("a row is not JSON: {error}")))
        };
        rows.into_iter().map(parse).collect()
    }
}

fn filter(table: &Table) -> String {
    match &table.not_null {
        Some(column) => format!("t.id > $1 AND t.{} IS NOT NULL", identifier(column)),
        None => "t.id > $1".into(),
    }
}

fn path(schema: &str, table: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(table))
}

/// A quoted SQL identifier, whatever the name contains.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out() {
        assert_eq!(path("a\"; DROP TABLE x; --", "b"), "\"a\"\"; DROP TABLE x; --\".\"b\"");
    }
}
