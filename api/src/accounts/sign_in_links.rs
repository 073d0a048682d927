//! Links that sign a user in once.

use diesel::prelude::*;
use logbook_engine::db::{Conn, schema::sign_in_links, timestamp::Timestamp};

use super::{
    secret::{random_token, token_hash},
    sessions::{self, Beginning, NewSession},
    users::{self, User},
};
use crate::http::error::{Code, Problem, Result};

/// How long a sign-in link is valid, in seconds.
const LINK_SECONDS: i64 = 24 * 3600;

/// Creates a link that signs a user in once. Returns the token that the link carries.
pub fn create(conn: &mut Conn, user_id: i32) -> Result<String> {
    let token = random_token();
    let now = Timestamp::now();
    diesel::delete(sign_in_links::table.filter(sign_in_links::expires_at.lt(now))).execute(conn)?;
    diesel::insert_into(sign_in_links::table)
        .values((
            sign_in_links::token_hash.eq(token_hash(&token)),
            sign_in_links::user_id.eq(user_id),
            sign_in_links::expires_at.eq(now.plus_seconds(LINK_SECONDS)),
        ))
        .execute(conn)?;
    Ok(token)
}

/// Signs in with a link: marks it as used, asks `check` for whatever else the person needs, and starts a session: all or
/// nothing. Also returns what `check` found.
///
/// # Errors
/// `link_invalid` when it is unknown, used or expired; whatever `check` returns.
pub fn redeem<T>(
    conn: &mut Conn,
    token: &str,
    beginning: Beginning<'_>,
    check: impl FnOnce(&mut Conn, &User) -> Result<T>,
) -> Result<(NewSession, T)> {
    let invalid =
        || Problem::new(Code::LinkInvalid, "ask for a new link: logbook user link --email <address>");
    let now = Timestamp::now();
    conn.transaction(|conn| {
        // One statement, so that only one of two simultaneous requests finds the link unused.
        let user_id = diesel::update(sign_in_links::table.find(token_hash(token)))
            .filter(sign_in_links::used_at.is_null())
            .filter(sign_in_links::expires_at.gt(now))
            .set(sign_in_links::used_at.eq(now))
            .returning(sign_in_links::user_id)
            .get_result::<i32>(conn)
            .optional()?;
        let user_id = user_id.ok_or_else(invalid)?;
        // A second factor that is turned on meanwhile is asked for.
        users::lock(conn, user_id)?;
        let user = users::find(conn, user_id)?;
        let user = user.filter(|user| user.disabled_at.is_none()).ok_or_else(invalid)?;
        let checked = check(conn, &user)?;
        Ok((sessions::start(conn, user, beginning)?, checked))
    })
}
