//! The streams of events that a pass merges.

use std::collections::HashSet;

use logbook_engine::{append::ImportPosition, db::timestamp::Timestamp, event::NewEvent};

use super::{
    ImportError,
    ids::IdSet,
    progress::Progress,
    rejects::{Reject, Rejects},
    row::{Reason, Row},
    source::{Read, Source, Stream},
    system::{Lane, System, When},
};

/// How far below the last row a pass of recent rows looks for others.
const RECENT: i64 = 10_000;

/// Where a pass looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Everywhere: it finds every row that is there and has not been processed.
    All,
    /// Only near the last rows, and for no updates: it costs nothing in a large table.
    Recent,
}

/// What a row became.
pub(super) type Step = Result<Box<NewEvent>, Box<Reject>>;

/// Rows that a pass has left to the next one, by lane and id, since they may get another value in a moment.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    before: HashSet<(String, i64)>,
    now: HashSet<(String, i64)>,
}

impl Unsettled {
    pub(super) fn begin(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }
}

/// The lanes, and the next step of each.
pub(super) struct Lanes<'a, S> {
    source: &'a Source,
    system: &'a mut S,
    progress: &'a mut Progress,
    unsettled: Option<&'a mut Unsettled>,
    lanes: Vec<Opened<S>>,
    /// Rows that were read since the last [`Lanes::take_seen`].
    seen: u64,
}

struct Opened<S> {
    lane: Lane<S>,
    stream: Stream,
    /// In a folder, where the whole table is read: what was processed before. A second row with the same id is an error, to be
    /// reported.
    before: Option<IdSet>,
    next: Option<(Row, Option<Reason>)>,
    head: Option<Head>,
}

struct Head {
    id: i64,
    /// Of a lane of growing numbers.
    number: i64,
    /// Whether the event has what [`Lane::tells`] names.
    tells: bool,
    step: Step,
}

impl<'a, S: System> Lanes<'a, S> {
    /// `unsettled` is None if no row is left to a later pass.
    pub(super) fn open(
        source: &'a Source,
        system: &'a mut S,
        progress: &'a mut Progress,
        depth: Depth,
        unsettled: Option<&'a mut Unsettled>,
    ) -> Result<Self, ImportError> {
        let mut lanes = Vec::new();
        for lane in system.lanes(source)? {
            let Some(stream) = open(source, progress, &lane, depth)? else { continue };
            let is_set = !matches!(lane.when, When::Grown(_));
            let before =
                (source.is_folder() && is_set).then(|| progress.set(&lane.key).cloned()).transpose()?;
            lanes.push(Opened { lane, stream, before, next: None, head: None });
        }
        Ok(Self { source, system, progress, unsettled, lanes, seen: 0 })
    }

    /// Whether there is nothing to do. What rows refer to has not been read by then.
    pub(super) fn is_idle(&mut self) -> Result<bool, ImportError> {
        for place in 0..self.lanes.len() {
            self.read(place)?;
        }
        Ok(self.lanes.iter().all(|lane| lane.next.is_none()))
    }

    /// How many rows there are, for a bar.
    pub(super) fn count(&mut self) -> Result<u64, ImportError> {
        let mut total = 0;
        for Opened { lane, stream, .. } in &self.lanes {
            total += stream.total;
            if !self.source.is_folder() && lane.when == When::There {
                let last = self.progress.set(&lane.key)?.last().unwrap_or(0);
                total += self.source.count(&lane.table, last)?;
            }
        }
        Ok(total)
    }

    pub(super) fn learn(&mut self, rejects: &mut Rejects) -> Result<(), ImportError> {
        self.system.learn(self.source, rejects)
    }

    /// The earliest next step of all lanes. Each lane is in order of id, which is nearly the order of time, so the result is
    /// nearly in order of time. A row that cannot be read has no time and comes first.
    pub(super) fn next(&mut self) -> Result<Option<Step>, ImportError> {
        for place in 0..self.lanes.len() {
            self.fill(place)?;
        }
        let time =
            |step: &Step| step.as_ref().map_or(Timestamp(i64::MIN), |event| event.occurred_at.timestamp());
        let earliest = self
            .lanes
            .iter_mut()
            .filter(|lane| lane.head.is_some())
            .min_by_key(|lane| lane.head.as_ref().map(|head| time(&head.step)));
        let Some(lane) = earliest else { return Ok(None) };
        let Some(Head { id, number, tells, step }) = lane.head.take() else { return Ok(None) };
        pass(self.progress, &lane.lane, id, number, tells)?;
        Ok(Some(step))
    }

    pub(super) fn take_seen(&mut self) -> u64 {
        std::mem::take(&mut self.seen)
    }

    /// The positions after the last returned step, of what changed.
    pub(super) fn positions(&mut self) -> Result<Vec<ImportPosition>, ImportError> {
        self.progress.take_changed()
    }

    pub(super) fn progress(&mut self) -> &mut Progress {
        self.progress
    }

    /// Reads the next row of a lane that has not been processed.
    fn read(&mut self, place: usize) -> Result<(), ImportError> {
        let Opened { lane, stream, before, next, head } = &mut self.lanes[place];
        while next.is_none() && head.is_none() {
            let Some(read) = stream.next(self.source)? else { return Ok(()) };
            self.seen += 1;
            let (mut row, fault) = match read {
                Read::Row(row) => (row, None),
                // The lane of all rows reports broken lines of the table.
                Read::Bad { .. } if lane.when != When::There => continue,
                Read::Bad { row, reason } => (row, Some(reason)),
            };
            if row.id != 0 && fault.is_none() {
                if let Some(after) = &lane.after
                    && !self.progress.set(after)?.contains(row.id)
                {
                    continue;
                }
                if let When::Grown(column) = lane.when {
                    row.told = self.progress.growth(&lane.key)?.get(row.id);
                    // One that is no number is reported.
                    if row.integer(column).is_ok_and(|number| number.unwrap_or(0) <= row.told) {
                        continue;
                    }
                }
            }
            if row.id != 0 && !matches!(lane.when, When::Grown(_)) {
                let passed = match before {
                    Some(before) => before.contains(row.id),
                    None => self.progress.set(&lane.key)?.contains(row.id),
                };
                if passed {
                    continue;
                }
            }
            if let Some(unsettled) = &mut self.unsettled
                && lane.unsettled.is_some_and(|unsettled| fault.is_none() && unsettled(&row))
            {
                let key = (lane.key.clone().into_owned(), row.id);
                if !unsettled.before.contains(&key) {
                    unsettled.now.insert(key);
                    continue;
                }
            }
            *next = Some((row, fault));
        }
        Ok(())
    }

    /// Finds the next step of a lane.
    fn fill(&mut self, place: usize) -> Result<(), ImportError> {
        while self.lanes[place].head.is_none() {
            self.read(place)?;
            let Opened { lane, stream, next, head, .. } = &mut self.lanes[place];
            let Some((row, fault)) = next.take() else { return Ok(()) };
            let has_fault = fault.is_some();
            let mapped = match fault {
                Some(reason) => Err(reason),
                None => {
                    self.system.look_up(self.source, &row)?;
                    (lane.map)(self.system, &row)
                }
            };
            let number = match lane.when {
                When::Grown(column) => row.integer(column).ok().flatten().unwrap_or(0),
                _ => 1,
            };
            let tells = lane.tells.as_ref().is_some_and(|(column, _)| row.text(column).is_some());
            let step = match mapped {
                Ok(Some(event)) => Ok(Box::new(event)),
                Ok(None) => {
                    pass(self.progress, lane, row.id, number, tells)?;
                    continue;
                }
                Err(reason) => {
                    let mut reject = Reject::new(&stream.table, &row, reason);
                    // The values of a broken line may stand in other columns than their own.
                    if has_fault || self.system.may_have_secret_id(&row) {
                        reject.hide_secret_id();
                    }
                    Err(Box::new(reject))
                }
            };
            *head = Some(Head { id: row.id, number, tells, step });
        }
        Ok(())
    }
}

/// Marks a row as processed. One without an id cannot be remembered.
fn pass<S>(
    progress: &mut Progress,
    lane: &Lane<S>,
    id: i64,
    number: i64,
    tells: bool,
) -> Result<(), ImportError> {
    if id == 0 {
        return Ok(());
    }
    match lane.when {
        When::There | When::Filled(_) => progress.set(&lane.key)?.insert(id),
        When::Grown(_) => progress.growth(&lane.key)?.set(id, number),
    }
    if let Some((_, key)) = lane.tells.as_ref().filter(|_| tells) {
        progress.set(key)?.insert(id);
    }
    Ok(())
}

/// The rows of a lane that have not been processed; in a folder, all of them. None if there can be none.
fn open<S>(
    source: &Source,
    progress: &mut Progress,
    lane: &Lane<S>,
    depth: Depth,
) -> Result<Option<Stream>, ImportError> {
    let Lane { table, when, key, lookups, after, .. } = lane;
    let found = match *when {
        When::There if source.is_folder() => return source.find(table),
        When::Filled(column) | When::Grown(column) if source.is_folder() => {
            return source.find_with_value(table, column);
        }
        When::There => {
            let set = progress.set(key)?;
            let from = match depth {
                Depth::All => 1,
                Depth::Recent => set.last().map_or(1, |last| (last - RECENT).max(1)),
            };
            return source.find_ids(table, lookups, set.missing(from));
        }
        When::Filled(_) | When::Grown(_) if depth == Depth::Recent => return Ok(None),
        When::Filled(column) => {
            // Only what the first lane has processed; and nothing twice.
            let first = after.as_ref().map(|first| progress.set(first).cloned()).transpose()?;
            let set = progress.set(key)?;
            let is_open = |id| !set.contains(id) && first.as_ref().is_none_or(|first| first.contains(id));
            source.grown(table, column, false, |id| if is_open(id) { 0 } else { i64::MAX })?.new
        }
        When::Grown(column) => {
            let growth = progress.growth(key)?;
            let grown = source.grown(table, column, true, |id| growth.get(id))?;
            growth.retain(&grown.all);
            grown.new
        }
    };
    source.find_ids(table, lookups, found.ranges().collect())
}
