//! Doors: where shippers and vendors send, in their own shapes.
//!
//! What they send is answered 2xx once it is durable, whatever it is: they drop what is refused, and one element that cannot be
//! read would cost the others with it. So each element is stored as an event or goes into quarantine, byte for byte. Only what
//! is no body of theirs is refused: without a key, too large, or cut off.

pub mod hec;
pub mod named;
pub mod otlp;
pub mod retraced;
pub mod workos;

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use logbook_engine::{
    append::{
        AppendRequest, Appended, MAX_EVENTS,
        queue::{Appender, MemoryPermit},
    },
    event::limits::SourceName,
    sources::FromSource,
};

use crate::{
    accounts::{source_kind::Kind, workspaces::Workspaces},
    auth::{
        senders::{Sender, sender},
        service,
    },
    http::error::{Code, Problem, Result},
    routes::logs::{append::sender_of_source, body, ingest::parse_mixed},
    sources::{
        element::Element,
        formats::{self, Head},
        reading::{PATIENCE, Reading},
        registry::{OpenSource, Registry},
    },
};

/// What became of a body.
pub struct Received {
    pub appended: Appended,
    /// Elements that went into quarantine: they could not be read, or another event has their dedupe key.
    pub rejected: usize,
    pub skipped: u64,
}

/// How a body is split into its elements.
pub type Split = Box<dyn FnOnce(&web::Bytes) -> Result<Vec<Element>> + Send>;

/// The registered source of a key.
///
/// # Errors
/// `unauthenticated` when the source was removed a moment ago; `conflict` for a source of a kind that does not send here. `kinds`:
/// none are all.
pub async fn source_of(request: &HttpRequest, sender: &Sender, kinds: &[Kind]) -> Result<Arc<OpenSource>> {
    let open = service::<Registry>(request)?.of_key(sender.workspace_id, &sender.source).await?;
    if !kinds.is_empty() && !kinds.contains(&open.source.kind()) {
        let is = open.source.kind().as_str();
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        let detail =
            format!("the source {} is of the kind {is} and not {}", open.source.name, kinds.join(" or "));
        return Err(Problem::new(Code::Conflict, detail));
    }
    Ok(open)
}

/// The body as it was sent, and the memory that it holds.
pub struct Sent {
    pub body: Vec<u8>,
    pub memory: MemoryPermit,
}

/// Reads a body within the limits of everything that is appended.
///
/// # Errors
/// `body_too_large`, `request_timeout`, `unsupported_media_type` for an encoding, `queue_full`.
pub async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    workspace_id: i32,
    sender: &str,
) -> Result<Sent> {
    let appender = service::<Appender>(request)?;
    let mut memory = appender.reserve(workspace_id, sender);
    let body = body::read_any(request, payload, &mut memory).await?;
    memory.complete();
    Ok(Sent { body, memory })
}

/// The source of a key, which must be of one of these kinds, and what it sends.
///
/// # Errors
/// As [`sender`], [`source_of`] and [`read`].
pub async fn read_with_key(
    request: &HttpRequest,
    payload: web::Payload,
    key: Result<Option<String>>,
    kinds: &[Kind],
) -> Result<(Arc<OpenSource>, Sent)> {
    let sender = sender(request, key).await?;
    let open = source_of(request, &sender, kinds).await?;
    let sent = read(request, payload, sender.workspace_id, &sender.caller.sub).await?;
    Ok((open, sent))
}

/// Splits a body as a kind of source wraps its elements.
pub fn split_as(kind: Kind, request: &HttpRequest) -> Split {
    let head = head(request);
    Box::new(move |body| formats::elements(kind, &head, body).map_err(|_| too_many()))
}

/// Stores what was sent: each element as an event, or in quarantine.
///
/// # Errors
/// `malformed_body`, `body_too_large`, `too_many_events`, `queue_full`, `quarantine_full`, `unavailable`: then nothing was stored.
pub async fn store(
    request: &HttpRequest,
    open: Arc<OpenSource>,
    Sent { body, mut memory }: Sent,
    split: Split,
) -> Result<Received> {
    let appender = service::<Appender>(request)?;
    let quarantine_bytes = service::<Registry>(request)?.quarantine_bytes;
    let workspace_id = open.source.workspace_id;
    let masker = service::<Workspaces>(request)?.masker(workspace_id).await?;
    let quick = body::is_quick(&body);
    let work = move |memory: &mut MemoryPermit| {
        let body = body::decompressed(body, |bytes| Ok(memory.grow_to(bytes)?))?;
        let body = web::Bytes::from(body);
        let name = SourceName::truncated(&open.source.name);
        let reading = Reading {
            kind: open.source.kind(),
            mapping: open.mapping.as_deref(),
            own: parse_mixed,
            source: &name,
            masker: &masker,
        };
        let elements = split(&body)?;
        let read = reading.read(elements, PATIENCE, |prepared| {
            memory.grow_to(body.len() + prepared).map_err(Problem::from)
        })?;
        let counts = (read.events.len() + read.rejected.len(), read.skipped);
        let source = FromSource {
            name: open.source.name.clone(),
            bytes: body.len() as u64,
            replay_seconds: open.source.replay_seconds(),
            records: read.records,
            rejected: read.rejected,
            skipped: read.skipped,
            replayed: Vec::new(),
            quarantine_bytes,
        };
        let append = AppendRequest {
            workspace_id,
            sender: sender_of_source(&open.source.name),
            events: read.events,
            idempotency: None,
            source: Some(source),
            import_positions: Vec::new(),
        };
        Ok::<_, Problem>((append, counts))
    };
    let ((append, (unskipped, skipped)), memory) =
        if quick { (work(&mut memory)?, memory) } else { appender.parse(memory, work).await? };
    let appended = appender.append(append, memory).await?;
    let rejected = unskipped.saturating_sub(appended.results.len());
    Ok(Received { appended, rejected, skipped })
}

/// What a format needs of a request, owned, since the body is split on another thread.
fn head(request: &HttpRequest) -> Head {
    let headers = request.headers().iter().filter_map(|(name, value)| {
        // Some send UTF-8, which is more than HTTP allows.
        Some((name.as_str().to_ascii_lowercase(), std::str::from_utf8(value.as_bytes()).ok()?.to_owned()))
    });
    Head::new(headers)
}

/// Too many elements for one request.
pub fn too_many() -> Problem {
    Problem::new(Code::TooManyEvents, format!("the limit is {MAX_EVENTS} events per request; split it"))
}
