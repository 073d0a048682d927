//! Exports: everything that matches, in one answer, as NDJSON or CSV.
//!
//! The events are read batch by batch, each in a transaction of its own: a client that reads slowly holds no connection and
//! costs no memory. What is exported is fixed at the start by the seq of the newest event. An export that is cut short
//! breaks the connection, and goes on behind the last event that arrived (`after`).

use std::{borrow::Cow, marker::PhantomData, time::Duration};

use actix_web::{HttpRequest, HttpResponse, http::header, rt, web::Data};
use logbook_engine as engine;
use logbook_engine::{
    caches::Caches,
    db::{self, Conn, Db, ReaderId},
    event::{Event, id::EventId},
    filter::{AccessPath, Filter},
    order::{Order, Position},
    query::{self, Found, PATIENCE},
};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::{
    audit::reads::{self, Recorded},
    auth::{Read, Reader, Readers, Recheck},
    http::{
        error::{Code, Problem, Result},
        stream::{self, BodyWriter},
    },
    limits::streams::{Place, Streams},
    routes::logs::{
        columns,
        filters::Filters,
        log::{LogKind, filter, reader_id},
        params::RangeParams,
    },
};

/// Events that are read at once.
const BATCH: usize = 500;
/// Bytes of events that are written at once, more or less.
const PIECE_BYTES: usize = 64 * 1024;
/// How long a client may read nothing.
const CLIENT_PATIENCE: Duration = Duration::from_secs(60);
/// How often a batch is tried that finds the database busy, and the pause before each attempt.
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// An export of a log, as what a handler reads.
pub struct Export<L>(PhantomData<fn() -> L>);

impl<L: LogKind> Read for Export<L> {
    const READERS: Readers = Readers::OF_EXPORTS;
    const RECORDED: Recorded = Recorded::AsExport;

    fn name() -> &'static str {
        L::LOG.as_str()
    }
}

#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct ExportParams {
    /// Continues behind the event with this id, with the same filters and order. A CSV file then has no line of names.
    #[serde(default)]
    #[validate(length(max = 64))]
    #[param(max_length = 64, nullable = false, example = "01935fb2-8e31-8000-8000-040000000029")]
    pub after: Option<String>,
    /// Newest first (`desc`, the default) or oldest first (`asc`), by `occurred_at`, then `seq`.
    #[serde(default)]
    #[param(inline)]
    pub order: Order,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    Csv,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    fn content_type(self, has_head: bool) -> &'static str {
        match (self, has_head) {
            (Self::Ndjson, _) => "application/x-ndjson",
            (Self::Csv, true) => "text/csv; charset=utf-8; header=present",
            (Self::Csv, false) => "text/csv; charset=utf-8; header=absent",
        }
    }

    /// What comes before the first event.
    fn head<L: LogKind>(self) -> csv::Result<Vec<u8>> {
        match self {
            Self::Ndjson => Ok(Vec::new()),
            Self::Csv => lines([columns::head::<L>().map(Cow::Borrowed)]),
        }
    }

    fn events<L: LogKind>(self, events: Vec<Event>) -> csv::Result<Vec<u8>> {
        match self {
            Self::Ndjson => {
                let mut text = Vec::with_capacity(PIECE_BYTES);
                for event in events {
                    serde_json::to_writer(&mut text, &L::Event::from(event)).map_err(std::io::Error::from)?;
                    text.push(b'\n');
                }
                Ok(text)
            }
            Self::Csv => lines(events.iter().map(columns::cells::<L>)),
        }
    }
}

/// Lines of CSV, which end with CR LF (RFC 4180).
fn lines<'a, I>(rows: impl IntoIterator<Item = I>) -> csv::Result<Vec<u8>>
where
    I: Iterator<Item = Cow<'a, str>>,
{
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::with_capacity(PIECE_BYTES));
    for row in rows {
        for cell in row {
            writer.write_field(cell.as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// What an export reads.
struct Source {
    db: Db,
    caches: Caches,
    id: ReaderId,
    filter: Filter,
    order: Order,
    /// Events that arrive later are left out.
    last_seq: i64,
}

impl Source {
    /// The next events. Waits while the database has more important things to do.
    async fn batch(&self, after: Option<Position>) -> Result<Found> {
        let mut attempts = 0;
        loop {
            let (filter, order, last_seq) = (self.filter.clone(), self.order, self.last_seq);
            let (index, access_path) = (self.caches.index.clone(), filter.plan());
            let read = move |conn: &mut Conn| {
                let keep = |event: &Event| event.seq <= last_seq;
                query::list_where(conn, &index, &filter, (order, after), BATCH, PATIENCE, keep)
            };
            let found = match access_path {
                AccessPath::Key | AccessPath::Order => self.db.read(self.id.clone(), read).await,
                AccessPath::Index => self.db.scan(self.id.clone(), read).await,
            };
            match found {
                Err(engine::Error::Database(db::Error::Busy | db::Error::TooManyAtOnce))
                    if attempts < ATTEMPTS =>
                {
                    attempts += 1;
                    rt::time::sleep(PAUSE).await;
                }
                found => return Ok(found?),
            }
        }
    }
}

/// An export while it is written.
struct Exporter<L> {
    source: Source,
    format: Format,
    writer: BodyWriter,
    recheck: Recheck,
    read: reads::Read,
    _place: Place,
    of: PhantomData<L>,
}

impl<L: LogKind> Exporter<L> {
    async fn run(mut self, head: Vec<u8>, first: Found) {
        match self.write(head, first).await {
            Ok(()) => {
                // On record before the client can ask for it.
                drop(self.read);
                self.writer.finish();
            }
            Err(why) => tracing::info!(log = L::LOG.as_str(), why, "an export was cut short"),
        }
    }

    /// Writes everything, or says why not.
    async fn write(&mut self, head: Vec<u8>, first: Found) -> Result<(), String> {
        let ended = |ended: stream::Ended| format!("{ended:?}");
        if !head.is_empty() {
            self.writer.write(head).await.map_err(ended)?;
        }
        let mut found = first;
        loop {
            let mut events = found.events.into_iter().peekable();
            while events.peek().is_some() {
                let mut bytes = 0;
                let mut piece = Vec::new();
                while bytes < PIECE_BYTES
                    && let Some(event) = events.next()
                {
                    bytes += event.bytes();
                    piece.push(event);
                }
                let count = piece.len();
                let text = self.format.events::<L>(piece).map_err(|error| error.to_string())?;
                self.writer.write(text).await.map_err(ended)?;
                self.read.returns(count);
            }
            let Some(position) = found.next else { return Ok(()) };
            self.writer.pause(Duration::ZERO).await.map_err(ended)?;
            // A token that expires while it is used ends no export; a role or session that has ended does.
            match self.recheck.check().await {
                Err(problem) if problem.code != Code::TokenExpired => return Err(problem.to_string()),
                _ => {}
            }
            found = self.source.batch(Some(position)).await.map_err(|problem| problem.to_string())?;
        }
    }
}

/// What an export needs beside its parameters.
pub struct Parts<'a> {
    pub request: &'a HttpRequest,
    pub db: &'a Db,
    pub caches: &'a Caches,
    pub streams: &'a Data<Streams>,
}

pub async fn export<L: LogKind>(
    parts: Parts<'_>,
    mut reader: Reader<Export<L>>,
    (range, own, params): (RangeParams, Filters<L>, ExportParams),
    format: Format,
) -> Result<HttpResponse> {
    let Parts { request, db, caches, streams } = parts;
    let filter = filter(&reader, &range, own)?;
    let ExportParams { after, order } = params;
    let unknown = || Problem::parameter("after", "must be the id of an event of this log");
    let after = after.map(|id| EventId::parse(&id).ok_or_else(unknown)).transpose()?;
    let (id, workspace_id) = (reader_id(&reader), reader.workspace.id);
    let place = streams.exports.take(&id)?;
    let hash: String = filter.hash().iter().map(|byte| format!("{byte:02x}")).collect();
    reader.read.note("format", format.name());
    reader.read.note("filter", hash);

    let begin = move |conn: &mut Conn| {
        let after = after.map(|id| query::get(conn, workspace_id, L::LOG, id)).transpose()?;
        Ok::<_, engine::Error>((query::last_seq(conn, workspace_id)?, after))
    };
    let (last_seq, after) = db.read(id.clone(), begin).await?;
    let has_head = after.is_none();
    let after = after.map(|event| event.ok_or_else(unknown)).transpose()?.map(|event| event.position());
    let source = Source { db: db.clone(), caches: caches.clone(), id, filter, order, last_seq };
    // What goes wrong until here is answered with a problem.
    let first = source.batch(after).await?;
    let head = if has_head { format.head::<L>() } else { Ok(Vec::new()) };
    let head = head.map_err(|error| {
        tracing::error!(%error, "an export could not be written");
        Problem::new(Code::Internal, "the export could not be written")
    })?;

    let (writer, body) = stream::body(streams.stopping(), CLIENT_PATIENCE);
    let recheck = Recheck::new(request, &reader);
    let name = format!("{}-{}.{}", reader.workspace.slug, L::LOG, format.name());
    let exporter =
        Exporter::<L> { source, format, writer, recheck, read: reader.read, _place: place, of: PhantomData };
    rt::spawn(exporter.run(head, first));
    Ok(HttpResponse::Ok()
        .content_type(format.content_type(has_head))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(body))
}
