//! The addresses of a source's mapping: how an element becomes an event.

use actix_web::{HttpResponse, web};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use logbook_engine::{
    append::prepared::Prepared,
    db::{Conn, Db, ReaderId},
    event::{Event, limits::SourceName},
    sources::quarantine,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    accounts::{
        source_kind::Kind,
        sources::{self, Source},
        workspaces::Workspaces,
    },
    audit::AuditContext,
    auth::{LogReader, Manager},
    http::{
        body::Body,
        error::{Code, FieldError, ManageProblems, Problem, ReadProblems, Result},
        params::{NoParams, Params},
    },
    routes::{
        doors::named::SourcePath,
        logs::{feed::FeedEvent, ingest::parse_mixed},
    },
    sources::{
        element::Element,
        formats::{self, Head},
        mapping::Mapping,
        reading::{Became, Reading},
        registry::Registry,
    },
};

/// Longest mapping, in bytes.
const MAX_MAPPING: u64 = 32 * 1024;
/// Longest sample, in bytes: a body of a request has 64 KiB.
const MAX_SAMPLE: u64 = 30 * 1024;
/// Most elements of a sample that are read.
const MOST_RESULTS: usize = 20;

/// How elements of a source become events.
#[derive(Serialize, ToSchema)]
pub struct SourceMapping {
    /// The mapping that is used, as TOML. docs/MAPPINGS.md describes it.
    pub mapping: String,
    /// That of the source's kind.
    pub default_mapping: String,
    /// Whether that of its kind is used.
    pub is_default: bool,
}

impl SourceMapping {
    fn new(source: &Source) -> Self {
        let default_mapping = Mapping::text_of(source.kind()).to_owned();
        Self {
            mapping: source.mapping.clone().unwrap_or_else(|| default_mapping.clone()),
            is_default: source.mapping.is_none(),
            default_mapping,
        }
    }
}

/// A mapping to save.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMapping {
    /// The mapping as TOML; null is that of the source's kind.
    #[validate(length(min = 1, max = "MAX_MAPPING"))]
    #[schema(min_length = 1, max_length = 32_768)]
    pub mapping: Option<String>,
}

/// Returns how elements of a source become events.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/sources/{source}/mapping", operation_id = "getSourceMapping", tag = "Sources",
    params(SourcePath),
    responses((status = 200, description = "The mapping", body = SourceMapping), ReadProblems)
)]
pub async fn get(
    db: web::Data<Db>,
    reader: LogReader,
    path: web::Path<SourcePath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let (workspace_id, name) = (reader.workspace.id, path.into_inner().source);
    let source = db.run(move |conn| sources::find(conn, workspace_id, &name)).await?;
    Ok(HttpResponse::Ok().json(SourceMapping::new(&source)))
}

/// Compiles a mapping off the async threads.
async fn compile(text: String) -> Result<Mapping> {
    let compiled = web::block(move || Mapping::compile(&text)).await;
    let compiled = compiled.map_err(|_| Problem::new(Code::Internal, "the mapping could not be read"))?;
    compiled.map_err(|errors| {
        let below = |error: FieldError| FieldError {
            pointer: Some(format!("/mapping{}", error.pointer.unwrap_or_default())),
            ..error
        };
        Problem::with_errors(Code::ValidationFailed, errors.into_iter().map(below).collect())
    })
}

/// Saves a mapping, after it was checked. What is in quarantine can be replayed with it. For admins.
#[utoipa::path(
    put, path = "/api/v1/workspaces/{workspace}/sources/{source}/mapping", operation_id = "setSourceMapping", tag = "Sources",
    params(SourcePath),
    request_body = NewMapping,
    responses((status = 200, description = "The mapping", body = SourceMapping), ManageProblems)
)]
pub async fn set(
    db: web::Data<Db>,
    registry: web::Data<Registry>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    path: web::Path<SourcePath>,
    _no: Params<(NoParams,)>,
    Body(NewMapping { mapping }): Body<NewMapping>,
) -> Result<HttpResponse> {
    if let Some(text) = &mapping {
        compile(text.clone()).await?;
    }
    let (workspace_id, name) = (manager.workspace.id, path.into_inner().source);
    let wanted = name.clone();
    let save = move |conn: &mut Conn| {
        let before = sources::set_mapping(conn, (workspace_id, &wanted), mapping.as_deref())?;
        let record = manager.by(&client_info).mapping_changed(&before, mapping.as_deref());
        Ok((Source { mapping, ..before }, record.into_iter().collect()))
    };
    let source = audit.with_change(&db, save).await?;
    registry.invalidate(workspace_id, &name);
    Ok(HttpResponse::Ok().json(SourceMapping::new(&source)))
}

/// What to try a mapping on. Nothing of it is stored.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingTrial {
    /// The mapping to try. Left out: the one that is used.
    #[serde(default)]
    #[validate(length(min = 1, max = "MAX_MAPPING"))]
    #[schema(min_length = 1, max_length = 32_768)]
    pub mapping: Option<String>,
    /// A body as the source sends it.
    #[serde(default)]
    #[validate(length(max = "MAX_SAMPLE"))]
    #[schema(max_length = 30_720)]
    pub sample: Option<String>,
    /// The id of a rejected record, in place of a sample.
    #[serde(default)]
    pub rejected: Option<i64>,
}

/// What an element becomes.
#[derive(Serialize, ToSchema)]
pub struct MappingResult {
    /// The event, masked as it would be stored, in the words of the feed. Its ids and `received_at` are not given yet.
    #[schema(required)]
    pub event: Option<FeedEvent>,
    /// True when the mapping says that it is no event.
    pub skipped: bool,
    /// Why it would go into quarantine.
    pub errors: Vec<FieldError>,
}

#[derive(Serialize, ToSchema)]
pub struct MappingPreview {
    /// Of each element of the sample, up to 20.
    pub results: Vec<MappingResult>,
}

/// Shows what a sample, or a rejected record, becomes. For admins.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/sources/{source}/mapping/preview", operation_id = "previewSourceMapping", tag = "Sources",
    params(SourcePath),
    request_body = MappingTrial,
    responses((status = 200, description = "What each element becomes", body = MappingPreview), ManageProblems)
)]
pub async fn preview(
    db: web::Data<Db>,
    workspaces: web::Data<Workspaces>,
    manager: Manager,
    path: web::Path<SourcePath>,
    _no: Params<(NoParams,)>,
    Body(MappingTrial { mapping, sample, rejected }): Body<MappingTrial>,
) -> Result<HttpResponse> {
    let (workspace_id, name) = (manager.workspace.id, path.into_inner().source);
    let wanted = name.clone();
    let source = db.run(move |conn| sources::find(conn, workspace_id, &wanted)).await?;
    let text = mapping.or_else(|| source.mapping.clone());
    let mapping = compile(text.unwrap_or_else(|| Mapping::text_of(source.kind()).to_owned())).await?;
    let kind = source.kind();
    let elements = match (sample, rejected) {
        (Some(sample), None) => elements(kind, sample.into())?,
        (None, Some(id)) => {
            let reader = ReaderId { workspace_id, caller: manager.caller.sub.clone() };
            let wanted = name.clone();
            let found =
                db.read(reader, move |conn| quarantine::find(conn, workspace_id, &wanted, &[id])).await?;
            let found = found.into_iter().next();
            let found =
                found.ok_or_else(|| Problem::new(Code::NotFound, "there is no such rejected record"))?;
            vec![formats::again(kind, &found.into_record())]
        }
        _ => {
            let error = FieldError::at("/sample", "invalid", "send either sample or rejected");
            return Err(Problem::with_errors(Code::ValidationFailed, vec![error]));
        }
    };
    let masker = workspaces.masker(workspace_id).await?;
    let slug = SourceName::truncated(&name);
    let read = web::block(move || {
        let reading =
            Reading { kind, mapping: Some(&mapping), own: parse_mixed, source: &slug, masker: &masker };
        let result = |element: &Element| match reading.element(element) {
            Became::Event(event) => {
                let event = event_of(Prepared::new(*event, &slug, &masker));
                MappingResult { event, skipped: false, errors: Vec::new() }
            }
            Became::Skipped => MappingResult { event: None, skipped: true, errors: Vec::new() },
            Became::Rejected(errors) => MappingResult { event: None, skipped: false, errors },
        };
        elements.iter().take(MOST_RESULTS).map(result).collect()
    });
    let results = read.await.map_err(|_| Problem::new(Code::Internal, "the sample could not be read"))?;
    Ok(HttpResponse::Ok().json(MappingPreview { results }))
}

fn event_of(prepared: Prepared) -> Option<FeedEvent> {
    Event::try_from(prepared.row).ok().map(FeedEvent::from)
}

/// The elements of a sample. A protobuf body is given as base64.
fn elements(kind: Kind, sample: web::Bytes) -> Result<Vec<Element>> {
    let binary = (kind == Kind::Otlp && !sample.trim_ascii_start().starts_with(b"{"))
        .then(|| STANDARD.decode(sample.trim_ascii()).ok())
        .flatten();
    let (content_type, body) = match binary {
        Some(bytes) => ("application/x-protobuf", bytes.into()),
        None => ("application/json", sample),
    };
    let head = Head::new([("content-type".to_owned(), content_type.to_owned())]);
    formats::elements(kind, &head, &body).map_err(|_| crate::routes::doors::too_many())
}
