//! The timeline as a whole: exports, and a tail.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use logbook_engine::{caches::Caches, db::Db};

use super::{Timeline, TimelineParams, parts};
use crate::{
    auth::Reader,
    http::{
        error::{ReadProblems, Result},
        params::Params,
        path::WorkspacePath,
    },
    limits::streams::Streams,
    routes::logs::{
        columns::Column,
        export::{self, Export, ExportParams},
        feed::FeedEvent,
        formats::Format,
        params::RangeParams,
        streamed::{Context, Words},
        tail::{self, LastEventId},
    },
};

const ACTOR: [Column; 3] = Column::actor(["actor_type", "actor_id", "actor_name"]);
const TARGET: [Column; 3] = Column::target(["target_type", "target_id", "target_name"]);

impl Words for Timeline {
    type Written = FeedEvent;

    const OWN_COLUMNS: &'static [Column] = &[
        Column::text("log", |event| Some(event.common.log.as_str().into())),
        Column::action("action"),
        Column::outcome("outcome"),
        Column::reason("outcome_reason"),
        ACTOR[0],
        ACTOR[1],
        ACTOR[2],
        TARGET[0],
        TARGET[1],
        TARGET[2],
        Column::CHANGES,
    ];

    const MASKED_NAMES: &'static [(&'static str, &'static str)] = &[];
}

/// Exports a timeline, one JSON object a line. For auditors and admins.
///
/// Takes the conditions of the timeline. Events that are stored after the start are left out. An answer that ends without its
/// last chunk is not whole: send the id of its last event as `after`.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/timeline/export.ndjson", operation_id = "exportTimelineAsNdjson",
    tag = "Timeline",
    params(WorkspacePath, RangeParams, TimelineParams, ExportParams),
    responses(
        (status = 200, description = "An event a line, as the timeline returns it", body = String,
            content_type = "application/x-ndjson"),
        ReadProblems,
    )
)]
pub async fn export_ndjson(
    request: HttpRequest,
    db: Data<Db>,
    caches: Data<Caches>,
    streams: Data<Streams>,
    reader: Reader<Export<Timeline>>,
    params: Params<(RangeParams, TimelineParams, ExportParams)>,
) -> Result<HttpResponse> {
    let context = Context { request: &request, db: &db, caches: &caches, streams: &streams };
    export_as(context, reader, params.0, Format::Ndjson).await
}

/// Exports a timeline as CSV (RFC 4180, UTF-8). For auditors and admins.
///
/// The first line has the names of the columns. `targets`, `changes`, `metadata` and `masked` are JSON; what is absent is empty. A
/// cell that a spreadsheet could take for a formula (it begins with = + - @, a tab or a carriage return) has an apostrophe before
/// it. Otherwise as NDJSON.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/timeline/export.csv", operation_id = "exportTimelineAsCsv",
    tag = "Timeline",
    params(WorkspacePath, RangeParams, TimelineParams, ExportParams),
    responses(
        (status = 200, description = "A line of names, and a line for each event", body = String,
            content_type = "text/csv"),
        ReadProblems,
    )
)]
pub async fn export_csv(
    request: HttpRequest,
    db: Data<Db>,
    caches: Data<Caches>,
    streams: Data<Streams>,
    reader: Reader<Export<Timeline>>,
    params: Params<(RangeParams, TimelineParams, ExportParams)>,
) -> Result<HttpResponse> {
    let context = Context { request: &request, db: &db, caches: &caches, streams: &streams };
    export_as(context, reader, params.0, Format::Csv).await
}

async fn export_as(
    context: Context<'_>,
    reader: Reader<Export<Timeline>>,
    (range, wanted, params): (RangeParams, TimelineParams, ExportParams),
    format: Format,
) -> Result<HttpResponse> {
    let parts = parts(context.db, &reader, &range, &wanted).await?;
    export::export(context, reader, parts, params, format).await
}

/// Follows a timeline: events as they are stored.
///
/// Takes the conditions of the timeline. The answer does not end by itself: it is a stream of Server-Sent Events. `id` is an
/// event's `seq`, `data` the event as the timeline returns it. A stream begins with new events, or behind the `Last-Event-ID` of
/// the request, without loss. A message with an `id` and no `data` only says how far it is. It ends with the token or session of
/// the caller, when the client does not read for 30 s, and when the server stops.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/timeline/tail", operation_id = "tailTimeline", tag = "Timeline",
    params(WorkspacePath, RangeParams, TimelineParams, LastEventId),
    responses(
        (status = 200, description = "Events, without end", body = String, content_type = "text/event-stream"),
        ReadProblems,
    )
)]
pub async fn tail(
    request: HttpRequest,
    db: Data<Db>,
    caches: Data<Caches>,
    streams: Data<Streams>,
    reader: Reader<Timeline>,
    params: Params<(RangeParams, TimelineParams)>,
) -> Result<HttpResponse> {
    let (range, wanted) = params.0;
    let parts = parts(&db, &reader, &range, &wanted).await?;
    let context = Context { request: &request, db: &db, caches: &caches, streams: &streams };
    tail::tail(context, reader, parts).await
}
