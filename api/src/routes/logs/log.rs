//! The trait of a log kind, and the handlers that all logs share.
//!
//! A log implements [`LogKind`] and calls `log_endpoints!`, which generates its documented handlers: list, get, metrics,
//! facets and histogram, and append where it implements [`AcceptsEvents`]. Each is one line that calls the function of the
//! same name below. `explorer_endpoints!` adds top values, exports and the tail.

use actix_web::{HttpRequest, HttpResponse};
use logbook_engine as engine;
use logbook_engine::{
    caches::Caches,
    counts::{
        self, Cells, Effort, Facets,
        cells::has_rollup,
        histogram::{Histogram, Shape, histogram},
        top::ValuesOf,
    },
    db::{Conn, Db, ReaderId},
    event::{Event, Log, NewEvent, id::EventId},
    filter::{AccessPath, Dimension, Filter, rows::Columns},
    query,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    auth::{Read, Reader, Readers},
    http::{
        error::{FieldError, Problem, Result},
        page::{Cursor, PageParams, page_response},
    },
    routes::logs::{
        columns::Column,
        filters::{FilterParam, Filters},
        params::{HistogramParams, RangeParams},
    },
};

/// A log's wire types, names and filters over the common columns.
pub trait LogKind: 'static {
    const LOG: Log;
    /// Who may read it.
    const READERS: Readers = Readers::ALL;
    /// An event as the log returns it.
    type Event: From<Event> + Serialize;
    type Metrics: Serialize + Send + 'static;

    /// The log's own filters; [`Filters`] adds those that every log has.
    const FILTERS: &'static [FilterParam];

    /// The dimensions that can be counted separately, by the names of their filters. The first is the histogram's default.
    const FACETS: &'static [(&'static str, Dimension)];

    /// Further fields whose most frequent values can be asked for, counted from the events, and the columns that they need.
    const VALUES: &'static [(&'static str, ValuesOf, Columns)];

    /// The log's own columns in a CSV file; every log has those before and behind them.
    const COLUMNS: &'static [Column];

    /// The names of the masked fields that the log names in its own words, by their common pointers.
    const NAMES: &'static [(&'static str, &'static str)];

    fn metrics(cells: &Cells) -> Self::Metrics;
}

/// A log that producers append to.
pub trait AcceptsEvents: LogKind {
    /// An event as the log accepts it.
    type NewEvent: DeserializeOwned;

    /// # Errors
    /// All errors of the event, each with its place.
    fn new_event(new: Self::NewEvent) -> Result<NewEvent, Vec<FieldError>>;
}

/// The audit names a log as the log names itself.
impl<L: LogKind> Read for L {
    const READERS: Readers = L::READERS;

    fn name() -> &'static str {
        L::LOG.as_str()
    }
}

/// A page of any log; each log documents its own under its own name.
#[derive(Serialize)]
struct PageBody<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
    has_more: bool,
}

/// Who waits for a connection.
pub fn reader_id<R>(reader: &Reader<R>) -> ReaderId {
    ReaderId { workspace_id: reader.workspace.id, caller: reader.caller.sub.clone() }
}

/// What a request's parameters ask for. `R` is what it reads of the log.
pub fn filter<L: LogKind, R>(reader: &Reader<R>, range: &RangeParams, own: Filters<L>) -> Result<Filter> {
    let mut filter = range.filter(&reader.workspace, L::LOG)?;
    own.add_to(&mut filter)?;
    Ok(filter)
}

pub async fn list<L: LogKind>(
    request: &HttpRequest,
    db: &Db,
    caches: &Caches,
    mut reader: Reader<L>,
    (range, own, page): (RangeParams, Filters<L>, PageParams),
) -> Result<HttpResponse> {
    let filter = filter(&reader, &range, own)?;
    let PageParams { cursor, limit, order } = page;
    let filter_hash = filter.hash();
    let after = cursor.map(|cursor| Cursor::decode(&cursor, order, filter_hash)).transpose()?;
    let (index, access_path, id) = (caches.index.clone(), filter.plan(), reader_id(&reader));
    let list = move |conn: &mut Conn| query::list(conn, &index, &filter, (order, after), limit as usize);
    let found = match access_path {
        AccessPath::Key | AccessPath::Order => db.read(id, list).await?,
        AccessPath::Index => db.scan(id, list).await?,
    };

    reader.read.returns(found.events.len());
    let (mut response, next_cursor) = page_response(request, order, found.next, filter_hash);
    let data = found.events.into_iter().map(L::Event::from).collect();
    let has_more = next_cursor.is_some();
    Ok(response.json(PageBody::<L::Event> { data, next_cursor, has_more }))
}

pub async fn get<L: LogKind>(db: &Db, mut reader: Reader<L>, id: &str) -> Result<HttpResponse> {
    let id = EventId::parse(id).ok_or_else(Problem::not_found)?;
    let workspace_id = reader.workspace.id;
    let event = db.read(reader_id(&reader), move |conn| query::get(conn, workspace_id, L::LOG, id)).await?;
    let event = event.ok_or_else(Problem::not_found)?;
    reader.read.returns(1);
    Ok(HttpResponse::Ok().json(L::Event::from(event)))
}

pub async fn metrics<L: LogKind>(
    db: &Db,
    caches: &Caches,
    reader: Reader<L>,
    (range, own): (RangeParams, Filters<L>),
) -> Result<HttpResponse> {
    let filter = filter(&reader, &range, own)?;
    let cells = count(db, caches, reader_id(&reader), filter, |conn, caches, filter, effort| {
        counts::cells(conn, &caches.counts, &caches.index, filter, effort)
    })
    .await?;
    Ok(HttpResponse::Ok().json(L::metrics(&cells)))
}

pub async fn facets<L: LogKind>(
    db: &Db,
    caches: &Caches,
    reader: Reader<L>,
    (range, own): (RangeParams, Filters<L>),
) -> Result<HttpResponse> {
    let filter = filter(&reader, &range, own)?;
    let facets = |conn: &mut Conn, caches: &Caches, filter: &Filter, effort: Effort| {
        counts::facets(conn, &caches.counts, &caches.index, filter, L::FACETS, effort)
    };
    let facets: Facets = count(db, caches, reader_id(&reader), filter, facets).await?;
    Ok(HttpResponse::Ok().json(facets))
}

pub async fn histogram_of<L: LogKind>(
    db: &Db,
    caches: &Caches,
    reader: Reader<L>,
    (range, own, params): (RangeParams, Filters<L>, HistogramParams),
) -> Result<HttpResponse> {
    let zone = range.zone(&reader.workspace)?;
    let filter = filter(&reader, &range, own)?;
    let HistogramParams { interval, by } = params;
    let by = match by {
        None => L::FACETS[0],
        Some(name) => *L::FACETS.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let known: Vec<_> = L::FACETS.iter().map(|(known, _)| *known).collect();
            Problem::parameter("by", format!("must be one of {}", known.join(", ")))
        })?,
    };
    let draw = move |conn: &mut Conn, caches: &Caches, filter: &Filter, effort: Effort| {
        let shape = Shape { interval, zone, by, since: filter.since, until: filter.until };
        histogram(conn, &caches.counts, &caches.index, filter, &shape, effort)
    };
    let answer: Histogram = count(db, caches, reader_id(&reader), filter, draw).await?;
    Ok(HttpResponse::Ok().json(answer))
}

/// Counts as a read where the kept counts suffice, otherwise as a scan, which waits for its turn.
pub async fn count<T: Send + 'static>(
    db: &Db,
    caches: &Caches,
    reader: ReaderId,
    filter: Filter,
    work: impl Fn(&mut Conn, &Caches, &Filter, Effort) -> engine::Result<T> + Clone + Send + 'static,
) -> Result<T> {
    let caches = caches.clone();
    if has_rollup(&filter) {
        let (caches, filter, work) = (caches.clone(), filter.clone(), work.clone());
        let quick = move |conn: &mut Conn| work(conn, &caches, &filter, Effort::Quick);
        match db.read(reader.clone(), quick).await {
            Err(engine::Error::NeedsScan) => {}
            counted => return Ok(counted?),
        }
    }
    Ok(db.scan(reader, move |conn| work(conn, &caches, &filter, Effort::Scan)).await?)
}

/// The handlers of a log, with their documentation.
macro_rules! log_endpoints {
    (
        $log:ty, $event:ty, $metrics:ty, $page:ident, $tag:tt, $name:literal,
        list $list_path:tt $list_id:tt,
        get $get_path:tt $get_id:tt,
        metrics $metrics_path:tt $metrics_id:tt,
        facets $facets_path:tt $facets_id:tt,
        histogram $histogram_path:tt $histogram_id:tt
        $(, append $new:ty, $append_id:tt)?
    ) => {
        /// A page of events.
        #[derive(serde::Serialize, utoipa::ToSchema)]
        pub struct $page {
            pub data: Vec<$event>,
            /// Send it as `cursor` to get the next page. Null on the last page.
            #[schema(required)]
            pub next_cursor: Option<String>,
            pub has_more: bool,
        }

        #[doc = concat!("Lists the ", $name, " events that match the filters, a page at a time.")]
        #[utoipa::path(
            summary = concat!("Lists the ", $name, " events that match the filters, a page at a time."),
            get, path = $list_path, operation_id = $list_id, tag = $tag,
            params(crate::http::path::WorkspacePath, crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>, crate::http::page::PageParams),
            responses(
                (status = 200, description = "A page of events", body = $page,
                    headers(("Link" = String, description = "The next page, as rel=\"next\"; absent on the last page"))),
                crate::http::error::ReadProblems,
            )
        )]
        pub async fn list(
            request: actix_web::HttpRequest,
            db: actix_web::web::Data<logbook_engine::db::Db>,
            caches: actix_web::web::Data<logbook_engine::caches::Caches>,
            reader: crate::auth::Reader<$log>,
            params: crate::http::params::Params<(crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>, crate::http::page::PageParams)>,
        ) -> crate::http::error::Result<actix_web::HttpResponse> {
            crate::routes::logs::log::list::<$log>(&request, &db, &caches, reader, params.0).await
        }

        #[doc = concat!("Returns one ", $name, " event by its id.")]
        #[utoipa::path(
            summary = concat!("Returns one ", $name, " event by its id."),
            get, path = $get_path, operation_id = $get_id, tag = $tag,
            params(crate::http::path::EventPath),
            responses((status = 200, description = "The event", body = $event), crate::http::error::ReadProblems)
        )]
        pub async fn get(
            db: actix_web::web::Data<logbook_engine::db::Db>,
            reader: crate::auth::Reader<$log>,
            path: actix_web::web::Path<crate::http::path::EventPath>,
            _no: crate::http::params::Params<(crate::http::params::NoParams,)>,
        ) -> crate::http::error::Result<actix_web::HttpResponse> {
            crate::routes::logs::log::get::<$log>(&db, reader, &path.id).await
        }

        #[doc = concat!("Counts the ", $name, " events that match the filters.")]
        #[utoipa::path(
            summary = concat!("Counts the ", $name, " events that match the filters."),
            get, path = $metrics_path, operation_id = $metrics_id, tag = $tag,
            params(crate::http::path::WorkspacePath, crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>),
            responses((status = 200, description = "The counts", body = $metrics), crate::http::error::ReadProblems)
        )]
        pub async fn metrics(
            db: actix_web::web::Data<logbook_engine::db::Db>,
            caches: actix_web::web::Data<logbook_engine::caches::Caches>,
            reader: crate::auth::Reader<$log>,
            params: crate::http::params::Params<(crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>)>,
        ) -> crate::http::error::Result<actix_web::HttpResponse> {
            crate::routes::logs::log::metrics::<$log>(&db, &caches, reader, params.0).await
        }

        #[doc = concat!("Counts the matching ", $name, " events per value of each facet, without the facet's own filter.")]
        #[utoipa::path(
            summary = concat!("Counts the matching ", $name, " events per value of each facet, without the facet's own filter."),
            get, path = $facets_path, operation_id = $facets_id, tag = $tag,
            params(crate::http::path::WorkspacePath, crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>),
            responses((status = 200, description = "The facets", body = logbook_engine::counts::Facets), crate::http::error::ReadProblems)
        )]
        pub async fn facets(
            db: actix_web::web::Data<logbook_engine::db::Db>,
            caches: actix_web::web::Data<logbook_engine::caches::Caches>,
            reader: crate::auth::Reader<$log>,
            params: crate::http::params::Params<(crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>)>,
        ) -> crate::http::error::Result<actix_web::HttpResponse> {
            crate::routes::logs::log::facets::<$log>(&db, &caches, reader, params.0).await
        }

        #[doc = concat!("Counts the matching ", $name, " events per time interval.")]
        #[utoipa::path(
            summary = concat!("Counts the matching ", $name, " events per time interval."),
            get, path = $histogram_path, operation_id = $histogram_id, tag = $tag,
            params(crate::http::path::WorkspacePath, crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>, crate::routes::logs::params::HistogramParams),
            responses((status = 200, description = "The histogram", body = logbook_engine::counts::histogram::Histogram), crate::http::error::ReadProblems)
        )]
        pub async fn histogram(
            db: actix_web::web::Data<logbook_engine::db::Db>,
            caches: actix_web::web::Data<logbook_engine::caches::Caches>,
            reader: crate::auth::Reader<$log>,
            params: crate::http::params::Params<(crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>, crate::routes::logs::params::HistogramParams)>,
        ) -> crate::http::error::Result<actix_web::HttpResponse> {
            crate::routes::logs::log::histogram_of::<$log>(&db, &caches, reader, params.0).await
        }

        $(
            #[doc = concat!("Appends events to the ", $name, " log, all or none.")]
            #[utoipa::path(
                summary = concat!("Appends events to the ", $name, " log, all or none."),
                post, path = $list_path, operation_id = $append_id, tag = $tag,
                params(crate::http::path::WorkspacePath, crate::routes::logs::append::IdempotencyKey),
                request_body(content = Vec<$new>, description = "At most 10,000 events and 16 MiB (decompressed); may be gzip. Also objects one after another, or one a line; then as `application/x-ndjson` too, which generators of clients cannot take beside JSON"),
                responses(
                    (status = 201, description = "The events are stored: durable and readable", body = logbook_engine::append::Appended),
                    crate::http::error::WriteProblems,
                )
            )]
            pub async fn append(
                request: actix_web::HttpRequest,
                appender: actix_web::web::Data<logbook_engine::append::queue::Appender>,
                writer: crate::auth::Writer,
                _no: crate::http::params::Params<(crate::http::params::NoParams,)>,
                payload: actix_web::web::Payload,
            ) -> crate::http::error::Result<actix_web::HttpResponse> {
                crate::routes::logs::append::append(&request, &appender, writer, payload, crate::routes::logs::append::parse_one::<$log>).await
            }
        )?
    };
}
pub(crate) use log_endpoints;
