//! An event's public id: a UUID of version 8 (RFC 9562) that says where its row is.
//!
//! | bits | what |
//! |---|---|
//! | 48 | `occurred_at`, milliseconds since 1970 |
//! | 32 | the workspace's number |
//! | 42 | seq |
//!
//! So it is unique everywhere, sorts by time, and finds its row by the primary key.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::db::timestamp::Timestamp;

/// seq stays below this.
pub const MAX_SEQ: i64 = 1 << 42;

/// The parts of an event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventId {
    pub millis: u64,
    pub workspace_id: i32,
    pub seq: i64,
}

impl EventId {
    pub fn new(workspace_id: i32, seq: i64, occurred_at: Timestamp) -> Self {
        Self { millis: occurred_at.micros().div_euclid(1000) as u64, workspace_id, seq }
    }

    /// The first and the last moment at which the event may have happened: the id knows milliseconds.
    pub fn times(self) -> (Timestamp, Timestamp) {
        let first = self.millis as i64 * 1000;
        (Timestamp(first), Timestamp(first + 999))
    }

    pub fn to_uuid(self) -> Uuid {
        let low = (u128::from(self.workspace_id as u32) << 42) | self.seq as u128;
        let time = u128::from(self.millis & 0xffff_ffff_ffff);
        // Version and variant sit between: 48 bits, version, 12 bits, variant, 62 bits.
        let bits = (time << 80) | (8 << 76) | ((low >> 62) << 64) | (0b10 << 62) | (low & ((1 << 62) - 1));
        Uuid::from_u128(bits)
    }

    /// None when the UUID cannot be an event id.
    pub fn from_uuid(uuid: Uuid) -> Option<Self> {
        let bits = uuid.as_u128();
        if (bits >> 76) & 0xf != 8 || (bits >> 62) & 0b11 != 0b10 {
            return None;
        }
        let low = (((bits >> 64) & 0xfff) << 62) | (bits & ((1 << 62) - 1));
        let seq = (low & ((1 << 42) - 1)) as i64;
        let workspace_id = i32::try_from((low >> 42) as u32).ok()?;
        Some(Self { millis: (bits >> 80) as u64, workspace_id, seq })
    }

    /// Reads the usual text form only: 36 characters with hyphens.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 36 {
            return None;
        }
        Self::from_uuid(Uuid::try_parse(text).ok()?)
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_uuid().hyphenated().fmt(f)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.to_uuid().hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("no event's id"))
    }
}
