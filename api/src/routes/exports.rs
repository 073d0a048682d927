//! Exports in the background: how far they are, and their files. A log's own file has how they start.

use actix_files::NamedFile;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ContentDisposition, ContentEncoding, ContentType, DispositionParam, DispositionType},
    web,
};
use logbook_engine::db::{Conn, Db};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    accounts::exports::{self, BackgroundExport, ExportState},
    audit::{AuditContext, reads::Recorded},
    auth::{ExportReader, Read, Reader, Readers},
    http::{
        error::{Code, ManageProblems, Problem, ReadProblems, Result},
        params::{NoParams, Params},
        path::WorkspacePath,
    },
    routes::logs::{export::ParquetBody, sink::ExportFolder},
};

/// The path parameters of one export.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ExportPath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
    /// The export's id.
    #[param(example = "k7w2m9x4c1qdk7w2m9x4")]
    pub export: String,
}

/// The file of an export, as what a handler reads.
pub struct ExportedFile;

impl Read for ExportedFile {
    const READERS: Readers = Readers::OF_EXPORTS;
    const RECORDED: Recorded = Recorded::AsExport;

    fn name() -> &'static str {
        "export"
    }
}

#[derive(Serialize, ToSchema)]
pub struct ExportList {
    pub data: Vec<BackgroundExport>,
}

/// Lists the exports in the background, newest first. For auditors and admins.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/exports", operation_id = "listExports", tag = "Exports",
    params(WorkspacePath),
    responses((status = 200, description = "The exports", body = ExportList), ReadProblems)
)]
pub async fn list(db: web::Data<Db>, reader: ExportReader, _no: Params<(NoParams,)>) -> Result<HttpResponse> {
    let list = move |conn: &mut Conn| exports::list(conn, reader.workspace.id);
    let export = |export| BackgroundExport::new(export, &reader.caller.sub);
    let data = db.run(list).await?.into_iter().map(export).collect();
    Ok(HttpResponse::Ok().json(ExportList { data }))
}

/// Returns an export in the background, and how far it is. For auditors and admins.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/exports/{export}", operation_id = "getExport", tag = "Exports",
    params(ExportPath),
    responses((status = 200, description = "The export", body = BackgroundExport), ReadProblems)
)]
pub async fn get(
    db: web::Data<Db>,
    reader: ExportReader,
    path: web::Path<ExportPath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let id = path.into_inner().export;
    let export = db.run(move |conn: &mut Conn| exports::find(conn, reader.workspace.id, &id)).await?;
    Ok(HttpResponse::Ok().json(BackgroundExport::new(export, &reader.caller.sub)))
}

/// Returns the file of an export that is done: NDJSON and CSV compressed with gzip, Parquet as it is. For auditors and admins.
///
/// A part of it can be asked for (`Range`), so a download that was cut short goes on. It is kept for a day.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/exports/{export}/file", operation_id = "downloadExport", tag = "Exports",
    params(ExportPath),
    responses(
        (status = 200, description = "The file", body = inline(ParquetBody), content_type = "application/octet-stream"),
        ManageProblems,
    )
)]
pub async fn file(
    request: HttpRequest,
    db: web::Data<Db>,
    folder: web::Data<ExportFolder>,
    mut reader: Reader<ExportedFile>,
    path: web::Path<ExportPath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let (workspace_id, id) = (reader.workspace.id, path.into_inner().export);
    let export = db.run(move |conn: &mut Conn| exports::find(conn, workspace_id, &id)).await?;
    if export.state() != ExportState::Done {
        return Err(Problem::new(Code::Conflict, "the export is not done"));
    }
    let elsewhere = "the file is not on this server: let all servers share their data folder";
    let path = folder.path(&export);
    let file = web::block(move || NamedFile::open(path)).await;
    let Ok(Ok(file)) = file else { return Err(Problem::new(Code::NotFound, elsewhere)) };
    let is_parquet = export.format == "parquet";
    let extension = if is_parquet { "parquet".into() } else { format!("{}.gz", export.format) };
    let day = export.created_at.to_string().chars().take(10).collect::<String>();
    let name = format!("{}-{}-{day}.{extension}", reader.workspace.slug, export.log);
    let file = file
        .set_content_type(ContentType::octet_stream().0)
        .set_content_disposition(ContentDisposition {
            disposition: DispositionType::Attachment,
            parameters: vec![DispositionParam::Filename(name)],
        })
        // It is compressed already.
        .set_content_encoding(ContentEncoding::Identity);
    reader.read.note("export", export.id);
    reader.read.begins();
    reader.read.returns(usize::try_from(export.events).unwrap_or_default());
    Ok(file.into_response(&request))
}

/// Removes an export and its file; one that runs ends. One's own, or for admins any.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{workspace}/exports/{export}", operation_id = "removeExport", tag = "Exports",
    params(ExportPath),
    responses((status = 204, description = "The export is gone"), ManageProblems)
)]
pub async fn remove(
    db: web::Data<Db>,
    folder: web::Data<ExportFolder>,
    AuditContext { audit, client_info }: AuditContext,
    reader: ExportReader,
    path: web::Path<ExportPath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let id = path.into_inner().export;
    let remove = move |conn: &mut Conn| {
        let export = exports::find(conn, reader.workspace.id, &id)?;
        if export.owner != reader.caller.sub && !reader.role.manages() {
            return Err(Problem::new(Code::Forbidden, "only who started an export, or an admin, removes it"));
        }
        exports::remove(conn, &export)?;
        let record = reader.by(&client_info).export_removed(&export);
        Ok((export, vec![record]))
    };
    let export = audit.with_change(&db, remove).await?;
    let path = folder.path(&export);
    // A running one removes its file by itself, once it learns of it.
    if let Err(error) = web::block(move || exports::remove_file(&path)).await {
        tracing::warn!(%error, "the file of an export could not be removed");
    }
    Ok(HttpResponse::NoContent().finish())
}
