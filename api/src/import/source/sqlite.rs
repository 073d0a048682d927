//! Another system's SQLite file. Values are SQLite's own texts; a time has no offset, and what it means is known to the system.

use std::{
    fs,
    ops::RangeInclusive,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use diesel::{
    Connection as _, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _,
    sql_query,
    sql_types::{BigInt, Text},
};
use logbook_engine::db::{Error, Result};

use super::database::{CountRow, Database, FoundLookup, IdRow, RowsQuery, TextRow, Values, identifier};

pub(super) struct Sqlite {
    conn: SqliteConnection,
    path: PathBuf,
    /// Device and inode of the file at the path before it was opened.
    file: Option<(u64, u64)>,
}

impl Sqlite {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = identity(path);
        let name: String =
            path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let mut conn = SqliteConnection::establish(&format!("file:{name}?mode=ro"))
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        conn.batch_execute("PRAGMA query_only = on; PRAGMA busy_timeout = 5000")?;
        Ok(Self { conn, path: path.to_owned(), file })
    }
}

/// What tells a file from another one that took its place.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

impl Database for Sqlite {
    /// An open file stays the one that it was when another is moved over it, as a backup that is restored.
    fn is_current(&self) -> bool {
        identity(&self.path) == self.file
    }

    fn has_schema(&mut self, _schema: &str) -> Result<bool> {
        Ok(true)
    }

    fn columns(&mut self, _schema: &str, table: &str) -> Result<Vec<String>> {
        let rows = sql_query("SELECT name AS value FROM pragma_table_info(?)")
            .bind::<Text, _>(table)
            .load::<TextRow>(&mut self.conn)?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    fn count(&mut self, _schema: &str, table: &str, after: i64) -> Result<u64> {
        let sql = format!("SELECT count(*) AS value FROM {} WHERE id > ?", identifier(table));
        let found = sql_query(sql).bind::<BigInt, _>(after).get_result::<CountRow>(&mut self.conn)?;
        Ok(u64::try_from(found.value).unwrap_or_default())
    }

    fn rows(&mut self, query: &RowsQuery, ids: &[RangeInclusive<i64>], limit: usize) -> Result<Vec<Values>> {
        let sql = rows_sql(query);
        let mut rows = Vec::new();
        for range in ids {
            let found = sql_query(&sql)
                .bind::<BigInt, _>(*range.start())
                .bind::<BigInt, _>(*range.end())
                .bind::<BigInt, _>((limit - rows.len()) as i64)
                .load::<TextRow>(&mut self.conn)?;
            for row in found {
                rows.push(super::parse_values(&row.value)?);
            }
            if rows.len() == limit {
                break;
            }
        }
        Ok(rows)
    }

    fn each_with_value(
        &mut self,
        _schema: &str,
        table: &str,
        column: &str,
        number: bool,
        take: &mut dyn FnMut(i64, i64),
    ) -> Result<()> {
        let (table, column) = (identifier(table), identifier(column));
        let value = if number { format!("CAST({column} AS INTEGER)") } else { "1".into() };
        let sql = format!("SELECT id, {value} AS value FROM {table} WHERE {column} IS NOT NULL");
        for row in sql_query(sql).load::<IdRow>(&mut self.conn)? {
            take(row.id, row.value);
        }
        Ok(())
    }
}

fn rows_sql(query: &RowsQuery) -> String {
    let RowsQuery { schema: _, table, columns, lookups } = query;
    let mut values: Vec<String> =
        columns.iter().map(|column| format!("CAST(t.{} AS TEXT)", identifier(column))).collect();
    for FoundLookup { table, key, by, columns } in lookups {
        values.extend(columns.iter().map(|column| {
            let [table, key, by, column] = [table, key, by, column].map(|name| identifier(name));
            format!("(SELECT max(CAST(o.{column} AS TEXT)) FROM {table} o WHERE o.{by} = t.{key} HAVING count(*) = 1)")
        }));
    }
    format!(
        "SELECT json_array({}) AS value FROM {} t WHERE t.id >= ? AND t.id <= ? ORDER BY t.id LIMIT ?",
        values.join(", "),
        identifier(table),
    )
}
