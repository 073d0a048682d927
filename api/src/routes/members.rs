//! The members of a workspace.

use actix_web::{HttpResponse, web};
use logbook_engine::db::{Conn, Db};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    accounts::{
        member::Member,
        members::{self, Changed},
        role::Role,
    },
    audit::AuditContext,
    auth::{Manager, permissions::PermissionCache},
    http::{
        body::Body,
        error::{ManageProblems, ReadProblems, Result},
        params::{NoParams, Params},
    },
};

/// The path parameters of one member.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MemberPath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
    /// The member's id.
    #[param(example = "17")]
    pub user: String,
}

#[derive(Serialize, ToSchema)]
pub struct MemberList {
    pub data: Vec<Member>,
}

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberRole {
    #[schema(inline)]
    pub role: Role,
}

/// Lists the members of the workspace by name, including people whose role comes from the identity provider. For admins.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/members", operation_id = "listMembers", tag = "Members",
    params(crate::http::path::WorkspacePath),
    responses((status = 200, description = "The members", body = MemberList), ReadProblems)
)]
pub async fn list(db: web::Data<Db>, manager: Manager, _no: Params<(NoParams,)>) -> Result<HttpResponse> {
    let data = db.run(move |conn| members::list(conn, manager.workspace.id)).await?;
    Ok(HttpResponse::Ok().json(MemberList { data }))
}

/// Changes the role of a member, or overrides the role from the identity provider. For admins.
#[utoipa::path(
    put, path = "/api/v1/workspaces/{workspace}/members/{user}", operation_id = "changeMember", tag = "Members",
    params(MemberPath),
    request_body = MemberRole,
    responses((status = 200, description = "The member", body = Member), ManageProblems)
)]
pub async fn change(
    db: web::Data<Db>,
    permissions: web::Data<PermissionCache>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    path: web::Path<MemberPath>,
    _no: Params<(NoParams,)>,
    Body(MemberRole { role }): Body<MemberRole>,
) -> Result<HttpResponse> {
    let user_id = user_id(&path)?;
    let change = move |conn: &mut Conn| {
        let Changed { member, before } = members::set_role(conn, manager.workspace.id, user_id, role)?;
        let by = manager.by(&client_info);
        let record = match (before, &member.provider) {
            (Some(before), _) => by.member_changed(&member, before),
            (None, provider) => {
                Some(by.member_added(&member, provider.as_ref().map(|provider| provider.role)))
            }
        };
        Ok((member, record.into_iter().collect()))
    };
    let member = audit.with_change(&db, change).await?;
    permissions.invalidate_all();
    Ok(HttpResponse::Ok().json(member))
}

/// Removes a member. Their account remains, and so does a role from the identity provider. For admins.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{workspace}/members/{user}", operation_id = "removeMember", tag = "Members",
    params(MemberPath),
    responses((status = 204, description = "They are no longer a member"), ManageProblems)
)]
pub async fn remove(
    db: web::Data<Db>,
    permissions: web::Data<PermissionCache>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    path: web::Path<MemberPath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let user_id = user_id(&path)?;
    let remove = move |conn: &mut Conn| {
        let member = members::remove(conn, manager.workspace.id, user_id)?;
        Ok(((), vec![manager.by(&client_info).member_removed(&member)]))
    };
    audit.with_change(&db, remove).await?;
    permissions.invalidate_all();
    Ok(HttpResponse::NoContent().finish())
}

fn user_id(path: &MemberPath) -> Result<i32> {
    path.user.parse().map_err(|_| members::no_such_member())
}
