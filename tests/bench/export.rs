//! What an export costs on top of the database: events per second of a whole log as NDJSON over HTTP, against COPY of the
//! same rows in the same order.

use std::time::Instant;

use logbook_engine::event::Log;

use crate::{copy::psql, database::Database, http::Target, measure::percentile, report::ExportFigures};

/// How often each side runs.
const ROUNDS: usize = 3;
/// The log that is exported.
const LOG: Log = Log::Application;

/// None where there is no COPY.
pub(crate) fn run(target: &Target, database: &Database, workspace_id: i64) -> Option<ExportFigures> {
    let (Database::Postgres(url) | Database::Citus(url)) = database else { return None };
    let rows = format!("FROM events WHERE workspace_id = {workspace_id} AND log = {}", LOG.number());
    let count = database.connect().number(&format!("SELECT count(*) AS n {rows}"));
    let copy = format!("\\copy (SELECT * {rows} ORDER BY occurred_at, seq) TO '/dev/null'");
    let path = target.logs(&format!("{LOG}/export.ndjson?order=asc"));
    let (mut exports, mut copies) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        assert_eq!(target.lines(&path), count as u64, "the export has every event of the log");
        exports.push(count as f64 / start.elapsed().as_secs_f64());
        let start = Instant::now();
        psql(url, &copy);
        copies.push(count as f64 / start.elapsed().as_secs_f64());
    }
    exports.sort_by(f64::total_cmp);
    copies.sort_by(f64::total_cmp);
    let (events_per_s, copy_events_per_s) = (percentile(&exports, 0.5), percentile(&copies, 0.5));
    Some(ExportFigures { events_per_s, copy_events_per_s, ratio: events_per_s / copy_events_per_s })
}
