//! The job that builds the signature index.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use diesel::prelude::*;

use super::{Budget, Job, Progress};
use crate::{
    db::{
        Conn, roles,
        schema::{index_states, workspace_sequences},
    },
    error::Result,
    index::{
        build::{self, Advanced, IngestRate},
        merge,
        run::FORMAT,
    },
};

/// A few new events are indexed once no more have arrived for this long.
const QUIET: Duration = Duration::from_secs(1);
/// From this many events per second on, ingestion is a burst: it fills a large segment within seconds.
const BURST: f64 = 10_000.0;

#[derive(Default)]
pub(super) struct BuildIndex {
    /// By workspace, from one call of `due` to the next.
    rates: HashMap<i32, Seen>,
}

impl Job for BuildIndex {
    const NAME: &'static str = "build_index";

    fn due(&mut self, conn: &mut Conn) -> Result<Vec<i32>> {
        let behind = roles::as_appender_throughout(conn, behind)?;
        for (workspace_id, last_seq) in &behind {
            self.rates.entry(*workspace_id).or_insert_with(|| Seen::new(*last_seq)).look(*last_seq);
        }
        let mut due: Vec<i32> = behind.into_iter().map(|(workspace_id, _)| workspace_id).collect();
        due.extend(roles::as_appender_throughout(conn, merge::unfinished)?);
        due.sort_unstable();
        due.dedup();
        Ok(due)
    }

    fn run(&mut self, conn: &mut Conn, workspace_id: i32, budget: &Budget<'_>) -> Result<Progress> {
        let rate = self.rates.get(&workspace_id).map_or(IngestRate::Steady, |seen| seen.rate);
        roles::as_appender_throughout(conn, |conn| {
            while build::advance(conn, workspace_id, rate)? == Advanced::Segment {
                if budget.is_spent() {
                    return Ok(Progress::More);
                }
            }
            Ok(Progress::Done)
        })
    }
}

/// What the job remembers of a workspace between two calls of `due`.
struct Seen {
    last_seq: i64,
    /// Since when `last_seq` is the last one.
    since: Instant,
    looked_at: Instant,
    /// How quickly events arrived between the last two calls.
    rate: IngestRate,
}

impl Seen {
    fn new(last_seq: i64) -> Self {
        let now = Instant::now();
        Self { last_seq, since: now, looked_at: now, rate: IngestRate::Steady }
    }

    fn look(&mut self, last_seq: i64) {
        let before = std::mem::replace(&mut self.looked_at, Instant::now());
        self.rate = if last_seq == self.last_seq {
            if self.since.elapsed() >= QUIET { IngestRate::Quiet } else { IngestRate::Steady }
        } else {
            let per_second = (last_seq - self.last_seq) as f64 / before.elapsed().as_secs_f64();
            (self.last_seq, self.since) = (last_seq, self.looked_at);
            if per_second >= BURST { IngestRate::Burst } else { IngestRate::Steady }
        };
    }
}

/// Workspaces with events that are not indexed in the current format, and their last seq.
fn behind(conn: &mut Conn) -> Result<Vec<(i32, i64)>> {
    let indexed = index_states::indexed_seq.nullable();
    Ok(workspace_sequences::table
        .left_join(index_states::table.on(index_states::workspace_id.eq(workspace_sequences::workspace_id)))
        .filter(workspace_sequences::last_seq.gt(0))
        .filter(
            indexed
                .is_null()
                .or(indexed.lt(workspace_sequences::last_seq.nullable()))
                .or(index_states::format.nullable().ne(FORMAT)),
        )
        .select((workspace_sequences::workspace_id, workspace_sequences::last_seq))
        .load(conn)?)
}

/// The number of events, of all workspaces, that are not indexed yet.
///
/// # Errors
/// The database's.
pub fn index_lag(conn: &mut Conn) -> Result<i64> {
    let lags = workspace_sequences::table
        .left_join(index_states::table.on(index_states::workspace_id.eq(workspace_sequences::workspace_id)))
        .select((workspace_sequences::last_seq, (index_states::indexed_seq, index_states::format).nullable()))
        .load::<(i64, Option<(i64, i32)>)>(conn)?;
    let lag = |(last, indexed): (i64, Option<(i64, i32)>)| match indexed {
        Some((indexed, FORMAT)) => last - indexed,
        _ => last,
    };
    Ok(lags.into_iter().map(lag).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_since_the_last_look() {
        let seconds_ago = |seconds| Instant::now() - Duration::from_secs(seconds);
        let seen = || Seen {
            last_seq: 1000,
            since: seconds_ago(3),
            looked_at: seconds_ago(2),
            rate: IngestRate::Steady,
        };
        let rate_at = |mut seen: Seen, last_seq| {
            seen.look(last_seq);
            seen.rate
        };
        assert_eq!(rate_at(seen(), 1001), IngestRate::Steady);
        assert_eq!(rate_at(seen(), 1000 + 15_000), IngestRate::Steady);
        assert_eq!(rate_at(seen(), 1000 + 25_000), IngestRate::Burst);
        assert_eq!(rate_at(seen(), 1000), IngestRate::Quiet);
        let mut seen = seen();
        seen.look(1001);
        seen.look(1001);
        assert_eq!((seen.rate, seen.last_seq), (IngestRate::Steady, 1001), "it is not quiet for long");
        assert_eq!(rate_at(Seen::new(7), 7), IngestRate::Steady);
    }
}
