//! The keys of what an event can be filtered by exactly: an event has a value's key if and only if it has the value.
//!
//! So filters are operations on sets of events, which leave no false candidates, and an exclusion is a set without
//! another. A key is 56 bits of a SHA-256 of the value: otherwise somebody could write an event whose value is taken
//! for one that is excluded, and so hide it.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{
    event::{Actor, Change, Common, Event, Log},
    filter::metadata,
};

/// Values of an event's metadata that are indexed, at most. An event with more has [`Field::MoreMetadata`].
const MOST_METADATA: usize = 64;

/// What a value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Every event of the log has it.
    Log = 1,
    Action,
    Outcome,
    Role,
    Source,
    ActorType,
    ActorId,
    OnBehalfOf,
    /// Of the first target.
    TargetType,
    TargetId,
    /// A further target's type, or type, colon and id.
    FurtherTarget,
    /// An address or a network: its first bytes.
    Network,
    SessionId,
    CorrelationId,
    ChangedField,
    /// A path and a value.
    Metadata,
    MoreMetadata,
    /// Of a text that is searched ([`words`](super::words)).
    Word,
    /// Two words of such a text, and the sign between them.
    Pair,
    /// No value of another field.
    Absent,
}

/// The key of a value in a log: 57 bits, of which the lowest is 0. Only metadata have two parts.
pub fn key(log: Log, field: Field, parts: [&[u8]; 2]) -> u64 {
    let mut value = Vec::new();
    write(&mut value, log, field, parts);
    key_of(&value)
}

/// Replaces `value` with what a key is a digest of.
pub fn write(value: &mut Vec<u8>, log: Log, field: Field, parts: [&[u8]; 2]) {
    value.clear();
    value.extend([log.number() as u8, field as u8]);
    value.extend((parts[0].len() as u32).to_le_bytes());
    value.extend(parts[0]);
    value.extend(parts[1]);
}

/// The key of what [`write`] wrote.
pub fn key_of(value: &[u8]) -> u64 {
    let digest: [u8; 32] = Sha256::digest(value).into();
    let mut eight = [0; 8];
    eight.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(eight) >> 8 << 1
}

pub fn key_of_word(log: Log, word: &[u8]) -> u64 {
    key(log, Field::Word, [word, b""])
}

pub fn key_of_pair(log: Log, pair: &[u8]) -> u64 {
    key(log, Field::Pair, [pair, b""])
}

/// Where the events of a value are stored instead, if they are many: the numbers of this key are those of pieces.
pub fn key_of_pieces(key: u64) -> u64 {
    key | 1
}

/// The lengths of the prefixes of an address that have keys, ascending; the last one is the address itself.
fn prefixes(address: IpAddr) -> [u8; 4] {
    match address {
        IpAddr::V4(_) => [8, 16, 24, 32],
        IpAddr::V6(_) => [32, 48, 64, 128],
    }
}

/// The family of an address, and the first bytes of it, which are the same for all addresses of the network. All
/// prefixes are whole bytes.
fn network(address: IpAddr, prefix: u8) -> ([u8; 17], usize) {
    let mut bytes = [0; 17];
    match address {
        IpAddr::V4(address) => {
            bytes[0] = 4;
            bytes[1..5].copy_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            bytes[0] = 6;
            bytes[1..].copy_from_slice(&address.octets());
        }
    }
    (bytes, 1 + usize::from(prefix / 8))
}

/// The smallest network with a key that contains this one. None when there is none; true when it is this one.
pub fn network_around(wanted: IpNet) -> Option<(Vec<u8>, bool)> {
    let prefix = prefixes(wanted.addr()).into_iter().rev().find(|prefix| *prefix <= wanted.prefix_len())?;
    let (bytes, length) = network(wanted.addr(), prefix);
    Some((bytes[..length].to_vec(), prefix == wanted.prefix_len()))
}

/// Passes every value of an event to `add`, some of them more than once.
pub fn values(
    event: &Event,
    changes: &[Change],
    metadata: &Map<String, Value>,
    mut add: impl FnMut(Field, [&[u8]; 2]),
) {
    let Common {
        log: _,
        actor,
        on_behalf_of,
        role,
        action,
        outcome,
        outcome_reason: _,
        purpose: _,
        target,
        targets,
        ip_address,
        user_agent: _,
        session_id,
        correlation_id,
        epoch: _,
        sequence: _,
    } = &event.common;
    fn id(actor: &Option<Actor>) -> Option<&str> {
        actor.as_ref().and_then(|actor| actor.id.as_deref())
    }
    let texts = [
        (Field::Log, Some("")),
        (Field::Action, Some(&**action)),
        (Field::Outcome, Some(outcome.as_str())),
        (Field::Source, Some(&*event.source)),
        (Field::Role, role.as_deref()),
        (Field::ActorType, actor.as_ref().map(|actor| actor.kind.as_str())),
        (Field::ActorId, id(actor)),
        (Field::OnBehalfOf, id(on_behalf_of)),
        (Field::TargetType, target.kind.as_deref()),
        (Field::TargetId, target.id.as_deref()),
        (Field::SessionId, session_id.as_deref()),
        (Field::CorrelationId, correlation_id.as_deref()),
    ];
    for (field, text) in texts {
        if let Some(text) = text {
            add(field, [text.as_bytes(), b""]);
        }
    }
    for (field, text) in [(Field::Role, role), (Field::TargetType, &target.kind)] {
        if text.is_none() {
            add(Field::Absent, [&[field as u8], b""]);
        }
    }
    for target in targets.iter() {
        let Some(kind) = target.kind.as_deref() else { continue };
        add(Field::FurtherTarget, [kind.as_bytes(), b""]);
        if let Some(id) = target.id.as_deref() {
            add(Field::FurtherTarget, [format!("{kind}:{id}").as_bytes(), b""]);
        }
    }
    if let Some(Ok(address)) = ip_address.as_deref().map(str::parse::<IpAddr>) {
        let address = address.to_canonical();
        for (bytes, length) in prefixes(address).map(|prefix| network(address, prefix)) {
            add(Field::Network, [&bytes[..length], b""]);
        }
    }
    for change in changes {
        add(Field::ChangedField, [change.field().as_bytes(), b""]);
    }
    let mut count = 0;
    metadata::each_leaf(metadata, &mut |path, text| {
        count += 1;
        if count <= MOST_METADATA {
            add(Field::Metadata, [path.as_bytes(), text.as_bytes()]);
        }
    });
    if count > MOST_METADATA {
        add(Field::MoreMetadata, [b"", b""]);
    }
}
