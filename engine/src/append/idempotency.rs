//! Requests that may be sent again: the same key of the same source with the same request returns the first response, which is
//! stored until the key expires.
//!
//! As JSON, ten thousand results take 749 KB, also those of a request of 26 KB. So they are stored as what changes from
//! one to the next, and results that change alike once: after a byte for the version, in varints,
//!
//! ```text
//! runs   number of results, then of each: seq - seq before, millisecond - millisecond before (zigzag coded; the first
//!        one's lowest bit: duplicate)
//! ```

use base16ct::lower::encode_string;
use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{AppendResult, Appended};
use crate::{
    db::{Conn, schema::idempotency_keys, timestamp::Timestamp},
    error::{Error, Result},
    event::id::EventId,
    varint::{self, Reader, unzigzag, zigzag},
};

const VERSION: u8 = 1;
/// Results of one request: no stored response has more.
const MOST_RESULTS: u64 = 1 << 20;

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
        Self { key, fingerprint: encode_string(&digest) }
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
        .first::<(String, Vec<u8>)>(conn)
        .optional()?;
    let Some((fingerprint, response)) = stored else { return Ok(None) };
    let answer = unpack(workspace_id, &response)
        .ok_or(Error::Damaged("the stored response to this Idempotency-Key cannot be read"));
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
    diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::workspace_id.eq(workspace_id),
            idempotency_keys::source.eq(source),
            idempotency_keys::idempotency_key.eq(key),
            idempotency_keys::fingerprint.eq(fingerprint),
            idempotency_keys::response.eq(pack(answer)),
            idempotency_keys::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The stored form of a response.
fn pack(appended: &Appended) -> Vec<u8> {
    let mut runs: Vec<(u64, [u64; 2])> = Vec::new();
    let (mut seq, mut millis) = (0, 0);
    for AppendResult { id, seq: next, duplicate } in &appended.results {
        let change = [
            zigzag(next - seq) << 1 | u64::from(*duplicate),
            // 48 bits.
            zigzag(id.millis as i64 - millis),
        ];
        match runs.last_mut() {
            Some((results, last)) if *last == change => *results += 1,
            _ => runs.push((1, change)),
        }
        (seq, millis) = (*next, id.millis as i64);
    }
    let mut bytes = vec![VERSION];
    for (results, change) in runs {
        [results, change[0], change[1]].into_iter().for_each(|number| varint::write(&mut bytes, number));
    }
    bytes
}

/// None when [`pack`] did not write these bytes.
fn unpack(workspace_id: i32, bytes: &[u8]) -> Option<Appended> {
    let mut reader = Reader { bytes, at: 0 };
    if reader.byte()? != VERSION {
        return None;
    }
    let mut appended = Appended::default();
    let (mut seq, mut millis) = (0i64, 0i64);
    while reader.at < bytes.len() {
        let (results, change, step) = (reader.varint()?, reader.varint()?, unzigzag(reader.varint()?));
        if results.saturating_add(appended.results.len() as u64) > MOST_RESULTS {
            return None;
        }
        let duplicate = change & 1 == 1;
        for _ in 0..results {
            (seq, millis) = (seq.checked_add(unzigzag(change >> 1))?, millis.checked_add(step)?);
            let id = EventId { millis: u64::try_from(millis).ok()?, workspace_id, seq };
            appended.results.push(AppendResult { id, seq, duplicate });
        }
        *(if duplicate { &mut appended.duplicates } else { &mut appended.accepted }) += results as usize;
    }
    Some(appended)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(seq: i64, millis: u64, duplicate: bool) -> AppendResult {
        AppendResult { id: EventId { millis, workspace_id: 7, seq }, seq, duplicate }
    }

    fn appended(results: Vec<AppendResult>) -> Appended {
        let duplicates = results.iter().filter(|result| result.duplicate).count();
        Appended { accepted: results.len() - duplicates, duplicates, results }
    }

    #[test]
    fn a_response_comes_back_as_it_was_and_takes_little_space() {
        let same = (0..10_000).map(|_| result(5, 1_790_000_000_123, true)).collect();
        let steady = (1..10_001).map(|n| result(n, 1_790_000_000_000 + n as u64 * 250, false)).collect();
        let random = (1..1001u64).map(|n| {
            let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            result((mixed >> 24) as i64, mixed >> 20 & 0x1ff_ffff_ffff, mixed & 1 == 1)
        });
        for (results, most) in [
            (Vec::new(), 1),
            (vec![result(1, 0, false)], 10),
            (vec![result((1 << 42) - 1, (1 << 48) - 1, true)], 20),
            (same, 30),
            (steady, 30),
            (random.collect(), 16_000),
        ] {
            let appended = appended(results);
            let bytes = pack(&appended);
            assert!(bytes.len() <= most, "{}", bytes.len());
            assert_eq!(unpack(7, &bytes), Some(appended));
        }
        assert_eq!(unpack(7, b"{}"), None);
        assert_eq!(unpack(7, &[VERSION, 0xff, 0xff, 0xff, 0xff, 0x7f, 2, 2]), None);
    }
}
