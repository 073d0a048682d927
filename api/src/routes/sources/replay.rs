//! Replaying the quarantine: what could not be read is read again, after the mapping was mended.

use actix_web::{HttpResponse, web};
use logbook_engine::{
    append::{AppendRequest, Appended, queue::Appender},
    db::{Conn, Db, ReaderId, roles},
    event::{limits::SourceName, masking::Masker},
    sources::{
        FromSource,
        quarantine::{self, NewRejected, Rejected},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::rejected::MOST;
use crate::{
    accounts::{sources, workspaces::Workspaces},
    audit::AuditContext,
    auth::Manager,
    http::{
        body::BodyOrDefault,
        error::{Code, ManageProblems, Problem, Result},
        params::{NoParams, Params},
    },
    routes::{
        doors::named::SourcePath,
        logs::{append::sender_of_source, ingest::parse_mixed},
    },
    sources::{
        formats,
        reading::{Alike, Became, Reading, rejected},
        registry::{OpenSource, Registry},
    },
};

/// Bytes of records that one request replays: their events are in memory at once.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Which rejected records.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// Their ids. Left out: the oldest, up to 1,000.
    #[serde(default)]
    #[validate(length(min = 1, max = "MOST"))]
    #[schema(min_items = 1, max_items = 1000)]
    pub ids: Option<Vec<i64>>,
}

/// What became of the records.
#[derive(Serialize, ToSchema)]
pub struct Replayed {
    /// Events that are stored now, with the time at which they first arrived.
    pub replayed: usize,
    /// Events that were stored before.
    pub duplicates: usize,
    /// Records that are no events, as the mapping says. They leave the quarantine.
    pub skipped: u64,
    /// Records that still cannot be read. They stay.
    pub rejected: usize,
    /// Whether there are more. Left out `ids`: send the request again until this is false.
    pub has_more: bool,
    /// The highest id of the records.
    #[schema(required)]
    pub last_id: Option<i64>,
}

/// Reads rejected records again, with the mapping as it is now. Those that are events now leave the quarantine. For admins.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/sources/{source}/rejected/replay", operation_id = "replayRejectedRecords", tag = "Sources",
    params(SourcePath),
    request_body = ReplayRequest,
    responses((status = 200, description = "What became of them", body = Replayed), ManageProblems)
)]
#[expect(clippy::too_many_arguments, reason = "each is a service of its own")]
pub async fn replay(
    db: web::Data<Db>,
    appender: web::Data<Appender>,
    registry: web::Data<Registry>,
    workspaces: web::Data<Workspaces>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    path: web::Path<SourcePath>,
    _no: Params<(NoParams,)>,
    BodyOrDefault(ReplayRequest { ids }): BodyOrDefault<ReplayRequest>,
) -> Result<HttpResponse> {
    let workspace_id = manager.workspace.id;
    let name = path.into_inner().source;
    // Read anew: the mapping was mended a moment ago, perhaps at another server.
    registry.invalidate(workspace_id, &name);
    let open = registry.find(workspace_id, &name).await?;
    let open = open.ok_or_else(|| Problem::new(Code::NotFound, "this workspace has no such source"))?;
    let id = ReaderId { workspace_id, caller: manager.caller.sub.clone() };
    let wanted = name.clone();
    let (found, has_more) = db.read(id, move |conn| take(conn, workspace_id, &wanted, ids)).await?;
    let last_id = found.last().map(|rejected| rejected.id);
    let masker = workspaces.masker(workspace_id).await?;
    let mut memory = appender.reserve(workspace_id, &manager.caller.sub);
    memory.grow_to(found.iter().map(|rejected| rejected.record.len()).sum())?;
    memory.complete();
    let read = move |_: &mut _| Ok::<_, Problem>(read_again(&open, &masker, found));
    let (Again { request, skipped, still }, memory) = appender.parse(memory, read).await?;
    let rejected = still.len();
    let appended = match request.source.as_ref().is_some_and(|source| !source.replayed.is_empty()) {
        true => appender.append(request, memory).await?,
        false => Appended::default(),
    };
    let record = move |conn: &mut Conn| {
        let source = sources::find(conn, workspace_id, &name)?;
        roles::as_appender(conn, |conn| {
            let mut again = still.iter();
            again.try_for_each(|(id, new)| quarantine::reject_again(conn, workspace_id, &name, *id, new))
        })?;
        let by = manager.by(&client_info);
        Ok(((), vec![by.records_replayed(&source, appended.accepted, rejected)]))
    };
    let (replayed, duplicates) = (appended.accepted, appended.duplicates);
    audit.with_change(&db, record).await?;
    Ok(HttpResponse::Ok().json(Replayed { replayed, duplicates, skipped, rejected, has_more, last_id }))
}

/// The records to replay, as many as fit into one request, and whether there are more.
fn take(
    conn: &mut Conn,
    workspace_id: i32,
    source: &str,
    ids: Option<Vec<i64>>,
) -> logbook_engine::Result<(Vec<Rejected>, bool)> {
    let mut found: Vec<Rejected> = Vec::new();
    let (mut after, mut bytes) = (0, 0);
    let given = ids.is_some();
    let mut ids = ids.unwrap_or_default();
    ids.sort_unstable();
    ids.dedup();
    let mut ids = ids.into_iter();
    while (found.len() as u64) < MOST && bytes < MOST_BYTES {
        let rows = if given {
            let Some(id) = ids.next() else { return Ok((found, false)) };
            quarantine::find(conn, workspace_id, source, &[id])?
        } else {
            let rows = quarantine::list(conn, workspace_id, source, after, 1)?;
            let Some(last) = rows.last() else { return Ok((found, false)) };
            after = last.id;
            rows
        };
        bytes += rows.iter().map(|row| row.record.len()).sum::<usize>();
        found.extend(rows);
    }
    let has_more = ids.next().is_some()
        || (!given && !quarantine::list(conn, workspace_id, source, after, 1)?.is_empty());
    Ok((found, has_more))
}

/// Records that were read again.
struct Again {
    request: AppendRequest,
    skipped: u64,
    /// Those that still cannot be read, and why.
    still: Vec<(i64, NewRejected)>,
}

fn read_again(open: &OpenSource, masker: &Masker, found: Vec<Rejected>) -> Again {
    let name = SourceName::truncated(&open.source.name);
    let kind = open.source.kind();
    let reading = Reading { kind, mapping: open.mapping.as_deref(), own: parse_mixed, source: &name, masker };
    let mut source = FromSource {
        name: open.source.name.clone(),
        replay_seconds: open.source.replay_seconds(),
        ..FromSource::default()
    };
    let mut events = Vec::new();
    let mut still = Vec::new();
    let (mut alike, mut last) = (Alike::default(), None);
    for row in found {
        let (id, received_at) = (row.id, row.received_at);
        // Those of one request arrived together.
        if last.replace(received_at) != Some(received_at) {
            alike = Alike::default();
        }
        let record = row.into_record();
        match reading.element(&formats::again(kind, &record)) {
            Became::Event(event) => {
                let mut prepared = reading.prepare(*event, &record, &mut alike);
                prepared.row.received_at = received_at;
                events.push(prepared);
                source.records.push(record);
                source.replayed.push(id);
            }
            Became::Skipped => {
                source.skipped += 1;
                source.replayed.push(id);
            }
            Became::Rejected(errors) => still.push((id, rejected(record, &errors))),
        }
    }
    let skipped = source.skipped;
    let request = AppendRequest {
        workspace_id: open.source.workspace_id,
        sender: sender_of_source(&open.source.name),
        events,
        idempotency: None,
        source: Some(source),
        import_positions: Vec::new(),
    };
    Again { request, skipped, still }
}
