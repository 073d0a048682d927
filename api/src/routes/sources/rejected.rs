//! The addresses of the quarantine of a source: what could not be read, byte for byte.
//!
//! A record is as it was sent, with whatever secrets it has: so only those who may export see it.

use actix_web::{HttpResponse, web};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use logbook_engine::{
    db::{Conn, Db, ReaderId, roles, timestamp::Timestamp},
    sources::quarantine::{self, Rejected},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    accounts::sources,
    audit::{AuditContext, reads::Recorded},
    auth::{Manager, Read, Reader, Readers},
    http::{
        body::Body,
        error::{Code, ManageProblems, Problem, ReadProblems, Result},
        params::{NoParams, Params},
    },
    routes::doors::named::SourcePath,
};

/// Most records that one request replays or discards.
pub(super) const MOST: u64 = 1000;

/// The quarantine, as what a handler reads.
pub struct Quarantine;

impl Read for Quarantine {
    const READERS: Readers = Readers::OF_EXPORTS;

    fn name() -> &'static str {
        "quarantine"
    }
}

/// The same, taken along.
pub struct QuarantineExport;

impl Read for QuarantineExport {
    const READERS: Readers = Readers::OF_EXPORTS;
    const RECORDED: Recorded = Recorded::AsExport;

    fn name() -> &'static str {
        "quarantine"
    }
}

/// Which page of the rejected records.
#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct RejectedParams {
    /// The `next_cursor` of the previous page.
    #[serde(default)]
    #[validate(range(min = 0))]
    #[param(minimum = 0, nullable = false)]
    pub cursor: Option<i64>,
    /// Maximum number of records on the page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: i64,
}

fn default_limit() -> i64 {
    50
}

/// Something that a source sent and that could not be read.
#[derive(Serialize, ToSchema)]
pub struct RejectedRecord {
    /// Counts from 1 in its source.
    #[schema(minimum = 1)]
    pub id: i64,
    /// When it first arrived.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// For programs.
    #[schema(example = "malformed_json")]
    pub code: String,
    /// Why it could not be read.
    #[schema(example = "not well-formed: EOF while parsing an object")]
    pub reason: String,
    /// The place in the record, or the field of the mapping.
    #[schema(required, example = "/action")]
    pub pointer: Option<String>,
    /// Its bytes as base64.
    #[schema(content_encoding = "base64")]
    pub record: String,
    /// Their number.
    #[schema(minimum = 0)]
    pub size: usize,
    /// What else of the request belongs to it, as JSON.
    #[schema(required, value_type = Option<Object>)]
    pub context: Option<serde_json::Value>,
}

impl From<Rejected> for RejectedRecord {
    fn from(rejected: Rejected) -> Self {
        let Rejected { id, received_at, code, reason, pointer, record, context, .. } = rejected;
        Self {
            id,
            received_at,
            code,
            reason,
            pointer,
            size: record.len(),
            record: STANDARD.encode(record),
            context: context.and_then(|context| serde_json::from_str(&context).ok()),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct RejectedPage {
    pub data: Vec<RejectedRecord>,
    /// For the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<i64>,
    pub has_more: bool,
}

/// A page stops here, so that large records do not fill the memory.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

async fn page(
    db: &Db,
    (workspace_id, caller): (i32, String),
    source: String,
    (after, limit): (i64, i64),
) -> Result<RejectedPage> {
    let wanted = source.clone();
    db.run(move |conn| sources::find(conn, workspace_id, &wanted)).await?;
    let read = move |conn: &mut Conn| {
        let mut found = Vec::new();
        let mut bytes = 0;
        let mut after = after;
        // Few at a time: one may have 16 MiB.
        while (found.len() as i64) <= limit && bytes <= PAGE_BYTES {
            let step = if bytes > 0 { 4 } else { 1 };
            let rows = quarantine::list(conn, workspace_id, &source, after, step)?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            bytes += rows.iter().map(|row| row.record.len() + 512).sum::<usize>();
            found.extend(rows);
        }
        Ok::<_, logbook_engine::Error>((found, bytes))
    };
    let (mut found, bytes) = db.read(ReaderId { workspace_id, caller }, read).await?;
    let is_full = bytes > PAGE_BYTES && found.len() > 1;
    let keep = if is_full { found.len().min(limit as usize + 1) - 1 } else { limit as usize };
    let has_more = found.len() > keep;
    found.truncate(keep);
    let next_cursor = found.last().filter(|_| has_more).map(|last| last.id);
    Ok(RejectedPage { data: found.into_iter().map(RejectedRecord::from).collect(), next_cursor, has_more })
}

/// Lists what a source sent and could not be read, oldest first. For auditors and admins: secrets are not masked.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/sources/{source}/rejected", operation_id = "listRejectedRecords", tag = "Sources",
    params(SourcePath, RejectedParams),
    responses((status = 200, description = "A page of rejected records", body = RejectedPage), ReadProblems)
)]
pub async fn list(
    db: web::Data<Db>,
    mut reader: Reader<Quarantine>,
    path: web::Path<SourcePath>,
    params: Params<(RejectedParams,)>,
) -> Result<HttpResponse> {
    let (RejectedParams { cursor, limit },) = params.0;
    let who = (reader.workspace.id, reader.caller.sub.clone());
    let page = page(&db, who, path.into_inner().source, (cursor.unwrap_or_default(), limit)).await?;
    reader.read.returns(page.data.len());
    Ok(HttpResponse::Ok().json(page))
}

/// Exports what a source sent and could not be read: a JSON object a line, oldest first. For auditors and admins.
///
/// At most 10,000 records or 8 MiB of them; `after` of the next request is the last `id`.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/sources/{source}/rejected.ndjson", operation_id = "exportRejectedRecords", tag = "Sources",
    params(SourcePath, AfterParams),
    responses((status = 200, description = "Rejected records", body = String, content_type = "application/x-ndjson"), ReadProblems)
)]
pub async fn export(
    db: web::Data<Db>,
    mut reader: Reader<QuarantineExport>,
    path: web::Path<SourcePath>,
    params: Params<(AfterParams,)>,
) -> Result<HttpResponse> {
    let (AfterParams { after },) = params.0;
    let source = path.into_inner().source;
    reader.read.note("source", source.clone());
    let who = (reader.workspace.id, reader.caller.sub.clone());
    let page = page(&db, who, source.clone(), (after, 10_000)).await?;
    reader.read.begins();
    reader.read.returns(page.data.len());
    let mut body = Vec::new();
    for record in &page.data {
        serde_json::to_writer(&mut body, record)
            .map_err(|_| Problem::new(Code::Internal, "a record could not be written"))?;
        body.push(b'\n');
    }
    let file = format!("attachment; filename=\"{source}-rejected.ndjson\"");
    let mut response = HttpResponse::Ok();
    Ok(response.content_type("application/x-ndjson").insert_header(("content-disposition", file)).body(body))
}

/// From where an export goes on.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct AfterParams {
    /// Records with a higher `id`.
    #[serde(default)]
    #[validate(range(min = 0))]
    #[param(minimum = 0, default = 0)]
    pub after: i64,
}

/// Which rejected records.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardRequest {
    /// Their ids.
    #[validate(length(min = 1, max = "MOST"))]
    #[schema(min_items = 1, max_items = 1000)]
    pub ids: Vec<i64>,
}

#[derive(Serialize, ToSchema)]
pub struct Discarded {
    #[schema(minimum = 0)]
    pub discarded: i64,
}

/// Discards rejected records for good. For admins.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/sources/{source}/rejected/discard", operation_id = "discardRejectedRecords", tag = "Sources",
    params(SourcePath),
    request_body = DiscardRequest,
    responses((status = 200, description = "How many there were", body = Discarded), ManageProblems)
)]
pub async fn discard(
    db: web::Data<Db>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    path: web::Path<SourcePath>,
    _no: Params<(NoParams,)>,
    Body(DiscardRequest { ids }): Body<DiscardRequest>,
) -> Result<HttpResponse> {
    let (workspace_id, name) = (manager.workspace.id, path.into_inner().source);
    let discard = move |conn: &mut Conn| {
        let source = sources::find(conn, workspace_id, &name)?;
        let discarded =
            roles::as_appender(conn, |conn| quarantine::discard(conn, workspace_id, &name, &ids))?;
        let record = (discarded > 0).then(|| manager.by(&client_info).records_discarded(&source, discarded));
        Ok((discarded, record.into_iter().collect()))
    };
    let discarded = audit.with_change(&db, discard).await?;
    Ok(HttpResponse::Ok().json(Discarded { discarded }))
}
