//! The addresses of a workspace's API keys.

use actix_web::{HttpResponse, web};
use logbook_engine::db::{Conn, Db};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    accounts::api_keys::{self, ApiKey, ApiKeyView, Created, NewApiKey},
    audit::AuditContext,
    auth::{Manager, api_keys::ApiKeyCache},
    http::{
        body::Body,
        error::{ManageProblems, Problem, ReadProblems, Result},
        params::{NoParams, Params},
    },
};

/// The path parameters of one key.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct KeyPath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
    /// The key's prefix.
    #[param(example = "k7w2m9x4c1qd")]
    pub key: String,
}

#[derive(Serialize, ToSchema)]
pub struct ApiKeyList {
    pub data: Vec<ApiKeyView>,
}

/// A new key, with its secret, which no other response contains.
#[derive(Serialize, ToSchema)]
pub struct CreatedApiKey {
    /// Send it as `Authorization: Bearer <token>`. It is not shown again.
    #[schema(example = "lbk_k7w2m9x4c1qd_…")]
    pub token: String,
    pub key: ApiKeyView,
}

/// Lists the API keys of the workspace: active keys first, then by name. For admins.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/keys", operation_id = "listApiKeys", tag = "API keys",
    params(crate::http::path::WorkspacePath),
    responses((status = 200, description = "The keys, without their secrets", body = ApiKeyList), ReadProblems)
)]
pub async fn list(db: web::Data<Db>, manager: Manager, _no: Params<(NoParams,)>) -> Result<HttpResponse> {
    let id = manager.workspace.id;
    let list = db.run(move |conn| {
        let keys = api_keys::list(conn, id)?;
        let removed = api_keys::removed_creators(conn, id, &keys)?;
        let is_removed = |key: &ApiKey| key.creator_id.is_some_and(|id| removed.contains(&id));
        let data = keys.into_iter().map(|key| (is_removed(&key), key));
        Ok::<_, Problem>(data.map(|(removed, key)| ApiKeyView::new(key, removed)).collect())
    });
    Ok(HttpResponse::Ok().json(ApiKeyList { data: list.await? }))
}

/// Creates an API key. For admins.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/keys", operation_id = "createApiKey", tag = "API keys",
    params(crate::http::path::WorkspacePath),
    request_body = NewApiKey,
    responses((status = 201, description = "The new key, shown only once", body = CreatedApiKey), ManageProblems)
)]
pub async fn create(
    db: web::Data<Db>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    _no: Params<(NoParams,)>,
    Body(new): Body<NewApiKey>,
) -> Result<HttpResponse> {
    let create = move |conn: &mut Conn| {
        let Manager { workspace, caller, .. } = &manager;
        let created = api_keys::create(conn, workspace.id, &new, &caller.name, caller.user_id())?;
        let record = manager.by(&client_info).key_created(&created.key);
        Ok((created, vec![record]))
    };
    let Created { key, text } = audit.with_change(&db, create).await?;
    Ok(HttpResponse::Created().json(CreatedApiKey { token: text, key: ApiKeyView::new(key, false) }))
}

/// Revokes an API key; it stays in the list. For admins.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{workspace}/keys/{key}", operation_id = "revokeApiKey", tag = "API keys",
    params(KeyPath),
    responses((status = 204, description = "The key is revoked, now or earlier"), ManageProblems)
)]
pub async fn revoke(
    db: web::Data<Db>,
    known: web::Data<ApiKeyCache>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    path: web::Path<KeyPath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let prefix = path.into_inner().key;
    let wanted = prefix.clone();
    let revoke = move |conn: &mut Conn| {
        let revoked = api_keys::revoke(conn, manager.workspace.id, &wanted)?;
        let by = manager.by(&client_info);
        Ok(((), revoked.iter().map(|key| by.key_revoked(key)).collect()))
    };
    audit.with_change(&db, revoke).await?;
    known.invalidate(&prefix);
    Ok(HttpResponse::NoContent().finish())
}
