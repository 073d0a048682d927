//! API keys of producers and integrators: `lbk_<prefix>_<secret>`.
//!
//! The prefix names the key everywhere and is not secret. The secret has 256 random bits. The database stores only the
//! SHA-256 of the whole key: what cannot be guessed needs no slow hash. A key belongs to one workspace and has one role. It
//! is shown once, when it is created, and its row stays when it is revoked.

use std::collections::BTreeSet;

use diesel::prelude::*;
use logbook_engine::db::{
    Conn,
    schema::{api_keys, members, users},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{
    claims::Claims,
    identities,
    role::Role,
    secret::{random_token, token_hash},
    sources,
};
use crate::http::{
    error::{Code, FieldError, Problem, Result},
    validation::{self, field_errors, no_nul},
};

pub const START: &str = "lbk_";
/// `last_used_at` is written at most this often.
pub const USE_SECONDS: i64 = 60;
const PREFIX_CHARACTERS: usize = 12;
/// Keys that a workspace may have, including revoked ones: a list has no pages.
const MOST_KEYS: i64 = 1000;
/// Longest life of a key that expires, in seconds.
const LONGEST_SECONDS: i64 = 10 * 366 * 86_400;

#[derive(Clone, Debug, PartialEq, Eq, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub struct ApiKey {
    pub workspace_id: i32,
    pub prefix: String,
    pub name: String,
    pub role: String,
    pub secret_hash: String,
    pub created_by: String,
    pub creator_id: Option<i32>,
    pub source: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Its role. The database's check admits no other word, so the least role for other words is never used.
    pub fn role(&self) -> Role {
        self.role.parse().unwrap_or(Role::Viewer)
    }

    pub fn state(&self) -> KeyState {
        if self.revoked_at.is_some() {
            KeyState::Revoked
        } else if self.expires_at.is_some_and(|at| at <= Timestamp::now()) {
            KeyState::Expired
        } else {
            KeyState::Active
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    Active,
    Expired,
    Revoked,
}

impl KeyState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// An API key in responses: everything but its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyView {
    /// Identifies the key, which begins with `lbk_<prefix>`.
    #[schema(example = "k7w2m9x4c1qd")]
    pub prefix: String,
    #[schema(example = "Vector in Mumbai")]
    pub name: String,
    /// The role of its holder: `viewer`, `auditor`, `writer` or `admin`.
    #[schema(value_type = String, example = "writer")]
    pub role: Role,
    /// `active`, `expired` or `revoked`.
    #[schema(value_type = String, example = "active")]
    pub state: KeyState,
    /// The source that sends with it, if it belongs to one.
    #[schema(required, example = "okta")]
    pub source: Option<String>,
    /// Who created it.
    #[schema(example = "Asha Rao")]
    pub created_by: String,
    /// True when the person who created it has no role in the workspace any more, or a disabled account. The key still works.
    pub creator_removed: bool,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Null when it does not expire.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// To the minute; null when it was never used.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
}

impl ApiKeyView {
    pub fn new(key: ApiKey, creator_removed: bool) -> Self {
        let (role, state) = (key.role(), key.state());
        let ApiKey {
            workspace_id: _,
            prefix,
            name,
            role: _,
            secret_hash: _,
            created_by,
            creator_id: _,
            source,
            created_at,
            expires_at,
            last_used_at,
            revoked_at,
        } = key;
        Self {
            prefix,
            name,
            role,
            state,
            source,
            created_by,
            creator_removed,
            created_at,
            expires_at,
            last_used_at,
            revoked_at,
        }
    }
}

#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    #[validate(length(min = 1, max = 200), custom(function = no_nul))]
    #[schema(example = "Vector in Mumbai", min_length = 1, max_length = 200)]
    pub name: String,
    #[schema(inline)]
    pub role: Role,
    /// The source that sends with it. Then its role must be `writer`.
    #[serde(default)]
    #[schema(example = "okta")]
    pub source: Option<String>,
    /// At most ten years from now. Left out or null: the key does not expire.
    #[serde(default)]
    #[validate(custom(function = ahead))]
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-22T00:00:00Z")]
    pub expires_at: Option<Timestamp>,
}

fn ahead(instant: &Timestamp) -> Result<(), ValidationError> {
    let now = Timestamp::now();
    if *instant <= now || *instant > now.plus_seconds(LONGEST_SECONDS) {
        return Err(validation::invalid("must lie ahead, at most ten years"));
    }
    Ok(())
}

/// A new key.
pub struct Created {
    pub key: ApiKey,
    /// What its holder sends. It is stored nowhere.
    pub text: String,
}

/// Creates a key.
///
/// # Errors
/// `validation_failed`; `conflict` when the workspace has too many.
pub fn create(
    conn: &mut Conn,
    workspace_id: i32,
    new: &NewApiKey,
    created_by: &str,
    creator_id: Option<i32>,
) -> Result<Created> {
    new.validate()
        .map_err(|errors| Problem::with_errors(Code::ValidationFailed, field_errors("", &errors)))?;
    if let Some(source) = &new.source {
        let refuse = |pointer: &str, detail: &str| {
            Problem::with_errors(Code::ValidationFailed, vec![FieldError::at(pointer, "invalid", detail)])
        };
        if new.role != Role::Writer {
            return Err(refuse("/role", "must be writer, since the key belongs to a source"));
        }
        sources::find(conn, workspace_id, source)
            .map_err(|_| refuse("/source", "this workspace has no such source"))?;
    }
    let count =
        api_keys::table.filter(api_keys::workspace_id.eq(workspace_id)).count().get_result::<i64>(conn)?;
    if count >= MOST_KEYS {
        let detail = format!("a workspace may have {MOST_KEYS} keys, including revoked ones");
        return Err(Problem::new(Code::Conflict, detail));
    }
    let prefix = random_prefix();
    let text = format!("{START}{prefix}_{}", random_token());
    let key = ApiKey {
        workspace_id,
        prefix,
        name: new.name.clone(),
        role: new.role.as_str().into(),
        secret_hash: token_hash(&text),
        created_by: created_by.into(),
        creator_id,
        source: new.source.clone(),
        created_at: Timestamp::now(),
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    diesel::insert_into(api_keys::table).values(&key).execute(conn)?;
    Ok(Created { key, text })
}

/// Lower-case letters and digits: 60 bits of them.
fn random_prefix() -> String {
    let letters = random_token().to_lowercase();
    let mut prefix: String = letters.chars().filter(char::is_ascii_alphanumeric).collect();
    // Of 43 random characters of which 62 in 64 are such, twelve are always there.
    prefix.truncate(PREFIX_CHARACTERS);
    prefix
}

/// The keys of a workspace: active keys first, then by name.
pub fn list(conn: &mut Conn, workspace_id: i32) -> Result<Vec<ApiKey>> {
    let query = api_keys::table.filter(api_keys::workspace_id.eq(workspace_id));
    let mut keys = query.select(ApiKey::as_select()).load::<ApiKey>(conn)?;
    keys.sort_by_cached_key(|key| {
        (key.state() as u8, key.name.to_lowercase(), key.created_at, key.prefix.clone())
    });
    Ok(keys)
}

/// The people of `creators` who have no role in the workspace now, or whose account is disabled.
pub fn removed_creators(conn: &mut Conn, workspace_id: i32, keys: &[ApiKey]) -> Result<BTreeSet<i32>> {
    let creators: BTreeSet<i32> = keys.iter().filter_map(|key| key.creator_id).collect();
    let mut here: BTreeSet<i32> = members::table
        .filter(members::workspace_id.eq(workspace_id))
        .select(members::user_id)
        .load::<i32>(conn)?
        .into_iter()
        .collect();
    here.extend(identities::roles_in(conn, workspace_id)?.into_keys());
    let enabled = users::table
        .filter(users::id.eq_any(&creators))
        .filter(users::disabled_at.is_null())
        .select((users::id, users::platform_admin))
        .load::<(i32, bool)>(conn)?;
    let stay: BTreeSet<i32> =
        enabled.into_iter().filter(|(id, admin)| *admin || here.contains(id)).map(|(id, _)| id).collect();
    Ok(creators.difference(&stay).copied().collect())
}

/// Revokes a key. None when it was revoked before.
///
/// # Errors
/// `not_found`
pub fn revoke(conn: &mut Conn, workspace_id: i32, prefix: &str) -> Result<Option<ApiKey>> {
    let unknown = || Problem::new(Code::NotFound, "this workspace has no such key");
    if !is_prefix(prefix) {
        return Err(unknown());
    }
    let key = api_keys::table.find((workspace_id, prefix));
    let revoked = diesel::update(key)
        .filter(api_keys::revoked_at.is_null())
        .set(api_keys::revoked_at.eq(Timestamp::now()))
        .returning(api_keys::all_columns)
        .get_result::<ApiKey>(conn)
        .optional()?;
    if revoked.is_none() && key.select(api_keys::prefix).first::<String>(conn).optional()?.is_none() {
        return Err(unknown());
    }
    Ok(revoked)
}

/// The prefix, where a bearer's text has the shape of a key.
pub fn prefix_of(text: &str) -> Option<&str> {
    let (prefix, _) = text.strip_prefix(START)?.split_once('_')?;
    is_prefix(prefix).then_some(prefix)
}

fn is_prefix(text: &str) -> bool {
    let shape = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() == PREFIX_CHARACTERS && text.bytes().all(shape)
}

impl From<&ApiKey> for Claims {
    fn from(key: &ApiKey) -> Self {
        let mut claims = Claims::new(format!("key:{}", key.prefix), key.name.clone(), USE_SECONDS);
        claims.source.clone_from(&key.source);
        claims.roles.insert(key.workspace_id, key.role());
        claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shape_of_a_key_has_a_prefix() {
        assert_eq!(prefix_of("lbk_k7w2m9x4c1qd_a-b_c"), Some("k7w2m9x4c1qd"));
        for text in [
            "",
            "lbk_",
            "lbk_k7w2m9x4c1qd",
            "lbk_K7W2M9X4C1QD_a",
            "lbk_k7w2_a",
            "xbk_k7w2m9x4c1qd_a",
            "lbk_k7w2m9x4c1q\u{e9}_a",
        ] {
            assert_eq!(prefix_of(text), None, "{text}");
        }
    }

    #[test]
    fn prefixes_have_their_length_and_letters() {
        for _ in 0..1000 {
            let text = format!("{START}{}_x", random_prefix());
            assert!(prefix_of(&text).is_some(), "{text}");
        }
    }
}
