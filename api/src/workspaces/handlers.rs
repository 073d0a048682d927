//! The addresses of workspaces.

use actix_web::{HttpResponse, web};

use super::{NewWorkspace, WorkspaceList, WorkspaceView, create, visible};
use crate::{
    auth::{Member, PlatformAdmin, Role, SignedIn},
    body::Body,
    db::Db,
    error::{ChangeProblems, Problem, ReadProblems, Result},
    params::{NoParams, Params},
};

/// Lists the workspaces that the caller may see.
#[utoipa::path(
    get, path = "/api/v1/workspaces", operation_id = "listWorkspaces", tag = "Workspaces",
    responses((status = 200, description = "The workspaces, by slug", body = WorkspaceList), ReadProblems)
)]
pub async fn list(
    db: web::Data<Db>,
    SignedIn(claims): SignedIn,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let data = db.run(move |conn| visible(conn, |id| claims.role_in(id))).await?;
    Ok(HttpResponse::Ok().json(WorkspaceList { data }))
}

/// Makes a workspace. For platform admins.
#[utoipa::path(
    post, path = "/api/v1/workspaces", operation_id = "createWorkspace", tag = "Workspaces",
    request_body = NewWorkspace,
    responses((status = 201, description = "The new workspace", body = WorkspaceView), ChangeProblems)
)]
pub async fn post(
    db: web::Data<Db>,
    _admin: PlatformAdmin,
    Body(new): Body<NewWorkspace>,
) -> Result<HttpResponse> {
    let workspace = db.run(move |conn| create(conn, &new)).await?;
    Ok(HttpResponse::Created().json(WorkspaceView::new(workspace, Role::Admin)))
}

/// One workspace.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}", operation_id = "getWorkspace", tag = "Workspaces",
    params(crate::auth::WorkspacePath),
    responses((status = 200, description = "The workspace", body = WorkspaceView), ReadProblems)
)]
pub async fn get(member: Member, _no: Params<(NoParams,)>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(WorkspaceView::new(member.workspace, member.role)))
}
