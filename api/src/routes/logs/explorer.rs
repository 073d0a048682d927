//! The handlers with which people explore a log: top values, groups, exports and the tail, with their documentation.

use actix_web::HttpResponse;
use logbook_engine::timeline::Part;

use super::{
    export::{self, Export, ExportParams},
    filters::Filters,
    formats::Format,
    log::{LogKind, filter},
    params::RangeParams,
    streamed::Context,
    tail,
};
use crate::{auth::Reader, http::error::Result};

pub async fn export<L: LogKind>(
    context: Context<'_>,
    reader: Reader<Export<L>>,
    (range, own, params): (RangeParams, Filters<L>, impl Into<ExportParams>),
    format: Format,
) -> Result<HttpResponse> {
    let filter = filter(&reader, &range, own)?;
    export::export(context, reader, vec![Part::new(filter)], params.into(), format).await
}

pub async fn tail<L: LogKind>(
    context: Context<'_>,
    reader: Reader<L>,
    (range, own): (RangeParams, Filters<L>),
) -> Result<HttpResponse> {
    let filter = filter(&reader, &range, own)?;
    tail::tail(context, reader, vec![Part::new(filter)]).await
}

macro_rules! explorer_endpoints {
    (
        $log:ty, $tag:tt, $name:literal,
        top $top_path:tt $top_id:tt,
        groups $groups_path:tt $groups_id:tt,
        ndjson $ndjson_path:tt $ndjson_id:tt,
        csv $csv_path:tt $csv_id:tt,
        parquet $parquet_path:tt $parquet_id:tt,
        tail $tail_path:tt $tail_id:tt
    ) => {
        #[doc = concat!("Returns the most frequent values of a field among the ", $name, " events that match the filters.")]
        ///
        /// Values with facets are counted exactly, as metrics are. Others are counted among the 1,000 newest matching events:
        /// where more match, `exact` is false, and `since` says from when. The list's filter `field` is called `changed_field` here.
        #[utoipa::path(
            summary = concat!("Returns the most frequent values of a field among the ", $name, " events that match the filters."),
            get, path = $top_path, operation_id = $top_id, tag = $tag,
            params(crate::http::path::WorkspacePath, crate::routes::logs::params::RangeParams, crate::routes::logs::top::TopFilters<$log>, crate::routes::logs::top::TopParams),
            responses((status = 200, description = "The values", body = logbook_engine::counts::top::Top), crate::http::error::ReadProblems)
        )]
        pub async fn top(
            db: actix_web::web::Data<logbook_engine::db::Db>,
            caches: actix_web::web::Data<logbook_engine::caches::Caches>,
            reader: crate::auth::Reader<$log>,
            params: crate::http::params::Params<(crate::routes::logs::params::RangeParams, crate::routes::logs::top::TopFilters<$log>, crate::routes::logs::top::TopParams)>,
        ) -> crate::http::error::Result<actix_web::HttpResponse> {
            crate::routes::logs::top::top::<$log>(&db, &caches, reader, params.0).await
        }

        #[doc = concat!("Groups the ", $name, " events that match the filters by the values of one or two fields.")]
        ///
        /// Each group has its number of events, and their course over time. Exact where all fields have facets, as with top
        /// values; otherwise of the 1,000 newest matching events. The list's filter `field` is called `changed_field` here.
        #[utoipa::path(
            summary = concat!("Groups the ", $name, " events that match the filters by the values of one or two fields."),
            get, path = $groups_path, operation_id = $groups_id, tag = $tag,
            params(crate::http::path::WorkspacePath, crate::routes::logs::params::RangeParams, crate::routes::logs::top::TopFilters<$log>, crate::routes::logs::groups::GroupParams),
            responses((status = 200, description = "The groups", body = logbook_engine::counts::groups::Groups), crate::http::error::ReadProblems)
        )]
        pub async fn groups(
            db: actix_web::web::Data<logbook_engine::db::Db>,
            caches: actix_web::web::Data<logbook_engine::caches::Caches>,
            reader: crate::auth::Reader<$log>,
            params: crate::http::params::Params<(crate::routes::logs::params::RangeParams, crate::routes::logs::top::TopFilters<$log>, crate::routes::logs::groups::GroupParams)>,
        ) -> crate::http::error::Result<actix_web::HttpResponse> {
            crate::routes::logs::groups::groups::<$log>(&db, &caches, reader, params.0).await
        }

        #[doc = concat!("Exports the ", $name, " events that match the filters, one JSON object a line. For auditors and admins.")]
        ///
        /// Events that are stored after the start are left out. An answer that ends without its last chunk is not whole: send
        /// the id of its last event as `after`.
        #[utoipa::path(
            summary = concat!("Exports the ", $name, " events that match the filters, one JSON object a line. For auditors and admins."),
            get, path = $ndjson_path, operation_id = $ndjson_id, tag = $tag,
            params(crate::http::path::WorkspacePath, crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>, crate::routes::logs::export::ExportParams),
            responses((status = 200, description = "An event a line, as the list returns it", body = String, content_type = "application/x-ndjson"), crate::http::error::ReadProblems)
        )]
        pub async fn export_ndjson(
            request: actix_web::HttpRequest,
            db: actix_web::web::Data<logbook_engine::db::Db>,
            caches: actix_web::web::Data<logbook_engine::caches::Caches>,
            streams: actix_web::web::Data<crate::limits::streams::Streams>,
            reader: crate::auth::Reader<crate::routes::logs::export::Export<$log>>,
            params: crate::http::params::Params<(crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>, crate::routes::logs::export::ExportParams)>,
        ) -> crate::http::error::Result<actix_web::HttpResponse> {
            let context = crate::routes::logs::streamed::Context { request: &request, db: &db, caches: &caches, streams: &streams };
            crate::routes::logs::explorer::export::<$log>(context, reader, params.0, crate::routes::logs::formats::Format::Ndjson).await
        }

        #[doc = concat!("Exports the ", $name, " events that match the filters as CSV (RFC 4180, UTF-8). For auditors and admins.")]
        ///
        /// The first line has the names of the columns. `targets`, `changes`, `metadata` and `masked` are JSON; what is absent
        /// is empty. A cell that a spreadsheet could take for a formula (it begins with = + - @, a tab or a carriage return) has
        /// an apostrophe before it. Otherwise as NDJSON.
        #[utoipa::path(
            summary = concat!("Exports the ", $name, " events that match the filters as CSV (RFC 4180, UTF-8). For auditors and admins."),
            get, path = $csv_path, operation_id = $csv_id, tag = $tag,
            params(crate::http::path::WorkspacePath, crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>, crate::routes::logs::export::ExportParams),
            responses((status = 200, description = "A line of names, and a line for each event", body = String, content_type = "text/csv"), crate::http::error::ReadProblems)
        )]
        pub async fn export_csv(
            request: actix_web::HttpRequest,
            db: actix_web::web::Data<logbook_engine::db::Db>,
            caches: actix_web::web::Data<logbook_engine::caches::Caches>,
            streams: actix_web::web::Data<crate::limits::streams::Streams>,
            reader: crate::auth::Reader<crate::routes::logs::export::Export<$log>>,
            params: crate::http::params::Params<(crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>, crate::routes::logs::export::ExportParams)>,
        ) -> crate::http::error::Result<actix_web::HttpResponse> {
            let context = crate::routes::logs::streamed::Context { request: &request, db: &db, caches: &caches, streams: &streams };
            crate::routes::logs::explorer::export::<$log>(context, reader, params.0, crate::routes::logs::formats::Format::Csv).await
        }

        #[doc = concat!("Exports the ", $name, " events that match the filters as a Parquet file. For auditors and admins.")]
        ///
        /// It has the columns of CSV, with types: `seq` and `sequence` are 64-bit integers, the times are timestamps in UTC with
        /// microseconds, `targets`, `changes`, `metadata` and `masked` are JSON, and the rest is text, as it is. What is absent is
        /// null. A file that ends without its last chunk cannot be read or continued: begin again.
        #[utoipa::path(
            summary = concat!("Exports the ", $name, " events that match the filters as a Parquet file. For auditors and admins."),
            get, path = $parquet_path, operation_id = $parquet_id, tag = $tag,
            params(crate::http::path::WorkspacePath, crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>, crate::routes::logs::export::WholeExportParams),
            responses((status = 200, description = "A Parquet file with a row for each event", body = inline(crate::routes::logs::export::ParquetBody), content_type = "application/vnd.apache.parquet"), crate::http::error::ReadProblems)
        )]
        pub async fn export_parquet(
            request: actix_web::HttpRequest,
            db: actix_web::web::Data<logbook_engine::db::Db>,
            caches: actix_web::web::Data<logbook_engine::caches::Caches>,
            streams: actix_web::web::Data<crate::limits::streams::Streams>,
            reader: crate::auth::Reader<crate::routes::logs::export::Export<$log>>,
            params: crate::http::params::Params<(crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>, crate::routes::logs::export::WholeExportParams)>,
        ) -> crate::http::error::Result<actix_web::HttpResponse> {
            let context = crate::routes::logs::streamed::Context { request: &request, db: &db, caches: &caches, streams: &streams };
            crate::routes::logs::explorer::export::<$log>(context, reader, params.0, crate::routes::logs::formats::Format::Parquet).await
        }

        #[doc = concat!("Follows the ", $name, " events that match the filters, as they are stored.")]
        ///
        /// The answer does not end by itself: it is a stream of Server-Sent Events. `id` is an event's `seq`, `data` the event as
        /// the list returns it. A stream begins with new events, or behind the `Last-Event-ID` of the request, without loss.
        /// A message with an `id` and no `data` only says how far it is. It ends with the token or session of the caller, when
        /// the client does not read for 30 s, and when the server stops.
        #[utoipa::path(
            summary = concat!("Follows the ", $name, " events that match the filters, as they are stored."),
            get, path = $tail_path, operation_id = $tail_id, tag = $tag,
            params(crate::http::path::WorkspacePath, crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>, crate::routes::logs::tail::LastEventId),
            responses((status = 200, description = "Events, without end", body = String, content_type = "text/event-stream"), crate::http::error::ReadProblems)
        )]
        pub async fn tail(
            request: actix_web::HttpRequest,
            db: actix_web::web::Data<logbook_engine::db::Db>,
            caches: actix_web::web::Data<logbook_engine::caches::Caches>,
            streams: actix_web::web::Data<crate::limits::streams::Streams>,
            reader: crate::auth::Reader<$log>,
            params: crate::http::params::Params<(crate::routes::logs::params::RangeParams, crate::routes::logs::filters::Filters<$log>)>,
        ) -> crate::http::error::Result<actix_web::HttpResponse> {
            let context = crate::routes::logs::streamed::Context { request: &request, db: &db, caches: &caches, streams: &streams };
            crate::routes::logs::explorer::tail::<$log>(context, reader, params.0).await
        }
    };
}
pub(crate) use explorer_endpoints;
