//! Events of several logs in one request, for log shippers.

use actix_web::{HttpRequest, HttpResponse, web};
use logbook_engine::{
    append::{Appended, queue::Appender},
    event::{Log, NewEvent},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    auth::Writer,
    http::{
        error::{FieldError, Result},
        json::from_json,
        params::{NoParams, Params},
    },
    routes::logs::{
        access::{AccessLog, NewAccessEvent},
        append::{IdempotencyKey, append, parse_one},
        application::{ApplicationLog, NewApplicationEvent},
        framework::{FrameworkLog, NewFrameworkEvent},
    },
};

macro_rules! ingest_event {
    ($($name:ident $tag:ident $variant:ident $text:literal $event:ty;)*) => {
        $(
            #[derive(ToSchema)]
            #[serde(rename_all = "snake_case")]
            #[expect(dead_code, reason = "documents the only value of a field")]
            enum $tag { $variant }

            #[doc = concat!("An event of the ", $text, " log, in a request that mixes logs.")]
            #[derive(ToSchema)]
            #[expect(dead_code, reason = "documents the body; elements are parsed as their log's own type")]
            pub struct $name {
                #[serde(flatten)]
                event: $event,
                #[schema(inline)]
                log: $tag,
            }
        )*
    };
}

ingest_event! {
    IngestAccessEvent AccessTag Access "access" NewAccessEvent;
    IngestApplicationEvent ApplicationTag Application "application" NewApplicationEvent;
    IngestFrameworkEvent FrameworkTag Framework "framework" NewFrameworkEvent;
}

/// An event of any log; `log` says which.
#[derive(ToSchema)]
#[schema(discriminator(property_name = "log", mapping(
    ("access" = "#/components/schemas/IngestAccessEvent"),
    ("application" = "#/components/schemas/IngestApplicationEvent"),
    ("framework" = "#/components/schemas/IngestFrameworkEvent"),
)))]
#[serde(untagged)]
pub enum IngestEvent {
    Access(IngestAccessEvent),
    Application(IngestApplicationEvent),
    Framework(IngestFrameworkEvent),
}

/// Appends events to any of the logs, all or none. For log shippers.
///
/// The body is a JSON array, NDJSON or concatenated JSON objects, plain or gzip. Each object names its `log`.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/logs/ingest", operation_id = "ingestEvents", tag = "Ingest",
    params(crate::http::path::WorkspacePath, IdempotencyKey),
    request_body(content = Vec<IngestEvent>, description = "At most 10,000 events and 16 MiB (decompressed). Also objects one after another, or one a line; then as `application/x-ndjson` too, which generators of clients cannot take beside JSON"),
    responses(
        (status = 201, description = "The events are stored: durable and readable", body = Appended),
        crate::http::error::WriteProblems,
    )
)]
pub async fn ingest(
    request: HttpRequest,
    appender: web::Data<Appender>,
    writer: Writer,
    _no: Params<(NoParams,)>,
    payload: web::Payload,
) -> Result<HttpResponse> {
    append(&request, &appender, writer, payload, parse_mixed).await
}

/// Parses an element as an event of the log that it names.
pub fn parse_mixed(prefix: &str, element: &RawValue) -> Result<NewEvent, Vec<FieldError>> {
    #[derive(Deserialize)]
    #[serde(rename = "event")]
    struct Which {
        log: Option<Log>,
    }
    let which: Which = from_json(prefix, element)?;
    match which.log {
        Some(Log::Access) => parse_one::<AccessLog>(prefix, element),
        Some(Log::Application) => parse_one::<ApplicationLog>(prefix, element),
        Some(Log::Framework) => parse_one::<FrameworkLog>(prefix, element),
        Some(Log::Activity) => {
            let detail = "must be access, application or framework; only Logbook writes the activity log";
            Err(vec![FieldError::at(format!("{prefix}/log"), "wrong_log", detail)])
        }
        None => {
            let detail = "must be access, application or framework";
            Err(vec![FieldError::at(format!("{prefix}/log"), "missing", detail)])
        }
    }
}
