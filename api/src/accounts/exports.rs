//! Exports in the background: which there are, and how far they are. Their files are in the data folder.

use std::path::Path;

use diesel::prelude::*;
use logbook_engine::db::{Conn, schema::exports, timestamp::Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{claims::Claims, secret::random_id};
use crate::http::error::{Code, Problem, Result};

/// Exports of a workspace that are kept.
const MOST: i64 = 20;
/// How long a file is kept, in seconds.
pub const KEPT_SECONDS: i64 = 86_400;
/// After this long without a word of its server, an export has failed, in seconds.
const SILENT_SECONDS: i64 = 600;
/// Characters of an id.
const ID_LENGTH: usize = 20;

const RUNNING: &str = "running";
const DONE: &str = "done";
const FAILED: &str = "failed";

/// An export in the background.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = exports, treat_none_as_default_value = false)]
pub struct Export {
    pub workspace_id: i32,
    pub id: String,
    pub owner: String,
    pub owner_name: String,
    pub log: String,
    pub format: String,
    pub query: String,
    pub state: String,
    pub events: i64,
    pub total: Option<i64>,
    pub bytes: i64,
    pub reason: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What an export is of.
pub struct NewExport {
    /// The log, or `timeline`.
    pub log: &'static str,
    /// `ndjson`, `csv` or `parquet`.
    pub format: &'static str,
    /// The query string of the request.
    pub query: String,
    /// Events that match, where that is known.
    pub total: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    Running,
    Done,
    Failed,
}

/// An export in the background, as somebody sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct BackgroundExport {
    #[schema(example = "k7w2m9x4c1qdk7w2m9x4")]
    pub id: String,
    /// The log, or `timeline`.
    #[schema(example = "access")]
    pub log: String,
    #[schema(example = "csv")]
    pub format: String,
    /// The query string of the request, with its filters.
    #[schema(example = "since=2026-11-01&status=failure")]
    pub query: String,
    #[schema(inline)]
    pub state: ExportState,
    /// Events that are written.
    #[schema(minimum = 0)]
    pub events: i64,
    /// Events that match, where that is known. Those that arrive meanwhile may be among them, and are not exported.
    #[schema(required)]
    pub total: Option<i64>,
    /// Size of the file.
    #[schema(minimum = 0)]
    pub bytes: i64,
    /// Why it failed.
    #[schema(required, example = "the server stopped")]
    pub reason: Option<String>,
    /// Who started it.
    #[schema(example = "Asha Rao")]
    pub owner_name: String,
    pub own: bool,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the file is removed. Null while it is written.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub expires_at: Option<Timestamp>,
}

impl BackgroundExport {
    pub fn new(export: Export, caller: &str) -> Self {
        let state = export.state();
        let own = export.owner == caller;
        let Export { id, log, format, query, events, total, bytes, reason, .. } = export;
        let Export { owner_name, created_at, updated_at, .. } = export;
        let expires_at = (state != ExportState::Running).then(|| updated_at.plus_seconds(KEPT_SECONDS));
        Self {
            id,
            log,
            format,
            query,
            state,
            events,
            total,
            bytes,
            reason,
            owner_name,
            own,
            created_at,
            expires_at,
        }
    }
}

impl Export {
    pub fn state(&self) -> ExportState {
        match self.state.as_str() {
            RUNNING => ExportState::Running,
            DONE => ExportState::Done,
            _ => ExportState::Failed,
        }
    }

    /// The name of its file in the data folder.
    pub fn file_name(&self) -> String {
        let Self { workspace_id, id, .. } = self;
        format!("{workspace_id}-{id}")
    }
}

/// The exports of a workspace, newest first.
pub fn list(conn: &mut Conn, workspace_id: i32) -> Result<Vec<Export>> {
    let of_workspace = exports::table.filter(exports::workspace_id.eq(workspace_id));
    Ok(of_workspace
        .order((exports::created_at.desc(), exports::id))
        .select(Export::as_select())
        .load(conn)?)
}

/// # Errors
/// `not_found`
pub fn find(conn: &mut Conn, workspace_id: i32, id: &str) -> Result<Export> {
    let export =
        exports::table.find((workspace_id, id)).select(Export::as_select()).first(conn).optional()?;
    export.ok_or_else(|| Problem::new(Code::NotFound, "there is no such export"))
}

/// Begins an export. Returns it, and how many bytes its file may have, of `quota` for all files of the workspace.
///
/// # Errors
/// `conflict` for more than 20 exports, and where nothing is left of the quota.
pub fn create(
    conn: &mut Conn,
    workspace_id: i32,
    caller: &Claims,
    (new, quota): (NewExport, u64),
) -> Result<(Export, u64)> {
    let all = list(conn, workspace_id)?;
    if all.len() as i64 >= MOST {
        return Err(Problem::new(Code::Conflict, format!("at most {MOST} exports are kept; remove some")));
    }
    let used: i64 = all.iter().map(|export| export.bytes).sum();
    let left = quota.saturating_sub(u64::try_from(used).unwrap_or_default());
    if left == 0 {
        return Err(Problem::new(Code::Conflict, "the kept exports take all the room there is; remove some"));
    }
    let NewExport { log, format, query, total } = new;
    let now = Timestamp::now();
    let export = Export {
        workspace_id,
        id: random_id(ID_LENGTH),
        owner: caller.sub.clone(),
        owner_name: caller.name.clone(),
        log: log.to_owned(),
        format: format.to_owned(),
        query,
        state: RUNNING.to_owned(),
        events: 0,
        total: total.and_then(|total| i64::try_from(total).ok()),
        bytes: 0,
        reason: None,
        created_at: now,
        updated_at: now,
    };
    diesel::insert_into(exports::table).values(&export).execute(conn)?;
    Ok((export, left))
}

/// How an export is, as its server says.
#[derive(Clone, Debug)]
pub enum Progress {
    Running,
    Done,
    Failed(String),
}

/// Stores how far an export is. False when it was removed meanwhile.
pub fn progress(
    conn: &mut Conn,
    (workspace_id, id): (i32, &str),
    (events, bytes): (u64, u64),
    progress: Progress,
) -> Result<bool> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let (state, reason) = match progress {
        Progress::Running => (RUNNING, None),
        Progress::Done => (DONE, None),
        Progress::Failed(reason) => (FAILED, Some(reason)),
    };
    let changed = diesel::update(exports::table.find((workspace_id, id)))
        .filter(exports::state.eq(RUNNING))
        .set((
            exports::state.eq(state),
            exports::reason.eq(reason),
            exports::events.eq(number(events)),
            exports::bytes.eq(number(bytes)),
            exports::updated_at.eq(Timestamp::now()),
        ))
        .execute(conn)?;
    Ok(changed > 0)
}

/// Removes an export. Its server stops writing it.
pub fn remove(conn: &mut Conn, export: &Export) -> Result<()> {
    diesel::delete(exports::table.find((export.workspace_id, &export.id))).execute(conn)?;
    Ok(())
}

/// Gives up exports whose server is gone, and removes what was kept for long enough, with the files in `folder`.
pub fn sweep(conn: &mut Conn, folder: &Path, now: Timestamp) -> Result<()> {
    let silent = exports::table
        .filter(exports::state.eq(RUNNING))
        .filter(exports::updated_at.lt(now.plus_seconds(-SILENT_SECONDS)));
    diesel::update(silent)
        .set((exports::state.eq(FAILED), exports::reason.eq("the server stopped"), exports::bytes.eq(0)))
        .execute(conn)?;
    let old = exports::table
        .filter(exports::state.ne(RUNNING))
        .filter(exports::updated_at.lt(now.plus_seconds(-KEPT_SECONDS)));
    for export in old.select(Export::as_select()).load::<Export>(conn)? {
        remove(conn, &export)?;
        remove_file(&folder.join(export.file_name()));
    }
    Ok(())
}

/// Removes a file that may be gone already, or be in the folder of another server.
pub fn remove_file(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "the file of an export could not be removed");
    }
}
