//! The history of a record: its versions, its state at any time, and what changed it.
//!
//! The engine folds the versions ([`history`]); this file finds the record and the moments that a request names, and
//! `answers.rs` and `differences.rs` have what comes of it.

pub mod answers;
pub mod differences;

use actix_web::{HttpRequest, HttpResponse, web};
use logbook_engine::{
    self as engine,
    caches::Caches,
    db::{Conn, Db, timestamp::Timestamp},
    event::id::EventId,
    history::{self, Fold, Limits, Point, RecordKey, Version},
    order::Order,
    query,
};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use validator::Validate;

use crate::{
    accounts::workspaces::Workspace,
    auth::{Read, Reader},
    http::{
        error::{Code, Problem, RecordProblems, Result},
        page::{Cursor, PageParams, page_response},
        params::Params,
        path::RecordPath,
    },
    routes::logs::{application::ApplicationEvent, log::reader_id, params::parse_time},
};
use answers::{RecordBlame, RecordHistory, RecordState, RecordVersion};
use differences::{RecordDiff, RecordRestore};

/// Fields that one request may name.
const MAX_FIELDS: usize = 100;

/// The history of a record, as what a handler reads.
pub struct Record;

impl Read for Record {
    fn name() -> &'static str {
        "record"
    }
}

/// Names that cannot be a part of a path.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct RecordParams {
    /// The model, where it cannot be a part of a path: with a slash, a backslash or a control character, or `.` and `..`.
    /// The path then has `-` in its place.
    #[serde(default)]
    #[validate(length(min = 1, max = 255))]
    #[param(min_length = 1, max_length = 255, nullable = false, example = "app/patient")]
    pub model: Option<String>,
    /// The record's id, where it cannot be a part of a path. The path then has `-` in its place.
    #[serde(default)]
    #[validate(length(min = 1, max = 255))]
    #[param(min_length = 1, max_length = 255, nullable = false, example = "2026/92")]
    pub record_id: Option<String>,
}

impl RecordParams {
    fn key(self, path: &RecordPath) -> Result<RecordKey> {
        let one = |name: &str, in_path: &str, value: Option<String>| match value {
            None => Ok(in_path.to_owned()),
            Some(value) if in_path == "-" => Ok(value),
            Some(_) => Err(Problem::parameter(name, "goes with - in its place in the path")),
        };
        Ok(RecordKey {
            model: one("model", &path.model, self.model)?,
            id: one("record_id", &path.record_id, self.record_id)?,
        })
    }
}

#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct AtParams {
    /// The moment: an RFC 3339 time, a date (`YYYY-MM-DD`), which begins at midnight in the workspace's time zone, or the id
    /// of an event of the record, for the moment right after it. Everything that had happened by then counts. Default:
    /// after the latest version.
    #[serde(default)]
    #[validate(length(max = 64))]
    #[param(max_length = 64, nullable = false, example = "2026-11-22T20:48:59Z")]
    pub at: Option<String>,
}

#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct DiffParams {
    /// The earlier moment: as `at` of the state.
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "2026-11-22")]
    pub from: String,
    /// The later moment. Default: after the latest version.
    #[serde(default)]
    #[validate(length(max = 64))]
    #[param(max_length = 64, nullable = false, example = "2026-11-23T00:00:00Z")]
    pub to: Option<String>,
}

#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct RestoreParams {
    /// The moment to get back to: as `at` of the state.
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "2026-11-22T20:48:59Z")]
    pub to: String,
    /// Only these fields: at most 100. Default: all.
    #[serde(default)]
    #[param(max_items = 100, example = json!(["status"]))]
    pub field: Vec<String>,
}

/// A moment among the versions of a record.
#[derive(Clone, Copy)]
struct Moment {
    /// How many versions had happened.
    count: usize,
    at: Timestamp,
}

impl Moment {
    fn latest(versions: &[Version]) -> Self {
        let last = versions.last().map(|version| version.occurred_at);
        let now = Timestamp::now();
        Self { count: versions.len(), at: last.map_or(now, |last| last.max(now)) }
    }

    fn new(versions: &[Version], name: &str, point: Point) -> Result<Self> {
        let count = history::count_until(versions, point)
            .ok_or_else(|| Problem::parameter(name, "must be the id of an event of this record"))?;
        let at = match point {
            Point::Time(time) => time,
            Point::Event(_) => versions[..count].last().map_or_else(Timestamp::now, |last| last.occurred_at),
        };
        Ok(Self { count, at })
    }

    fn or_latest(versions: &[Version], name: &str, point: Option<Point>) -> Result<Self> {
        point.map_or_else(|| Ok(Self::latest(versions)), |point| Self::new(versions, name, point))
    }
}

/// An event's id, or a time.
fn point(name: &str, text: &str, workspace: &Workspace) -> Result<Point> {
    match EventId::parse(text) {
        Some(id) => Ok(Point::Event(id)),
        None => Ok(Point::Time(parse_time(name, text, workspace.zone())?)),
    }
}

/// Returns what `make` makes of the versions of a record. It writes the JSON where the versions are read, so that they do
/// not outlive the read, which has one of few places. Most records are read as quickly as a page; a long one waits for the
/// place of a scan.
async fn answer(
    db: &Db,
    mut reader: Reader<Record>,
    key: RecordKey,
    make: impl Fn(&RecordKey, &[Version]) -> Result<Vec<u8>> + Clone + Send + 'static,
) -> Result<HttpResponse> {
    let (id, workspace_id) = (reader_id(&reader), reader.workspace.id);
    let read = |limits: Limits| {
        let (key, make) = (key.clone(), make.clone());
        move |conn: &mut Conn| -> Result<Option<(Vec<u8>, usize)>> {
            let Some(versions) = history::versions(conn, workspace_id, &key, limits)? else {
                return Ok(None);
            };
            if versions.is_empty() {
                return Err(Problem::not_found());
            }
            Ok(Some((make(&key, &versions)?, versions.len())))
        }
    };
    let made = match db.read(id.clone(), read(Limits::QUICK)).await? {
        None => db.scan(id, read(Limits::MOST)).await?,
        made => made,
    };
    let (body, versions) = made.ok_or(engine::Error::RecordTooLarge)?;
    reader.read.returns(versions);
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}

/// Makes an answer of a record's versions, and of what they fold to at a moment.
type MakeAt = fn(&RecordKey, &[Version], Moment, &Fold<'_>) -> Result<Vec<u8>>;

/// Answers with what `make` makes of the record as it was at a moment.
async fn answer_at(
    db: &Db,
    reader: Reader<Record>,
    path: &RecordPath,
    (record, AtParams { at }): (RecordParams, AtParams),
    make: MakeAt,
) -> Result<HttpResponse> {
    let key = record.key(path)?;
    let at = at.map(|at| point("at", &at, &reader.workspace)).transpose()?;
    let make = move |key: &RecordKey, versions: &[Version]| {
        let moment = Moment::or_latest(versions, "at", at)?;
        make(key, versions, moment, &history::fold(versions, moment.count)?)
    };
    answer(db, reader, key, make).await
}

fn json(answer: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(answer).map_err(|_| Problem::new(Code::Internal, "the request could not be completed"))
}

/// Lists the versions of a record: its events in the application log, reads included, a page at a time.
///
/// A version has its number in the order of `occurred_at` and `seq`: 1 is the oldest, and a late event moves those after it.
/// The number is null beyond 10,000.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/records/{model}/{record_id}/history", operation_id = "getRecordHistory",
    tag = "Records",
    params(RecordPath, RecordParams, PageParams),
    responses(
        (status = 200, description = "A page of versions", body = RecordHistory,
            headers(("Link" = String, description = "The next page, as rel=\"next\"; absent on the last page"))),
        crate::http::error::ReadProblems,
    )
)]
pub async fn history(
    request: HttpRequest,
    db: web::Data<Db>,
    caches: web::Data<Caches>,
    mut reader: Reader<Record>,
    path: web::Path<RecordPath>,
    params: Params<(RecordParams, PageParams)>,
) -> Result<HttpResponse> {
    let (record, PageParams { cursor, limit, order }) = params.0;
    let filter = record.key(&path)?.filter(reader.workspace.id);
    let filter_hash = filter.hash();
    let after = cursor.map(|cursor| Cursor::decode(&cursor, order, filter_hash)).transpose()?;
    let index = caches.index.clone();
    let list = move |conn: &mut Conn| -> engine::Result<_> {
        let found = query::list(conn, &index, &filter, (order, after), limit as usize)?;
        let oldest = match order {
            Order::Asc => found.events.first(),
            Order::Desc => found.events.last(),
        };
        let number = match oldest {
            Some(event) => history::number_of(conn, &filter, event.position())?,
            None => None,
        };
        Ok((found, number))
    };
    let (found, oldest) = db.read(reader_id(&reader), list).await?;
    if found.events.is_empty() && after.is_none() {
        return Err(Problem::not_found());
    }

    reader.read.returns(found.events.len());
    let (mut response, next_cursor) = page_response(&request, order, found.next, filter_hash);
    let count = found.events.len();
    let number = |n: usize| match order {
        Order::Asc => oldest.map(|oldest| oldest + n),
        Order::Desc => oldest.map(|oldest| oldest + count - 1 - n),
    };
    let version = |(n, event)| RecordVersion { version: number(n), event: ApplicationEvent::from(event) };
    let data = found.events.into_iter().enumerate().map(version).collect();
    let has_more = next_cursor.is_some();
    Ok(response.json(RecordHistory { data, next_cursor, has_more }))
}

/// Returns what a record was at a moment: its fields, folded from the changes of its versions.
///
/// `create` starts a record, any other change that succeeded sets fields, `delete` ends it with its last values, and an
/// update after that brings it back. `gaps` has the writes that the log missed: an old value was not the one before.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/records/{model}/{record_id}/state", operation_id = "getRecordState",
    tag = "Records",
    params(RecordPath, RecordParams, AtParams),
    responses((status = 200, description = "The state", body = RecordState), RecordProblems)
)]
pub async fn state(
    db: web::Data<Db>,
    reader: Reader<Record>,
    path: web::Path<RecordPath>,
    params: Params<(RecordParams, AtParams)>,
) -> Result<HttpResponse> {
    answer_at(&db, reader, &path, params.0, |key, versions, moment, fold| {
        json(&RecordState::new(key, versions, moment, fold))
    })
    .await
}

/// Returns who last set each field of a record, as of a moment: when, by which event, and from which value.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/records/{model}/{record_id}/blame", operation_id = "getRecordBlame",
    tag = "Records",
    params(RecordPath, RecordParams, AtParams),
    responses((status = 200, description = "The fields", body = RecordBlame), RecordProblems)
)]
pub async fn blame(
    db: web::Data<Db>,
    reader: Reader<Record>,
    path: web::Path<RecordPath>,
    params: Params<(RecordParams, AtParams)>,
) -> Result<HttpResponse> {
    answer_at(&db, reader, &path, params.0, |key, versions, moment, fold| {
        json(&RecordBlame::new(key, versions, moment, fold))
    })
    .await
}

/// Returns the fields of a record that differ between two moments. A record that was deleted has no fields.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/records/{model}/{record_id}/diff", operation_id = "getRecordDiff",
    tag = "Records",
    params(RecordPath, RecordParams, DiffParams),
    responses((status = 200, description = "The differences", body = RecordDiff), RecordProblems)
)]
pub async fn diff(
    db: web::Data<Db>,
    reader: Reader<Record>,
    path: web::Path<RecordPath>,
    params: Params<(RecordParams, DiffParams)>,
) -> Result<HttpResponse> {
    let (record, DiffParams { from, to }) = params.0;
    let key = record.key(&path)?;
    let from = point("from", &from, &reader.workspace)?;
    let to = to.map(|to| point("to", &to, &reader.workspace)).transpose()?;
    let make = move |key: &RecordKey, versions: &[Version]| {
        let (from, to) = (Moment::new(versions, "from", from)?, Moment::or_latest(versions, "to", to)?);
        if from.count > to.count || from.at > to.at {
            return Err(Problem::parameter("to", "must not be before from"));
        }
        json(&RecordDiff::new(key, versions, (from, to))?)
    };
    answer(&db, reader, key, make).await
}

/// Returns what to write to a record to get it back to what it was: a JSON Merge Patch (RFC 7396), for the app to apply.
///
/// Logbook never writes to the app. Fields that a patch cannot bring back are in `left_out`, with the reason. Of a record
/// that is deleted now, the patch has every field.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/records/{model}/{record_id}/restore", operation_id = "getRecordRestorePatch",
    tag = "Records",
    params(RecordPath, RecordParams, RestoreParams),
    responses((status = 200, description = "The patch", body = RecordRestore), RecordProblems)
)]
pub async fn restore(
    db: web::Data<Db>,
    reader: Reader<Record>,
    path: web::Path<RecordPath>,
    params: Params<(RecordParams, RestoreParams)>,
) -> Result<HttpResponse> {
    let (record, RestoreParams { to, field: fields }) = params.0;
    let key = record.key(&path)?;
    let to = point("to", &to, &reader.workspace)?;
    if fields.len() > MAX_FIELDS {
        return Err(Problem::parameter("field", format!("must be given at most {MAX_FIELDS} times")));
    }
    let make = move |key: &RecordKey, versions: &[Version]| {
        let to = Moment::new(versions, "to", to)?;
        json(&RecordRestore::new(key, versions, to, &fields)?)
    };
    answer(&db, reader, key, make).await
}
