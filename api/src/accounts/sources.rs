//! The registry of a workspace's sources: who sends, in which shape, and what is normal for it. Rows and queries.

use diesel::prelude::*;
use logbook_engine::db::{
    Conn,
    schema::{api_keys, sources},
    timestamp::Timestamp,
};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{
    api_keys::{Created, NewApiKey, create as create_key},
    role::Role,
    source_kind::Kind,
};
use crate::http::{
    error::{Code, Problem, Result},
    validation::{self, field_errors, no_nul},
};

/// Sources that a workspace may have.
const MOST: i64 = 200;
/// Longest normal silence, in seconds: a year.
const LONGEST_SILENCE: i32 = 366 * 86_400;
/// Longest time for which a source may replay, in days, where it is not for ever.
const LONGEST_REPLAY: i32 = 3660;

/// A registered source.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = sources, treat_none_as_default_value = false)]
pub struct Source {
    pub workspace_id: i32,
    pub name: String,
    pub kind: String,
    pub mapping: Option<String>,
    pub silence_seconds: Option<i32>,
    pub replay_days: Option<i32>,
    pub sealed_secret: Option<Vec<u8>>,
    pub created_by: String,
    pub created_at: Timestamp,
}

impl Source {
    /// Its kind. Only known kinds are stored; one of a newer version is read as Logbook's own events.
    pub fn kind(&self) -> Kind {
        self.kind.parse().unwrap_or(Kind::Api)
    }

    /// How long its dedupe keys are kept, in seconds; None is for ever.
    pub fn replay_seconds(&self) -> Option<i64> {
        self.replay_days.map(|days| i64::from(days) * 86_400)
    }
}

/// A new source.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSource {
    /// Its name in addresses and in `source` of its events: lower-case letters, digits, `.`, `_` and `-`.
    #[validate(custom(function = name))]
    #[schema(example = "okta", pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub name: String,
    #[schema(inline)]
    pub kind: Kind,
    /// How long it is silent normally. Null or left out: its silence is not reported.
    #[serde(default)]
    #[validate(range(min = 1, max = "LONGEST_SILENCE"))]
    #[schema(minimum = 1, maximum = 31_622_400, example = 3600)]
    pub silence_seconds: Option<i32>,
    /// For how many days it may send an event again; null is for ever. Left out: as its kind replays.
    #[serde(default, deserialize_with = "given")]
    #[validate(range(min = 1, max = "LONGEST_REPLAY"))]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 3660, example = 7)]
    pub replay_days: Option<Option<i32>>,
    /// The secret with which the vendor signs, where it signs. Of a Keycloak realm that signs with its own key: the realm's key set
    /// (JWKS), as it is published at `…/protocol/openid-connect/certs`.
    #[serde(default)]
    #[validate(length(min = 8, max = 16384), custom(function = no_nul))]
    #[schema(min_length = 8, max_length = 16384)]
    pub secret: Option<String>,
}

/// New settings of a source; what is left out keeps its value.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceChanges {
    /// How long it is silent normally; null: its silence is not reported.
    #[serde(default, deserialize_with = "given")]
    #[validate(range(min = 1, max = "LONGEST_SILENCE"))]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 31_622_400, example = 3600)]
    pub silence_seconds: Option<Option<i32>>,
    /// For how many days it may send an event again; null is for ever.
    #[serde(default, deserialize_with = "given")]
    #[validate(range(min = 1, max = "LONGEST_REPLAY"))]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 3660, example = 7)]
    pub replay_days: Option<Option<i32>>,
    /// The secret with which the vendor signs, or a Keycloak realm's key set; null removes it.
    #[serde(default, deserialize_with = "given")]
    #[validate(length(min = 8, max = 16384), custom(function = no_nul))]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 16384)]
    pub secret: Option<Option<String>>,
}

/// Tells null from what is left out.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn name(text: &str) -> Result<(), ValidationError> {
    if is_name(text) {
        return Ok(());
    }
    let detail = "must be 1 to 63 lower-case letters, digits, ., _ and -, and begin with a letter or digit";
    Err(validation::invalid(detail))
}

/// Whether a text has the shape of a source's name.
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| plain(byte) || b"._-".contains(&byte))
        && text.bytes().next().is_some_and(plain)
        && text != logbook_engine::sources::OWN_SOURCE
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound, "this workspace has no such source")
}

/// Registers a source.
///
/// # Errors
/// `conflict` when there is one of this name, or there are too many.
pub fn create(conn: &mut Conn, source: &Source) -> Result<()> {
    let count = sources::table.filter(sources::workspace_id.eq(source.workspace_id));
    if count.count().get_result::<i64>(conn)? >= MOST {
        return Err(Problem::new(Code::Conflict, format!("a workspace may have {MOST} sources")));
    }
    let created = diesel::insert_into(sources::table).values(source).execute(conn);
    let taken = || format!("there is already a source {}", source.name);
    created.map(|_| ()).map_err(|error| Problem::or_taken(error, "/name", taken()))
}

/// Registers a new source and makes its key. `sealed_secret`: its secret, encrypted.
///
/// # Errors
/// `validation_failed`; `conflict` when there is one of this name, or there are too many sources or keys.
pub fn register(
    conn: &mut Conn,
    workspace_id: i32,
    new: NewSource,
    sealed_secret: Option<Vec<u8>>,
    (created_by, creator_id): (&str, Option<i32>),
) -> Result<(Source, Created)> {
    new.validate()
        .map_err(|errors| Problem::with_errors(Code::ValidationFailed, field_errors("", &errors)))?;
    let NewSource { name, kind, silence_seconds, replay_days, secret: _ } = new;
    let source = Source {
        workspace_id,
        kind: kind.as_str().into(),
        mapping: None,
        silence_seconds,
        replay_days: replay_days.unwrap_or_else(|| kind.replay_days()),
        sealed_secret,
        created_by: created_by.into(),
        created_at: Timestamp::now(),
        name,
    };
    create(conn, &source)?;
    let (name, of) = (source.name.clone(), Some(source.name.clone()));
    let key = NewApiKey { name, role: Role::Writer, source: of, expires_at: None };
    let created = create_key(conn, workspace_id, &key, created_by, creator_id)?;
    Ok((source, created))
}

/// The sources of a workspace, by name.
///
/// # Errors
/// The database's.
pub fn list(conn: &mut Conn, workspace_id: i32) -> Result<Vec<Source>> {
    let sources = sources::table.filter(sources::workspace_id.eq(workspace_id));
    Ok(sources.order(sources::name.asc()).select(Source::as_select()).load(conn)?)
}

/// One source.
///
/// # Errors
/// `not_found`; the database's.
pub fn find(conn: &mut Conn, workspace_id: i32, name: &str) -> Result<Source> {
    if !is_name(name) {
        return Err(unknown());
    }
    let found = sources::table.find((workspace_id, name)).select(Source::as_select());
    found.first(conn).optional()?.ok_or_else(unknown)
}

/// Changes the settings of a source. `sealed_secret`: the new one, where it changes.
///
/// # Errors
/// `not_found`; the database's.
pub fn change(
    conn: &mut Conn,
    (workspace_id, name): (i32, &str),
    changes: &SourceChanges,
    sealed_secret: Option<Option<Vec<u8>>>,
) -> Result<(Source, Source)> {
    let before = find(conn, workspace_id, name)?;
    let after = Source {
        silence_seconds: changes.silence_seconds.unwrap_or(before.silence_seconds),
        replay_days: changes.replay_days.unwrap_or(before.replay_days),
        sealed_secret: sealed_secret.unwrap_or_else(|| before.sealed_secret.clone()),
        ..before.clone()
    };
    diesel::update(sources::table.find((workspace_id, name)))
        .set((
            sources::silence_seconds.eq(after.silence_seconds),
            sources::replay_days.eq(after.replay_days),
            sources::sealed_secret.eq(&after.sealed_secret),
        ))
        .execute(conn)?;
    Ok((before, after))
}

/// Sets a source's own mapping; None is that of its kind. Returns the source as it was.
///
/// # Errors
/// `not_found`; the database's.
pub fn set_mapping(
    conn: &mut Conn,
    (workspace_id, name): (i32, &str),
    mapping: Option<&str>,
) -> Result<Source> {
    let before = find(conn, workspace_id, name)?;
    diesel::update(sources::table.find((workspace_id, name)))
        .set(sources::mapping.eq(mapping))
        .execute(conn)?;
    Ok(before)
}

/// Removes a source from the registry and revokes its keys. Returns the source, and the prefixes of the keys.
///
/// # Errors
/// `not_found`; the database's.
pub fn remove(conn: &mut Conn, workspace_id: i32, name: &str) -> Result<(Source, Vec<String>)> {
    let source = find(conn, workspace_id, name)?;
    let keys = api_keys::table
        .filter(api_keys::workspace_id.eq(workspace_id))
        .filter(api_keys::source.eq(name))
        .filter(api_keys::revoked_at.is_null());
    let prefixes = diesel::update(keys)
        .set(api_keys::revoked_at.eq(Timestamp::now()))
        .returning(api_keys::prefix)
        .get_results::<String>(conn)?;
    diesel::delete(sources::table.find((workspace_id, name))).execute(conn)?;
    Ok((source, prefixes))
}
