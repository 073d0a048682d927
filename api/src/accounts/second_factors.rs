//! Second factors: the sealed secrets of authenticator apps, which codes were used, and recovery codes.
//!
//! What seals the secrets, and what a code is worth, is in `auth/second_factor.rs`.

use std::collections::BTreeSet;

use diesel::prelude::*;
use logbook_engine::db::{
    Conn,
    schema::{recovery_codes, second_factors},
    timestamp::Timestamp,
};
use totp_rs::Secret;

use super::{
    browsers,
    secret::{random_bytes, token_hash},
    sessions, users,
};
use crate::http::error::{Code, Problem, Result};

/// Recovery codes that somebody gets who turns the second factor on.
pub const RECOVERY_CODES: usize = 10;
/// How long a secret that was set up waits for its first code, in seconds.
const CONFIRM_SECONDS: i64 = 15 * 60;
/// The step of a secret of which no code was used.
const NO_STEP: i64 = 0;

#[derive(Clone, Debug, PartialEq, Eq, diesel::Queryable, diesel::Selectable)]
#[diesel(table_name = second_factors)]
pub struct SecondFactor {
    pub user_id: i32,
    pub sealed_secret: Vec<u8>,
    pub created_at: Timestamp,
    /// None until the first code has shown that the app has the secret.
    pub confirmed_at: Option<Timestamp>,
    /// Codes of this step and of earlier ones are not accepted any more.
    pub last_step: i64,
}

fn find(conn: &mut Conn, user_id: i32) -> Result<Option<SecondFactor>> {
    let row = second_factors::table.find(user_id).select(SecondFactor::as_select());
    Ok(row.first(conn).optional()?)
}

/// The second factor that is asked for.
pub fn find_on(conn: &mut Conn, user_id: i32) -> Result<Option<SecondFactor>> {
    Ok(find(conn, user_id)?.filter(|factor| factor.confirmed_at.is_some()))
}

/// The one that waits to be confirmed.
pub fn find_pending(conn: &mut Conn, user_id: i32) -> Result<Option<SecondFactor>> {
    let soon_enough = Timestamp::now().plus_seconds(-CONFIRM_SECONDS);
    Ok(find(conn, user_id)?.filter(|factor| factor.confirmed_at.is_none() && factor.created_at > soon_enough))
}

/// Who of these people has one that is on.
pub fn on_among(conn: &mut Conn, user_ids: &[i32]) -> Result<BTreeSet<i32>> {
    let on = second_factors::table
        .filter(second_factors::user_id.eq_any(user_ids))
        .filter(second_factors::confirmed_at.is_not_null())
        .select(second_factors::user_id);
    Ok(on.load::<i32>(conn)?.into_iter().collect())
}

/// Stores a secret that waits to be confirmed, in place of one that waited before. For a transaction that has locked the
/// person.
///
/// # Errors
/// `conflict` when there is one that is on.
pub fn begin(conn: &mut Conn, user_id: i32, sealed_secret: Vec<u8>) -> Result<()> {
    if find_on(conn, user_id)?.is_some() {
        return Err(Problem::new(Code::Conflict, "the second factor is on; turn it off first"));
    }
    diesel::delete(second_factors::table.find(user_id)).execute(conn)?;
    diesel::insert_into(second_factors::table)
        .values((
            second_factors::user_id.eq(user_id),
            second_factors::sealed_secret.eq(sealed_secret),
            second_factors::created_at.eq(Timestamp::now()),
            second_factors::last_step.eq(NO_STEP),
        ))
        .execute(conn)?;
    Ok(())
}

/// Turns the one on that waits, with its first code used, and ends the sessions of the person but `kept`: whoever came in by
/// the password alone is out. Returns the recovery codes. For a transaction that has locked the person.
pub fn turn_on(conn: &mut Conn, user_id: i32, step: i64, kept: &str) -> Result<Vec<String>> {
    diesel::update(second_factors::table.find(user_id))
        .set((second_factors::confirmed_at.eq(Timestamp::now()), second_factors::last_step.eq(step)))
        .execute(conn)?;
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user_id))).execute(conn)?;
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
    for code in &codes {
        diesel::insert_into(recovery_codes::table)
            .values((
                recovery_codes::user_id.eq(user_id),
                recovery_codes::code_hash.eq(token_hash(&normalized(code))),
            ))
            .execute(conn)?;
    }
    sessions::end_all(conn, user_id, Some(kept))?;
    browsers::forget_all(conn, user_id)?;
    Ok(codes)
}

/// 130 random bits, so that a plain hash is enough. In this form it has a line of its own on a phone: `ABCDEFG-HIJKLMN-OPQRSTU-VWXYZ`.
fn recovery_code() -> String {
    let text = Secret::from(random_bytes::<17>()).to_base32();
    text.as_bytes()[..26].chunks(7).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// A code without what people and apps put between its digits.
pub fn normalized(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_ascii_uppercase()
}

/// Notes that the code of a step was used. False when it, or the code of a later step, was used before: of two requests at
/// once one is the first.
pub fn use_step(conn: &mut Conn, user_id: i32, step: i64) -> Result<bool> {
    let used = diesel::update(second_factors::table.find(user_id))
        .filter(second_factors::last_step.lt(step))
        .set(second_factors::last_step.eq(step))
        .execute(conn)?;
    Ok(used > 0)
}

/// Uses up a recovery code. False when the person has no such code.
pub fn use_recovery_code(conn: &mut Conn, user_id: i32, code: &str) -> Result<bool> {
    let row = recovery_codes::table.find((user_id, token_hash(&normalized(code))));
    Ok(diesel::delete(row).execute(conn)? > 0)
}

pub fn recovery_codes_left(conn: &mut Conn, user_id: i32) -> Result<u32> {
    let own = recovery_codes::table.filter(recovery_codes::user_id.eq(user_id));
    let count = own.count().get_result::<i64>(conn)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Removes the second factor of a person, and their recovery codes. Returns whether it was on.
pub fn remove(conn: &mut Conn, user_id: i32) -> Result<bool> {
    let was_on = find_on(conn, user_id)?.is_some();
    diesel::delete(second_factors::table.find(user_id)).execute(conn)?;
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user_id))).execute(conn)?;
    Ok(was_on)
}

/// Removes the second factor of somebody who has lost it, and ends their sessions and links: who they were is not sure.
///
/// # Errors
/// `not_found` when there is no such person; `conflict` when they have none.
pub fn reset(conn: &mut Conn, user_id: i32) -> Result<users::User> {
    let user = users::end_sessions(conn, user_id)?;
    if !remove(conn, user_id)? {
        return Err(Problem::new(Code::Conflict, "this account has no second factor"));
    }
    Ok(user)
}
