//! Requests that may be sent again: the same key of the same source with the same request returns the first response.

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use super::Appended;
use crate::{
    db::{Conn, schema::idempotency_keys, timestamp::Timestamp},
    error::{Error, Result},
};

/// The key of a request that may be sent again.
#[derive(Clone, Debug)]
pub struct Idempotency {
    pub key: String,
    /// SHA-256 of the route and the body, in hexadecimal.
    pub fingerprint: String,
}

impl Idempotency {
    /// `route` is the matched route, not the address as it was sent.
    pub fn new(key: String, route: &str, body: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(route).chain_update([0]).chain_update(body).finalize();
        Self { key, fingerprint: digest.iter().map(|byte| format!("{byte:02x}")).collect() }
    }
}

/// The stored fingerprint and response of a key. Removes keys from before `oldest` first.
pub(super) fn load(
    conn: &mut Conn,
    workspace_id: i32,
    source: &str,
    key: &str,
    oldest: Timestamp,
) -> Result<Option<(String, Result<Appended>)>> {
    diesel::delete(
        idempotency_keys::table
            .filter(idempotency_keys::workspace_id.eq(workspace_id))
            .filter(idempotency_keys::created_at.lt(oldest)),
    )
    .execute(conn)?;
    let stored = idempotency_keys::table
        .find((workspace_id, source, key))
        .select((idempotency_keys::fingerprint, idempotency_keys::response))
        .first::<(String, String)>(conn)
        .optional()?;
    let Some((fingerprint, response)) = stored else { return Ok(None) };
    let answer = serde_json::from_str(&response)
        .map_err(|_| Error::Damaged("the stored response to this Idempotency-Key cannot be read"));
    Ok(Some((fingerprint, answer)))
}

pub(super) fn save(
    conn: &mut Conn,
    workspace_id: i32,
    source: &str,
    Idempotency { key, fingerprint }: &Idempotency,
    answer: &Appended,
    now: Timestamp,
) -> Result<()> {
    let response = serde_json::to_string(answer).unwrap_or_default();
    diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::workspace_id.eq(workspace_id),
            idempotency_keys::source.eq(source),
            idempotency_keys::idempotency_key.eq(key),
            idempotency_keys::fingerprint.eq(fingerprint),
            idempotency_keys::response.eq(response),
            idempotency_keys::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
