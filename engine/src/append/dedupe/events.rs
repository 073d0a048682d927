//! The first events of known keys.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use diesel::prelude::*;

use crate::{
    db::{
        Conn, dialect,
        rows::EventRow,
        schema::{events, index_runs},
        timestamp::Timestamp,
    },
    error::Result,
};

/// Events in memory at a time. The largest have 256 KiB.
const TOGETHER: usize = 64;
const DAY: i64 = 86_400_000_000;
/// Where an event is looked for that does not have the time of the one sent again: so long before now, in microseconds.
const RECENT: i64 = 8 * DAY;

/// Passes the events of known keys to `found`, some at a time. Those that were erased are missing. `known`: their seqs, and the time
/// of the event that is sent again.
///
/// # Errors
/// The database's.
pub(super) fn each(
    conn: &mut Conn,
    workspace_id: i32,
    mut known: Vec<(i64, Timestamp)>,
    now: Timestamp,
    mut found: impl FnMut(&EventRow),
) -> Result<()> {
    // Neighbours are in the same run of the index.
    known.sort_unstable();
    for chunk in known.chunks(TOGETHER) {
        let mut missing: BTreeSet<i64> = chunk.iter().map(|(seq, _)| *seq).collect();
        let mut look = |conn: &mut Conn, missing: &mut BTreeSet<i64>, within: Option<(i64, i64)>| {
            let mut query = events::table
                .filter(events::workspace_id.eq(workspace_id))
                .filter(events::seq.eq_any(missing.iter().copied().collect::<Vec<_>>()))
                .select(EventRow::as_select())
                .into_boxed();
            if let Some((first, last)) = within {
                query = query.filter(events::occurred_at.between(Timestamp(first), Timestamp(last)));
            }
            for row in query.load::<EventRow>(conn)? {
                missing.remove(&row.seq);
                found(&row);
            }
            Ok::<_, diesel::result::Error>(())
        };
        // A range of time selects PostgreSQL's partitions. An event that is sent again mostly has its time; one without a time has
        // that of its arrival; of others the index knows about when they were.
        let times = chunk.iter().map(|(_, time)| time.0);
        let sent = times.clone().min().zip(times.max());
        look(conn, &mut missing, sent)?;
        if !missing.is_empty() {
            look(conn, &mut missing, Some((now.0 - RECENT, now.0 + DAY)))?;
        }
        if let (Some(first), Some(last)) = (missing.first(), missing.last()) {
            let runs = index_runs::table
                .filter(index_runs::workspace_id.eq(workspace_id))
                .filter(index_runs::first_seq.le(*last))
                .filter(index_runs::last_seq.ge(*first))
                .select((
                    index_runs::first_seq,
                    index_runs::last_seq,
                    index_runs::first_time,
                    index_runs::last_time,
                ))
                .load::<(i64, i64, Timestamp, Timestamp)>(conn)?;
            for (first_seq, last_seq, first_time, last_time) in runs {
                let mut of_run: BTreeSet<i64> = missing.range(first_seq..=last_seq).copied().collect();
                // Of an event that is indexed and not there, there is no more to find.
                missing.retain(|seq| !of_run.contains(seq));
                if !of_run.is_empty() {
                    look(conn, &mut of_run, Some((first_time.0, last_time.0)))?;
                }
            }
        }
        if !missing.is_empty() {
            // Such a statement locks every partition, and PostgreSQL has room for a few at a time.
            static EVERYWHERE: Mutex<()> = Mutex::new(());
            let _alone = EVERYWHERE.lock().unwrap_or_else(PoisonError::into_inner);
            dialect::and_let_go(conn, |conn| look(conn, &mut missing, None))?;
        }
    }
    Ok(())
}
