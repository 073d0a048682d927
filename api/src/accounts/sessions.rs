//! Sessions: how they begin, go on and end, and the refresh tokens that continue them.
//!
//! An access token names its session, and each request asks whether it still exists (`auth/permissions.rs`). So a session
//! ends by deleting its row: the access tokens and refresh tokens of it end with it.

use diesel::{prelude::*, result::DatabaseErrorKind};
use logbook_engine::db::{
    Conn,
    schema::{platform_workspace, refresh_tokens, session_workspaces, sessions, users as users_table},
    timestamp::Timestamp,
};

use super::{
    secret::{random_token, token_hash},
    users::{self, User},
};
use crate::http::{
    client::ClientInfo,
    error::{Code, Problem, Result},
};

/// How long a session lives without being renewed, in seconds.
pub const IDLE_SECONDS: i64 = 14 * 86_400;
/// How long a session lives at most, in seconds.
const LONGEST_SECONDS: i64 = 30 * 86_400;
/// Within this many seconds a refresh token may be used twice: by two tabs, or by one tab that lost the response. A later
/// second use means that it was stolen.
const REUSE_SECONDS: i64 = 30;
/// Within this many seconds after signing in, somebody may open another way in to their account, or close one: with an access
/// token that was stolen later nobody may.
const JUST_NOW_SECONDS: i64 = 15 * 60;
/// Sessions that a person may have at once. A further one ends the one that was renewed longest ago. Of as many it is known
/// that they were used in a workspace.
const MOST_SESSIONS: usize = 100;

/// How a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Password,
    Link,
    Provider,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Link => "link",
            Self::Provider => "provider",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub struct Session {
    pub id: String,
    pub user_id: i32,
    pub method: String,
    /// The identity at a provider with which it began.
    pub issuer: Option<String>,
    pub subject: Option<String>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub created_at: Timestamp,
    pub renewed_at: Timestamp,
    pub ends_at: Timestamp,
}

impl Session {
    /// # Errors
    /// `sign_in_again` when it did not begin just now.
    pub fn require_just_now(&self, what_for: &str) -> Result<()> {
        if self.created_at.plus_seconds(JUST_NOW_SECONDS) < Timestamp::now() {
            return Err(Problem::new(Code::SignInAgain, format!("sign in again, then {what_for}")));
        }
        Ok(())
    }
}

/// What a session begins with.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    pub method: Method,
    /// Issuer and subject of the identity that brings it.
    pub identity: Option<(&'a str, &'a str)>,
    /// Its longest life in seconds, where that is less than usual.
    pub seconds: Option<i64>,
    pub client_info: &'a ClientInfo,
}

impl<'a> Beginning<'a> {
    pub fn new(method: Method, client_info: &'a ClientInfo) -> Self {
        Self { method, identity: None, seconds: None, client_info }
    }
}

/// Who has a session now, and what continues it.
pub struct NewSession {
    pub user: User,
    pub session: Session,
    pub refresh_token: String,
}

/// Starts a session.
pub fn start(conn: &mut Conn, user: User, beginning: Beginning<'_>) -> Result<NewSession> {
    let Beginning { method, identity, seconds, client_info } = beginning;
    let now = Timestamp::now();
    diesel::delete(sessions::table.filter(sessions::ends_at.lt(now))).execute(conn)?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.lt(now))).execute(conn)?;
    let others = sessions::table
        .filter(sessions::user_id.eq(user.id))
        .order(sessions::renewed_at.desc())
        .select(sessions::id)
        .load::<String>(conn)?;
    let too_many = others.get(MOST_SESSIONS - 1..).unwrap_or_default();
    diesel::delete(sessions::table.filter(sessions::id.eq_any(too_many))).execute(conn)?;
    diesel::update(users_table::table.find(user.id))
        .set(users_table::last_sign_in_at.eq(now))
        .execute(conn)?;
    let longest = seconds.unwrap_or(LONGEST_SECONDS).min(LONGEST_SECONDS);
    let session = Session {
        // It names a session and opens none. 128 bits.
        id: token_hash(&random_token())[..32].to_owned(),
        user_id: user.id,
        method: method.as_str().to_owned(),
        issuer: identity.map(|(issuer, _)| issuer.to_owned()),
        subject: identity.map(|(_, subject)| subject.to_owned()),
        ip_address: client_info.address.map(|address| address.to_string()),
        user_agent: client_info.user_agent.clone(),
        created_at: now,
        renewed_at: now,
        ends_at: now.plus_seconds(longest),
    };
    diesel::insert_into(sessions::table).values(&session).execute(conn)?;
    let refresh_token = add_refresh_token(conn, &session)?;
    Ok(NewSession { user, session, refresh_token })
}

fn add_refresh_token(conn: &mut Conn, session: &Session) -> Result<String> {
    let token = random_token();
    let unused = Timestamp::now().plus_seconds(IDLE_SECONDS);
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::token_hash.eq(token_hash(&token)),
            refresh_tokens::session_id.eq(&session.id),
            refresh_tokens::expires_at.eq(unused.min(session.ends_at)),
        ))
        .execute(conn)?;
    Ok(token)
}

/// The session, unless it has ended, with its user, unless the account is disabled.
pub fn find(conn: &mut Conn, id: &str) -> Result<Option<(User, Session)>> {
    let session = sessions::table
        .find(id)
        .filter(sessions::ends_at.gt(Timestamp::now()))
        .select(Session::as_select())
        .first::<Session>(conn)
        .optional()?;
    let Some(session) = session else { return Ok(None) };
    let user = users::find(conn, session.user_id)?.filter(|user| user.disabled_at.is_none());
    Ok(user.map(|user| (user, session)))
}

/// The sessions of a person, the newest first.
pub fn list(conn: &mut Conn, user_id: i32) -> Result<Vec<Session>> {
    let rows = sessions::table
        .filter(sessions::user_id.eq(user_id))
        .filter(sessions::ends_at.gt(Timestamp::now()))
        .order(sessions::created_at.desc())
        .select(Session::as_select());
    Ok(rows.load(conn)?)
}

/// The session of a refresh token, also of one that was replaced.
fn session_of(conn: &mut Conn, token: &str) -> QueryResult<Option<Session>> {
    let session = refresh_tokens::table
        .inner_join(sessions::table)
        .filter(refresh_tokens::token_hash.eq(token_hash(token)))
        .select(Session::as_select());
    session.first(conn).optional()
}

/// What a refresh token led to.
pub enum Renewed {
    /// The session continues with a new token.
    Session(Box<NewSession>),
    /// The token was replaced before, so somebody has a copy. The session has been ended.
    Reused(Session),
}

/// Replaces a refresh token by a new one.
///
/// For [`REUSE_SECONDS`] a token may be replaced again, so for a moment a session has several valid tokens. The one that is
/// used first replaces the others: a browser has only one of them, and where a thief has another, the next use of that
/// one, or of the browser's own, ends the session.
///
/// # Errors
/// `not_signed_in`
pub fn renew(conn: &mut Conn, token: &str) -> Result<Renewed> {
    let problem = || Problem::new(Code::NotSignedIn, "sign in");
    let session = session_of(conn, token)?.ok_or_else(problem)?;
    let renewed = conn.transaction(|conn| {
        // Whatever ends the session waits for this, or has ended it before: then the token does not exist any more.
        users::lock(conn, session.user_id)?;
        renew_locked(conn, session, token)
    })?;
    renewed.ok_or_else(problem)
}

fn renew_locked(conn: &mut Conn, session: Session, token: &str) -> Result<Option<Renewed>> {
    let now = Timestamp::now();
    let known = refresh_tokens::table
        .find(token_hash(token))
        .filter(refresh_tokens::expires_at.gt(now))
        .select(refresh_tokens::replaced_at)
        .first::<Option<Timestamp>>(conn)
        .optional()?;
    let Some(replaced_at) = known else { return Ok(None) };
    if replaced_at.is_some_and(|at| at.plus_seconds(REUSE_SECONDS) < now) {
        tracing::warn!(session.user_id, "a refresh token was used a second time; its session is ended");
        end(conn, &session.id)?;
        return Ok(Some(Renewed::Reused(session)));
    }
    let Some((user, session)) = find(conn, &session.id)? else { return Ok(None) };
    // When a token is replaced again, its earlier successors stay valid: another tab may have one of them.
    if replaced_at.is_none() {
        diesel::update(refresh_tokens::table.filter(refresh_tokens::session_id.eq(&session.id)))
            .filter(refresh_tokens::replaced_at.is_null())
            .set(refresh_tokens::replaced_at.eq(now))
            .execute(conn)?;
    }
    diesel::update(sessions::table.find(&session.id)).set(sessions::renewed_at.eq(now)).execute(conn)?;
    let refresh_token = add_refresh_token(conn, &session)?;
    Ok(Some(Renewed::Session(Box::new(NewSession { user, session, refresh_token }))))
}

fn end(conn: &mut Conn, id: &str) -> QueryResult<bool> {
    Ok(diesel::delete(sessions::table.find(id)).execute(conn)? > 0)
}

/// Ends the session that a refresh token belongs to, and returns it.
pub fn end_by_token(conn: &mut Conn, token: &str) -> Result<Option<Session>> {
    let Some(session) = session_of(conn, token)? else { return Ok(None) };
    conn.transaction(|conn| {
        users::lock(conn, session.user_id)?;
        Ok(end(conn, &session.id)?.then_some(session))
    })
}

/// Ends one session of a person. Returns whether they had it.
pub fn end_of(conn: &mut Conn, user_id: i32, id: &str) -> Result<bool> {
    conn.transaction(|conn| {
        users::lock(conn, user_id)?;
        let own = sessions::table.find(id).filter(sessions::user_id.eq(user_id));
        Ok(diesel::delete(own).execute(conn)? > 0)
    })
}

/// Ends the sessions of a person but `kept`. Returns how many. For a transaction that has locked the person.
pub fn end_all(conn: &mut Conn, user_id: i32, kept: Option<&str>) -> QueryResult<usize> {
    let others = sessions::table
        .filter(sessions::user_id.eq(user_id))
        .filter(sessions::id.ne(kept.unwrap_or_default().to_owned()));
    diesel::delete(others).execute(conn)
}

/// Ends the sessions that an identity brought. For a transaction that has locked the person.
pub fn end_of_identity(conn: &mut Conn, issuer: &str, subject: &str) -> QueryResult<usize> {
    let brought = sessions::table.filter(sessions::issuer.eq(issuer)).filter(sessions::subject.eq(subject));
    diesel::delete(brought).execute(conn)
}

/// Whether this is the workspace for what concerns no other one.
fn is_platform(conn: &mut Conn, workspace_id: i32) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(platform_workspace::table.find(workspace_id))).get_result(conn)
}

/// Notes that a session is used in a workspace. Returns true the first time, where the workspace is to be told of it.
pub fn used_in(conn: &mut Conn, workspace_id: i32, user_id: i32, session_id: &str) -> Result<bool> {
    let now = Timestamp::now();
    let known = session_workspaces::table.find((workspace_id, user_id, session_id));
    if diesel::select(diesel::dsl::exists(known)).get_result(conn)? {
        return Ok(false);
    }
    let own = session_workspaces::table
        .filter(session_workspaces::workspace_id.eq(workspace_id))
        .filter(session_workspaces::user_id.eq(user_id));
    let earlier = own
        .order(session_workspaces::used_at.desc())
        .select(session_workspaces::session_id)
        .load::<String>(conn)?;
    let too_many = earlier.get(MOST_SESSIONS - 1..).unwrap_or_default();
    diesel::delete(own.filter(session_workspaces::session_id.eq_any(too_many))).execute(conn)?;
    let inserted = diesel::insert_into(session_workspaces::table)
        .values((
            session_workspaces::workspace_id.eq(workspace_id),
            session_workspaces::user_id.eq(user_id),
            session_workspaces::session_id.eq(session_id),
            session_workspaces::used_at.eq(now),
        ))
        .execute(conn);
    match inserted {
        // The platform workspace is told of every sign-in.
        Ok(_) => Ok(!is_platform(conn, workspace_id)?),
        // Another request was quicker.
        Err(diesel::result::Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The workspaces in which a session was used, at most `limit`.
pub fn workspaces_of(conn: &mut Conn, session_id: &str, limit: i64) -> Result<Vec<i32>> {
    let used = session_workspaces::table
        .filter(session_workspaces::session_id.eq(session_id))
        .order(session_workspaces::workspace_id.asc())
        .limit(limit)
        .select(session_workspaces::workspace_id);
    Ok(used.load(conn)?)
}

/// When each person last began to use a session in a workspace, by user id.
pub fn last_used_in(
    conn: &mut Conn,
    workspace_id: i32,
) -> Result<std::collections::BTreeMap<i32, Timestamp>> {
    let used = session_workspaces::table
        .filter(session_workspaces::workspace_id.eq(workspace_id))
        .order(session_workspaces::used_at.asc())
        .select((session_workspaces::user_id, session_workspaces::used_at));
    Ok(used.load::<(i32, Timestamp)>(conn)?.into_iter().collect())
}
