//! WorkOS's audit logs: `POST /audit_logs/events`, as its clients send them. Their base address is Logbook's.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::{head, read, source_of, store, too_many};
use crate::{
    accounts::source_kind::Kind,
    auth::senders::{key_in_header, sender},
    http::error::Result,
    sources::formats,
};

/// Takes one event. Its `Idempotency-Key` is the dedupe key, by the head of the request.
pub async fn event(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse> {
    let sender = sender(&request, key_in_header(&request)).await?;
    let open = source_of(&request, &sender, Some(Kind::Workos)).await?;
    let sent = read(&request, payload, sender.workspace_id, &sender.caller.sub).await?;
    let head = head(&request);
    let split = move |body: &web::Bytes| formats::elements(Kind::Workos, &head, body).map_err(|_| too_many());
    store(&request, open, sent, Box::new(split)).await?;
    Ok(HttpResponse::Created().json(json!({"success": true})))
}
