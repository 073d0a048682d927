//! Passes over a database for ever, so that what happens in another system is in Logbook some seconds later.
//!
//! **Pace.** A pass over everything is complete by itself (see [`super::progress`]), and reads a large table of updates from
//! front to back. So it takes at most a fiftieth of the time; in a small table that is each pass. In between, passes look only
//! near the last rows, where nearly all that is new is. What they leave out, a row far below the others or an update, the next
//! full pass finds.
//!
//! **Errors.** The source or Logbook's own database may be away at any time, also in the middle of a commit. Whatever fails,
//! the next pass begins with the positions that are stored.

use std::{
    fmt::Display,
    path::Path,
    time::{Duration, Instant},
};

use logbook_engine::db::{Db, timestamp::Timestamp};

use super::{
    ImportArgs, ImportError, Stop, Summary,
    lanes::{Depth, Unsettled},
    run::Import,
    source::Source,
    system::System,
};
use crate::http::error::Code;

/// A full pass waits for so many times what looking around has cost.
const IDLE: u32 = 50;
/// The pauses after errors: 1, 2, 4 … seconds, at most this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub(super) fn follow<S: System>(
    db: &Db,
    data_dir: &Path,
    args: &ImportArgs,
    source: &Source,
    system: S,
    stop: &Stop,
) -> Result<Summary, ImportError> {
    if source.is_folder() {
        return Err(ImportError::Follow { location: source.to_string() });
    }
    let mut import = Import::open(db, data_dir, args, source, system)?;
    let mut follower = Follower::default();
    let mut all = Summary::default();
    while !stop.is_set() {
        let pause = match follower.pass(&mut import, source, stop) {
            Ok(found) => {
                if let Some(away) = follower.failing.take() {
                    say(&format_args!("back after {} s", away.since.elapsed().as_secs()));
                }
                if found.events() + found.rejected > 0 {
                    say(&found.line());
                }
                all.add(found);
                Duration::from_secs(args.every)
            }
            Err(error) if passes(&error) => {
                let pause = follower.failed();
                say(&format_args!("{}; trying again in {} s", reason(&error), pause.as_secs()));
                pause
            }
            Err(error) => return Err(error),
        };
        stop.wait(pause);
    }
    Ok(all)
}

/// One line, for whoever watches or keeps what the program prints.
fn say(what: &dyn Display) {
    println!("{} {what}", Timestamp::now());
}

#[derive(Default)]
struct Follower {
    unsettled: Unsettled,
    /// When the last full pass ended, and when the next one is due.
    full: Option<Instant>,
    failing: Option<Failing>,
}

struct Failing {
    since: Instant,
    pause: Duration,
}

impl Follower {
    fn pass<S: System>(
        &mut self,
        import: &mut Import<'_, S>,
        source: &Source,
        stop: &Stop,
    ) -> Result<Summary, ImportError> {
        source.wake()?;
        let is_first = self.full.is_none();
        let depth =
            if self.full.is_none_or(|due| Instant::now() >= due) { Depth::All } else { Depth::Recent };
        if depth == Depth::All {
            source.forget_columns();
        }
        self.unsettled.begin();
        source.take_searched();
        // In the first pass nothing is left to a later one: most of its rows are old, and as they will stay.
        let unsettled = (!is_first).then_some(&mut self.unsettled);
        let found = import.pass(depth, unsettled, is_first && self.failing.is_none(), stop)?;
        if depth == Depth::All {
            self.full = Some(Instant::now() + source.take_searched() * IDLE);
        }
        Ok(found)
    }

    /// How long to wait now.
    fn failed(&mut self) -> Duration {
        let failing = self
            .failing
            .get_or_insert_with(|| Failing { since: Instant::now(), pause: Duration::from_millis(500) });
        failing.pause = (failing.pause * 2).min(LONGEST_PAUSE);
        failing.pause
    }
}

/// Whether it may be another time.
fn passes(error: &ImportError) -> bool {
    match error {
        ImportError::Source { .. } | ImportError::Rejects { .. } | ImportError::Concurrent { .. } => true,
        ImportError::Store(problem) => problem.code.status().is_server_error(),
        ImportError::Position { .. } | ImportError::Follow { .. } => false,
    }
}

fn reason(error: &ImportError) -> String {
    match error {
        // What a client of the API is told is of no use here.
        ImportError::Store(problem) if problem.code == Code::Unavailable => {
            "Logbook's database cannot be reached".into()
        }
        error => error.to_string().replace('\n', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::error::Problem;

    #[test]
    fn pauses_grow_up_to_a_minute() {
        let mut follower = Follower::default();
        let pauses: Vec<u64> = (0..8).map(|_| follower.failed().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        follower.failing = None;
        assert_eq!(follower.failed().as_secs(), 1);
    }

    #[test]
    fn what_no_time_mends_ends_it() {
        let away = ImportError::Source { location: "a database".into(), reason: "connection refused".into() };
        let gone = ImportError::Store(Problem::not_found());
        let busy = ImportError::Store(Problem::new(Code::Unavailable, "send it again"));
        let unreadable = ImportError::Position { table: "a".into(), position: "b".into() };
        assert_eq!([&away, &gone, &busy, &unreadable].map(passes), [true, false, true, false]);
        assert_eq!(reason(&busy), "Logbook's database cannot be reached");
    }
}
