//! The addresses of workspaces.

use actix_web::{HttpResponse, web};
use logbook_engine::db::Db;

use crate::{
    accounts::{
        role::Role,
        workspaces::{
            NewWorkspace, WorkspaceChanges, WorkspaceList, WorkspaceView, Workspaces,
            change as change_settings, create, visible,
        },
    },
    audit::AuditContext,
    auth::{Manager, Member, PlatformAdmin, SignedIn},
    http::{
        body::Body,
        error::{ChangeProblems, Code, ManageProblems, Problem, ReadProblems, Result},
        params::{NoParams, Params},
    },
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

/// Creates a workspace. For platform admins.
#[utoipa::path(
    post, path = "/api/v1/workspaces", operation_id = "createWorkspace", tag = "Workspaces",
    request_body = NewWorkspace,
    responses((status = 201, description = "The new workspace", body = WorkspaceView), ChangeProblems)
)]
pub async fn post(
    db: web::Data<Db>,
    AuditContext { audit, client_info }: AuditContext,
    PlatformAdmin(caller): PlatformAdmin,
    Body(new): Body<NewWorkspace>,
) -> Result<HttpResponse> {
    let workspace = db.run(move |conn| create(conn, &new)).await?;
    audit.workspace_created(&caller, &workspace, &client_info);
    Ok(HttpResponse::Created().json(WorkspaceView::new(workspace, Role::Admin)))
}

/// Returns one workspace.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}", operation_id = "getWorkspace", tag = "Workspaces",
    params(crate::http::path::WorkspacePath),
    responses((status = 200, description = "The workspace", body = WorkspaceView), ReadProblems)
)]
pub async fn get(member: Member, _no: Params<(NoParams,)>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(WorkspaceView::new(member.workspace, member.role)))
}

/// Changes the settings of a workspace; settings that are left out keep their values. For admins; only platform admins
/// change the slug.
#[utoipa::path(
    patch, path = "/api/v1/workspaces/{workspace}", operation_id = "changeWorkspace", tag = "Workspaces",
    params(crate::http::path::WorkspacePath),
    request_body = WorkspaceChanges,
    responses((status = 200, description = "The workspace", body = WorkspaceView), ManageProblems)
)]
pub async fn change(
    db: web::Data<Db>,
    known: web::Data<Workspaces>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    _no: Params<(NoParams,)>,
    Body(changes): Body<WorkspaceChanges>,
) -> Result<HttpResponse> {
    let Manager { workspace, role, caller } = &manager;
    let renames = changes.slug.as_ref().is_some_and(|slug| *slug != workspace.slug);
    if renames && !caller.platform_admin {
        return Err(Problem::new(Code::Forbidden, "only platform admins may change a workspace's address"));
    }
    let id = workspace.id;
    let changed = db.run(move |conn| change_settings(conn, id, &changes)).await?;
    known.invalidate(&workspace.slug);
    audit.workspace_changed(&manager.by(&client_info), &changed);
    Ok(HttpResponse::Ok().json(WorkspaceView::new(changed, *role)))
}
