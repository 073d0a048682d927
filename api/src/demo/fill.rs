//! Fills the demo's workspaces, once.

use std::path::Path;

use diesel::prelude::*;
use indicatif::{ProgressBar, ProgressDrawTarget};
use logbook_engine::{
    append::{AppendRequest, DedupeWindow, ImportPosition, Shard, store_group},
    db::{Conn, Db, roles, schema::import_positions, timestamp::Timestamp},
    event::limits::SourceName,
    private_files,
};

use super::{
    Story, Trickle,
    story::{DAYS, ZONE},
};
use crate::{
    accounts::workspaces::{self, NewWorkspace, Workspace},
    http::error::{Problem, Result},
    import::{
        ImportArgs, ImportError,
        zango::{self, ZangoImport},
    },
};

/// Another seed gives another story.
const SEED: u64 = 20_261_122;

/// Where the progress of the clinic's story is stored, as `<end in microseconds> <days stored>`.
const SOURCE: &str = "demo";
const TABLE: &str = "story";

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../tests/fixtures/zango/", $name)))),*]
    };
}

/// The real rows.
const PEERAPP: &[(&str, &str)] = embedded![
    "accesslogs_appaccesslog.csv",
    "appauth_appusermodel.csv",
    "appauth_userrolemodel.csv",
    "auditlogs_logentry.csv",
    "django_content_type.csv",
    "object_store_objectstore.csv",
    "platformauth_platformusermodel.csv",
    "tenancy_tenantmodel.csv",
];

/// How many events were stored; 0 if everything was there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    pub peerapp: u64,
    pub clinic: u64,
}

/// Fills both workspaces. A second call does nothing; a call after an interruption continues.
///
/// # Errors
/// When the rows cannot be unpacked in the data folder or the events cannot be stored.
pub fn fill(db: &Db, data_dir: &Path, progress: bool) -> Result<Filled, ImportError> {
    Ok(Filled { peerapp: import_peerapp(db, data_dir)?, clinic: add_story(db, Timestamp::now(), progress)? })
}

/// The generator of the clinic's new events, and its workspace; None if the demo was not filled.
///
/// # Errors
/// The database's.
pub fn trickle(db: &Db) -> Result<Option<(Workspace, Trickle)>> {
    let mut conn = db.conn()?;
    let Some(workspace) = workspaces::find(&mut conn, "clinic")? else { return Ok(None) };
    let Some(Progress { end, .. }) = stored_progress(&mut conn, workspace.id)? else { return Ok(None) };
    Ok(Some((workspace, Trickle::new(SEED, end, Timestamp::now()))))
}

fn import_peerapp(db: &Db, data_dir: &Path) -> Result<u64, ImportError> {
    let folder = data_dir.join(format!("demo-{}", std::process::id()));
    let unpacked = unpack(&folder).map_err(|error| ImportError::Source {
        location: folder.display().to_string(),
        reason: format!("cannot be written: {error}"),
    });
    let args = ZangoImport {
        schema: "peerapp".into(),
        import: ImportArgs::new(folder.display().to_string(), "peerapp"),
    };
    let imported = unpacked.and_then(|()| zango::run(db, data_dir, &args, false));
    // A folder that cannot be removed does no harm: no other run uses its name.
    let _ = std::fs::remove_dir_all(&folder);
    Ok(imported?.events())
}

fn unpack(folder: &Path) -> std::io::Result<()> {
    private_files::create_folder(folder)?;
    PEERAPP.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
}

#[derive(Clone, Copy)]
struct Progress {
    end: Timestamp,
    days: usize,
}

fn add_story(db: &Db, now: Timestamp, progress: bool) -> Result<u64, ImportError> {
    let mut conn = db.conn()?;
    let workspace = clinic(&mut conn)?;
    let Progress { end, days } =
        stored_progress(&mut conn, workspace.id)?.unwrap_or(Progress { end: now, days: 0 });
    if days as i64 > DAYS {
        return Ok(0);
    }
    let target = if progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(DAYS.unsigned_abs()), target);
    let mut stored = 0;
    for (day, events) in Story::new(SEED, end).enumerate() {
        bar.set_position(day as u64);
        if day < days {
            continue;
        }
        stored += events.len() as u64;
        let position = ImportPosition {
            source: SOURCE.into(),
            source_table: TABLE.into(),
            position: format!("{} {}", end.micros(), day + 1),
        };
        let mut requests = super::requests(workspace.id, events);
        // Without events there is still progress.
        let progress = AppendRequest {
            import_positions: vec![position],
            ..AppendRequest::new(workspace.id, &SourceName::truncated(SOURCE), Vec::new())
        };
        requests.push(progress);
        let answers = store_group(&mut conn, &mut Shard::default(), &mut requests, DedupeWindow::default())?;
        answers.into_iter().collect::<std::result::Result<Vec<_>, _>>()?;
    }
    bar.finish_and_clear();
    Ok(stored)
}

fn clinic(conn: &mut Conn) -> Result<Workspace> {
    if let Some(workspace) = workspaces::find(conn, "clinic")? {
        return Ok(workspace);
    }
    let new = NewWorkspace {
        slug: "clinic".into(),
        name: "Riverside Clinic".into(),
        timezone: ZONE.name().into(),
        date_format: workspaces::DATE_FORMATS[0].into(),
    };
    workspaces::create(conn, &new)
}

fn stored_progress(conn: &mut Conn, workspace_id: i32) -> Result<Option<Progress>> {
    let position =
        import_positions::table.find((workspace_id, SOURCE, TABLE)).select(import_positions::position);
    let text = roles::as_appender_throughout(conn, |conn| position.first::<String>(conn).optional())
        .map_err(Problem::from)?;
    Ok(text.as_deref().and_then(|text| {
        let (end, days) = text.split_once(' ')?;
        Some(Progress { end: Timestamp(end.parse().ok()?), days: days.parse().ok()? })
    }))
}

#[cfg(test)]
mod tests;
