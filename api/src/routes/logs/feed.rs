//! The feed: all three logs in commit order, for integrators. [`query`] explains why it misses nothing.

use actix_web::{HttpResponse, web};
use logbook_engine::{
    db::{Conn, Db, timestamp::Timestamp},
    event::{
        Actor, Change, Common, Event, Log, Outcome, Target,
        id::MAX_SEQ,
        limits::{IpAddress, Text},
    },
    query,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    auth::{Read, Reader},
    http::{error::Result, params::Params},
    routes::logs::wire,
};

/// All logs of a workspace, as what a handler reads.
pub struct Feed;

impl Read for Feed {
    fn name() -> &'static str {
        "feed"
    }
}

/// An event of any log, with the field names that all logs share.
#[derive(Serialize, ToSchema)]
pub struct FeedEvent {
    #[schema(example = "01935fb2-8e31-8000-8000-040000000029")]
    pub id: String,
    /// The event's number in its workspace: 1, 2, 3 … without gaps, in commit order.
    #[schema(minimum = 1)]
    pub seq: i64,
    #[schema(value_type = String, example = "access")]
    pub log: Log,
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    #[schema(example = "login_failed")]
    pub action: String,
    #[schema(value_type = String, example = "failure")]
    pub outcome: Outcome,
    #[schema(required)]
    pub outcome_reason: Option<String>,
    #[schema(required)]
    pub actor: Option<Actor>,
    #[schema(required)]
    pub role: Option<String>,
    #[schema(required)]
    pub target: Option<Target>,
    #[schema(value_type = Vec<Change>)]
    pub changes: Box<RawValue>,
    #[schema(required)]
    pub ip_address: Option<String>,
    #[schema(required)]
    pub user_agent: Option<String>,
    #[schema(required)]
    pub session_id: Option<String>,
    #[schema(required)]
    pub correlation_id: Option<String>,
    #[schema(value_type = Object)]
    pub metadata: Box<RawValue>,
    /// JSON pointers to the values that looked like secrets and were replaced by `[masked]`.
    pub masked: Vec<String>,
}

impl From<Event> for FeedEvent {
    fn from(event: Event) -> Self {
        let id = event.id().to_string();
        let Event { workspace_id: _, seq, occurred_at, received_at, common, changes, metadata, masked } =
            event;
        let Common {
            log,
            actor,
            role,
            action,
            outcome,
            outcome_reason,
            target,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
        } = common;
        Self {
            id,
            seq,
            log,
            occurred_at,
            received_at,
            action: action.into_string(),
            outcome,
            outcome_reason: outcome_reason.map(Text::into_string),
            actor,
            role: role.map(Text::into_string),
            target: (target != Target::default()).then_some(target),
            changes: wire::raw(changes, "[]"),
            ip_address: ip_address.map(IpAddress::into_string),
            user_agent: user_agent.map(Text::into_string),
            session_id: session_id.map(Text::into_string),
            correlation_id: correlation_id.map(Text::into_string),
            metadata: wire::raw(metadata, "{}"),
            masked: wire::masked(masked.as_deref(), &[]),
        }
    }
}

/// A page of events in commit order.
#[derive(Serialize, ToSchema)]
pub struct FeedPage {
    pub data: Vec<FeedEvent>,
    /// Send it as `after` in the next request, at once or next year. Never null.
    #[schema(example = "42")]
    pub next_cursor: String,
    /// False when you have caught up.
    pub has_more: bool,
}

#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct FeedParams {
    /// The `seq` of the last event that you have. 0 starts at the beginning.
    #[serde(default)]
    #[validate(range(min = 0, max = MAX_SEQ))]
    #[param(minimum = 0, maximum = 4398046511104_i64, default = 0)]
    pub after: i64,
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 1000))]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: u32,
}

fn default_limit() -> u32 {
    100
}

/// Returns the events of all three logs in commit order.
///
/// Remember `next_cursor` and send it as `after`: no event is skipped or repeated, even if it arrives late.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/logs/feed", operation_id = "readFeed", tag = "Feed",
    params(crate::http::path::WorkspacePath, FeedParams),
    responses((status = 200, description = "The next events", body = FeedPage), crate::http::error::ReadProblems)
)]
pub async fn feed(
    db: web::Data<Db>,
    reader: Reader<Feed>,
    params: Params<(FeedParams,)>,
) -> Result<HttpResponse> {
    let (FeedParams { after, limit },) = params.0;
    let workspace_id = reader.workspace.id;
    let feed = move |conn: &mut Conn| query::feed(conn, workspace_id, after, limit as usize);
    let (events, has_more) = db.read(workspace_id, feed).await?;
    let last = events.last().map_or(after, |event| event.seq);
    let data = events.into_iter().map(FeedEvent::from).collect();
    Ok(HttpResponse::Ok().json(FeedPage { data, next_cursor: last.to_string(), has_more }))
}
