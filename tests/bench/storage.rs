//! The size of the database: bytes of each table and index, partitions with their parent, TOAST with its table.

use std::collections::BTreeMap;

use crate::database::{Direct, Kind};

const SQLITE: &str = "SELECT name, pgsize AS n FROM dbstat WHERE aggregate = TRUE";
const POSTGRES: &str = "
    SELECT coalesce(pg_partition_root(c.oid), c.oid)::regclass::text AS name, sum(pg_table_size(c.oid))::bigint AS n
    FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'i') AND s.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    GROUP BY 1";

/// On all nodes; Citus reports the indexes with their table.
const CITUS: &str = "
    SELECT coalesce(pg_partition_root(table_name), table_name)::text AS name, sum(shard_size)::bigint AS n
    FROM citus_shards GROUP BY 1";

/// Tables and indexes with less are reported together, as `other`.
const LEAST_BYTES_PER_EVENT: f64 = 0.5;

/// Bytes per event: `total`, and each table and index.
pub(crate) fn bytes_per_event(direct: &mut Direct, kind: Kind, events: u64) -> BTreeMap<String, f64> {
    let sizes = match direct {
        Direct::Sqlite(conn) => {
            conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
            direct.named(SQLITE)
        }
        Direct::Postgres(_) if kind == Kind::Citus => direct.named(CITUS),
        Direct::Postgres(_) => direct.named(POSTGRES),
    };
    let mut bytes: BTreeMap<String, f64> = BTreeMap::new();
    for (name, size) in sizes {
        let size = size as f64 / events as f64;
        let name = if size < LEAST_BYTES_PER_EVENT { "other".into() } else { name };
        *bytes.entry(name).or_default() += size;
    }
    let total = bytes.values().sum();
    bytes.insert("total".into(), total);
    bytes
}
