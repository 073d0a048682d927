//! Events of which seq and about the time are known.

use super::timestamp::Timestamp;

/// An event that is looked up: its seq, and two times that it is not outside of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Near {
    pub seq: i64,
    pub from: Timestamp,
    pub to: Timestamp,
}
