//! Runs an import: reads, batches, stores, and shows the progress.

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
    event::{
        NewEvent,
        limits::SourceName,
        masking::{FieldLists, Masker},
    },
};

use super::{
    ImportError, Summary, ZangoImport,
    lanes::Lanes,
    names::Names,
    source::Source,
    tables::{ACCESS, AUDIT},
    workspace,
};

/// The source of imported events.
const SOURCE_NAME: &str = "zango import";
use crate::{
    accounts::{
        masking,
        workspaces::{self, Workspace},
    },
    import::rejects::{Reject, Rejects},
};

/// Events in one transaction.
const BATCH: usize = 2000;

/// Imports the new rows of the source. `progress` draws a bar on stderr if that is a terminal.
///
/// # Errors
/// When the source cannot be read or the events cannot be stored. Batches stored until then stay, with their
/// positions: another run continues from there.
pub fn run(db: &Db, data_dir: &Path, args: &ZangoImport, progress: bool) -> Result<Summary, ImportError> {
    let source = Source::open(&args.from, &args.schema)?;
    let mut conn = db.conn()?;
    let lists = field_lists(&mut conn, args)?;
    let mut rejects = Rejects::new(rejects_path(data_dir, args), Masker::default().with_fields(&lists));
    let names = Names::load(&source, &mut rejects)?;
    let source_name = format!("zango:{}", args.schema);

    // Both log tables must exist before a workspace is created.
    source.require(&ACCESS)?;
    source.require(&AUDIT)?;
    let (workspace, created) = workspace::find_or_create(&mut conn, &source, args)?;
    let stored = |conn: &mut Conn| stored_positions(conn, workspace.id, &source_name);
    let mut stored = roles::as_appender_throughout(&mut conn, stored)?;
    let mut lanes = Lanes::open(&source, &source_name, &names, &stored)?;

    let bar = bar(progress, lanes.total);
    let mut summary = Summary { workspace: workspace.slug.clone(), created, ..Summary::default() };
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
        if events.is_empty() && !rejected {
            break;
        }
        // The rejects first: a position must never pass a row that is neither stored nor in the rejects file.
        rejects.sync().map_err(|error| ImportError::rejects(rejects.path(), &error))?;
        events.iter().for_each(|event| summary.count(event));
        let positions = lanes.positions()?;
        store_batch(&mut conn, &workspace, events, positions, &mut stored)?;
    }
    bar.finish_and_clear();
    summary.rejected = rejects.count;
    summary.rejects_file = (rejects.count > 0).then(|| rejects.path().to_owned());
    summary.first_rejects = rejects.first;
    Ok(summary)
}

/// Maps all rows of a source and stores nothing: each event, or why its row cannot become one, goes to `take`.
///
/// # Errors
/// When the source cannot be read, or the rejects cannot be written.
pub fn map(
    from: &str,
    schema: &str,
    rejects: &Path,
    mut take: impl FnMut(Result<NewEvent, Reject>),
) -> Result<(), ImportError> {
    let source = Source::open(from, schema)?;
    let names = Names::load(&source, &mut Rejects::new(rejects.to_owned(), Masker::default()))?;
    let mut lanes = Lanes::open(&source, &format!("zango:{schema}"), &names, &HashMap::new())?;
    while let Some(step) = lanes.next()? {
        take(step.map(|event| *event).map_err(|reject| *reject));
    }
    lanes.positions().map(drop)
}

/// Stores events and positions, if the positions are still those that this import left: a second import of the same
/// tables at the same time would store everything twice.
fn store_batch(
    conn: &mut Conn,
    workspace: &Workspace,
    events: Vec<NewEvent>,
    positions: Vec<ImportPosition>,
    stored: &mut HashMap<String, String>,
) -> Result<(), ImportError> {
    let moved: Vec<ImportPosition> =
        positions.into_iter().filter(|new| stored.get(&new.source_table) != Some(&new.position)).collect();
    // Before the transaction, in which the connection no longer has the owner's rights.
    Partitions::default().make(conn, events.iter().map(|event| event.occurred_at.timestamp()))?;
    let masker = workspaces::masker(conn, workspace.id)?;
    roles::as_appender(conn, |conn| {
        // Takes the appender's lock before anything is read.
        diesel::update(workspace_sequences::table.find(workspace.id))
            .set(workspace_sequences::last_seq.eq(workspace_sequences::last_seq))
            .execute(conn)?;
        for position in &moved {
            let now = import_positions::table
                .find((workspace.id, &position.source, &position.source_table))
                .select(import_positions::position)
                .first::<String>(conn)
                .optional()?;
            if now.as_ref() != stored.get(&position.source_table) {
                return Err(ImportError::Concurrent { workspace: workspace.slug.clone() });
            }
        }
        let request = AppendRequest {
            import_positions: moved.clone(),
            ..AppendRequest::masked(workspace.id, &SourceName::truncated(SOURCE_NAME), &masker, events)
        };
        store(conn, request)?;
        Ok(())
    })?;
    stored.extend(moved.into_iter().map(|position| (position.source_table, position.position)));
    Ok(())
}

/// The fields that the workspace masks and keeps; none where it is not there yet.
fn field_lists(conn: &mut Conn, args: &ZangoImport) -> Result<FieldLists, ImportError> {
    let Some(workspace) = workspaces::find(conn, &args.workspace)? else { return Ok(FieldLists::default()) };
    Ok(masking::find(conn, workspace.id)?.lists)
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

fn rejects_path(data_dir: &Path, args: &ZangoImport) -> PathBuf {
    args.rejects.clone().unwrap_or_else(|| {
        let time: String = Timestamp::now().to_string().chars().filter(char::is_ascii_alphanumeric).collect();
        data_dir.join(format!("rejects-{}-{time}.jsonl", args.workspace))
    })
}

fn bar(visible: bool, total: u64) -> ProgressBar {
    let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    if let Ok(style) =
        ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} rows, {per_sec}, {eta} left")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
