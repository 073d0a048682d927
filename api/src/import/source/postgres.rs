//! Another system's PostgreSQL.
//!
//! Every value is PostgreSQL's own text (times in UTC). A CSV of the same table holds the same texts, so an importer sees no
//! difference.

use std::ops::RangeInclusive;

use diesel::{
    Connection as _, PgConnection, RunQueryDsl as _,
    connection::SimpleConnection as _,
    pg::PgRowByRowLoadingMode,
    sql_query,
    sql_types::{Array, BigInt, Text},
};
use logbook_engine::db::{Error, Result, dialect};

use super::database::{CountRow, Database, FoundLookup, IdRow, RowsQuery, TextRow, Values, identifier};

pub(super) struct Postgres {
    conn: PgConnection,
}

impl Postgres {
    pub(super) fn open(url: &str) -> Result<Self> {
        let mut conn = PgConnection::establish(&dialect::with_timeouts(url))
            .map_err(|error| Error::Unavailable(error.to_string().trim().to_owned()))?;
        // A table that somebody alters is locked: better to come again than to stand in the queue before its writers.
        conn.batch_execute(
            "SET client_encoding = 'UTF8'; SET TIME ZONE 'UTC'; SET DateStyle = 'ISO';
             SET default_transaction_read_only = on; SET lock_timeout = '5s';",
        )?;
        Ok(Self { conn })
    }
}

impl Database for Postgres {
    fn has_schema(&mut self, schema: &str) -> Result<bool> {
        let found = sql_query("SELECT count(*) AS value FROM pg_namespace WHERE nspname = $1")
            .bind::<Text, _>(schema)
            .get_result::<CountRow>(&mut self.conn)?;
        Ok(found.value > 0)
    }

    fn columns(&mut self, schema: &str, table: &str) -> Result<Vec<String>> {
        let rows = sql_query(
            "SELECT attname::text AS value FROM pg_attribute
             WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        )
        .bind::<Text, _>(path(schema, table))
        .load::<TextRow>(&mut self.conn)?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    fn count(&mut self, schema: &str, table: &str, after: i64) -> Result<u64> {
        let sql = format!("SELECT count(*) AS value FROM {} WHERE id > $1", path(schema, table));
        let found = sql_query(sql).bind::<BigInt, _>(after).get_result::<CountRow>(&mut self.conn)?;
        Ok(u64::try_from(found.value).unwrap_or_default())
    }

    fn rows(&mut self, query: &RowsQuery, ids: &[RangeInclusive<i64>], limit: usize) -> Result<Vec<Values>> {
        let (low, high): (Vec<i64>, Vec<i64>) =
            ids.iter().map(|range| (*range.start(), *range.end())).unzip();
        let rows = sql_query(rows_sql(query))
            .bind::<Array<BigInt>, _>(low)
            .bind::<Array<BigInt>, _>(high)
            .bind::<BigInt, _>(limit as i64)
            .load::<TextRow>(&mut self.conn)?;
        rows.into_iter().map(|row| super::parse_values(&row.value)).collect()
    }

    fn each_with_value(
        &mut self,
        schema: &str,
        table: &str,
        column: &str,
        number: bool,
        take: &mut dyn FnMut(i64, i64),
    ) -> Result<()> {
        let (table, column) = (path(schema, table), identifier(column));
        let value = if number { format!("{column}::bigint") } else { "1::bigint".into() };
        // Without an order PostgreSQL reads the table from front to back, past its cache.
        let sql =
            format!("SELECT id::bigint AS id, {value} AS value FROM {table} WHERE {column} IS NOT NULL");
        let rows = sql_query(sql);
        for row in rows.load_iter::<IdRow, PgRowByRowLoadingMode>(&mut self.conn)? {
            let IdRow { id, value } = row?;
            take(id, value);
        }
        Ok(())
    }
}

/// Each range is looked up in the index of the ids by itself.
fn rows_sql(query: &RowsQuery) -> String {
    let RowsQuery { schema, table, columns, lookups } = query;
    let mut values: Vec<String> =
        columns.iter().map(|column| format!("t.{}::text", identifier(column))).collect();
    let mut joins = String::new();
    for (n, FoundLookup { table, key, by, columns }) in lookups.iter().enumerate() {
        let found: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(c, column)| format!("max(o.{}::text) AS c{c}", identifier(column)))
            .collect();
        values.extend((0..columns.len()).map(|c| format!("l{n}.c{c}")));
        joins += &format!(
            " LEFT JOIN LATERAL (SELECT {} FROM {} o WHERE o.{} = t.{} HAVING count(*) = 1) l{n} ON true",
            found.join(", "),
            path(schema, table),
            identifier(by),
            identifier(key),
        );
    }
    format!(
        "SELECT array_to_json(ARRAY[{}]::text[])::text AS value
         FROM (SELECT t.* FROM unnest($1, $2) AS r(low, high)
               CROSS JOIN LATERAL (SELECT * FROM {} t WHERE t.id >= r.low AND t.id <= r.high ORDER BY t.id LIMIT $3) t
               ORDER BY t.id LIMIT $3) t{joins}
         ORDER BY t.id",
        values.join(", "),
        path(schema, table),
    )
}

fn path(schema: &str, table: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(table))
}
