//! From a request's body to events: gzip, JSON array, NDJSON or objects one after the other, each error with its place.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt as _;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::io::Read as _;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    auth::Writer,
    error::{Code, FieldError, Problem, Result},
    logs::{
        access::{AccessLog, NewAccessEvent},
        append::{AppendRequest, Appended, Idempotency},
        appender::Appender,
        application::{ApplicationLog, NewApplicationEvent},
        event::{Log, NewEvent},
        face::Face,
        framework::{FrameworkLog, NewFrameworkEvent},
        validate::field_errors,
    },
};

/// Most events in one request.
pub const MAX_EVENTS: usize = 10_000;
/// Most bytes of a body, both as it came and decompressed.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// An answer names this many errors at most.
const MAX_ERRORS: usize = 20;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// The same key with the same body is stored once, however often it is sent within seven days.
    #[serde(rename = "Idempotency-Key")]
    #[param(min_length = 1, max_length = 255, pattern = "^[!-~]+$", nullable = false)]
    pub idempotency_key: Option<String>,
}

/// An event of any log, told apart by `log`.
#[derive(ToSchema)]
#[serde(tag = "log", rename_all = "snake_case")]
pub enum IngestEvent {
    Access(NewAccessEvent),
    Application(NewApplicationEvent),
    Framework(NewFrameworkEvent),
}

/// Appends events of any log, all or none. For log shippers.
///
/// The body is a JSON array, NDJSON, or JSON objects one after the other, plain or gzip; each object names its `log`.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/logs/ingest", operation_id = "ingestEvents", tag = "Ingest",
    params(crate::auth::WorkspacePath, IdempotencyKey),
    request_body(content = Vec<IngestEvent>, description = "At most 10,000 events and 16 MiB"),
    responses(
        (status = 201, description = "Stored: durable and readable", body = Appended),
        crate::error::WriteProblems,
    )
)]
pub async fn ingest(
    request: HttpRequest,
    appender: web::Data<Appender>,
    writer: Writer,
    payload: web::Payload,
) -> Result<HttpResponse> {
    append(&request, &appender, writer, payload, parse_mixed).await
}

/// The way in that all four addresses share.
pub async fn append(
    request: &HttpRequest,
    appender: &Appender,
    writer: Writer,
    payload: web::Payload,
    parse: impl FnOnce(&[&RawValue]) -> Result<Vec<NewEvent>> + Send + 'static,
) -> Result<HttpResponse> {
    let key = read_idempotency_key(request)?;
    let body = read_body(request, payload).await?;
    let bytes = body.len();
    let idempotency = key.map(|key| Idempotency::new(key, request.path(), &body));
    // Parsing 16 MiB takes longer than an async thread may be kept.
    let events = if bytes < 64 * 1024 {
        parse_body(&body, parse)?
    } else {
        web::block(move || parse_body(&body, parse))
            .await
            .map_err(|_| Problem::new(Code::Unavailable, "the server is stopping"))??
    };
    let append = AppendRequest {
        workspace_id: writer.workspace.id,
        events,
        idempotency,
        import_positions: Vec::new(),
    };
    Ok(HttpResponse::Created().json(appender.append(append, bytes).await?))
}

fn parse_body(
    body: &[u8],
    parse: impl FnOnce(&[&RawValue]) -> Result<Vec<NewEvent>>,
) -> Result<Vec<NewEvent>> {
    let body = decompressed(body)?;
    parse(&elements(&body)?)
}

fn read_idempotency_key(request: &HttpRequest) -> Result<Option<String>> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(key.to_owned()))
        }
        _ => Err(Problem::parameter("Idempotency-Key", "must have 1 to 255 visible ASCII characters")),
    }
}

async fn read_body(request: &HttpRequest, mut payload: web::Payload) -> Result<Vec<u8>> {
    let encoding = request.headers().get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if let Some(encoding) = encoding
        && !["gzip", "x-gzip", "identity"].contains(&encoding.to_ascii_lowercase().as_str())
    {
        let detail = format!("content encoding {encoding} is not known here; send plain JSON or gzip");
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::new(Code::MalformedBody, "the body ended too early"))?;
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn too_large() -> Problem {
    Problem::new(Code::BodyTooLarge, "a request may have at most 16 MiB, decompressed; split it")
}

/// Gzip is told by its first two bytes: shippers set headers in many ways, but never send these by chance.
fn decompressed(body: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Ok(body.into());
    }
    let mut plain = Vec::new();
    // One byte past the limit tells that there is more, without unpacking a bomb.
    let read = MultiGzDecoder::new(body).take(MAX_BYTES as u64 + 1).read_to_end(&mut plain);
    if plain.len() > MAX_BYTES {
        return Err(too_large());
    }
    read.map_err(|_| Problem::new(Code::MalformedBody, "the gzip data is damaged"))?;
    Ok(plain.into())
}

/// The events of a body, still as text. Top-level arrays are opened; everything else must be an object.
pub fn elements(body: &[u8]) -> Result<Vec<&RawValue>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => {
            return Err(Problem::new(Code::MalformedJson, "the body is empty; send a JSON array of events"));
        }
        Some(b'[' | b'{') => {}
        // MessagePack, Protobuf, Avro and the like have bytes here that no JSON text begins with.
        Some(byte) if !byte.is_ascii_graphic() => {
            let detail = "the body is not JSON; send a JSON array, NDJSON or JSON objects, plain or gzip";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        Some(_) => {
            let detail = "the body must begin with [ or {: a JSON array, NDJSON or JSON objects";
            return Err(Problem::new(Code::MalformedJson, detail));
        }
    }
    let mut elements = Vec::new();
    for value in serde_json::Deserializer::from_slice(body).into_iter::<&RawValue>() {
        let value = value.map_err(|error| malformed(elements.len(), &error))?;
        if value.get().starts_with('[') {
            let items: Vec<&RawValue> =
                serde_json::from_str(value.get()).map_err(|error| malformed(elements.len(), &error))?;
            elements.extend(items);
        } else {
            elements.push(value);
        }
        if elements.len() > MAX_EVENTS {
            let detail = format!("a request may have at most {MAX_EVENTS} events; split it");
            return Err(Problem::new(Code::TooManyEvents, detail));
        }
    }
    Ok(elements)
}

fn malformed(element: usize, error: &serde_json::Error) -> Problem {
    let detail = format!("not well-formed: {error}");
    Problem::with_errors(
        Code::MalformedJson,
        vec![FieldError::at(format!("/{element}"), "malformed", detail)],
    )
}

/// All elements as events of one log, or every error that was found.
pub fn parse_all<F: Face>(elements: &[&RawValue]) -> Result<Vec<NewEvent>> {
    collect(elements, parse_one::<F>)
}

/// All elements as events of the logs they name.
fn parse_mixed(elements: &[&RawValue]) -> Result<Vec<NewEvent>> {
    #[derive(Deserialize)]
    #[serde(rename = "event")]
    struct Which {
        log: Option<Log>,
    }
    collect(elements, |place, element| {
        let which: Which = from_json(place, element)?;
        match which.log {
            Some(Log::Access) => parse_one::<AccessLog>(place, element),
            Some(Log::Application) => parse_one::<ApplicationLog>(place, element),
            Some(Log::Framework) => parse_one::<FrameworkLog>(place, element),
            None => {
                let detail = "must be access, application or framework";
                Err(vec![FieldError::at(format!("{place}/log"), "missing", detail)])
            }
        }
    })
}

fn collect(
    elements: &[&RawValue],
    parse: impl Fn(&str, &RawValue) -> Result<NewEvent, Vec<FieldError>>,
) -> Result<Vec<NewEvent>> {
    let mut events = Vec::with_capacity(elements.len());
    let mut errors = Vec::new();
    for (i, element) in elements.iter().enumerate() {
        match parse(&format!("/{i}"), element) {
            Ok(event) => events.push(event),
            Err(found) => errors.extend(found),
        }
        if errors.len() >= MAX_ERRORS {
            break;
        }
    }
    errors.truncate(MAX_ERRORS);
    if errors.is_empty() { Ok(events) } else { Err(Problem::with_errors(Code::ValidationFailed, errors)) }
}

fn parse_one<F: Face>(place: &str, element: &RawValue) -> Result<NewEvent, Vec<FieldError>> {
    let new: F::NewEvent = from_json(place, element)?;
    new.validate().map_err(|errors| field_errors(place, &errors))?;
    F::new_event(new).map_err(|mut error| {
        error.pointer = error.pointer.map(|pointer| format!("{place}{pointer}"));
        vec![error]
    })
}

pub fn from_json<T: DeserializeOwned>(place: &str, element: &RawValue) -> Result<T, Vec<FieldError>> {
    if !element.get().trim_start().starts_with('{') {
        return Err(vec![FieldError::at(place, "invalid", "must be an object")]);
    }
    let mut deserializer = serde_json::Deserializer::from_str(element.get());
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let mut pointer = place.to_owned();
        for segment in error.path() {
            use serde_path_to_error::Segment;
            match segment {
                Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
                Segment::Map { key } => {
                    pointer.push_str(&format!("/{}", super::validate::escape_pointer(key)))
                }
                Segment::Enum { .. } | Segment::Unknown => {}
            }
        }
        let message = error.inner().to_string();
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        if let Some(name) = missing {
            pointer.push_str(&format!("/{name}"));
        }
        let code = if missing.is_some() { "missing" } else { "invalid" };
        // Names of Rust types say nothing to a caller.
        let message = match message.split_once("expected struct ") {
            Some((before, _)) => format!("{before}expected an object"),
            None => message,
        };
        // serde_json ends with a place inside the element, which the pointer says better.
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        vec![FieldError::at(pointer, code, message)]
    })
}
