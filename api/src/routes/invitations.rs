//! Invitations, for those who send them and for those who are invited.

use actix_web::{HttpResponse, web};
use logbook_engine::db::{Conn, Db};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    accounts::{
        invitations::{self, InvitationView, Invited, NewMember},
        users::{self, User},
        workspaces,
    },
    audit::{AuditContext, accounts},
    auth::{Manager, SignedInPerson, permissions::PermissionCache, sessions::Sessions},
    http::{
        body::Body,
        error::{ManageProblems, Problem, ReadProblems, Result},
        params::{NoParams, Params},
        path::WorkspacePath,
    },
};

/// The path parameters of one invitation.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct InvitationPath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
    /// The invitation's id.
    #[param(example = "k7w2m9x4c1qd")]
    pub invitation: String,
}

#[derive(Serialize, ToSchema)]
pub struct InvitationList {
    pub data: Vec<InvitationView>,
}

/// An invitation, and the link that opens an account.
#[derive(Serialize, ToSchema)]
pub struct SentInvitation {
    pub invitation: InvitationView,
    /// Creates their account and signs them in once, within a day: give it to them and to nobody else. Only a platform admin
    /// gets one, for somebody without an account. Null otherwise: they accept the next time they sign in.
    #[schema(required, example = "https://logbook.example/sign-in#link=…")]
    pub sign_in_link: Option<String>,
}

/// Invites somebody by e-mail address, who becomes a member when they accept. An invitation that is open is replaced. For
/// admins.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/members", operation_id = "inviteMember", tag = "Members",
    params(WorkspacePath),
    request_body = NewMember,
    responses((status = 201, description = "The invitation; a link is shown only once", body = SentInvitation), ManageProblems)
)]
pub async fn invite(
    db: web::Data<Db>,
    sessions: web::Data<Sessions>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    _no: Params<(NoParams,)>,
    Body(new): Body<NewMember>,
) -> Result<HttpResponse> {
    let invite = move |conn: &mut Conn| {
        let Manager { workspace, caller, .. } = &manager;
        let invited = invitations::create(conn, workspace.id, &new, &caller.name, caller.platform_admin)?;
        let with_link = invited.link_token.is_some();
        let record = manager.by(&client_info).member_invited(&invited.invitation, with_link);
        Ok((invited, vec![record]))
    };
    let Invited { invitation, link_token } = audit.with_change(&db, invite).await?;
    let sign_in_link = link_token.map(|token| Sessions::link(&sessions.origin, &token));
    Ok(HttpResponse::Created().json(SentInvitation { invitation: invitation.into(), sign_in_link }))
}

/// Lists the open invitations of the workspace by address. For admins.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/invitations", operation_id = "listInvitations", tag = "Members",
    params(WorkspacePath),
    responses((status = 200, description = "The open invitations", body = InvitationList), ReadProblems)
)]
pub async fn list(db: web::Data<Db>, manager: Manager, _no: Params<(NoParams,)>) -> Result<HttpResponse> {
    let open = db.run(move |conn| invitations::list(conn, manager.workspace.id)).await?;
    Ok(HttpResponse::Ok().json(InvitationList { data: open.into_iter().map(InvitationView::from).collect() }))
}

/// Takes an open invitation back. For admins.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{workspace}/invitations/{invitation}", operation_id = "cancelInvitation", tag = "Members",
    params(InvitationPath),
    responses((status = 204, description = "The invitation can no longer be accepted"), ManageProblems)
)]
pub async fn cancel(
    db: web::Data<Db>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    path: web::Path<InvitationPath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let id = path.into_inner().invitation;
    let cancel = move |conn: &mut Conn| {
        let cancelled = invitations::cancel(conn, manager.workspace.id, &id)?;
        Ok(((), vec![manager.by(&client_info).invitation_cancelled(&cancelled)]))
    };
    audit.with_change(&db, cancel).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The caller's account, and the workspace that invites them.
fn invited(conn: &mut Conn, caller: &SignedInPerson, slug: &str) -> Result<(User, i32)> {
    let user = users::find(conn, caller.id)?.ok_or_else(Problem::not_found)?;
    // As if there were no invitation: who is not a member learns of no workspace.
    let workspace = workspaces::find(conn, slug)?.ok_or_else(Problem::not_found)?;
    Ok((user, workspace.id))
}

/// Accepts the caller's invitation to a workspace, which makes them a member.
#[utoipa::path(
    post, path = "/api/v1/me/invitations/{workspace}", operation_id = "acceptInvitation", tag = "Sign-in",
    params(WorkspacePath),
    responses((status = 204, description = "The caller is a member"), ManageProblems)
)]
pub async fn accept(
    db: web::Data<Db>,
    permissions: web::Data<PermissionCache>,
    AuditContext { audit, client_info }: AuditContext,
    caller: SignedInPerson,
    path: web::Path<WorkspacePath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let slug = path.into_inner().workspace;
    let accept = move |conn: &mut Conn| {
        let (user, workspace_id) = invited(conn, &caller, &slug)?;
        let member = invitations::accept(conn, workspace_id, &user)?;
        Ok(((), vec![accounts::invitation_accepted(workspace_id, &caller.claims, &member, &client_info)]))
    };
    audit.with_change(&db, accept).await?;
    permissions.invalidate_all();
    Ok(HttpResponse::NoContent().finish())
}

/// Declines the caller's invitation to a workspace.
#[utoipa::path(
    delete, path = "/api/v1/me/invitations/{workspace}", operation_id = "declineInvitation", tag = "Sign-in",
    params(WorkspacePath),
    responses((status = 204, description = "The invitation is gone"), ManageProblems)
)]
pub async fn decline(
    db: web::Data<Db>,
    AuditContext { audit, .. }: AuditContext,
    caller: SignedInPerson,
    path: web::Path<WorkspacePath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let slug = path.into_inner().workspace;
    let decline = move |conn: &mut Conn| {
        let (user, workspace_id) = invited(conn, &caller, &slug)?;
        let declined = invitations::decline(conn, workspace_id, &user)?;
        Ok(((), vec![accounts::invitation_declined(&declined)]))
    };
    audit.with_change(&db, decline).await?;
    Ok(HttpResponse::NoContent().finish())
}
