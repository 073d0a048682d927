//! From a request's body to events: gzip, JSON array, NDJSON or objects one after the other, each error with its place.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    auth::Writer,
    error::{Code, FieldError, Problem, Result},
    logs::{
        access::{AccessLog, NewAccessEvent},
        append::{AppendRequest, Appended, Idempotency},
        appender::{Appender, Room},
        application::{ApplicationLog, NewApplicationEvent},
        event::{Log, NewEvent},
        face::Face,
        framework::{FrameworkLog, NewFrameworkEvent},
        received,
        validate::field_errors,
    },
    params::{NoParams, Params},
};

/// Most events in one request.
pub const MAX_EVENTS: usize = 10_000;
/// Most bytes of one event as JSON. A page of the largest still fits into memory.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;
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

macro_rules! ingest_event {
    ($($name:ident $tag:ident $variant:ident $text:literal $event:ty;)*) => {
        $(
            #[derive(ToSchema)]
            #[serde(rename_all = "snake_case")]
            #[expect(dead_code, reason = "documents the only value of a field")]
            enum $tag { $variant }

            #[doc = concat!("An event of the ", $text, " log among others.")]
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

/// An event of any log, told apart by `log`.
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
    _no: Params<(NoParams,)>,
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
    let mut room = appender.room();
    let body = received::read(request, payload, &mut room).await?;
    let path = request.path().to_owned();
    let workspace_id = writer.workspace.id;
    let quick = received::is_quick(&body);
    let work = move |room: &mut Room| {
        let body = received::unpacked(body, room)?;
        // Of what was meant: packed again, the same events have other bytes.
        let idempotency = key.map(|key| Idempotency::new(key, &path, &body));
        let events = parse(&elements(&body)?)?;
        Ok::<_, Problem>(AppendRequest { idempotency, ..AppendRequest::new(workspace_id, events) })
    };
    let (append, room) = if quick { (work(&mut room)?, room) } else { appender.parse(room, work).await? };
    Ok(HttpResponse::Created().json(appender.append(append, room).await?))
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

/// The events of a body, still as text. Top-level arrays are opened; everything else must be an object.
pub fn elements(body: &[u8]) -> Result<Vec<&RawValue>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => {
            return Err(Problem::new(Code::MalformedJson, "the body is empty; send a JSON array of events"));
        }
        Some(b'[' | b'{') => {}
        // JSON, but no event: a number, a text, true, false or null.
        Some(b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
            let detail = "the body must begin with [ or {: a JSON array, NDJSON or JSON objects";
            return Err(Problem::new(Code::MalformedJson, detail));
        }
        // MessagePack, Protobuf, XML, form data: no JSON text begins so.
        Some(_) => {
            let detail = "the body is not JSON; send a JSON array, NDJSON or JSON objects, plain or gzip";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
    }
    let mut elements = Vec::new();
    for value in serde_json::Deserializer::from_slice(body).into_iter::<&RawValue>() {
        let value = value.map_err(|error| malformed(elements.len(), &error))?;
        if value.get().starts_with('[') {
            let before = elements.len();
            let array = Array { room: MAX_EVENTS + 1 - before, elements: &mut elements };
            let opened = array.deserialize(&mut serde_json::Deserializer::from_str(value.get()));
            if let Err(error) = opened
                && elements.len() <= MAX_EVENTS
            {
                return Err(malformed(before, &error));
            }
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

/// Opens an array, and gives up once there are more elements than there is room for: millions of zeros are a small body.
struct Array<'a, 'de> {
    room: usize,
    elements: &'a mut Vec<&'de RawValue>,
}

impl<'de> DeserializeSeed<'de> for Array<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Array<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for _ in 0..self.room {
            match items.next_element()? {
                Some(item) => self.elements.push(item),
                None => return Ok(()),
            }
        }
        Err(serde::de::Error::custom("too many"))
    }
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
        let place = format!("/{i}");
        if element.get().len() > MAX_EVENT_BYTES {
            let detail = format!("an event may have at most {} KiB", MAX_EVENT_BYTES / 1024);
            errors.push(FieldError::at(place, "too_long", detail));
            continue;
        }
        match parse(&place, element) {
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
    // Following the path costs as much again, and only an error needs it.
    if let Ok(value) = serde_json::from_str(element.get()) {
        return Ok(value);
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
