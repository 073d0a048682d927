//! The timeline: what happened around somebody or something, in all logs.

pub mod stream;

use actix_web::{HttpRequest, HttpResponse, web};
use logbook_engine::{
    caches::Caches,
    db::{Conn, Db, timestamp::Timestamp},
    event::{ActorType, Log, Outcome, id::EventId},
    filter::{Accepted, Filter},
    query::PATIENCE,
    timeline::{self, Part},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    accounts::workspaces::Workspace,
    auth::{Read, Reader, readable_logs},
    http::{
        error::{Code, FieldError, Problem, ReadProblems, Result},
        page::{Cursor, PageParams, page_response},
        params::Params,
        path::WorkspacePath,
    },
    routes::logs::{feed::FeedEvent, filters::network, log::reader_id, params::RangeParams},
};

/// Minutes before and after an event, unless the request says how many.
const MINUTES: u32 = 5;
/// Conditions of which a timeline has at least one, unless it has a time range.
const CONDITIONS: [&str; 7] =
    ["actor", "on_behalf_of", "session_id", "correlation_id", "ip_address", "record", "around"];

/// Several logs in one order, as what a handler reads.
pub struct Timeline;

impl Read for Timeline {
    fn name() -> &'static str {
        "timeline"
    }
}

/// A page of events of all logs, in the order in which they happened.
#[derive(Serialize, ToSchema)]
pub struct TimelinePage {
    pub data: Vec<FeedEvent>,
    /// Send it as `cursor` to get the next page. Null on the last page.
    #[schema(required)]
    pub next_cursor: Option<String>,
    pub has_more: bool,
}

/// What a timeline is about. All conditions must hold.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct TimelineParams {
    /// An actor, as type and id: matches what they did, and what others did on their behalf.
    #[serde(default)]
    #[validate(length(min = 1, max = 300))]
    #[param(min_length = 1, max_length = 300, example = "user:17", nullable = false)]
    pub actor: Option<String>,
    /// The id of the person for whom the actor acted.
    #[serde(default)]
    #[validate(length(min = 1, max = 255))]
    #[param(min_length = 1, max_length = 255, example = "17", nullable = false)]
    pub on_behalf_of: Option<String>,
    #[serde(default)]
    #[validate(length(min = 1, max = 255))]
    #[param(min_length = 1, max_length = 255, example = "s-4711", nullable = false)]
    pub session_id: Option<String>,
    #[serde(default)]
    #[validate(length(min = 1, max = 255))]
    #[param(min_length = 1, max_length = 255, example = "req-4711", nullable = false)]
    pub correlation_id: Option<String>,
    /// An IP address or a network (CIDR).
    #[serde(default)]
    #[validate(length(min = 1, max = 64))]
    #[param(min_length = 1, max_length = 64, example = "198.51.100.4", nullable = false)]
    pub ip_address: Option<String>,
    /// A record or another target, as type and id: matches any of an event's targets.
    #[serde(default)]
    #[validate(length(min = 1, max = 511))]
    #[param(min_length = 1, max_length = 511, example = "patient:92", nullable = false)]
    pub record: Option<String>,
    /// The id of an event of any log: matches what happened within `minutes` of it, itself too.
    #[serde(default)]
    #[validate(length(min = 1, max = 64))]
    #[param(
        min_length = 1,
        max_length = 64,
        example = "01935fb2-8e31-8000-8000-040000000029",
        nullable = false
    )]
    pub around: Option<String>,
    /// Minutes before and after the event of `around`.
    #[serde(default)]
    #[validate(range(min = 1, max = 1440))]
    #[param(minimum = 1, maximum = 1440, default = 5, nullable = false)]
    pub minutes: Option<u32>,
    /// Only these logs.
    #[serde(default)]
    #[validate(length(max = 4))]
    #[param(max_items = 4, example = json!(["access"]), nullable = false)]
    pub log: Vec<String>,
    /// Any of these actions.
    #[serde(default)]
    #[validate(length(max = 50))]
    #[param(max_items = 50, example = json!(["update"]), nullable = false)]
    pub action: Vec<String>,
    /// None of these actions.
    #[serde(default)]
    #[validate(length(max = 50))]
    #[param(max_items = 50, example = json!(["read"]), nullable = false)]
    pub not_action: Vec<String>,
    /// Any of these outcomes: `success`, `failure`, `denied`.
    #[serde(default)]
    #[validate(length(max = 3))]
    #[param(max_items = 3, example = json!(["failure", "denied"]), nullable = false)]
    pub outcome: Vec<String>,
    /// Any of these sources.
    #[serde(default)]
    #[validate(length(max = 50))]
    #[param(max_items = 50, example = json!(["zango"]), nullable = false)]
    pub source: Vec<String>,
}

/// An actor as the parameter names them.
struct ActorName {
    kind: ActorType,
    id: String,
}

impl ActorName {
    fn parse(text: &str) -> Result<Self> {
        let parsed = text.split_once(':').filter(|(_, id)| !id.is_empty()).and_then(|(kind, id)| {
            let kind = ActorType::ALL.iter().copied().find(|known| known.as_str() == kind)?;
            Some(Self { kind, id: id.to_owned() })
        });
        parsed.ok_or_else(|| {
            let kinds: Vec<_> = ActorType::ALL.iter().map(|kind| kind.as_str()).collect();
            let detail = format!("must be a type and an id (user:17); types: {}", kinds.join(", "));
            Problem::parameter("actor", detail)
        })
    }
}

impl TimelineParams {
    /// The id in `around`.
    fn event_id(&self) -> Result<Option<EventId>> {
        let Some(text) = &self.around else {
            return match self.minutes {
                Some(_) => Err(Problem::parameter("minutes", "goes with around")),
                None => Ok(None),
            };
        };
        EventId::parse(text).map(Some).ok_or_else(unknown_event)
    }

    fn has_condition(&self) -> bool {
        let Self { actor, on_behalf_of, session_id, correlation_id, ip_address, record, around, .. } = self;
        [actor, on_behalf_of, session_id, correlation_id, ip_address, record, around]
            .iter()
            .any(|condition| condition.is_some())
    }

    /// What is read of each log. `around` is the time of its event.
    fn parts(
        &self,
        workspace: &Workspace,
        range: &RangeParams,
        logs: &[Log],
        around: Option<Timestamp>,
    ) -> Result<Vec<Part>> {
        if !self.has_condition() && range.since.is_none() && range.until.is_none() {
            let detail = format!("needs since or until, or one of {}", CONDITIONS.join(", "));
            let errors = vec![FieldError::parameter("since", "missing", detail)];
            return Err(Problem::with_errors(Code::InvalidParameter, errors));
        }
        let actor = self.actor.as_deref().map(ActorName::parse).transpose()?;
        let wanted = named("log", &self.log, logs, Log::as_str)?;
        let mut parts = Vec::new();
        for log in if wanted.is_empty() { logs } else { &wanted } {
            let mut filter = range.filter(workspace, *log)?;
            self.add_to(&mut filter)?;
            if let Some(at) = around {
                let seconds = i64::from(self.minutes.unwrap_or(MINUTES)) * 60;
                let end = Timestamp(at.plus_seconds(seconds).0 + 1);
                filter.since = filter.since.max(Some(at.plus_seconds(-seconds)));
                filter.until = Some(filter.until.map_or(end, |until| until.min(end)));
            }
            match &actor {
                None => parts.push(Part::new(filter)),
                Some(actor) => parts.extend(of_actor(filter, actor)),
            }
        }
        Ok(parts)
    }

    /// Adds the conditions that a filter knows.
    fn add_to(&self, filter: &mut Filter) -> Result<()> {
        let only = |value: &Option<String>| Accepted::only(value.iter().cloned());
        filter.on_behalf_of = only(&self.on_behalf_of);
        filter.session_ids = only(&self.session_id);
        filter.correlation_ids = only(&self.correlation_id);
        filter.actions = Accepted { only: self.action.clone(), not: self.not_action.clone() };
        filter.outcomes = Accepted::only(named("outcome", &self.outcome, Outcome::ALL, Outcome::as_str)?);
        filter.sources = Accepted::only(self.source.clone());
        if let Some(record) = &self.record {
            if !record.split_once(':').is_some_and(|(kind, id)| !kind.is_empty() && !id.is_empty()) {
                return Err(Problem::parameter("record", "must be a type and an id (patient:92)"));
            }
            filter.any_targets = Accepted::only([record.clone()]);
        }
        if let Some(address) = &self.ip_address {
            filter.ip_addresses = Accepted::only([network("ip_address", address)?]);
        }
        Ok(())
    }
}

/// The values with these names.
fn named<T: Copy + PartialEq>(
    parameter: &str,
    names: &[String],
    all: &[T],
    name_of: fn(T) -> &'static str,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    for name in names {
        let value = all.iter().copied().find(|value| name_of(*value) == name).ok_or_else(|| {
            let known: Vec<_> = all.iter().map(|value| name_of(*value)).collect();
            Problem::parameter(parameter, format!("must be one of {}", known.join(", ")))
        })?;
        if !found.contains(&value) {
            found.push(value);
        }
    }
    Ok(found)
}

/// What somebody did, and what others did on their behalf.
fn of_actor(filter: Filter, ActorName { kind, id }: &ActorName) -> Vec<Part> {
    let own = Filter {
        actor_types: Accepted::only([*kind]),
        actor_ids: Accepted::only([id.clone()]),
        ..filter.clone()
    };
    let mut parts = vec![Part::new(own)];
    // An event is done on behalf of one person.
    if filter.on_behalf_of.accepts_text(Some(id)) {
        let on_behalf_of = Accepted::only([id.clone()]);
        parts.push(Part { filter: Filter { on_behalf_of, ..filter }, on_behalf_of_type: Some(*kind) });
    }
    parts
}

/// What a request for a timeline reads.
async fn parts<R>(
    db: &Db,
    reader: &Reader<R>,
    range: &RangeParams,
    wanted: &TimelineParams,
) -> Result<Vec<Part>> {
    let workspace_id = reader.workspace.id;
    let logs = readable_logs(reader.role);
    let around = match wanted.event_id()? {
        None => None,
        Some(event) => {
            let find = move |conn: &mut Conn| timeline::find(conn, workspace_id, logs, event);
            Some(db.read(reader_id(reader), find).await?.ok_or_else(unknown_event)?.occurred_at)
        }
    };
    wanted.parts(&reader.workspace, range, logs, around)
}

fn unknown_event() -> Problem {
    Problem::parameter("around", "there is no event with this id, or you may not see it")
}

/// Returns events of all logs around somebody or something, in the order in which they happened.
///
/// Takes at least one condition, or a time range. Events have the field names that all logs share, as in the feed. Those of the
/// activity log are only for auditors and admins; for others they are left out.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/timeline", operation_id = "readTimeline", tag = "Timeline",
    params(WorkspacePath, RangeParams, TimelineParams, PageParams),
    responses(
        (status = 200, description = "A page of events", body = TimelinePage,
            headers(("Link" = String, description = "The next page, as rel=\"next\"; absent on the last page"))),
        ReadProblems,
    )
)]
pub async fn timeline(
    request: HttpRequest,
    db: web::Data<Db>,
    caches: web::Data<Caches>,
    mut reader: Reader<Timeline>,
    params: Params<(RangeParams, TimelineParams, PageParams)>,
) -> Result<HttpResponse> {
    let (range, wanted, PageParams { cursor, limit, order }) = params.0;
    let (id, parts) = (reader_id(&reader), parts(&db, &reader, &range, &wanted).await?);
    let filter_hash = timeline::hash(&parts);
    let after = cursor.map(|cursor| Cursor::decode(&cursor, order, filter_hash)).transpose()?;
    let (index, needs_index) = (caches.index.clone(), timeline::needs_index(&parts));
    let list =
        move |conn: &mut Conn| timeline::list(conn, &index, &parts, (order, after), limit as usize, PATIENCE);
    let found = if needs_index { db.scan(id, list).await? } else { db.read(id, list).await? };

    reader.read.returns(found.events.len());
    let (mut response, next_cursor) = page_response(&request, order, found.next, filter_hash);
    let data = found.events.into_iter().map(FeedEvent::from).collect();
    let has_more = next_cursor.is_some();
    Ok(response.json(TimelinePage { data, next_cursor, has_more }))
}
