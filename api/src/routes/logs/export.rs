//! Exports: everything that matches, in one answer, as NDJSON, CSV or Parquet.
//!
//! The events are read batch by batch, each in a transaction of its own: a client that reads slowly holds no connection and
//! costs no memory. What is exported is fixed at the start by the seq of the newest event. An export that is cut short
//! breaks the connection, and goes on behind the last event that arrived (`after`), but for a Parquet file, whose footer is missing.

use std::{marker::PhantomData, mem, sync::Arc, time::Duration};

use actix_web::{
    HttpResponse,
    http::header::{self, ContentEncoding},
    rt,
};
use logbook_engine as engine;
use logbook_engine::{
    caches::Caches,
    counts::{self, Effort, cells::has_rollup},
    db::{self, Conn, Db, ReaderId},
    event::{Event, Log, id::EventId},
    filter::Filter,
    order::{Order, Position},
    query::{self, Found, PATIENCE},
    timeline::{self, Part},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    accounts::exports::{self, BackgroundExport, NewExport},
    audit::reads::{self, Recorded},
    auth::{Read, Reader, Readers, Recheck},
    http::{
        error::{Code, Problem, Result},
        stream,
    },
    limits::streams::Place,
    routes::logs::{
        formats::{File, Format, PIECE_BYTES, Unwritten},
        log::{count, reader_id},
        sink::{ExportFile, ExportFolder, Sink},
        streamed::{Context, Words, logs_of, place},
    },
};

/// Events that are read at once: at first …
const FIRST_BATCH: usize = 500;
/// … and later, as large as they are. On PostgreSQL, many of a whole log come by COPY.
const BATCHES: std::ops::RangeInclusive<usize> = 16..=4000;
/// Bytes that should be read at once, more or less.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Characters that are kept of the query string of an export in the background.
const MOST_QUERY: usize = 4000;
/// How long a client may read nothing.
const CLIENT_PATIENCE: Duration = Duration::from_secs(60);
/// How often a batch is tried that finds the database busy, and the pause before each attempt.
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// An export, as what a handler reads.
pub struct Export<W>(PhantomData<fn() -> W>);

impl<W: Words> Read for Export<W> {
    const READERS: Readers = Readers::OF_EXPORTS;
    const RECORDED: Recorded = Recorded::AsExport;

    fn name() -> &'static str {
        W::name()
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

/// What an export reads.
struct Source {
    db: Db,
    caches: Caches,
    id: ReaderId,
    parts: Arc<[Part]>,
    order: Order,
    /// Events that arrive later are left out.
    last_seq: i64,
}

impl Source {
    /// The next events. Waits while the database has more important things to do.
    async fn batch(&self, after: Option<Position>, limit: usize) -> Result<Found> {
        let mut attempts = 0;
        loop {
            let (id, parts, index) = (self.id.clone(), self.parts.clone(), self.caches.index.clone());
            let (order, last_seq) = (self.order, self.last_seq);
            let read = move |conn: &mut Conn| {
                let keep = |event: &Event| event.seq <= last_seq;
                timeline::list_where(conn, &index, &parts, (order, after), limit, PATIENCE, keep)
            };
            let needs_index = timeline::needs_index(&self.parts);
            let found = if needs_index { self.db.scan(id, read).await } else { self.db.read(id, read).await };
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

/// The parameters of an export that cannot be continued.
#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct WholeExportParams {
    /// Newest first (`desc`, the default) or oldest first (`asc`), by `occurred_at`, then `seq`.
    #[serde(default)]
    #[param(inline)]
    pub order: Order,
}

impl From<WholeExportParams> for ExportParams {
    fn from(WholeExportParams { order }: WholeExportParams) -> Self {
        Self { after: None, order }
    }
}

/// A Parquet file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct ParquetBody(#[expect(dead_code, reason = "it only documents the body")] Vec<u8>);

/// An export while it is written.
struct Exporter<W> {
    source: Arc<Source>,
    file: File<W>,
    sink: Sink,
    recheck: Recheck,
    read: reads::Read,
    place: Place,
}

impl<W: Words> Exporter<W> {
    async fn run(mut self, head: Vec<u8>, first: Found) {
        let written = self.write(head, first).await;
        let Self { sink, read, place, .. } = self;
        // On record, and with room for the next one, before the client can ask for them.
        drop((read, place));
        let ended = match written {
            Ok(()) => sink.finish().await,
            Err(why) => {
                sink.fail(&why).await;
                Err(why)
            }
        };
        if let Err(why) = ended {
            tracing::info!(log = W::name(), why, "an export was cut short");
        }
    }

    /// Writes everything, or says why not.
    async fn write(&mut self, head: Vec<u8>, first: Found) -> Result<(), String> {
        if !head.is_empty() {
            self.sink.write(head, 0).await?;
        }
        let (mut found, mut unsent) = (first, 0);
        loop {
            // Read while these are written: half of the time is the database's.
            let limit = next_limit(&found.events);
            let next = found.next.map(|position| {
                let source = self.source.clone();
                rt::spawn(async move { source.batch(Some(position), limit).await })
            });
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
                unsent += piece.len();
                let text = self.file.events(piece).await.map_err(|error| error.to_string())?;
                if !text.is_empty() {
                    self.sink.write(text, unsent).await?;
                    self.read.returns(mem::take(&mut unsent));
                }
            }
            let Some(next) = next else { break };
            self.sink.pause().await?;
            // A token that expires while it is used ends no export; a role or session that has ended does.
            match self.recheck.check().await {
                Err(problem) if problem.code != Code::TokenExpired => return Err(problem.to_string()),
                _ => {}
            }
            let read = next.await.map_err(|error| error.to_string())?;
            found = read.map_err(|problem| problem.to_string())?;
        }
        let end = self.file.end().await.map_err(|error| error.to_string())?;
        if !end.is_empty() {
            self.sink.write(end, unsent).await?;
        }
        self.read.returns(unsent);
        Ok(())
    }
}

/// How many events should be read next, after these.
fn next_limit(events: &[Event]) -> usize {
    let bytes: usize = events.iter().map(Event::bytes).sum();
    let fitting = (BATCH_BYTES * events.len()).checked_div(bytes).unwrap_or(FIRST_BATCH);
    fitting.clamp(*BATCHES.start(), *BATCHES.end())
}

/// An export that was not refused, with its first events.
struct Begun<W> {
    source: Source,
    file: File<W>,
    recheck: Recheck,
    place: Place,
    /// The file's begin. None where it is continued.
    head: Option<Vec<u8>>,
    first: Found,
}

impl<W: Words> Begun<W> {
    /// Checks everything that can be wrong, and reads the first events.
    async fn new(
        context: &Context<'_>,
        reader: &mut Reader<Export<W>>,
        parts: Vec<Part>,
        ExportParams { after, order }: ExportParams,
        format: Format,
    ) -> Result<Self> {
        let Context { request, db, caches, streams } = *context;
        let unknown = || Problem::parameter("after", "must be the id of an event that can be exported here");
        let after = after.map(|id| EventId::parse(&id).ok_or_else(unknown)).transpose()?;
        let (id, workspace_id, logs) = (reader_id(reader), reader.workspace.id, logs_of(&parts));
        let place = place(request, reader, &streams.exports)?;
        let hash = base16ct::lower::encode_string(&timeline::hash(&parts));
        reader.read.note("format", format.name());
        reader.read.note("filter", hash);

        let recheck = Recheck::new(request, reader, logs.contains(&Log::Activity));
        let begin = move |conn: &mut Conn| {
            let after = after.map(|id| timeline::find(conn, workspace_id, &logs, id)).transpose()?;
            Ok::<_, engine::Error>((query::last_seq(conn, workspace_id)?, after))
        };
        let (last_seq, after) = db.read(id.clone(), begin).await?;
        let has_head = after.is_none();
        let after = after.map(|event| event.ok_or_else(unknown)).transpose()?.map(|event| event.position());
        let source =
            Source { db: db.clone(), caches: caches.clone(), id, parts: parts.into(), order, last_seq };
        // What goes wrong until here is answered with a problem, and is no export.
        let first = source.batch(after, FIRST_BATCH).await?;
        let file = File::<W>::new(format).map_err(unwritten)?;
        let head = has_head.then(|| file.head()).transpose().map_err(unwritten)?;
        Ok(Self { source, file, recheck, place, head, first })
    }

    /// Writes it, beside the request that asked for it.
    fn write(self, sink: Sink, mut read: reads::Read) {
        read.begins();
        let Self { source, file, recheck, place, head, first } = self;
        let exporter = Exporter { source: Arc::new(source), file, sink, recheck, read, place };
        rt::spawn(exporter.run(head.unwrap_or_default(), first));
    }
}

fn unwritten(error: impl Into<Unwritten>) -> Problem {
    let error = error.into();
    tracing::error!(%error, "an export could not be written");
    Problem::new(Code::Internal, "the export could not be written")
}

/// Exports the events that any of the parts matches.
pub async fn export<W: Words>(
    context: Context<'_>,
    mut reader: Reader<Export<W>>,
    parts: Vec<Part>,
    params: ExportParams,
    format: Format,
) -> Result<HttpResponse> {
    let begun = Begun::new(&context, &mut reader, parts, params, format).await?;
    let (writer, body) = stream::body(context.streams.stopping(), CLIENT_PATIENCE);
    let name = format!("{}-{}.{}", reader.workspace.slug, W::name(), format.name());
    let has_head = begun.head.is_some();
    begun.write(Sink::Body(writer), reader.read);
    let mut response = HttpResponse::Ok();
    if format == Format::Parquet {
        // It is compressed already.
        response.insert_header(ContentEncoding::Identity);
    }
    Ok(response
        .content_type(format.content_type(has_head))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(body))
}

/// The parameters of an export in the background.
#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct BackgroundParams {
    /// The format of the file.
    #[param(inline)]
    pub format: Format,
    /// Newest first (`desc`, the default) or oldest first (`asc`), by `occurred_at`, then `seq`.
    #[serde(default)]
    #[param(inline)]
    pub order: Order,
}

/// Starts an export of the same in the background.
pub async fn start<W: Words>(
    context: Context<'_>,
    folder: &ExportFolder,
    mut reader: Reader<Export<W>>,
    parts: Vec<Part>,
    BackgroundParams { format, order }: BackgroundParams,
) -> Result<HttpResponse> {
    let params = ExportParams { after: None, order };
    let begun = Begun::new(&context, &mut reader, parts, params, format).await?;
    let Context { request, db, caches, streams } = context;
    let total = match &*begun.source.parts {
        [part] if has_rollup(&part.filter) => {
            let cells = |conn: &mut Conn, caches: &Caches, filter: &Filter, effort: Effort| {
                counts::cells(conn, &caches.counts, &caches.index, filter, effort)
            };
            let cells = count(db, caches, reader_id(&reader), part.filter.clone(), cells).await?;
            cells.exact.then(|| cells.total())
        }
        _ => None,
    };
    reader.read.note("background", true);
    let query = request.query_string().chars().take(MOST_QUERY).collect();
    let new = NewExport { log: W::name(), format: format.name(), query, total };
    let (workspace_id, caller, quota) = (reader.workspace.id, reader.caller.clone(), folder.quota);
    let create = move |conn: &mut Conn| exports::create(conn, workspace_id, &caller, (new, quota));
    let (export, most_bytes) = db.run(create).await?;
    let answer = BackgroundExport::new(export.clone(), &reader.caller.sub);
    let created = export.clone();
    let file = match ExportFile::create(folder, db, (export, most_bytes), format, streams.stopping()).await {
        Ok(file) => file,
        Err(error) => {
            db.run(move |conn: &mut Conn| exports::remove(conn, &created)).await?;
            return Err(unwritten(csv::Error::from(error)));
        }
    };
    begun.write(Sink::File(Box::new(file)), reader.read);
    let location = format!("/api/v1/workspaces/{}/exports/{}", reader.workspace.slug, answer.id);
    Ok(HttpResponse::Accepted().insert_header((header::LOCATION, location)).json(answer))
}
