//! Turns a request's body into stored events: a JSON array, NDJSON or concatenated objects, plain or gzip. Each error names
//! its place.

use std::collections::HashSet;

use actix_web::{HttpRequest, HttpResponse, web};
use logbook_engine::{
    append::{
        AppendRequest, Idempotency, MAX_EVENT_BYTES, MAX_EVENTS, MAX_MONTHS,
        prepared::Prepared,
        queue::{Appender, MemoryPermit},
    },
    counts::calendar::month_at,
    event::{NewEvent, limits::SourceName, masking::Masker},
    sources::FromSource,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use utoipa::IntoParams;

use crate::{
    accounts::{claims::Claims, workspaces::Workspaces},
    audit::events::OWN_SOURCE,
    auth::{Writer, service},
    http::{
        error::{Code, FieldError, Problem, Result},
        json::from_json,
    },
    routes::logs::{body, log::AcceptsEvents},
    sources::registry::Registry,
};

/// Maximum number of errors in a response.
const MAX_ERRORS: usize = 20;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// A request with the same key and body is stored once within seven days; a retry returns the first response.
    #[serde(rename = "Idempotency-Key")]
    #[param(min_length = 1, max_length = 255, pattern = "^[!-~]+$", nullable = false)]
    pub idempotency_key: Option<String>,
}

/// Appends the events of a request; the four endpoints share it.
pub async fn append(
    request: &HttpRequest,
    appender: &Appender,
    writer: Writer,
    payload: web::Payload,
    parse: ParseEvent,
) -> Result<HttpResponse> {
    let key = read_idempotency_key(request)?;
    let mut memory = appender.reserve(writer.workspace.id, &writer.caller.sub);
    let body = body::read(request, payload, &mut memory).await?;
    memory.complete();
    // The matched route, since an address could be written in several ways.
    let route = request.match_pattern().unwrap_or_default();
    let workspace_id = writer.workspace.id;
    let (source, sender) = (source_of(&writer.caller), sender_of(&writer.caller));
    let registered = registered(request, &writer).await?;
    let masker = service::<Workspaces>(request)?.masker(workspace_id).await?;
    let quick = body::is_quick(&body);
    let work = move |memory: &mut MemoryPermit| {
        let body = body::decompressed(body, |bytes| Ok(memory.grow_to(bytes)?))?;
        // Of the decompressed body: the same events, compressed again, may have other bytes.
        let idempotency = key.map(|key| Idempotency::new(key, &route, &body));
        let sent = body.len();
        let events = prepare_all(&elements(&body)?, parse, &source, &masker, |prepared| {
            Ok(memory.grow_to(sent + prepared)?)
        })?;
        Ok::<_, Problem>(AppendRequest {
            workspace_id,
            sender,
            events,
            idempotency,
            source: registered.map(|source| FromSource { bytes: sent as u64, ..source }),
            import_positions: Vec::new(),
        })
    };
    let (append, memory) =
        if quick { (work(&mut memory)?, memory) } else { appender.parse(memory, work).await? };
    Ok(HttpResponse::Created().json(appender.append(append, memory).await?))
}

/// Who sends events, as people read it: the name of the key or user, or what identifies them when they have none, or have
/// that of Logbook itself.
fn source_of(caller: &Claims) -> SourceName {
    if let Some(source) = &caller.source {
        return SourceName::truncated(source);
    }
    let Claims { name, sub, .. } = caller;
    let is_own = name.is_empty() || name.trim().eq_ignore_ascii_case(OWN_SOURCE);
    SourceName::truncated(if is_own { sub } else { name })
}

/// What is known of the source of the caller's key, if it belongs to one.
async fn registered(request: &HttpRequest, writer: &Writer) -> Result<Option<FromSource>> {
    let Some(name) = &writer.caller.source else { return Ok(None) };
    let open = service::<Registry>(request)?.of_key(writer.workspace.id, name).await?;
    let replay_seconds = open.source.replay_seconds();
    Ok(Some(FromSource { name: name.clone(), replay_seconds, ..FromSource::default() }))
}

/// To whom dedupe keys and idempotency keys belong: a registered source, with whatever key; a person by their id, since people choose their names; an API key by its
/// name, which only an admin gives, so that a producer whose key is replaced by another one of the same name can send again
/// what was not answered.
fn sender_of(caller: &Claims) -> String {
    if let Some(source) = &caller.source {
        return sender_of_source(source);
    }
    match caller.sub.split_once(':') {
        Some(("key", _)) => format!("key:{}", caller.name),
        _ => caller.sub.clone(),
    }
}

/// To whom the keys of a registered source belong.
pub fn sender_of_source(name: &str) -> String {
    format!("source:{name}")
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

/// Splits a body into its events, still as text. Top-level arrays are opened; everything else must be an object.
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
        // MessagePack, Protobuf, XML, form data: no JSON text begins like this.
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
            let array = Array { limit: MAX_EVENTS + 1 - before, elements: &mut elements };
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
            let detail = format!("the limit is {MAX_EVENTS} events per request; split it");
            return Err(Problem::new(Code::TooManyEvents, detail));
        }
    }
    Ok(elements)
}

/// Collects the elements of an array and stops at `limit`: millions of zeros are a small body.
struct Array<'a, 'de> {
    limit: usize,
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
        for _ in 0..self.limit {
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

/// Parses an element; each error has its place below the prefix.
pub type ParseEvent = fn(&str, &RawValue) -> Result<NewEvent, Vec<FieldError>>;

/// Prepares all elements, or returns their errors. Each is packed before the next one is parsed: a parsed event takes up to a
/// hundred times the memory of its text. `reserve` is called with the bytes of all that are prepared, before the next one.
pub fn prepare_all(
    elements: &[&RawValue],
    parse: ParseEvent,
    source: &SourceName,
    masker: &Masker,
    mut reserve: impl FnMut(usize) -> Result<()>,
) -> Result<Vec<Prepared>> {
    let mut events = Vec::with_capacity(elements.len());
    let mut bytes = 0;
    let mut months = HashSet::new();
    let mut errors = Vec::new();
    for (i, element) in elements.iter().enumerate() {
        let prefix = format!("/{i}");
        if element.get().len() > MAX_EVENT_BYTES {
            let detail = format!("the limit is {} KiB per event", MAX_EVENT_BYTES / 1024);
            errors.push(FieldError::at(prefix, "too_long", detail));
            continue;
        }
        match parse(&prefix, element) {
            Ok(event) => {
                months.insert(month_at(event.occurred_at.timestamp()));
                if months.len() > MAX_MONTHS {
                    errors.push(too_many_months(&prefix));
                    break;
                }
                // Of a request that is refused, only the errors matter.
                if errors.is_empty() {
                    let prepared = Prepared::new(event, source, masker);
                    bytes += prepared.bytes();
                    events.push(prepared);
                    reserve(bytes)?;
                }
            }
            Err(found) => errors.extend(found),
        }
        if errors.len() >= MAX_ERRORS {
            break;
        }
    }
    errors.truncate(MAX_ERRORS);
    if errors.is_empty() { Ok(events) } else { Err(Problem::with_errors(Code::ValidationFailed, errors)) }
}

fn too_many_months(prefix: &str) -> FieldError {
    let detail = format!("the events of one request may lie in {MAX_MONTHS} months; split it by time");
    FieldError::at(format!("{prefix}/occurred_at"), "too_many_months", detail)
}

pub fn parse_one<L: AcceptsEvents>(prefix: &str, element: &RawValue) -> Result<NewEvent, Vec<FieldError>> {
    let new: L::NewEvent = from_json(prefix, element)?;
    L::new_event(new).map_err(|mut errors| {
        for error in &mut errors {
            error.pointer = error.pointer.take().map(|pointer| format!("{prefix}{pointer}"));
        }
        errors
    })
}
