//! Tokens of scripts: created by the command line, valid for a year at most, listed, and revoked by their id.

use diesel::prelude::*;
use logbook_engine::db::{Conn, schema::script_tokens, timestamp::Timestamp};

use super::{
    claims::Claims,
    role::Role,
    secret::{random_token, token_hash},
};
use crate::http::error::Result;

/// Longest life of a token, in hours.
pub const LONGEST_HOURS: u32 = 366 * 24;
/// Revoked and expired tokens are listed for this long, in seconds.
const LISTED_SECONDS: i64 = 366 * 86_400;

#[derive(Clone, Debug, PartialEq, Eq, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = script_tokens, treat_none_as_default_value = false)]
pub struct ScriptToken {
    pub id: String,
    /// None where it is valid in every workspace.
    pub workspace_id: Option<i32>,
    pub name: String,
    pub role: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

impl ScriptToken {
    pub fn state(&self) -> &'static str {
        if self.revoked_at.is_some() {
            "revoked"
        } else if self.expires_at <= Timestamp::now() {
            "expired"
        } else {
            "active"
        }
    }
}

/// Stores a token, and gives its claims the id.
pub fn create(
    conn: &mut Conn,
    claims: &mut Claims,
    role: Role,
    workspace_id: Option<i32>,
) -> Result<ScriptToken> {
    // It names a token and opens nothing.
    let id = token_hash(&random_token())[..16].to_owned();
    let token = ScriptToken {
        id: id.clone(),
        workspace_id,
        name: claims.name.clone(),
        role: role.as_str().to_owned(),
        created_at: Timestamp::now(),
        expires_at: Timestamp(claims.exp * 1_000_000),
        revoked_at: None,
    };
    let long_ago = Timestamp::now().plus_seconds(-LISTED_SECONDS);
    diesel::delete(script_tokens::table.filter(script_tokens::expires_at.lt(long_ago))).execute(conn)?;
    diesel::insert_into(script_tokens::table).values(&token).execute(conn)?;
    claims.jti = Some(id);
    Ok(token)
}

/// All tokens, the newest first.
pub fn list(conn: &mut Conn) -> Result<Vec<ScriptToken>> {
    let rows = script_tokens::table.order(script_tokens::created_at.desc());
    Ok(rows.select(ScriptToken::as_select()).load(conn)?)
}

/// Whether a token exists and was not revoked.
pub fn is_active(conn: &mut Conn, id: &str) -> Result<bool> {
    let active = script_tokens::table.find(id).filter(script_tokens::revoked_at.is_null());
    Ok(diesel::select(diesel::dsl::exists(active)).get_result(conn)?)
}

/// Revokes a token. Returns it, and None where there is none that could still be used.
pub fn revoke(conn: &mut Conn, id: &str) -> Result<Option<ScriptToken>> {
    let revoked = diesel::update(script_tokens::table.find(id))
        .filter(script_tokens::revoked_at.is_null())
        .set(script_tokens::revoked_at.eq(Timestamp::now()))
        .returning(script_tokens::all_columns)
        .get_result::<ScriptToken>(conn);
    Ok(revoked.optional()?)
}
