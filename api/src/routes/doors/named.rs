//! The door of a source at its own address, for every kind.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Sent, read, source_of, split_as, store};
use crate::{
    accounts::workspaces::Workspaces,
    auth::{
        api_keys::ApiKeyCache,
        sealing_key::SealingKey,
        senders::{Sender, key_in_header, refuse, sender},
        service,
        signature::{Expected, Refused},
    },
    http::error::{Problem, Result, WriteProblems},
    sources::{
        handshake::{allowed_origin, challenge_answer},
        registry::{OpenSource, Registry},
    },
};

/// The path parameters of one source.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SourcePath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
    /// The source's name.
    #[param(example = "okta", pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub source: String,
}

/// What became of a body.
#[derive(Serialize, ToSchema)]
pub struct ReceivedEvents {
    /// Events that are stored now.
    pub accepted: usize,
    /// Events that were stored before.
    pub duplicates: usize,
    /// Elements that are no events, as the mapping says.
    pub skipped: u64,
    /// Elements that are in quarantine: they could not be read, or another event has their dedupe key.
    pub rejected: usize,
}

/// Takes what a source sends, in the shape of its kind. Each element becomes an event or goes into quarantine.
///
/// The source's key is sent as `Authorization: Bearer <key>`. Where a source has a secret, the vendor's signature is demanded,
/// and the key is not.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/sources/{source}/events", operation_id = "sendToSource", tag = "Sources",
    params(SourcePath),
    request_body(content = Object, description = "In the shape of the source's kind, plain or gzip. At most 10,000 elements and 16 MiB (decompressed)"),
    responses(
        (status = 200, description = "Everything is stored: as events, or in quarantine", body = ReceivedEvents),
        WriteProblems,
    )
)]
pub async fn receive(
    request: HttpRequest,
    path: web::Path<SourcePath>,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let (open, sent) = admitted(&request, &path, payload).await?;
    let split = split_as(open.source.kind(), &request);
    let received = store(&request, open, sent, split).await?;
    Ok(HttpResponse::Ok().json(ReceivedEvents {
        accepted: received.appended.accepted,
        duplicates: received.appended.duplicates,
        skipped: received.skipped,
        rejected: received.rejected,
    }))
}

/// The source, and the body of somebody who may send to it.
async fn admitted(
    request: &HttpRequest,
    path: &SourcePath,
    payload: web::Payload,
) -> Result<(Arc<OpenSource>, Sent)> {
    let key = key_in_header(request);
    let open = if matches!(&key, Ok(Some(key)) if ApiKeyCache::is_key(key)) {
        open(request, path, sender(request, key).await?).await?
    } else if let Some(open) = signed_source(request, path).await? {
        // It needs no key; a token may be its signature. Who sends to it learns that it is signed.
        open
    } else {
        sender(request, key).await?;
        return Err(Problem::not_found());
    };
    let signature = expected_signature(request, &open).await?;
    let sent = read(request, payload, open.source.workspace_id, &open.source.name).await?;
    if let Some((secret, expected)) = signature {
        refused(request, expected.verify(&secret, &sent.body)).await?;
    }
    Ok((open, sent))
}

/// The source of the address, if the key is its own.
///
/// # Errors
/// `not_found` for the key of another source.
pub async fn open(request: &HttpRequest, path: &SourcePath, sender: Sender) -> Result<Arc<OpenSource>> {
    let workspace = service::<Workspaces>(request)?.find(&path.workspace).await?;
    let is_here = workspace.is_some_and(|workspace| workspace.id == sender.workspace_id);
    if !is_here || sender.source != path.source {
        return Err(Problem::not_found());
    }
    source_of(request, &sender, &[]).await
}

async fn signed_source(request: &HttpRequest, path: &SourcePath) -> Result<Option<Arc<OpenSource>>> {
    let Some(workspace) = service::<Workspaces>(request)?.find(&path.workspace).await? else {
        return Ok(None);
    };
    let open = service::<Registry>(request)?.find(workspace.id, &path.source).await?;
    Ok(open.filter(|open| open.source.sealed_secret.is_some()))
}

/// For whom the secret of a source is sealed.
pub fn seal_owner(workspace_id: i32, source: &str) -> String {
    format!("source:{workspace_id}:{source}")
}

/// The secret of a source that has one, and what the body must be.
async fn expected_signature(request: &HttpRequest, open: &OpenSource) -> Result<Option<(Vec<u8>, Expected)>> {
    let Some(sealed) = &open.source.sealed_secret else { return Ok(None) };
    let owner = seal_owner(open.source.workspace_id, &open.source.name);
    let Some(secret) = service::<SealingKey>(request)?.open_sealed(&owner, sealed) else {
        return Err(refuse(request, "the secret of the source cannot be read; set it again").await);
    };
    let expected = refused(request, Expected::of(open.source.kind(), &secret, request.headers())).await?;
    Ok(Some((secret, expected)))
}

/// Counts what is refused against the limits of its address.
async fn refused<T>(request: &HttpRequest, checked: Result<T, Refused>) -> Result<T> {
    match checked {
        Ok(right) => Ok(right),
        Err(why) => Err(refuse(request, &why.to_string()).await),
    }
}

/// Answers the one-time verification of Okta's event hooks: what it asks is sent back.
pub async fn challenge(request: HttpRequest, _path: web::Path<SourcePath>) -> Result<HttpResponse> {
    let asked = request.headers().get("x-okta-verification-challenge").and_then(|value| value.to_str().ok());
    let answer = asked.and_then(challenge_answer).ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok().json(answer))
}

/// Answers the handshake of CloudEvents' webhooks (HTTP 1.1 Web Hooks for Event Delivery, section 4): whoever asks may send, with
/// a key.
pub async fn handshake(request: HttpRequest, _path: web::Path<SourcePath>) -> Result<HttpResponse> {
    let asked = request.headers().get("webhook-request-origin").and_then(|value| value.to_str().ok());
    let Some(origin) = asked.and_then(allowed_origin) else {
        return Ok(HttpResponse::NoContent().insert_header(("allow", "GET, POST, OPTIONS")).finish());
    };
    let mut response = HttpResponse::Ok();
    response.insert_header(("webhook-allowed-origin", origin)).insert_header(("webhook-allowed-rate", "*"));
    Ok(response.finish())
}
