//! Refresh tokens: what a browser keeps of a session, replaced by a new one at every use.

use diesel::prelude::*;
use logbook_engine::db::{
    Conn,
    schema::{refresh_tokens, users as users_table},
    timestamp::Timestamp,
};

use super::{
    secret::{random_token, token_hash},
    users::{self, User},
};
use crate::http::error::{Code, Problem, Result};

/// How long a session lives without being used, in seconds.
pub const SESSION_SECONDS: i64 = 14 * 86_400;
/// Within this many seconds a refresh token may be used twice: by two tabs, or by one tab that lost the response. A later
/// second use means that it was stolen.
const REUSE_SECONDS: i64 = 30;

/// Starts a session. Returns its refresh token.
pub fn start_session(conn: &mut Conn, user_id: i32) -> Result<String> {
    start_session_until(conn, user_id, None)
}

/// Starts a session that ends at this time, however much it is used. Returns its refresh token.
pub fn start_session_until(conn: &mut Conn, user_id: i32, ends_at: Option<Timestamp>) -> Result<String> {
    let now = Timestamp::now();
    diesel::update(users_table::table.find(user_id))
        .set(users_table::last_sign_in_at.eq(now))
        .execute(conn)?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.lt(now))).execute(conn)?;
    add_refresh_token(conn, user_id, &random_token(), ends_at)
}

fn add_refresh_token(
    conn: &mut Conn,
    user_id: i32,
    family: &str,
    ends_at: Option<Timestamp>,
) -> Result<String> {
    let token = random_token();
    let unused = Timestamp::now().plus_seconds(SESSION_SECONDS);
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::token_hash.eq(token_hash(&token)),
            refresh_tokens::user_id.eq(user_id),
            refresh_tokens::family.eq(family),
            refresh_tokens::expires_at.eq(ends_at.map_or(unused, |end| unused.min(end))),
            refresh_tokens::session_ends_at.eq(ends_at),
        ))
        .execute(conn)?;
    Ok(token)
}

/// The user and the session that a refresh token belongs to.
pub(super) fn family_of(conn: &mut Conn, token: &str) -> QueryResult<Option<(i32, String)>> {
    let token = refresh_tokens::table.find(token_hash(token));
    token.select((refresh_tokens::user_id, refresh_tokens::family)).first(conn).optional()
}

/// Who has a session now, and what continues it.
pub struct NewSession {
    pub user: User,
    pub refresh_token: String,
}

/// What a refresh token led to.
pub enum Renewed {
    /// The session continues with a new token.
    Session(NewSession),
    /// The token was replaced before, so somebody has a copy. The session has been ended.
    Reused { user_id: i32 },
}

/// Replaces a refresh token by a new one.
///
/// For [`REUSE_SECONDS`] a token may be replaced again, so for a moment a session has several valid tokens. The one that is
/// used first replaces the others: a browser has only one of them, and where a thief has another, the next use of that
/// one, or of the browser's own, ends the session.
///
/// # Errors
/// `not_signed_in`
pub fn renew_session(conn: &mut Conn, token: &str) -> Result<Renewed> {
    let problem = || Problem::new(Code::NotSignedIn, "sign in");
    let (user_id, family) = family_of(conn, token)?.ok_or_else(problem)?;
    let renewed = conn.transaction(|conn| {
        // Whatever ends the session waits for this, or has ended it before: then the token does not exist any more.
        users::lock(conn, user_id)?;
        renew_locked(conn, user_id, &family, token)
    })?;
    renewed.ok_or_else(problem)
}

fn renew_locked(conn: &mut Conn, user_id: i32, family: &str, token: &str) -> Result<Option<Renewed>> {
    let now = Timestamp::now();
    let known = refresh_tokens::table
        .find(token_hash(token))
        .filter(refresh_tokens::expires_at.gt(now))
        .select((refresh_tokens::replaced_at, refresh_tokens::session_ends_at))
        .first::<(Option<Timestamp>, Option<Timestamp>)>(conn)
        .optional()?;
    let Some((replaced_at, ends_at)) = known else { return Ok(None) };
    if replaced_at.is_some_and(|at| at.plus_seconds(REUSE_SECONDS) < now) {
        tracing::warn!(user_id, "a refresh token was used a second time; its session is ended");
        end_family(conn, family)?;
        return Ok(Some(Renewed::Reused { user_id }));
    }
    let Some(user) = users::find(conn, user_id)? else { return Ok(None) };
    // When a token is replaced again, its earlier successors stay valid: another tab may have one of them.
    if replaced_at.is_none() {
        diesel::update(refresh_tokens::table.filter(refresh_tokens::family.eq(family)))
            .filter(refresh_tokens::replaced_at.is_null())
            .set(refresh_tokens::replaced_at.eq(now))
            .execute(conn)?;
    }
    let refresh_token = add_refresh_token(conn, user_id, family, ends_at)?;
    Ok(Some(Renewed::Session(NewSession { user, refresh_token })))
}

fn end_family(conn: &mut Conn, family: &str) -> QueryResult<()> {
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::family.eq(family))).execute(conn)?;
    Ok(())
}

/// Ends the session that a refresh token belongs to. Returns the id of its user.
pub fn end_session(conn: &mut Conn, token: &str) -> Result<Option<i32>> {
    let Some((user_id, family)) = family_of(conn, token)? else { return Ok(None) };
    conn.transaction(|conn| {
        users::lock(conn, user_id)?;
        end_family(conn, &family)?;
        Ok(Some(user_id))
    })
}
