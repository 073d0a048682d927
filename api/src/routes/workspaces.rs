//! The addresses of workspaces.

use actix_web::{HttpResponse, web};
use logbook_engine::db::{Conn, Db};

use crate::{
    accounts::{
        role::Role,
        workspaces::{
            NewWorkspace, WorkspaceChanges, WorkspaceList, WorkspaceView, Workspaces,
            change as change_settings, create, visible,
        },
    },
    audit::{AuditContext, events},
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
    let create = move |conn: &mut Conn| {
        let workspace = create(conn, &new)?;
        let records = events::workspace_created(&caller, &workspace, &client_info);
        Ok((workspace, records))
    };
    let workspace = audit.with_change(&db, create).await?;
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
    let (slug, role) = (manager.workspace.slug.clone(), manager.role);
    let renames = changes.slug.as_ref().is_some_and(|wanted| *wanted != slug);
    if renames && !manager.caller.platform_admin {
        let problem = Problem::new(Code::Forbidden, "only platform admins may change a workspace's address");
        audit.permission_refused(&manager.by(&client_info), "rename the workspace", &problem);
        return Err(problem);
    }
    let change = move |conn: &mut Conn| {
        let changed = change_settings(conn, manager.workspace.id, &changes)?;
        let record = manager.by(&client_info).workspace_changed(&changed);
        Ok((changed, record.into_iter().collect()))
    };
    let changed = audit.with_change(&db, change).await?;
    known.invalidate(&slug);
    Ok(HttpResponse::Ok().json(WorkspaceView::new(changed, role)))
}
