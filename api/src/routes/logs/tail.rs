//! The tail of a log, or of a timeline: new events as they are stored, as Server-Sent Events.
//!
//! It reads the database by seq, as the feed does, so it misses nothing whichever process stored an event. A client that
//! comes back with `Last-Event-ID` continues where it was.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ContentEncoding},
    rt,
};
use logbook_engine as engine;
use logbook_engine::{
    db::{self, Conn, Db, ReaderId},
    event::{Event, Log, id::MAX_SEQ},
    query::{self, Fed},
    timeline::Part,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    audit::reads,
    auth::{Reader, Recheck},
    http::{
        error::{Problem, Result},
        stream::{self, BodyWriter, Ended},
    },
    limits::streams::Place,
    routes::logs::{
        log::reader_id,
        streamed::{Context, Words, logs_of, place},
    },
};

/// How often it is looked for new events.
const EVERY: Duration = Duration::from_millis(500);
/// After this long without an event, a comment shows that the connection lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events that are read at once.
const BATCH: usize = 50;
/// How long a client may read nothing.
const CLIENT_PATIENCE: Duration = Duration::from_secs(30);
/// How often in a row the database may be busy.
const BUSY: u32 = 60;
/// The header with the last id that a client has seen.
const LAST_EVENT_ID: &str = "Last-Event-ID";

/// Where a tail continues.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct LastEventId {
    /// The `id` of the last message that you have. The stream continues behind it.
    #[serde(rename = "Last-Event-ID")]
    #[param(pattern = "^[0-9]{1,13}$", nullable = false, example = "42")]
    pub last_event_id: Option<String>,
}

/// The seq behind which a client continues.
fn last_event_id(request: &HttpRequest) -> Result<Option<i64>> {
    let Some(value) = request.headers().get(LAST_EVENT_ID) else { return Ok(None) };
    let seq = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let seq = seq.and_then(|text| text.parse().ok()).filter(|seq| (0..=MAX_SEQ).contains(seq));
    let problem = || Problem::parameter(LAST_EVENT_ID, "must be the id of an event of the tail");
    seq.map(Some).ok_or_else(problem)
}

/// The next matching events after a seq.
fn next(conn: &mut Conn, workspace_id: i32, parts: &[Part], after: i64) -> engine::Result<Fed> {
    if query::last_seq(conn, workspace_id)? <= after {
        return Ok(Fed { events: Vec::new(), until: after, has_more: false });
    }
    let wanted = |event: &Event| parts.iter().any(|part| part.matches(event));
    query::feed_where(conn, workspace_id, after, BATCH, wanted)
}

fn message<W: Words>(event: Event) -> Result<String, serde_json::Error> {
    let seq = event.seq;
    let data = serde_json::to_string(&W::Written::from(event))?;
    Ok(format!("id: {seq}\ndata: {data}\n\n"))
}

/// A tail while it is written.
struct Tail {
    db: Db,
    id: ReaderId,
    /// What is read.
    parts: Arc<[Part]>,
    /// Everything up to this seq was written, or does not match.
    after: i64,
    /// There may be many events behind it: reading them is a scan.
    is_behind: bool,
    writer: BodyWriter,
    written_at: Instant,
    recheck: Recheck,
    read: reads::Read,
    _place: Place,
}

impl Tail {
    /// Runs until the client has gone, may not read any more, or the server stops. Its end is always a clean one, since
    /// the client can continue behind it.
    async fn run<W: Words>(mut self) {
        let why = self.write::<W>().await.err();
        tracing::debug!(log = W::name(), why, "a tail ended");
        self.writer.finish();
    }

    async fn write<W: Words>(&mut self) -> Result<(), String> {
        let ended = |ended: Ended| format!("{ended:?}");
        let (workspace_id, mut busy) = (self.id.workspace_id, 0);
        // The client sees at once that it is connected, and where it would continue.
        let first = format!("retry: 1000\nid: {}\n\n", self.after);
        self.writer.write(first).await.map_err(ended)?;
        loop {
            self.recheck.check().await.map_err(|problem| problem.to_string())?;
            let (id, parts, after) = (self.id.clone(), self.parts.clone(), self.after);
            let read = move |conn: &mut Conn| next(conn, workspace_id, &parts, after);
            let fed =
                if self.is_behind { self.db.scan(id, read).await } else { self.db.read(id, read).await };
            let mut pause = EVERY;
            match fed {
                Ok(Fed { events, until, has_more }) => {
                    busy = 0;
                    self.write_events::<W>(events).await?;
                    (self.after, self.is_behind) = (until, has_more);
                    if has_more {
                        pause = Duration::ZERO;
                    }
                }
                Err(engine::Error::Database(db::Error::Busy | db::Error::TooManyAtOnce)) if busy < BUSY => {
                    busy += 1;
                }
                Err(error) => return Err(error.to_string()),
            }
            if self.written_at.elapsed() >= HEARTBEAT {
                // With the place where it is: what does not match need not be read again.
                self.writer.write(format!(":\nid: {}\n\n", self.after)).await.map_err(ended)?;
                self.written_at = Instant::now();
            }
            self.writer.pause(pause).await.map_err(ended)?;
        }
    }

    async fn write_events<W: Words>(&mut self, events: Vec<Event>) -> Result<(), String> {
        for event in events {
            let message = message::<W>(event).map_err(|error| error.to_string())?;
            self.writer.write(message).await.map_err(|ended| format!("{ended:?}"))?;
            self.read.returns(1);
            self.written_at = Instant::now();
        }
        self.read.count_now();
        Ok(())
    }
}

/// Follows the events that any of the parts matches.
pub async fn tail<W: Words>(
    context: Context<'_>,
    mut reader: Reader<W>,
    parts: Vec<Part>,
) -> Result<HttpResponse> {
    let Context { request, db, caches: _, streams } = context;
    let (id, workspace_id) = (reader_id(&reader), reader.workspace.id);
    let given = last_event_id(request)?;
    let place = place(request, &reader, &streams.tails)?;
    let after = match given {
        Some(after) => after,
        None => db.read(id.clone(), move |conn| query::last_seq(conn, workspace_id)).await?,
    };
    // On record while it runs: that may be for days.
    reader.read.count_now();
    let (writer, body) = stream::body(streams.stopping(), CLIENT_PATIENCE);
    let tail = Tail {
        db: db.clone(),
        id,
        recheck: Recheck::new(request, &reader, logs_of(&parts).contains(&Log::Activity)),
        parts: parts.into(),
        after,
        is_behind: given.is_some(),
        writer,
        written_at: Instant::now(),
        read: reader.read,
        _place: place,
    };
    rt::spawn(tail.run::<W>());
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        // Compressed, events would wait in the encoder.
        .insert_header(ContentEncoding::Identity)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // nginx would collect them too.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body))
}
