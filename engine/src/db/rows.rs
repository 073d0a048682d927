//! The flat row of `events`. [`crate::event`] converts it into the domain's type and back.

use super::{schema::events, timestamp::Timestamp};

#[derive(Clone, Debug, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub struct EventRow {
    pub workspace_id: i32,
    pub seq: i64,
    pub log: i16,
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    pub source: String,
    pub actor_type: Option<i16>,
    pub actor_id: Option<String>,
    pub actor_name: Option<String>,
    pub on_behalf_of_type: Option<i16>,
    pub on_behalf_of_id: Option<String>,
    pub on_behalf_of_name: Option<String>,
    pub role: Option<String>,
    pub action: String,
    pub outcome: i16,
    pub outcome_reason: Option<String>,
    pub purpose: Option<String>,
    pub target_type: Option<String>,
    pub target_id: Option<String>,
    pub target_name: Option<String>,
    pub targets: Option<String>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub session_id: Option<String>,
    pub correlation_id: Option<String>,
    pub epoch: Option<String>,
    pub sequence: Option<i64>,
    pub changes: Option<String>,
    pub metadata: Option<String>,
    pub masked: Option<String>,
}

/// The columns of an event without its long texts and what is seldom asked for.
#[derive(Clone, Debug, diesel::Queryable, diesel::Selectable)]
#[diesel(table_name = events)]
pub struct BriefRow {
    pub workspace_id: i32,
    pub seq: i64,
    pub log: i16,
    pub occurred_at: Timestamp,
    pub source: String,
    pub actor_type: Option<i16>,
    pub actor_id: Option<String>,
    pub actor_name: Option<String>,
    pub on_behalf_of_type: Option<i16>,
    pub on_behalf_of_id: Option<String>,
    pub role: Option<String>,
    pub action: String,
    pub outcome: i16,
    pub outcome_reason: Option<String>,
    pub target_type: Option<String>,
    pub target_id: Option<String>,
    pub target_name: Option<String>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub session_id: Option<String>,
    pub correlation_id: Option<String>,
}

impl From<BriefRow> for EventRow {
    /// With nothing in the other columns, and as if it had been received when it happened.
    fn from(row: BriefRow) -> Self {
        Self {
            workspace_id: row.workspace_id,
            seq: row.seq,
            log: row.log,
            occurred_at: row.occurred_at,
            received_at: row.occurred_at,
            source: row.source,
            actor_type: row.actor_type,
            actor_id: row.actor_id,
            actor_name: row.actor_name,
            on_behalf_of_type: row.on_behalf_of_type,
            on_behalf_of_id: row.on_behalf_of_id,
            on_behalf_of_name: None,
            role: row.role,
            action: row.action,
            outcome: row.outcome,
            outcome_reason: row.outcome_reason,
            purpose: None,
            target_type: row.target_type,
            target_id: row.target_id,
            target_name: row.target_name,
            targets: None,
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            session_id: row.session_id,
            correlation_id: row.correlation_id,
            epoch: None,
            sequence: None,
            changes: None,
            metadata: None,
            masked: None,
        }
    }
}

/// The columns of an event from which a record's history is made.
#[derive(Clone, Debug, diesel::Queryable, diesel::Selectable)]
#[diesel(table_name = events)]
pub struct VersionRow {
    pub seq: i64,
    pub occurred_at: Timestamp,
    pub actor_type: Option<i16>,
    pub actor_id: Option<String>,
    pub actor_name: Option<String>,
    pub on_behalf_of_type: Option<i16>,
    pub on_behalf_of_id: Option<String>,
    pub on_behalf_of_name: Option<String>,
    pub action: String,
    pub outcome: i16,
    pub target_name: Option<String>,
    pub changes: Option<String>,
    pub masked: Option<String>,
}

#[derive(Clone, Debug, diesel::Insertable)]
#[diesel(table_name = super::schema::dedupe_runs, treat_none_as_default_value = false)]
pub struct DedupeRunRow {
    pub workspace_id: i32,
    pub source: String,
    pub run: i64,
    pub entries: i64,
    pub expires_at: Option<Timestamp>,
}

#[derive(Clone, Debug, diesel::Insertable)]
#[diesel(table_name = super::schema::dedupe_parts, treat_none_as_default_value = false)]
pub struct DedupePartRow {
    pub workspace_id: i32,
    pub source: String,
    pub run: i64,
    pub part: i32,
    pub heads: Vec<u8>,
    pub rests: Vec<u8>,
}

#[derive(Clone, Debug, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = super::schema::index_runs)]
pub struct RunRow {
    pub workspace_id: i32,
    pub run: i32,
    pub segment: i32,
    pub level: i16,
    pub first_seq: i64,
    pub last_seq: i64,
    pub first_time: Timestamp,
    pub last_time: Timestamp,
}

#[derive(Clone, Debug, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = super::schema::index_merges)]
pub struct MergeRow {
    pub workspace_id: i32,
    pub segment: i32,
    pub level: i16,
    pub first_seq: i64,
    pub last_seq: i64,
    pub next_piece: i32,
}

#[derive(Clone, Debug, diesel::Insertable)]
#[diesel(table_name = super::schema::index_pieces, treat_none_as_default_value = false)]
pub struct PieceRow {
    pub workspace_id: i32,
    pub piece: i64,
    pub bits: Vec<u8>,
}

#[derive(Clone, Debug, diesel::Insertable)]
#[diesel(table_name = super::schema::count_keys, treat_none_as_default_value = false)]
pub struct CountKeyRow {
    pub workspace_id: i32,
    pub log: i16,
    pub kind: i16,
    pub hash: i64,
}
