//! Refresh tokens: what a browser keeps of a session, swapped for a new one at every use.

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
/// Two tabs may renew with the same refresh token within this many seconds, or one tab again that lost the answer; later,
/// a second use is theft.
const REUSE_SECONDS: i64 = 30;

/// Starts a session. Returns its refresh token.
pub fn start_session(conn: &mut Conn, user_id: i32) -> Result<String> {
    start_session_until(conn, user_id, None)
}

/// Starts a session that ends then, however much it is used. Returns its refresh token.
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

/// What came of a refresh token.
pub enum Renewed {
    /// The user, and the token that takes its place.
    Session(User, String),
    /// It was swapped before: somebody has a copy. The whole session of this user is ended.
    Reused(i32),
}

/// Swaps a refresh token for a new one.
///
/// For [`REUSE_SECONDS`] a token may be swapped again, so for a moment a session has several good tokens. Whichever is used
/// first takes the others' place: a browser has only one of them anyway, and where a thief has another, the next use of that
/// one, or of the browser's own, ends the session.
///
/// # Errors
/// `not_signed_in`
pub fn renew_session(conn: &mut Conn, token: &str) -> Result<Renewed> {
    let problem = || Problem::new(Code::NotSignedIn, "sign in");
    let (user_id, family) = family_of(conn, token)?.ok_or_else(problem)?;
    let renewed = conn.transaction(|conn| {
        // What ends the session waits, or was before: then the token is gone.
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
        tracing::warn!(user_id, "a refresh token came a second time; its session is ended");
        end_family(conn, family)?;
        return Ok(Some(Renewed::Reused(user_id)));
    }
    let Some(user) = users::find(conn, user_id)? else { return Ok(None) };
    // Of a token that is swapped again the successors stay: one of them is perhaps what the other tab goes on with.
    if replaced_at.is_none() {
        diesel::update(refresh_tokens::table.filter(refresh_tokens::family.eq(family)))
            .filter(refresh_tokens::replaced_at.is_null())
            .set(refresh_tokens::replaced_at.eq(now))
            .execute(conn)?;
    }
    let token = add_refresh_token(conn, user_id, family, ends_at)?;
    Ok(Some(Renewed::Session(user, token)))
}

fn end_family(conn: &mut Conn, family: &str) -> QueryResult<()> {
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::family.eq(family))).execute(conn)?;
    Ok(())
}

/// Ends the session that a refresh token belongs to. Returns whose it was.
pub fn end_session(conn: &mut Conn, token: &str) -> Result<Option<i32>> {
    let Some((user_id, family)) = family_of(conn, token)? else { return Ok(None) };
    conn.transaction(|conn| {
        users::lock(conn, user_id)?;
        end_family(conn, &family)?;
        Ok(Some(user_id))
    })
}
