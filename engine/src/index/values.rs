//! The keys of what an event can be filtered by exactly: an event has a value's key if and only if it has the value.
//!
//! So filters are operations on sets of events, which leave no false candidates, and an exclusion is a set without
//! another. A key is 56 bits of a SHA-256 of the value: otherwise somebody could write an event whose value is taken
//! for one that is excluded, and so hide it.

use sha2::{Digest as _, Sha256};

use crate::event::{Change, Common, Event, Log};

/// What a value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Every event of the log has it.
    Log = 1,
    Action,
    Outcome,
    Role,
    ActorType,
    ActorId,
    TargetType,
    TargetId,
    IpAddress,
    SessionId,
    ChangedField,
}

/// The key of a value in a log: 57 bits, of which the lowest is 0.
pub fn key(log: Log, field: Field, value: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update([log.number() as u8, field as u8]);
    hash.update(value);
    let digest: [u8; 32] = hash.finalize().into();
    let mut eight = [0; 8];
    eight.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(eight) >> 8 << 1
}

/// Where the events of a value are stored instead, if they are many: the numbers of this key are those of pieces.
pub fn key_of_pieces(key: u64) -> u64 {
    key | 1
}

/// Passes every value of an event to `add`, some of them more than once.
pub fn values(event: &Event, changes: &[Change], mut add: impl FnMut(Field, &str)) {
    let Common {
        log: _,
        actor,
        role,
        action,
        outcome,
        outcome_reason: _,
        target,
        ip_address,
        user_agent: _,
        session_id,
        correlation_id: _,
    } = &event.common;
    add(Field::Log, "");
    add(Field::Action, action);
    add(Field::Outcome, outcome.as_str());
    let texts = [
        (Field::Role, role.as_deref()),
        (Field::ActorType, actor.as_ref().map(|actor| actor.kind.as_str())),
        (Field::ActorId, actor.as_ref().and_then(|actor| actor.id.as_deref())),
        (Field::TargetType, target.kind.as_deref()),
        (Field::TargetId, target.id.as_deref()),
        (Field::IpAddress, ip_address.as_deref()),
        (Field::SessionId, session_id.as_deref()),
    ];
    for (field, text) in texts {
        if let Some(text) = text {
            add(field, text);
        }
    }
    for change in changes {
        add(Field::ChangedField, change.field());
    }
}
