//! Pages: their size, their order, and the cursor where the previous page ended.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, http::header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use logbook_engine::{
    db::timestamp::Timestamp,
    order::{Order, Position},
};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::http::error::{Code, FieldError, Problem, Result};

/// Which page of a list.
#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// The `next_cursor` of the previous page. Valid only with the same filters and order.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[param(max_length = 200, pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    pub cursor: Option<String>,
    /// Maximum number of events on the page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 1000))]
    #[param(minimum = 1, maximum = 1000, default = 50)]
    pub limit: u32,
    /// Newest first (`desc`, the default) or oldest first (`asc`), by `occurred_at`, then `seq`.
    #[serde(default)]
    #[param(inline)]
    pub order: Order,
}

fn default_limit() -> u32 {
    50
}

/// A position, and the order and filters for which it is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub order: Order,
    pub position: Position,
    pub filter_hash: [u8; 8],
}

const VERSION: u8 = 1;

impl Cursor {
    /// Version, order, microseconds, seq, hash of the filters: 26 bytes as base64url.
    pub fn encode(&self) -> String {
        let mut bytes = vec![VERSION, self.order as u8];
        bytes.extend(self.position.occurred_at.micros().to_be_bytes());
        bytes.extend(self.position.seq.to_be_bytes());
        bytes.extend(self.filter_hash);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// # Errors
    /// `cursor_invalid` for a cursor that this server did not issue, `cursor_mismatch` for other filters or another order.
    pub fn decode(text: &str, order: Order, filter_hash: [u8; 8]) -> Result<Position> {
        let problem = |code: Code, detail: &str| Problem {
            errors: vec![FieldError::parameter("cursor", code.name(), detail)],
            ..Problem::new(code, detail)
        };
        let invalid = || problem(Code::CursorInvalid, "send next_cursor unchanged");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let bytes: [u8; 26] = bytes.try_into().map_err(|_| invalid())?;
        let number = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            eight
        };
        if bytes[0] != VERSION || bytes[1] > Order::Desc as u8 {
            return Err(invalid());
        }
        let position = Position {
            occurred_at: Timestamp(i64::from_be_bytes(number(2))),
            seq: i64::from_be_bytes(number(10)),
        };
        // No event has a time before 1970 or after the year 9999, and PostgreSQL refuses some of them.
        if !(0..253_402_300_800_000_000).contains(&position.occurred_at.micros()) || position.seq < 0 {
            return Err(invalid());
        }
        if bytes[1] != order as u8 || number(18) != filter_hash {
            let detail = "the cursor belongs to other filters or another order; start with the first page";
            return Err(problem(Code::CursorMismatch, detail));
        }
        Ok(position)
    }
}

/// The response of a page, whose `Link` leads to the next one, and the cursor of that.
pub fn page_response(
    request: &HttpRequest,
    order: Order,
    next: Option<Position>,
    filter_hash: [u8; 8],
) -> (HttpResponseBuilder, Option<String>) {
    let next_cursor = next.map(|position| Cursor { order, position, filter_hash }.encode());
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = &next_cursor {
        response.insert_header((header::LINK, next_link(request, cursor)));
    }
    (response, next_cursor)
}

/// `</api/…?…&cursor=…>; rel="next"` (RFC 8288): the same request with the next page's cursor.
fn next_link(request: &HttpRequest, cursor: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
    query.extend_pairs(pairs.filter(|(name, _)| name != "cursor"));
    query.append_pair("cursor", cursor);
    format!("<{}?{}>; rel=\"next\"", request.path(), query.finish())
}
