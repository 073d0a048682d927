//! WorkOS's audit logs: `POST /audit_logs/events`, as its clients send them. Their base address is Logbook's.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::{read_with_key, split_as, store};
use crate::{accounts::source_kind::Kind, auth::senders::key_in_header, http::error::Result};

/// Takes one event. Its `Idempotency-Key` is the dedupe key, by the head of the request.
pub async fn event(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse> {
    let (open, sent) = read_with_key(&request, payload, key_in_header(&request), &[Kind::Workos]).await?;
    store(&request, open, sent, split_as(Kind::Workos, &request)).await?;
    Ok(HttpResponse::Created().json(json!({"success": true})))
}
