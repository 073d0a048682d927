//! What makes a log a face of the one engine, and the handlers that all faces share.
//!
//! A log implements [`Face`] and calls `log_endpoints!`, which gives it six documented handlers: append, list, get, metrics,
//! facets and histogram. Each is a line that calls the function of the same name below.

use actix_web::{HttpRequest, HttpResponse, http::header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::IntoParams;
use validator::Validate;

use crate::{
    auth::{Reader, Writer},
    db::{Conn, Db},
    error::{FieldError, Problem, Result},
    logs::{
        appender::Appender,
        caches::Caches,
        counts::{self, Cells, Counted, Facets},
        event::{Event, Log, NewEvent},
        event_id::EventId,
        filter::{Dimension, Filter, RangeParams, Way},
        histogram::{Histogram, HistogramParams, Shape, histogram},
        ingest, query,
    },
    page::{Cursor, PageParams},
    params::ParamSet,
};

/// A log's own words over the common columns.
pub trait Face: 'static {
    const LOG: Log;
    /// What the log serves.
    type Event: From<Event> + Serialize;
    /// What the log takes.
    type NewEvent: DeserializeOwned + Validate;
    /// The log's own filters.
    type Filter: ParamSet + Send + 'static;
    type Metrics: Serialize + Send + 'static;

    /// What can be counted apart, under the name of its filter. The first is the histogram's default.
    const FACETS: &'static [(&'static str, Dimension)];

    /// # Errors
    /// What the fields' own checks cannot see, with its place.
    fn new_event(new: Self::NewEvent) -> Result<NewEvent, FieldError>;

    /// Adds the log's own filters.
    ///
    /// # Errors
    /// `invalid_parameter`
    fn add(params: Self::Filter, filter: &mut Filter) -> Result<()>;

    fn metrics(cells: &Cells) -> Self::Metrics;
}

/// The path parameters of one event.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EventPath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
    /// The event's id.
    #[param(example = "01935fb2-8e31-8000-8000-040000000029")]
    pub id: String,
}

/// A page of any log; each log documents its own under its own name.
#[derive(Serialize)]
struct PageBody<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
    has_more: bool,
}

fn filter<F: Face>(reader: &Reader, range: &RangeParams, own: F::Filter) -> Result<Filter> {
    let mut filter = range.filter(&reader.workspace, F::LOG)?;
    F::add(own, &mut filter)?;
    Ok(filter)
}

pub async fn list<F: Face>(
    request: &HttpRequest,
    db: &Db,
    caches: &Caches,
    reader: Reader,
    (range, own, page): (RangeParams, F::Filter, PageParams),
) -> Result<HttpResponse> {
    let filter = filter::<F>(&reader, &range, own)?;
    let PageParams { cursor, limit, order } = page;
    let filter_hash = filter.hash();
    let after = cursor.map(|cursor| Cursor::decode(&cursor, order, filter_hash)).transpose()?;
    let (index, way, workspace_id) = (caches.index.clone(), filter.way(), filter.workspace_id);
    let list = move |conn: &mut Conn| query::list(conn, &index, &filter, (order, after), limit as usize);
    let found = match way {
        Way::Key | Way::Order => db.read(workspace_id, list).await?,
        Way::Index => db.scan(workspace_id, list).await?,
    };

    let next_cursor = found.next.map(|position| Cursor { order, position, filter_hash }.encode());
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = &next_cursor {
        response.insert_header((header::LINK, next_link(request, cursor)));
    }
    let data = found.events.into_iter().map(F::Event::from).collect();
    let has_more = next_cursor.is_some();
    Ok(response.json(PageBody::<F::Event> { data, next_cursor, has_more }))
}

/// `</api/…?…&cursor=…>; rel="next"` (RFC 8288): the same request with the next page's cursor.
fn next_link(request: &HttpRequest, cursor: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
    query.extend_pairs(pairs.filter(|(name, _)| name != "cursor"));
    query.append_pair("cursor", cursor);
    format!("<{}?{}>; rel=\"next\"", request.path(), query.finish())
}

pub async fn get<F: Face>(db: &Db, reader: Reader, id: &str) -> Result<HttpResponse> {
    let id = EventId::parse(id).ok_or_else(Problem::not_found)?;
    let workspace_id = reader.workspace.id;
    let event = db.read(workspace_id, move |conn| query::get(conn, workspace_id, F::LOG, id)).await?;
    let event = event.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok().json(F::Event::from(event)))
}

pub async fn metrics<F: Face>(
    db: &Db,
    caches: &Caches,
    reader: Reader,
    (range, own): (RangeParams, F::Filter),
) -> Result<HttpResponse> {
    let filter = filter::<F>(&reader, &range, own)?;
    let cells = count(db, caches, filter, counts::cells).await?;
    Ok(HttpResponse::Ok().json(F::metrics(&cells)))
}

pub async fn facets<F: Face>(
    db: &Db,
    caches: &Caches,
    reader: Reader,
    (range, own): (RangeParams, F::Filter),
) -> Result<HttpResponse> {
    let filter = filter::<F>(&reader, &range, own)?;
    let facets =
        |conn: &mut Conn, caches: &Caches, filter: &Filter| counts::facets(conn, caches, filter, F::FACETS);
    let facets: Facets = count(db, caches, filter, facets).await?;
    Ok(HttpResponse::Ok().json(facets))
}

pub async fn histogram_of<F: Face>(
    db: &Db,
    caches: &Caches,
    reader: Reader,
    (range, own, params): (RangeParams, F::Filter, HistogramParams),
) -> Result<HttpResponse> {
    let zone = range.zone(&reader.workspace)?;
    let filter = filter::<F>(&reader, &range, own)?;
    let HistogramParams { interval, by } = params;
    let by = match by {
        None => F::FACETS[0],
        Some(name) => *F::FACETS.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let known: Vec<_> = F::FACETS.iter().map(|(known, _)| *known).collect();
            Problem::parameter("by", format!("must be one of {}", known.join(", ")))
        })?,
    };
    let draw = move |conn: &mut Conn, caches: &Caches, filter: &Filter| {
        let shape = Shape { interval, zone, by, since: filter.since, until: filter.until };
        histogram(&mut Counted::open(conn, caches, filter)?, &shape)
    };
    let answer: Histogram = count(db, caches, filter, draw).await?;
    Ok(HttpResponse::Ok().json(answer))
}

/// Runs a question to the counts: at once and in one moment where they are kept, else when it is its turn to look at events.
async fn count<T: Send + 'static>(
    db: &Db,
    caches: &Caches,
    filter: Filter,
    work: impl FnOnce(&mut Conn, &Caches, &Filter) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (caches, workspace_id) = (caches.clone(), filter.workspace_id);
    if counts::are_kept(&filter) {
        db.read(workspace_id, move |conn| work(conn, &caches, &filter)).await
    } else {
        db.scan(workspace_id, move |conn| work(conn, &caches, &filter)).await
    }
}

pub async fn append<F: Face>(
    request: &HttpRequest,
    appender: &Appender,
    writer: Writer,
    payload: actix_web::web::Payload,
) -> Result<HttpResponse> {
    ingest::append(request, appender, writer, payload, |elements| ingest::parse_all::<F>(elements)).await
}

/// The six handlers of a log, with their documentation.
macro_rules! log_endpoints {
    (
        $face:ty, $event:ty, $new:ty, $filter:ty, $metrics:ty, $page:ident, $tag:tt, $name:literal,
        list $list_path:tt $list_id:tt,
        get $get_path:tt $get_id:tt,
        metrics $metrics_path:tt $metrics_id:tt,
        facets $facets_path:tt $facets_id:tt,
        histogram $histogram_path:tt $histogram_id:tt,
        append $append_id:tt
    ) => {
        /// One page of events.
        #[derive(serde::Serialize, utoipa::ToSchema)]
        pub struct $page {
            pub data: Vec<$event>,
            /// Send it as `cursor` to get the next page; null on the last one.
            #[schema(required)]
            pub next_cursor: Option<String>,
            pub has_more: bool,
        }

        #[doc = concat!("Lists the ", $name, " log, a page at a time.")]
        #[utoipa::path(
            summary = concat!("Lists the ", $name, " log, a page at a time."),
            get, path = $list_path, operation_id = $list_id, tag = $tag,
            params(crate::auth::WorkspacePath, crate::logs::filter::RangeParams, $filter, crate::page::PageParams),
            responses(
                (status = 200, description = "A page of events", body = $page,
                    headers(("Link" = String, description = "The next page, as rel=\"next\"; absent on the last"))),
                crate::error::ReadProblems,
            )
        )]
        pub async fn list(
            request: actix_web::HttpRequest,
            db: actix_web::web::Data<crate::db::Db>,
            caches: actix_web::web::Data<crate::logs::caches::Caches>,
            reader: crate::auth::Reader,
            params: crate::params::Params<(crate::logs::filter::RangeParams, $filter, crate::page::PageParams)>,
        ) -> crate::error::Result<actix_web::HttpResponse> {
            crate::logs::face::list::<$face>(&request, &db, &caches, reader, params.0).await
        }

        #[doc = concat!("One event of the ", $name, " log by its id.")]
        #[utoipa::path(
            summary = concat!("One event of the ", $name, " log by its id."),
            get, path = $get_path, operation_id = $get_id, tag = $tag,
            params(crate::logs::face::EventPath),
            responses((status = 200, description = "The event", body = $event), crate::error::ReadProblems)
        )]
        pub async fn get(
            db: actix_web::web::Data<crate::db::Db>,
            reader: crate::auth::Reader,
            path: actix_web::web::Path<crate::logs::face::EventPath>,
            _no: crate::params::Params<(crate::params::NoParams,)>,
        ) -> crate::error::Result<actix_web::HttpResponse> {
            crate::logs::face::get::<$face>(&db, reader, &path.id).await
        }

        #[doc = concat!("Counts the events of the ", $name, " log that the filters mean.")]
        #[utoipa::path(
            summary = concat!("Counts the events of the ", $name, " log that the filters mean."),
            get, path = $metrics_path, operation_id = $metrics_id, tag = $tag,
            params(crate::auth::WorkspacePath, crate::logs::filter::RangeParams, $filter),
            responses((status = 200, description = "The counts", body = $metrics), crate::error::ReadProblems)
        )]
        pub async fn metrics(
            db: actix_web::web::Data<crate::db::Db>,
            caches: actix_web::web::Data<crate::logs::caches::Caches>,
            reader: crate::auth::Reader,
            params: crate::params::Params<(crate::logs::filter::RangeParams, $filter)>,
        ) -> crate::error::Result<actix_web::HttpResponse> {
            crate::logs::face::metrics::<$face>(&db, &caches, reader, params.0).await
        }

        #[doc = concat!("The values of the ", $name, " log's filters, each with the number of events it would show.")]
        #[utoipa::path(
            summary = concat!("The values of the ", $name, " log's filters, each with the number of events it would show."),
            get, path = $facets_path, operation_id = $facets_id, tag = $tag,
            params(crate::auth::WorkspacePath, crate::logs::filter::RangeParams, $filter),
            responses((status = 200, description = "The facets", body = crate::logs::counts::Facets), crate::error::ReadProblems)
        )]
        pub async fn facets(
            db: actix_web::web::Data<crate::db::Db>,
            caches: actix_web::web::Data<crate::logs::caches::Caches>,
            reader: crate::auth::Reader,
            params: crate::params::Params<(crate::logs::filter::RangeParams, $filter)>,
        ) -> crate::error::Result<actix_web::HttpResponse> {
            crate::logs::face::facets::<$face>(&db, &caches, reader, params.0).await
        }

        #[doc = concat!("The events of the ", $name, " log over time.")]
        #[utoipa::path(
            summary = concat!("The events of the ", $name, " log over time."),
            get, path = $histogram_path, operation_id = $histogram_id, tag = $tag,
            params(crate::auth::WorkspacePath, crate::logs::filter::RangeParams, $filter, crate::logs::histogram::HistogramParams),
            responses((status = 200, description = "The histogram", body = crate::logs::histogram::Histogram), crate::error::ReadProblems)
        )]
        pub async fn histogram(
            db: actix_web::web::Data<crate::db::Db>,
            caches: actix_web::web::Data<crate::logs::caches::Caches>,
            reader: crate::auth::Reader,
            params: crate::params::Params<(crate::logs::filter::RangeParams, $filter, crate::logs::histogram::HistogramParams)>,
        ) -> crate::error::Result<actix_web::HttpResponse> {
            crate::logs::face::histogram_of::<$face>(&db, &caches, reader, params.0).await
        }

        #[doc = concat!("Appends events to the ", $name, " log, all or none.")]
        #[utoipa::path(
            summary = concat!("Appends events to the ", $name, " log, all or none."),
            post, path = $list_path, operation_id = $append_id, tag = $tag,
            params(crate::auth::WorkspacePath, crate::logs::ingest::IdempotencyKey),
            request_body(content = Vec<$new>, description = "At most 10,000 events and 16 MiB; may be gzip"),
            responses(
                (status = 201, description = "Stored: durable and readable", body = crate::logs::append::Appended),
                crate::error::WriteProblems,
            )
        )]
        pub async fn append(
            request: actix_web::HttpRequest,
            appender: actix_web::web::Data<crate::logs::appender::Appender>,
            writer: crate::auth::Writer,
            _no: crate::params::Params<(crate::params::NoParams,)>,
            payload: actix_web::web::Payload,
        ) -> crate::error::Result<actix_web::HttpResponse> {
            crate::logs::face::append::<$face>(&request, &appender, writer, payload).await
        }
    };
}
pub(crate) use log_endpoints;
