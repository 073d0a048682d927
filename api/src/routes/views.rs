//! The addresses of saved views.

use actix_web::{HttpResponse, web};
use logbook_engine::db::{Conn, Db};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    accounts::views::{self, NewView, SavedView, ViewChange},
    audit::AuditContext,
    auth::LogReader,
    http::{
        body::Body,
        error::{ManageProblems, ReadProblems, Result},
        params::{NoParams, Params},
        path::WorkspacePath,
    },
};

/// The path parameters of one view.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ViewPath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
    /// The view's id.
    #[param(example = "k7w2m9x4c1qd")]
    pub view: String,
}

#[derive(Serialize, ToSchema)]
pub struct ViewList {
    pub data: Vec<SavedView>,
}

/// Lists the saved views by name: the caller's, and those that others share.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/views", operation_id = "listViews", tag = "Views",
    params(WorkspacePath),
    responses((status = 200, description = "The views", body = ViewList), ReadProblems)
)]
pub async fn list(db: web::Data<Db>, reader: LogReader, _no: Params<(NoParams,)>) -> Result<HttpResponse> {
    let find = move |conn: &mut Conn| views::list(conn, reader.workspace.id, &reader.caller.sub);
    Ok(HttpResponse::Ok().json(ViewList { data: db.run(find).await? }))
}

/// Saves a view of a log.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/views", operation_id = "saveView", tag = "Views",
    params(WorkspacePath),
    request_body = NewView,
    responses((status = 201, description = "The view", body = SavedView), ManageProblems)
)]
pub async fn save(
    db: web::Data<Db>,
    AuditContext { audit, client_info }: AuditContext,
    reader: LogReader,
    _no: Params<(NoParams,)>,
    Body(new): Body<NewView>,
) -> Result<HttpResponse> {
    let save = move |conn: &mut Conn| {
        let view = views::create(conn, reader.workspace.id, &reader.caller, new)?;
        let record = view.shared.then(|| reader.by(&client_info).view_shared(&view));
        Ok((view, record.into_iter().collect()))
    };
    Ok(HttpResponse::Created().json(audit.with_change(&db, save).await?))
}

/// Changes a view that the caller saved.
#[utoipa::path(
    patch, path = "/api/v1/workspaces/{workspace}/views/{view}", operation_id = "changeView", tag = "Views",
    params(ViewPath),
    request_body = ViewChange,
    responses((status = 200, description = "The view", body = SavedView), ManageProblems)
)]
pub async fn change(
    db: web::Data<Db>,
    AuditContext { audit, client_info }: AuditContext,
    reader: LogReader,
    path: web::Path<ViewPath>,
    _no: Params<(NoParams,)>,
    Body(wanted): Body<ViewChange>,
) -> Result<HttpResponse> {
    let id = path.into_inner().view;
    let change = move |conn: &mut Conn| {
        let (view, was_shared) = views::change(conn, (reader.workspace.id, &id), &reader.caller, wanted)?;
        let by = reader.by(&client_info);
        let record = match (was_shared, view.shared) {
            (_, true) => Some(by.view_shared(&view)),
            (true, false) => Some(by.view_unshared(&view)),
            (false, false) => None,
        };
        Ok((view, record.into_iter().collect()))
    };
    Ok(HttpResponse::Ok().json(audit.with_change(&db, change).await?))
}

/// Removes a view: one's own, or for admins a shared one.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{workspace}/views/{view}", operation_id = "removeView", tag = "Views",
    params(ViewPath),
    responses((status = 204, description = "The view is gone"), ManageProblems)
)]
pub async fn remove(
    db: web::Data<Db>,
    AuditContext { audit, client_info }: AuditContext,
    reader: LogReader,
    path: web::Path<ViewPath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let id = path.into_inner().view;
    let remove = move |conn: &mut Conn| {
        let view = views::remove(conn, (reader.workspace.id, &id), &reader.caller, reader.role)?;
        let record = view.shared.then(|| reader.by(&client_info).view_removed(&view));
        Ok(((), record.into_iter().collect()))
    };
    audit.with_change(&db, remove).await?;
    Ok(HttpResponse::NoContent().finish())
}
