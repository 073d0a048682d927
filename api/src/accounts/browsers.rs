//! Known browsers: those in which a person signed in with their password before.
//!
//! Anybody can type wrong passwords for an account and make its owner wait. A browser that is known has an allowance of its
//! own, so its owner does not wait for what others do (OWASP calls this a device cookie). The cookie signs nobody in.

use diesel::prelude::*;
use logbook_engine::db::{Conn, schema::known_browsers, timestamp::Timestamp};

use super::{
    secret::{random_token, token_hash},
    users,
};
use crate::http::error::Result;

/// How long a browser that is not used stays known, in seconds.
pub const KNOWN_SECONDS: i64 = 180 * 86_400;
/// Known browsers of a person. A further one replaces the one that was used longest ago.
const MOST_BROWSERS: i64 = 10;

/// Whether the browser with this cookie is known for the account with this address.
pub fn is_known(conn: &mut Conn, token: &str, email: &str) -> Result<bool> {
    let Some(user) = users::find_by_email(conn, email)? else { return Ok(false) };
    let known = known_browsers::table
        .find(token_hash(token))
        .filter(known_browsers::user_id.eq(user.id))
        .filter(known_browsers::last_used_at.gt(Timestamp::now().plus_seconds(-KNOWN_SECONDS)));
    Ok(diesel::select(diesel::dsl::exists(known)).get_result(conn)?)
}

/// Notes that a known browser was used.
pub fn touch(conn: &mut Conn, token: &str) -> Result<()> {
    diesel::update(known_browsers::table.find(token_hash(token)))
        .set(known_browsers::last_used_at.eq(Timestamp::now()))
        .execute(conn)?;
    Ok(())
}

/// Makes a browser known. Returns the value of its cookie.
pub fn add(conn: &mut Conn, user_id: i32) -> Result<String> {
    let token = random_token();
    let own = known_browsers::table.filter(known_browsers::user_id.eq(user_id));
    let replaced = own
        .order(known_browsers::last_used_at.desc())
        .offset(MOST_BROWSERS - 1)
        .limit(MOST_BROWSERS)
        .select(known_browsers::token_hash)
        .load::<String>(conn)?;
    diesel::delete(known_browsers::table.filter(known_browsers::token_hash.eq_any(replaced)))
        .execute(conn)?;
    diesel::insert_into(known_browsers::table)
        .values((
            known_browsers::token_hash.eq(token_hash(&token)),
            known_browsers::user_id.eq(user_id),
            known_browsers::last_used_at.eq(Timestamp::now()),
        ))
        .execute(conn)?;
    Ok(token)
}

/// Forgets every browser of a person: who signed in there may have had the password alone.
pub fn forget_all(conn: &mut Conn, user_id: i32) -> Result<()> {
    diesel::delete(known_browsers::table.filter(known_browsers::user_id.eq(user_id))).execute(conn)?;
    Ok(())
}
