//! OpenTelemetry logs over HTTP: `POST /v1/logs`, as protobuf or JSON (OTLP 1.x, "OTLP/HTTP").
//!
//! A client may not send again what was answered with a partial success, so one never says that records were rejected: what
//! cannot be read is in quarantine. It says so as a warning, which the specification allows with a count of 0.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, http::header, web};
use serde_json::json;

use super::{Received, read_with_key, split_as, store};
use crate::{
    accounts::source_kind::Kind,
    auth::senders::key_in_header,
    http::error::{Problem, Result},
};

const PROTOBUF: &str = "application/x-protobuf";

/// Takes log records.
pub async fn logs(request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let sent = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_json = sent.is_some_and(|sent| sent.trim_start().starts_with("application/json"));
    match receive(&request, payload).await {
        Ok(received) => stored(&received, is_json),
        Err(problem) => refused(&problem, is_json),
    }
}

async fn receive(request: &HttpRequest, payload: web::Payload) -> Result<Received> {
    let (open, sent) = read_with_key(request, payload, key_in_header(request), &[Kind::Otlp]).await?;
    store(request, open, sent, split_as(Kind::Otlp, request)).await
}

/// An `ExportLogsServiceResponse`.
fn stored(received: &Received, is_json: bool) -> HttpResponse {
    let warning = match received.rejected {
        0 => None,
        1 => Some("1 log record could not be read and is in quarantine".to_owned()),
        count => Some(format!("{count} log records could not be read and are in quarantine")),
    };
    if is_json {
        return HttpResponse::Ok().json(match warning {
            None => json!({}),
            Some(warning) => json!({"partialSuccess": {"rejectedLogRecords": "0", "errorMessage": warning}}),
        });
    }
    // partial_success is field 1, and its error_message field 2.
    let body = warning.map(|warning| message(1, &text(2, &warning))).unwrap_or_default();
    HttpResponse::Ok().content_type(PROTOBUF).body(body)
}

/// A `google.rpc.Status`, which OTLP wants of every other answer.
fn refused(problem: &Problem, is_json: bool) -> HttpResponse {
    // OTLP's clients try again after 429, 502, 503 and 504, and after nothing else.
    let status = match problem.code.status() {
        StatusCode::REQUEST_TIMEOUT => StatusCode::SERVICE_UNAVAILABLE,
        status => status,
    };
    let code = match status {
        StatusCode::UNAUTHORIZED => 16,
        StatusCode::FORBIDDEN => 7,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::PAYLOAD_TOO_LARGE => 8,
        StatusCode::SERVICE_UNAVAILABLE => 14,
        StatusCode::INTERNAL_SERVER_ERROR => 13,
        _ => 3,
    };
    let mut response = HttpResponse::build(status);
    if let Some(seconds) = problem.retry_after_seconds {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    if is_json {
        return response.json(json!({"code": code, "message": problem.detail}));
    }
    let body = [&[0x08, code][..], &text(2, &problem.detail)].concat();
    response.content_type(PROTOBUF).body(body)
}

/// A length-delimited field of a protobuf message.
fn message(field: u8, bytes: &[u8]) -> Vec<u8> {
    let mut encoded = vec![field << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        encoded.push(length as u8 | 0x80);
        length >>= 7;
    }
    encoded.push(length as u8);
    encoded.extend(bytes);
    encoded
}

fn text(field: u8, text: &str) -> Vec<u8> {
    message(field, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_has_a_length_of_several_bytes() {
        assert_eq!(text(2, "ab"), [0x12, 2, b'a', b'b']);
        let long = text(2, &"x".repeat(300));
        assert_eq!(long[..3], [0x12, 0xac, 0x02]);
        assert_eq!(long.len(), 303);
    }
}
