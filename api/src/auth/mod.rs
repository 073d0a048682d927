//! Who is asking, and what they may do.
//!
//! A handler states the permission it needs by the type of its extractor ([`Reader`], [`Writer`], [`Manager`], [`Member`],
//! [`PlatformAdmin`], [`SignedIn`]), so that it cannot forget to check. The first four carry the one workspace that the
//! request may touch.

pub mod api_keys;
mod jwt;
pub mod oidc;
pub mod permissions;
mod public_keys;
mod recheck;
pub mod sealing_key;
pub mod second_factor;
pub mod senders;
pub mod sessions;
pub mod signature;
mod signing_keys;
pub mod tokens;

use std::{future::Future, marker::PhantomData, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web,
};

use logbook_engine::event::Log;

use crate::{
    accounts::{
        claims::Claims,
        role::Role,
        workspaces::{Workspace, Workspaces},
    },
    audit::{
        AuditLog,
        events::By,
        reads::{self, Recorded},
    },
    http::{
        client::ClientInfo,
        error::{Code, Problem, Result},
        params::AuthGate,
        path::operation,
    },
    limits::requests::RequestLimits,
};
use api_keys::ApiKeyCache;
use oidc::Provider;
use permissions::PermissionCache;
pub use recheck::Recheck;
use tokens::Tokens;

/// Anybody with a valid token.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Claims);

/// Manages workspaces.
#[derive(Clone, Debug)]
pub struct PlatformAdmin(pub Claims);

/// Somebody with an account, in a session. The token of a script and an API key are refused, which is recorded.
#[derive(Clone, Debug)]
pub struct SignedInPerson {
    pub claims: Claims,
    /// The account's id.
    pub id: i32,
    /// The session's id.
    pub session: String,
}

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

/// The token in the header `Authorization: Bearer`.
fn bearer(request: &HttpRequest) -> Result<&str> {
    let missing = || Problem::new(Code::Unauthenticated, "send the header Authorization: Bearer <token>");
    let value = request.headers().get(header::AUTHORIZATION).ok_or_else(missing)?;
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    Ok(token.trim())
}

/// Who sends the request: the holder of a token or of an API key.
async fn caller(request: &HttpRequest) -> Result<Claims> {
    identify(request, bearer(request)).await
}

/// Who has a token, or why there is none.
async fn identify(request: &HttpRequest, token: Result<&str>) -> Result<Claims> {
    let limits = service::<RequestLimits>(request)?;
    let token = match token {
        Ok(token) => token,
        Err(problem) => {
            limits.unauthenticated(request).or_else(|problem| limited(request, problem))?;
            return Err(problem);
        }
    };
    if is_costly(request, token)? {
        limits.before_check(request).or_else(|problem| limited(request, problem))?;
    }
    let verified = verify(request, token).await;
    match &verified {
        Ok(claims) => {
            if let Err(problem) = limits.authenticated(request, claims) {
                let client_info = ClientInfo::from_request(request);
                service::<AuditLog>(request)?.caller_limited(claims, &problem, &client_info);
                return Err(problem);
            }
        }
        Err(problem) if problem.code.status() == StatusCode::UNAUTHORIZED => {
            limits.unauthenticated(request).or_else(|problem| limited(request, problem))?;
            let (audit, is_key) = (service::<AuditLog>(request)?, ApiKeyCache::is_key(token));
            if audit.records_token_refusal(is_key, problem) {
                let slug = request.match_info().get("workspace").unwrap_or_default();
                // One that does not exist has no log, and takes nothing of the bounds of those that do.
                let workspace = service::<Workspaces>(request)?.find(slug).await.ok().flatten();
                let id = workspace.map(|workspace| workspace.id);
                audit.token_refused((slug, id), is_key, problem, &ClientInfo::from_request(request));
            }
        }
        Err(_) => {}
    }
    verified
}

/// Records that an address is over its limit.
fn limited(request: &HttpRequest, problem: Problem) -> Result<()> {
    let client_info = ClientInfo::from_request(request);
    service::<AuditLog>(request)?.address_limited("requests", &problem, &client_info);
    Err(problem)
}

/// True for a token whose check costs something, and which was not valid before.
fn is_costly(request: &HttpRequest, token: &str) -> Result<bool> {
    if ApiKeyCache::is_key(token) {
        return Ok(!service::<ApiKeyCache>(request)?.is_known(token));
    }
    let provider = request.app_data::<web::Data<Provider>>();
    Ok(provider.is_some_and(|provider| provider.is_issuer_of(token) && !provider.verified_before(token)))
}

async fn verify(request: &HttpRequest, token: &str) -> Result<Claims> {
    if ApiKeyCache::is_key(token) {
        let keys = service::<ApiKeyCache>(request)?;
        let key = keys.verify(token).await?;
        keys.record_use(&key, ClientInfo::from_request(request), service::<AuditLog>(request)?);
        return Ok(Claims::from(&key));
    }
    if let Some(provider) = request.app_data::<web::Data<Provider>>()
        && provider.is_issuer_of(token)
    {
        return provider.bearer(token, service(request)?).await;
    }
    let claims = service::<Tokens>(request)?.verify(token)?;
    service::<PermissionCache>(request)?.refresh(claims).await
}

/// A service that the app was built with.
pub(crate) fn service<T: 'static>(request: &HttpRequest) -> Result<&T> {
    request
        .app_data::<web::Data<T>>()
        .map(|data| data.get_ref())
        .ok_or_else(|| Problem::new(Code::Internal, "a part of the server is missing"))
}

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { caller(&request).await.map(Self) })
    }
}

impl FromRequest for PlatformAdmin {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let claims = caller(&request).await?;
            if !claims.platform_admin {
                return Err(refused(&request, &claims, "only platform admins may do this")?);
            }
            Ok(Self(claims))
        })
    }
}

impl FromRequest for SignedInPerson {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let claims = caller(&request).await?;
            match (claims.user_id(), claims.sid.clone()) {
                (Some(id), Some(session)) => Ok(Self { claims, id, session }),
                _ => Err(refused(&request, &claims, "this token belongs to no person")?),
            }
        })
    }
}

/// The refusal of something outside of every workspace, after it was recorded.
fn refused(request: &HttpRequest, claims: &Claims, why: &'static str) -> Result<Problem> {
    let problem = Problem::new(Code::Forbidden, why);
    let (operation, client_info) = (operation(request), ClientInfo::from_request(request));
    service::<AuditLog>(request)?.caller_refused(claims, &operation, &problem, &client_info);
    Ok(problem)
}

/// The workspace of the address, and what the caller may do there. Unknown and forbidden workspaces look alike.
async fn member(request: &HttpRequest) -> Result<Member> {
    let caller = caller(request).await?;
    let slug = request.match_info().get("workspace").unwrap_or_default().to_owned();
    let workspace = service::<Workspaces>(request)?.find(&slug).await?;
    let unknown =
        || Problem::new(Code::NotFound, "there is no such workspace, or you are not a member of it");
    let workspace = workspace.ok_or_else(unknown)?;
    let role = caller.role_in(workspace.id).ok_or_else(unknown)?;
    if service::<PermissionCache>(request)?.is_first_use(workspace.id, &caller).await {
        let client_info = ClientInfo::from_request(request);
        let by = By { workspace: &workspace, role, caller: &caller, client_info: &client_info };
        service::<AuditLog>(request)?.session_used(&by);
    }
    Ok(Member { workspace, role, caller })
}

/// The same, for callers whose role may do `what`. `takes` names the roles that may.
async fn member_who(request: &HttpRequest, may: fn(Role) -> bool, what: &str, takes: &str) -> Result<Member> {
    let member = member(request).await?;
    if !may(member.role) {
        let role = member.role.as_str();
        let problem = Problem::new(Code::Forbidden, format!("a {role} may not {what}; it takes {takes}"));
        let client_info = ClientInfo::from_request(request);
        let Member { workspace, role, caller } = &member;
        let by = By { workspace, role: *role, caller, client_info: &client_info };
        service::<AuditLog>(request)?.permission_refused(&by, &operation(request), &problem);
        return Err(problem);
    }
    Ok(member)
}

/// Who may read something.
pub struct Readers {
    pub may: fn(Role) -> bool,
    /// For "it takes …".
    named: &'static str,
}

impl Readers {
    pub const ALL: Self = Self { may: Role::reads, named: "a viewer, auditor or admin" };
    pub const OF_ACTIVITY: Self = Self { may: Role::reads_activity, named: "an auditor or admin" };
    pub const OF_EXPORTS: Self = Self { may: Role::exports, named: "an auditor or admin" };
}

/// The logs that somebody with this role may read, of those whose roles read logs at all.
pub fn readable_logs(role: Role) -> &'static [Log] {
    if (Readers::OF_ACTIVITY.may)(role) { Log::ALL } else { &Log::OF_PRODUCERS }
}

/// What a handler reads of a workspace's events. It stands in the type of the handler's [`Reader`].
pub trait Read: 'static {
    const READERS: Readers = Readers::ALL;
    /// How the audit records it.
    const RECORDED: Recorded = Recorded::AddedUp;

    /// How the audit names it, as `log` in the metadata of its event.
    fn name() -> &'static str;
}

/// May read the events of its workspace. Extracting it records in the audit that `R` is read: a handler can neither forget
/// to say what it reads nor be reached by an address that says something else.
pub struct Reader<R> {
    pub workspace: Workspace,
    pub role: Role,
    pub caller: Claims,
    /// Handlers tell it how many events they return.
    pub read: reads::Read,
    reads: PhantomData<fn() -> R>,
}

impl<R: Read> FromRequest for Reader<R> {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, gate) = (request.clone(), AuthGate::close(request));
        Box::pin(async move {
            let Member { workspace, role, caller } =
                member_who(&request, R::READERS.may, "read this", R::READERS.named).await?;
            let client_info = ClientInfo::from_request(&request);
            let by = By { workspace: &workspace, role, caller: &caller, client_info: &client_info };
            let read = service::<AuditLog>(&request)?.log_read(&by, R::name(), R::RECORDED);
            gate.send_replace(true);
            Ok(Self { workspace, role, caller, read, reads: PhantomData })
        })
    }
}

macro_rules! workspace_extractor {
    ($(#[$meta:meta])* $name:ident, $may:expr, $what:literal, $takes:literal) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name {
            pub workspace: Workspace,
            pub role: Role,
            pub caller: Claims,
        }

        impl FromRequest for $name {
            type Error = Problem;
            type Future = Extracted<Self>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let (request, gate) = (request.clone(), AuthGate::close(request));
                Box::pin(async move {
                    let Member { workspace, role, caller } =
                        member_who(&request, $may, $what, $takes).await?;
                    gate.send_replace(true);
                    Ok(Self { workspace, role, caller })
                })
            }
        }
    };
}

workspace_extractor!(
    /// May append to the logs of its workspace.
    Writer, Role::writes, "append", "a writer or admin"
);
workspace_extractor!(
    /// Manages the keys, members and settings of its workspace.
    Manager, Role::manages, "manage this workspace", "an admin"
);
workspace_extractor!(
    /// Is a member of its workspace, in whatever role.
    Member, |_| true, "do this", "a member"
);

workspace_extractor!(
    /// May read the logs of its workspace. For what belongs to reading and is no event: those are read with [`Reader`].
    LogReader, Role::reads, "read this", "a viewer, auditor or admin"
);

workspace_extractor!(
    /// May export the logs of its workspace. For what belongs to exports and is no event.
    ExportReader, Role::exports, "export this", "an auditor or admin"
);

macro_rules! by {
    ($($name:ident)*) => {
        $(impl $name {
            /// Who does it, for the audit.
            pub fn by<'a>(&'a self, client_info: &'a ClientInfo) -> By<'a> {
                let Self { workspace, role, caller } = self;
                By { workspace, role: *role, caller, client_info }
            }
        })*
    };
}

by!(Manager LogReader ExportReader);
