//! Accounts, for platform admins; and each person's own sessions.

use actix_web::{HttpResponse, web};
use logbook_engine::{
    db::{Conn, Db, timestamp::Timestamp},
    event::Change,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use crate::{
    accounts::{
        second_factors, sessions,
        users::{self, User},
    },
    audit::{AuditContext, accounts},
    auth::{PlatformAdmin, SignedInPerson, permissions::PermissionCache},
    http::{
        body::Body,
        error::{Code, ManageProblems, Problem, ReadProblems, Result},
        params::{NoParams, Params},
        validation::{invalid, no_nul},
    },
};

/// Accounts of a page.
const PAGE: usize = 100;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AccountPath {
    /// The account's id.
    #[param(example = "17")]
    pub user: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SessionPath {
    /// The session's id.
    #[param(example = "9f86d081884c7d659a2feaa0c55ad015")]
    pub session: String,
}

#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccountsWanted {
    /// Only accounts whose address or name contains this.
    #[validate(length(max = 200), custom(function = no_nul))]
    #[param(example = "asha", max_length = 200)]
    q: Option<String>,
    /// Only accounts after this one: the id of the last one of the page before.
    #[validate(length(min = 1, max = 10), custom(function = is_id))]
    #[param(example = "17", min_length = 1, max_length = 10, pattern = "^[0-9]+$")]
    after: Option<String>,
}

fn is_id(id: &str) -> std::result::Result<(), ValidationError> {
    if id.parse::<i32>().is_ok() {
        Ok(())
    } else {
        Err(ValidationError::new("id").with_message("is no account's id".into()))
    }
}

/// Somebody who can sign in.
#[derive(Serialize, ToSchema)]
pub struct Account {
    #[schema(example = "17")]
    pub id: String,
    #[schema(example = "Asha Rao")]
    pub name: String,
    /// Null when the identity provider gives no verified address.
    #[schema(required, example = "asha@clinic.test")]
    pub email: Option<String>,
    /// Made a platform admin here. The identity provider may make somebody one for a session.
    pub platform_admin: bool,
    /// A disabled account cannot be signed in to.
    pub disabled: bool,
    pub has_password: bool,
    /// Signing in with the password or a link also takes a code.
    pub second_factor: bool,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_sign_in_at: Option<Timestamp>,
}

impl Account {
    fn new(user: User, second_factor: bool) -> Self {
        let email = user.known_email().map(str::to_owned);
        let User {
            id, name, password_hash, platform_admin, created_at, last_sign_in_at, disabled_at, ..
        } = user;
        Self {
            id: id.to_string(),
            name,
            email,
            platform_admin,
            disabled: disabled_at.is_some(),
            has_password: password_hash.is_some(),
            second_factor,
            created_at,
            last_sign_in_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct AccountList {
    pub data: Vec<Account>,
    /// Whether there are more after these.
    pub has_more: bool,
}

/// What to change of an account. What is left out stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// Ends its sessions and links, and lets nobody sign in.
    #[serde(default)]
    pub disabled: Option<bool>,
    #[serde(default)]
    pub platform_admin: Option<bool>,
    /// `false` removes the second factor of somebody who has lost it, and ends their sessions and links. Only they can turn it
    /// on.
    #[serde(default)]
    #[validate(custom(function = is_removal))]
    pub second_factor: Option<bool>,
}

fn is_removal(second_factor: &bool) -> std::result::Result<(), ValidationError> {
    if *second_factor {
        return Err(invalid("can only be false: its owner turns it on"));
    }
    Ok(())
}

/// A session that has not ended.
#[derive(Serialize, ToSchema)]
#[schema(as = ActiveSession)]
pub struct SessionView {
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015")]
    pub id: String,
    /// How it began: `password`, `link` or `provider`.
    #[schema(example = "password")]
    pub method: String,
    /// Where it began.
    #[schema(required, example = "198.51.100.4")]
    pub ip_address: Option<String>,
    #[schema(required)]
    pub user_agent: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last renewed, which a page that is open does every quarter of an hour.
    #[schema(value_type = String, format = DateTime)]
    pub renewed_at: Timestamp,
    /// When it ends, however much it is used.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// Whether this request belongs to it.
    pub current: bool,
}

impl SessionView {
    fn new(session: sessions::Session, current: Option<&str>) -> Self {
        let current = current == Some(&session.id);
        let sessions::Session { id, method, ip_address, user_agent, created_at, renewed_at, ends_at, .. } =
            session;
        Self { id, method, ip_address, user_agent, created_at, renewed_at, ends_at, current }
    }
}

#[derive(Serialize, ToSchema)]
pub struct SessionList {
    pub data: Vec<SessionView>,
}

/// Lists accounts in the order of their addresses. For platform admins.
#[utoipa::path(
    get, path = "/api/v1/users", operation_id = "listUsers", tag = "Users",
    params(AccountsWanted),
    responses((status = 200, description = "A page of accounts", body = AccountList), ReadProblems)
)]
pub async fn list(
    db: web::Data<Db>,
    _admin: PlatformAdmin,
    Params((wanted,)): Params<(AccountsWanted,)>,
) -> Result<HttpResponse> {
    let AccountsWanted { q, after } = wanted;
    let found = db.run(move |conn| {
        let found = users::list(conn, q.as_deref(), after.and_then(|id| id.parse().ok()), PAGE + 1)?;
        let ids: Vec<i32> = found.iter().map(|user| user.id).collect();
        Ok::<_, Problem>((found, second_factors::on_among(conn, &ids)?))
    });
    let (found, on) = found.await?;
    let has_more = found.len() > PAGE;
    let account = |user: User| {
        let second_factor = on.contains(&user.id);
        Account::new(user, second_factor)
    };
    let data = found.into_iter().take(PAGE).map(account).collect();
    Ok(HttpResponse::Ok().json(AccountList { data, has_more }))
}

/// Disables or enables an account, makes it a platform admin's or takes that away, or removes its second factor. For platform
/// admins.
#[utoipa::path(
    patch, path = "/api/v1/users/{user}", operation_id = "changeUser", tag = "Users",
    params(AccountPath),
    request_body = AccountChange,
    responses((status = 200, description = "The account", body = Account), ManageProblems)
)]
pub async fn change(
    db: web::Data<Db>,
    permissions: web::Data<PermissionCache>,
    AuditContext { audit, client_info }: AuditContext,
    PlatformAdmin(claims): PlatformAdmin,
    path: web::Path<AccountPath>,
    _no: Params<(NoParams,)>,
    Body(AccountChange { disabled, platform_admin, second_factor }): Body<AccountChange>,
) -> Result<HttpResponse> {
    let id = user_id(&path)?;
    let change = move |conn: &mut Conn| {
        let before = users::find(conn, id)?.ok_or_else(Problem::not_found)?;
        let mut after = before.clone();
        if let Some(disabled) = disabled {
            after = users::set_disabled(conn, id, disabled)?;
        }
        if let Some(platform_admin) = platform_admin {
            after = users::set_platform_admin(conn, id, platform_admin)?;
        }
        let mut records = Vec::new();
        if second_factor == Some(false) {
            if claims.sub == users::subject(id) {
                let detail = "turn your own second factor off with DELETE /me/second_factor";
                return Err(Problem::new(Code::Conflict, detail));
            }
            second_factors::reset(conn, id)?;
            let action = "second_factor_removed";
            records.push(accounts::user_changed(&claims, &after, action, Vec::new(), &client_info));
        }
        let is_disabled = |user: &User| user.disabled_at.is_some();
        if is_disabled(&before) != is_disabled(&after) {
            let action = if is_disabled(&after) { "user_disabled" } else { "user_enabled" };
            records.push(accounts::user_changed(&claims, &after, action, Vec::new(), &client_info));
        }
        if before.platform_admin != after.platform_admin {
            let (old, new) = (before.platform_admin.into(), after.platform_admin.into());
            let changes = vec![Change::value("platform_admin", old, new)];
            let action = "platform_admin_changed";
            records.push(accounts::user_changed(&claims, &after, action, changes, &client_info));
        }
        let second_factor = second_factors::find_on(conn, id)?.is_some();
        Ok((Account::new(after, second_factor), records))
    };
    let account = audit.with_change(&db, change).await?;
    permissions.invalidate_all();
    Ok(HttpResponse::Ok().json(account))
}

/// Lists the sessions of an account, the newest first. For platform admins.
#[utoipa::path(
    get, path = "/api/v1/users/{user}/sessions", operation_id = "listUserSessions", tag = "Users",
    params(AccountPath),
    responses((status = 200, description = "The sessions", body = SessionList), ReadProblems)
)]
pub async fn sessions_of(
    db: web::Data<Db>,
    PlatformAdmin(claims): PlatformAdmin,
    path: web::Path<AccountPath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let id = user_id(&path)?;
    let found = db.run(move |conn| {
        users::find(conn, id)?.ok_or_else(Problem::not_found)?;
        sessions::list(conn, id)
    });
    let data =
        found.await?.into_iter().map(|session| SessionView::new(session, claims.sid.as_deref())).collect();
    Ok(HttpResponse::Ok().json(SessionList { data }))
}

/// Ends all sessions of an account. For platform admins.
#[utoipa::path(
    delete, path = "/api/v1/users/{user}/sessions", operation_id = "endUserSessions", tag = "Users",
    params(AccountPath),
    responses((status = 204, description = "The sessions have ended"), ManageProblems)
)]
pub async fn end_sessions_of(
    db: web::Data<Db>,
    permissions: web::Data<PermissionCache>,
    AuditContext { audit, client_info }: AuditContext,
    PlatformAdmin(claims): PlatformAdmin,
    path: web::Path<AccountPath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let id = user_id(&path)?;
    let end = move |conn: &mut Conn| {
        let user = users::end_sessions(conn, id)?;
        let ended = accounts::user_changed(&claims, &user, "user_sessions_ended", Vec::new(), &client_info);
        Ok(((), vec![ended]))
    };
    audit.with_change(&db, end).await?;
    permissions.invalidate_all();
    Ok(HttpResponse::NoContent().finish())
}

/// Lists the caller's sessions, the newest first.
#[utoipa::path(
    get, path = "/api/v1/me/sessions", operation_id = "listMySessions", tag = "Sign-in",
    responses((status = 200, description = "The sessions", body = SessionList), ReadProblems)
)]
pub async fn my_sessions(
    db: web::Data<Db>,
    SignedInPerson { id, session: own, .. }: SignedInPerson,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let found = db.run(move |conn| sessions::list(conn, id)).await?;
    let data = found.into_iter().map(|session| SessionView::new(session, Some(&own))).collect();
    Ok(HttpResponse::Ok().json(SessionList { data }))
}

/// Ends one of the caller's sessions.
#[utoipa::path(
    delete, path = "/api/v1/me/sessions/{session}", operation_id = "endMySession", tag = "Sign-in",
    params(SessionPath),
    responses((status = 204, description = "The session has ended"), ManageProblems)
)]
pub async fn end_my_session(
    db: web::Data<Db>,
    permissions: web::Data<PermissionCache>,
    AuditContext { audit, client_info }: AuditContext,
    SignedInPerson { claims, id, .. }: SignedInPerson,
    path: web::Path<SessionPath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let session = path.into_inner().session;
    let ended = session.clone();
    if !db.run(move |conn| sessions::end_of(conn, id, &ended)).await? {
        return Err(Problem::not_found());
    }
    permissions.invalidate(&session);
    audit.session_ended(&claims, &session, &client_info);
    Ok(HttpResponse::NoContent().finish())
}

fn user_id(path: &AccountPath) -> Result<i32> {
    path.user.parse().map_err(|_| Problem::not_found())
}
