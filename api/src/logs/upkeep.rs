//! The work behind the appender: what is made of the events and need not be made before an answer.
//!
//! One thread a process; of several processes on one database, the one that holds a workspace's lease does the workspace's work.
//! The lease only saves double work: whatever is written here is right also when two do it.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use diesel::prelude::*;

use crate::{
    db::{
        self, Conn, Db,
        schema::{index_states, upkeep_leases, workspace_sequences},
        types,
    },
    logs::{
        counts::fold,
        index::build::{self, Advanced},
    },
};

/// Between two looks at what there is to do.
const PAUSE: Duration = Duration::from_millis(250);
/// A few new events are indexed when no more have come for so long.
const QUIET: Duration = Duration::from_secs(1);
/// How long a lease lasts that is not renewed.
const LEASE_SECONDS: i64 = 10;
/// Steps for one workspace before the next one's turn.
const TURN: usize = 64;

/// The thread, as the server holds it: it ends when the last clone is dropped.
#[derive(Clone)]
pub struct Upkeep {
    _running: Arc<mpsc::Sender<()>>,
}

impl Upkeep {
    /// Starts the thread.
    pub fn start(db: Db) -> Self {
        let (running, ended) = mpsc::channel();
        thread::spawn(move || {
            let mut keeper = Keeper::new();
            while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(PAUSE) {
                let ends = || matches!(ended.try_recv(), Err(mpsc::TryRecvError::Disconnected));
                let done = db.conn().and_then(|mut conn| keeper.round(&mut conn, &ends));
                if let Err(error) = done {
                    tracing::warn!(%error, "upkeep failed; trying again");
                    thread::sleep(PAUSE * 4);
                }
            }
        });
        Self { _running: Arc::new(running) }
    }
}

/// What the thread remembers of a workspace between two rounds.
struct Seen {
    last_seq: i64,
    since: Instant,
}

struct Keeper {
    /// Tells this process from others.
    name: String,
    seen: HashMap<i32, Seen>,
}

impl Keeper {
    fn new() -> Self {
        Self { name: uuid::Uuid::new_v4().to_string(), seen: HashMap::new() }
    }

    /// Does what there is to do, until `ends` says so.
    fn round(&mut self, conn: &mut Conn, ends: &impl Fn() -> bool) -> db::Result<()> {
        for workspace_id in fold::due(conn, types::Instant::now())? {
            if lease(conn, workspace_id, &self.name)? {
                let mut turns = 0..TURN;
                while turns.next().is_some() && !ends() && fold::fold(conn, workspace_id)? {}
            }
        }
        for (workspace_id, last_seq) in behind(conn)? {
            let now = Instant::now();
            let seen = self.seen.entry(workspace_id).or_insert(Seen { last_seq, since: now });
            if seen.last_seq != last_seq {
                *seen = Seen { last_seq, since: now };
            }
            let quiet = seen.since.elapsed() >= QUIET;
            if !lease(conn, workspace_id, &self.name)? {
                continue;
            }
            for _ in 0..TURN {
                if ends() || build::advance(conn, workspace_id, quiet)? != Advanced::Segment {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Workspaces with events that are not indexed, and their last seq.
fn behind(conn: &mut Conn) -> db::Result<Vec<(i32, i64)>> {
    let indexed = index_states::indexed_seq.nullable();
    Ok(workspace_sequences::table
        .left_join(index_states::table.on(index_states::workspace_id.eq(workspace_sequences::workspace_id)))
        .filter(workspace_sequences::last_seq.gt(0))
        .filter(indexed.is_null().or(indexed.lt(workspace_sequences::last_seq.nullable())))
        .select((workspace_sequences::workspace_id, workspace_sequences::last_seq))
        .load(conn)?)
}

/// Events of all workspaces that are not indexed yet.
///
/// # Errors
/// The database's.
pub fn index_lag(conn: &mut Conn) -> db::Result<i64> {
    let lags = workspace_sequences::table
        .left_join(index_states::table.on(index_states::workspace_id.eq(workspace_sequences::workspace_id)))
        .select((workspace_sequences::last_seq, index_states::indexed_seq.nullable()))
        .load::<(i64, Option<i64>)>(conn)?;
    Ok(lags.into_iter().map(|(last, indexed)| last - indexed.unwrap_or_default()).sum())
}

/// Takes or renews the lease of a workspace. False when another process has it.
fn lease(conn: &mut Conn, workspace_id: i32, name: &str) -> db::Result<bool> {
    let now = types::Instant::now();
    let until = now.plus_seconds(LEASE_SECONDS);
    let found = upkeep_leases::table
        .find(workspace_id)
        .select((upkeep_leases::holder, upkeep_leases::held_until))
        .first::<(String, types::Instant)>(conn)
        .optional()?;
    match found {
        // Renewed in its second half only: this is asked several times a second.
        Some((holder, held)) if holder == name && held > now.plus_seconds(LEASE_SECONDS / 2) => Ok(true),
        Some((holder, held)) if holder != name && held > now => Ok(false),
        Some((holder, held)) => {
            let taken = diesel::update(upkeep_leases::table.find(workspace_id))
                .filter(upkeep_leases::holder.eq(holder))
                .filter(upkeep_leases::held_until.eq(held))
                .set((upkeep_leases::holder.eq(name), upkeep_leases::held_until.eq(until)))
                .execute(conn)?;
            Ok(taken == 1)
        }
        None => {
            let taken = diesel::insert_into(upkeep_leases::table)
                .values((
                    upkeep_leases::workspace_id.eq(workspace_id),
                    upkeep_leases::holder.eq(name),
                    upkeep_leases::held_until.eq(until),
                ))
                .execute(conn);
            match taken {
                Err(diesel::result::Error::DatabaseError(
                    diesel::result::DatabaseErrorKind::UniqueViolation,
                    _,
                )) => Ok(false),
                taken => Ok(taken? == 1),
            }
        }
    }
}
