//! The feed: all logs in commit order, for integrators. [`query`] explains why it misses nothing.

use actix_web::{HttpResponse, web};
use logbook_engine::{
    db::{Conn, Db},
    event::{Actor, Change, Log, Outcome, Target, id::MAX_SEQ},
    query::{self, Fed},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    auth::{Read, Reader, readable_logs},
    http::{error::Result, params::Params},
    routes::logs::{event_types::event_type, log::reader_id, wire},
};

/// All logs of a workspace, as what a handler reads.
pub struct Feed;

impl Read for Feed {
    fn name() -> &'static str {
        "feed"
    }
}

event_type! {
    /// An event of any log, with the field names that all logs share.
    pub struct FeedEvent {
        #[schema(value_type = String, example = "access")]
        pub log: Log,
        #[schema(example = "login_failed")]
        pub action: String,
        #[schema(value_type = String, example = "failure")]
        pub outcome: Outcome,
        #[schema(required)]
        pub outcome_reason: Option<String>,
        #[schema(required)]
        pub actor: Option<Actor>,
        #[schema(required)]
        pub target: Option<Target>,
        #[schema(value_type = Vec<Change>)]
        pub changes: Box<RawValue>,
    }
    from(own) {
        log: own.log,
        action: own.action,
        outcome: own.outcome,
        outcome_reason: own.outcome_reason,
        actor: own.actor,
        target: (own.target != Target::default()).then_some(own.target),
        changes: wire::raw(own.changes, "[]"),
    }
    names []
}

/// A page of events in commit order.
#[derive(Serialize, ToSchema)]
pub struct FeedPage {
    pub data: Vec<FeedEvent>,
    /// Send it as `after` in the next request, at once or next year. Never null. It passes events of the activity log,
    /// whether or not you may read them.
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

/// Returns the events of all logs in commit order.
///
/// Remember `next_cursor` and send it as `after`: no event is skipped or repeated, even if it arrives late. Ask on while
/// `has_more` is true, even if `data` is empty. Events of the activity log are only for auditors and admins: to others their
/// `seq` is missing.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/logs/feed", operation_id = "readFeed", tag = "Feed",
    params(crate::http::path::WorkspacePath, FeedParams),
    responses((status = 200, description = "The next events", body = FeedPage), crate::http::error::ReadProblems)
)]
pub async fn feed(
    db: web::Data<Db>,
    mut reader: Reader<Feed>,
    params: Params<(FeedParams,)>,
) -> Result<HttpResponse> {
    let (FeedParams { after, limit },) = params.0;
    let workspace_id = reader.workspace.id;
    let logs = readable_logs(reader.role);
    let feed = move |conn: &mut Conn| query::feed(conn, workspace_id, logs, after, limit as usize);
    let Fed { events, until, has_more } = db.read(reader_id(&reader), feed).await?;
    reader.read.returns(events.len());
    let data = events.into_iter().map(FeedEvent::from).collect();
    Ok(HttpResponse::Ok().json(FeedPage { data, next_cursor: until.to_string(), has_more }))
}
