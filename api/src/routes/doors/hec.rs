//! Splunk's HTTP Event Collector, which most shippers speak. Its responses and their codes are those of Splunk's documentation
//! ("Troubleshoot HTTP Event Collector", error codes), since clients decide by them.

use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, http::header, web};
use logbook_engine::db::Db;
use serde_json::{Map, Value, json};

use super::{Split, read, read_with_key, split_as, store, too_many};
use crate::{
    accounts::source_kind::Kind,
    auth::senders::{key_in_header, refuse, sender},
    http::error::{Code, Problem},
    routes::health::ready,
    sources::formats,
};

/// A response of HEC: status, code, text.
struct Hec(StatusCode, u16, &'static str);

const SUCCESS: Hec = Hec(StatusCode::OK, 0, "Success");
const TOKEN_DISABLED: Hec = Hec(StatusCode::FORBIDDEN, 1, "Token disabled");
const TOKEN_REQUIRED: Hec = Hec(StatusCode::UNAUTHORIZED, 2, "Token is required");
const INVALID_AUTHORIZATION: Hec = Hec(StatusCode::UNAUTHORIZED, 3, "Invalid authorization");
const INVALID_TOKEN: Hec = Hec(StatusCode::FORBIDDEN, 4, "Invalid token");
const NO_DATA: Hec = Hec(StatusCode::BAD_REQUEST, 5, "No data");
const INVALID_FORMAT: Hec = Hec(StatusCode::BAD_REQUEST, 6, "Invalid data format");
const SERVER_ERROR: Hec = Hec(StatusCode::INTERNAL_SERVER_ERROR, 8, "Internal server error");
const SERVER_BUSY: Hec = Hec(StatusCode::SERVICE_UNAVAILABLE, 9, "Server is busy");
const CHANNEL_MISSING: Hec = Hec(StatusCode::BAD_REQUEST, 10, "Data channel is missing");
const HEALTHY: Hec = Hec(StatusCode::OK, 17, "HEC is healthy");
const UNHEALTHY: Hec = Hec(StatusCode::SERVICE_UNAVAILABLE, 18, "HEC is unhealthy, queues are full");
const TOO_LARGE: Hec = Hec(StatusCode::PAYLOAD_TOO_LARGE, 27, "Content-Length is too large");

/// The members in Splunk's order.
#[derive(serde::Serialize)]
struct Said {
    text: &'static str,
    code: u16,
    #[serde(rename = "ackId", skip_serializing_if = "Option::is_none")]
    ack_id: Option<i64>,
}

impl Hec {
    fn response(&self, ack_id: Option<i64>) -> HttpResponse {
        HttpResponse::build(self.0).json(Said { text: self.2, code: self.1, ack_id })
    }

    fn plain(&self) -> HttpResponse {
        self.response(None)
    }
}

/// A problem as HEC says it.
fn refused(problem: &Problem) -> HttpResponse {
    let hec = match problem.code {
        Code::TokenExpired => TOKEN_DISABLED,
        Code::Unauthenticated | Code::Forbidden | Code::Conflict => INVALID_TOKEN,
        Code::BodyTooLarge | Code::TooManyEvents => TOO_LARGE,
        Code::MalformedBody | Code::UnsupportedMediaType | Code::MalformedJson => INVALID_FORMAT,
        // Its clients know no 429, and try again after this.
        Code::RateLimited
        | Code::TooManyAtOnce
        | Code::QueueFull
        | Code::QuarantineFull
        | Code::Busy
        | Code::Unavailable
        | Code::RequestTimeout => SERVER_BUSY,
        _ => SERVER_ERROR,
    };
    let mut response = hec.plain();
    if let Some(seconds) = problem.retry_after_seconds {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    }
    response
}

/// GitHub streams to Splunk, too.
const SENDERS: [Kind; 2] = [Kind::Hec, Kind::Github];

/// The last id of an acknowledgement. It begins with the time, so that no id is given twice, also after a restart.
static LAST_ACK: AtomicI64 = AtomicI64::new(0);

fn next_ack() -> i64 {
    let now = logbook_engine::db::timestamp::Timestamp::now().micros();
    let next = |last: i64| Some(now.max(last + 1));
    LAST_ACK.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).map_or(now, |last| now.max(last + 1))
}

fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The channel of a request, by which its acknowledgement is asked for.
fn channel(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get("x-splunk-request-channel").and_then(|value| value.to_str().ok());
    header.map(str::to_owned).or_else(|| parameter(request, "channel"))
}

/// The key, in the header or, as HEC has it, in the query.
fn key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    Ok(key_in_header(request)?.or_else(|| parameter(request, "token")))
}

/// Counts a request that has no key against the limits of its address.
async fn without_key(request: &HttpRequest, otherwise: Hec) -> HttpResponse {
    let problem = refuse(request, otherwise.2).await;
    if problem.code == Code::RateLimited { refused(&problem) } else { otherwise.plain() }
}

async fn receive(request: &HttpRequest, payload: web::Payload, is_raw: bool) -> HttpResponse {
    let key = match key(request) {
        Ok(Some(key)) => key,
        Ok(None) => return without_key(request, TOKEN_REQUIRED).await,
        Err(_) => return without_key(request, INVALID_AUTHORIZATION).await,
    };
    let received = async {
        let (open, sent) = read_with_key(request, payload, Ok(Some(key)), &SENDERS).await?;
        let context: Map<String, Value> = ["host", "source", "sourcetype", "index", "time"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), parameter(request, name)?.into())))
            .collect();
        let kind = open.source.kind();
        let split = split_as(kind, request);
        let split: Split = Box::new(move |body| {
            let elements = if is_raw && kind == Kind::Hec {
                formats::raw_lines(body, context).map_err(|_| too_many())?
            } else {
                split(body)?
            };
            if elements.is_empty() { Err(no_data()) } else { Ok(elements) }
        });
        store(request, open, sent, split).await
    };
    match received.await {
        Ok(_) => match channel(request) {
            Some(_) => SUCCESS.response(Some(next_ack())),
            None => SUCCESS.plain(),
        },
        Err(problem) if is_no_data(&problem) => NO_DATA.plain(),
        Err(problem) => refused(&problem),
    }
}

const EMPTY: &str = "the body has no data";

fn no_data() -> Problem {
    Problem::new(Code::MalformedJson, EMPTY)
}

fn is_no_data(problem: &Problem) -> bool {
    problem.code == Code::MalformedJson && problem.detail == EMPTY
}

/// Takes events as Splunk's HTTP Event Collector does: JSON objects one after another, each with an `event`.
pub async fn event(request: HttpRequest, payload: web::Payload) -> HttpResponse {
    receive(&request, payload, false).await
}

/// Takes lines of text, each an event, as Splunk's HTTP Event Collector does.
pub async fn raw(request: HttpRequest, payload: web::Payload) -> HttpResponse {
    receive(&request, payload, true).await
}

/// Which acknowledgements are asked for.
#[derive(serde::Deserialize)]
struct Acks {
    acks: Vec<i64>,
}

/// Says which requests are stored. An id is given only after that, so all that were given are.
pub async fn ack(request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let key = match key(&request) {
        Ok(Some(key)) => key,
        Ok(None) => return TOKEN_REQUIRED.plain(),
        Err(_) => return INVALID_AUTHORIZATION.plain(),
    };
    let sender = match sender(&request, Ok(Some(key))).await {
        Ok(sender) => sender,
        Err(problem) => return refused(&problem),
    };
    if channel(&request).is_none() {
        return CHANNEL_MISSING.plain();
    }
    let body = match read(&request, payload, sender.workspace_id, &sender.caller.sub).await {
        Ok(sent) => sent.body,
        Err(problem) => return refused(&problem),
    };
    let Ok(Acks { acks }) = serde_json::from_slice(&body) else { return INVALID_FORMAT.plain() };
    let last = next_ack();
    let acks: Map<String, Value> =
        acks.into_iter().take(10_000).map(|id| (id.to_string(), (id > 0 && id < last).into())).collect();
    HttpResponse::Ok().json(json!({ "acks": acks }))
}

/// Says whether events can be stored now.
pub async fn health(db: web::Data<Db>) -> HttpResponse {
    if ready(&db).await.is_ok() { HEALTHY.plain() } else { UNHEALTHY.plain() }
}
