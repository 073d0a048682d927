//! The order of a page of events, and a position in it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::timestamp::Timestamp;

/// The order of a page, by `occurred_at`, then `seq`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    Asc,
    #[default]
    Desc,
}

/// A position in the order of a page: `(occurred_at, seq)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub occurred_at: Timestamp,
    pub seq: i64,
}
