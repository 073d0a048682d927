//! The addresses of notes on events.

use actix_web::{HttpResponse, web};
use logbook_engine as engine;
use logbook_engine::{
    db::{Conn, Db, ReaderId},
    event::{Event, Log, id::EventId},
    timeline,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    accounts::notes::{self, NewNote, Note},
    audit::AuditContext,
    auth::{LogReader, readable_logs},
    http::{
        body::Body,
        error::{Code, FieldError, ManageProblems, Problem, ReadProblems, Result},
        params::{NoParams, Params},
        path::WorkspacePath,
    },
};

/// The path parameters of one note.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct NotePath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
    /// The note's id.
    #[param(example = "k7w2m9x4c1qd")]
    pub note: String,
}

/// Whose notes.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct NoteParams {
    /// The events: up to 100.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(min_items = 1, max_items = 100, nullable = false, example = json!(["01935fb2-8e31-8000-8000-040000000029"]))]
    pub event_id: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct NoteList {
    pub data: Vec<Note>,
}

/// Lists the notes on events, newest first. All who read the logs see them.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/notes", operation_id = "listNotes", tag = "Notes",
    params(WorkspacePath, NoteParams),
    responses((status = 200, description = "The notes", body = NoteList), ReadProblems)
)]
pub async fn list(
    db: web::Data<Db>,
    reader: LogReader,
    params: Params<(NoteParams,)>,
) -> Result<HttpResponse> {
    let (NoteParams { event_id },) = params.0;
    let unknown = || Problem::parameter("event_id", "must be the id of an event");
    let ids = event_id.iter().map(|id| EventId::parse(id).map(|id| id.to_string()).ok_or_else(unknown));
    let ids = ids.collect::<Result<Vec<_>>>()?;
    if ids.is_empty() {
        return Err(unknown());
    }
    let list = move |conn: &mut Conn| {
        let whose = (reader.workspace.id, reader.caller.sub.as_str());
        notes::list(conn, whose, readable_logs(reader.role), &ids)
    };
    Ok(HttpResponse::Ok().json(NoteList { data: db.run(list).await? }))
}

/// The events of a new note, each once; or which of them there are not.
fn find_events(
    conn: &mut Conn,
    workspace_id: i32,
    logs: &[Log],
    ids: &[String],
) -> engine::Result<Result<Vec<Event>, Vec<FieldError>>> {
    let mut events: Vec<Event> = Vec::new();
    let mut errors = Vec::new();
    for (n, id) in ids.iter().enumerate() {
        let found = match EventId::parse(id) {
            Some(id) => timeline::find(conn, workspace_id, logs, id)?,
            None => None,
        };
        match found {
            Some(event) if events.iter().any(|known| known.seq == event.seq) => {}
            Some(event) => events.push(event),
            None => {
                let pointer = format!("/event_ids/{n}");
                errors.push(FieldError::at(pointer, "not_found", "there is no such event"));
            }
        }
    }
    Ok(if errors.is_empty() { Ok(events) } else { Err(errors) })
}

/// Adds a note on events.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/notes", operation_id = "addNote", tag = "Notes",
    params(WorkspacePath),
    request_body = NewNote,
    responses((status = 201, description = "The note", body = Note), ManageProblems)
)]
pub async fn add(
    db: web::Data<Db>,
    AuditContext { audit, client_info }: AuditContext,
    reader: LogReader,
    _no: Params<(NoParams,)>,
    Body(NewNote { event_ids, text }): Body<NewNote>,
) -> Result<HttpResponse> {
    // Events are read as readers read them.
    let (workspace_id, logs) = (reader.workspace.id, readable_logs(reader.role));
    let id = ReaderId { workspace_id, caller: reader.caller.sub.clone() };
    let events = db.read(id, move |conn| find_events(conn, workspace_id, logs, &event_ids)).await?;
    let events = events.map_err(|errors| Problem::with_errors(Code::ValidationFailed, errors))?;
    let add = move |conn: &mut Conn| {
        let note = notes::create(conn, workspace_id, &reader.caller, (&events, text))?;
        let record = reader.by(&client_info).note_added(&note);
        Ok((note, vec![record]))
    };
    Ok(HttpResponse::Created().json(audit.with_change(&db, add).await?))
}

/// Removes a note: one's own, or for admins any.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{workspace}/notes/{note}", operation_id = "removeNote", tag = "Notes",
    params(NotePath),
    responses((status = 204, description = "The note is gone"), ManageProblems)
)]
pub async fn remove(
    db: web::Data<Db>,
    AuditContext { audit, client_info }: AuditContext,
    reader: LogReader,
    path: web::Path<NotePath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let id = path.into_inner().note;
    let remove = move |conn: &mut Conn| {
        let may = (reader.role, readable_logs(reader.role));
        let note = notes::remove(conn, (reader.workspace.id, &id), &reader.caller, may)?;
        let record = reader.by(&client_info).note_removed(&note);
        Ok(((), vec![record]))
    };
    audit.with_change(&db, remove).await?;
    Ok(HttpResponse::NoContent().finish())
}
