//! One pass over a source: reads, batches, stores, and shows the progress.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use diesel::prelude::*;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use logbook_engine::{
    append::{AppendRequest, ImportPosition, store},
    db::{
        Conn, Db,
        partitions::Partitions,
        roles,
        schema::{import_positions, workspace_sequences},
        timestamp::Timestamp,
    },
    event::{NewEvent, limits::SourceName, masking::Masker},
};

use super::{
    ImportArgs, ImportError, Stop, Summary,
    lanes::{Depth, Lanes, Unsettled},
    progress::Progress,
    rejects::{Reject, Rejects},
    source::Source,
    system::System,
};
use crate::accounts::{
    masking,
    workspaces::{self, Workspace},
};

/// Events in one transaction.
const BATCH: usize = 2000;

/// Imports the new rows of a source.
pub(super) fn once<S: System>(
    db: &Db,
    data_dir: &Path,
    args: &ImportArgs,
    source: &Source,
    system: S,
    bar: bool,
) -> Result<Summary, ImportError> {
    let mut import = Import::open(db, data_dir, args, source, system)?;
    import.pass(Depth::All, None, bar, &Stop::default())
}

/// Maps all rows of a source and stores nothing.
pub(super) fn map<S: System>(
    source: &Source,
    mut system: S,
    rejects: &Path,
    mut take: impl FnMut(Result<NewEvent, Reject>),
) -> Result<(), ImportError> {
    system.check(source)?;
    let mut progress = Progress::default();
    let mut lanes = Lanes::open(source, &mut system, &mut progress, Depth::All, None)?;
    lanes.learn(&mut Rejects::new(rejects.to_owned(), Masker::default()))?;
    while let Some(step) = lanes.next()? {
        take(step.map(|event| *event).map_err(|reject| *reject));
    }
    lanes.positions().map(drop)
}

/// An import between its passes.
pub(super) struct Import<'a, S> {
    db: &'a Db,
    source: &'a Source,
    system: S,
    workspace: Workspace,
    /// The workspace was created by this import.
    created: bool,
    rejects: Rejects,
    /// None when it has to be read from the database: before the first pass, and after an error, when it is not known what
    /// was stored.
    progress: Option<Progress>,
    /// Whether what rows refer to has to be read again before the next row is mapped.
    is_ignorant: bool,
}

impl<'a, S: System> Import<'a, S> {
    pub(super) fn open(
        db: &'a Db,
        data_dir: &Path,
        args: &ImportArgs,
        source: &'a Source,
        system: S,
    ) -> Result<Self, ImportError> {
        let mut conn = db.conn()?;
        let rejects = Rejects::new(rejects_path(data_dir, args), Masker::default());
        // All tables must exist before a workspace is created.
        system.check(source)?;
        let new = system.workspace(source, &args.workspace)?;
        let (workspace, created) = match workspaces::find(&mut conn, &args.workspace)? {
            Some(workspace) => (workspace, false),
            None => (workspaces::create(&mut conn, &new)?, true),
        };
        let (progress, is_ignorant) = (None, true);
        Ok(Self { db, source, system, workspace, created, rejects, progress, is_ignorant })
    }

    /// Stores what is new. A pass that is told to stop ends after a batch.
    pub(super) fn pass(
        &mut self,
        depth: Depth,
        unsettled: Option<&mut Unsettled>,
        bar: bool,
        stop: &Stop,
    ) -> Result<Summary, ImportError> {
        let mut progress = match self.progress.take() {
            Some(progress) => progress,
            None => self.stored_progress()?,
        };
        let summary = self.pass_from(&mut progress, depth, unsettled, bar, stop)?;
        self.progress = Some(progress);
        Ok(summary)
    }

    fn pass_from(
        &mut self,
        progress: &mut Progress,
        depth: Depth,
        unsettled: Option<&mut Unsettled>,
        bar: bool,
        stop: &Stop,
    ) -> Result<Summary, ImportError> {
        let Self { db, source, system, workspace, created, rejects, progress: _, is_ignorant } = self;
        let mut summary =
            Summary { workspace: workspace.slug.clone(), created: *created, ..Summary::default() };
        let rejected_before = rejects.count;
        // Names change, and a pass over everything costs more than to read them.
        *is_ignorant |= depth == Depth::All;
        if depth == Depth::All {
            // A table that is away for a follower is not an empty one.
            system.check(source)?;
        }
        let mut lanes = Lanes::open(source, system, progress, depth, unsettled)?;
        if !lanes.is_idle()? {
            // A follower runs for weeks, in which the lists change.
            let lists = masking::find(&mut *db.conn()?, workspace.id)?.lists;
            rejects.set_masker(Masker::default().with_fields(&lists));
            if *is_ignorant {
                lanes.learn(rejects)?;
                *is_ignorant = false;
            }
        }
        let bar = if bar { visible_bar(lanes.count()?) } else { ProgressBar::hidden() };
        loop {
            let mut events = Vec::new();
            let mut rejected = false;
            while events.len() < BATCH {
                match lanes.next()? {
                    Some(Ok(event)) => events.push(*event),
                    Some(Err(reject)) => {
                        rejected = true;
                        rejects.add(*reject).map_err(|error| ImportError::rejects(rejects.path(), &error))?;
                    }
                    None => break,
                }
                bar.inc(lanes.take_seen());
            }
            bar.inc(lanes.take_seen());
            let positions = lanes.positions()?;
            let is_last = events.is_empty() && !rejected;
            if is_last && positions.is_empty() {
                break;
            }
            // The rejects first: a position must never pass a row that is neither stored nor in the rejects file.
            rejects.sync().map_err(|error| ImportError::rejects(rejects.path(), &error))?;
            let batch = Batch { workspace, source: S::EVENTS_SOURCE, events, positions };
            summary.add(batch.count());
            batch.store(&mut *db.conn()?, lanes.progress())?;
            if is_last || stop.is_set() {
                break;
            }
        }
        bar.finish_and_clear();
        summary.rejected = rejects.count - rejected_before;
        summary.rejects_file = (rejects.count > 0).then(|| rejects.path().to_owned());
        summary.first_rejects = rejects.first.clone();
        Ok(summary)
    }

    fn stored_progress(&self) -> Result<Progress, ImportError> {
        let source = self.system.positions(self.source);
        let mut conn = self.db.conn()?;
        let read = |conn: &mut Conn| stored_positions(conn, self.workspace.id, &source);
        let stored = roles::as_appender_throughout(&mut conn, read)?;
        Ok(Progress::new(source, stored))
    }
}

/// What is stored in one transaction.
struct Batch<'a> {
    workspace: &'a Workspace,
    source: &'static str,
    events: Vec<NewEvent>,
    positions: Vec<ImportPosition>,
}

impl Batch<'_> {
    fn count(&self) -> Summary {
        let mut summary = Summary::default();
        self.events.iter().for_each(|event| summary.count(event));
        summary
    }

    /// Stores events and positions, if the positions are still those that this import left: a second import of the same
    /// tables at the same time would store everything twice. So would this one, if it did not know that an earlier
    /// transaction of its own was committed after all.
    fn store(self, conn: &mut Conn, progress: &mut Progress) -> Result<(), ImportError> {
        let Self { workspace, source, events, positions } = self;
        // Before the transaction, in which the connection no longer has the owner's rights.
        Partitions::default().make(conn, events.iter().map(|event| event.occurred_at.timestamp()))?;
        let masker = workspaces::masker(conn, workspace.id)?;
        roles::as_appender(conn, |conn| {
            // Takes the appender's lock before anything is read.
            diesel::update(workspace_sequences::table.find(workspace.id))
                .set(workspace_sequences::last_seq.eq(workspace_sequences::last_seq))
                .execute(conn)?;
            for position in &positions {
                let now = import_positions::table
                    .find((workspace.id, &position.source, &position.source_table))
                    .select(import_positions::position)
                    .first::<String>(conn)
                    .optional()?;
                if now.as_ref() != progress.stored.get(&position.source_table) {
                    return Err(ImportError::Concurrent { workspace: workspace.slug.clone() });
                }
            }
            let request = AppendRequest {
                import_positions: positions.clone(),
                ..AppendRequest::masked(workspace.id, &SourceName::truncated(source), &masker, events)
            };
            store(conn, request)?;
            Ok(())
        })?;
        progress.confirm(positions);
        Ok(())
    }
}

fn stored_positions(
    conn: &mut Conn,
    workspace_id: i32,
    source: &str,
) -> Result<HashMap<String, String>, ImportError> {
    let rows = import_positions::table
        .filter(import_positions::workspace_id.eq(workspace_id))
        .filter(import_positions::source.eq(source))
        .select((import_positions::source_table, import_positions::position))
        .load::<(String, String)>(conn)?;
    Ok(rows.into_iter().collect())
}

fn rejects_path(data_dir: &Path, args: &ImportArgs) -> PathBuf {
    args.rejects.clone().unwrap_or_else(|| {
        let time: String = Timestamp::now().to_string().chars().filter(char::is_ascii_alphanumeric).collect();
        data_dir.join(format!("rejects-{}-{time}.jsonl", args.workspace))
    })
}

/// A bar on stderr, if that is a terminal.
fn visible_bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    if let Ok(style) =
        ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} rows, {per_sec}, {eta} left")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
