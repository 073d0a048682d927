//! Who sends to a door: the holder of a source's key. Shippers and vendors present it in several ways.

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Extracted, api_keys::ApiKeyCache, identify};
use crate::{
    accounts::claims::Claims,
    http::{
        error::{Code, Problem, Result},
        params::AuthGate,
    },
};

/// The holder of a source's key.
#[derive(Clone, Debug)]
pub struct Sender {
    pub workspace_id: i32,
    pub source: String,
    pub caller: Claims,
}

/// The key in the header `Authorization`: `Bearer <key>`, `Splunk <key>`, `Basic` with the key as user or password,
/// `Token token=<key>` or `token=<key>` as Retraced's clients send it, or the key alone, where a vendor lets people enter the whole value. None
/// where there is no such header; an error where it is none of these.
///
/// # Errors
/// `unauthenticated`
pub fn key_in_header(request: &HttpRequest) -> Result<Option<String>> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else { return Ok(None) };
    let unreadable = || {
        let detail = "the header Authorization is not understood; send Authorization: Bearer <key>";
        Problem::new(Code::Unauthenticated, detail)
    };
    let value = value.to_str().map_err(|_| unreadable())?.trim();
    // Retraced's clients leave the scheme out when they write.
    if let Some(key) = value.strip_prefix("token=") {
        return Ok(Some(key.trim_matches('"').to_owned()));
    }
    let Some((scheme, rest)) = value.split_once(' ') else {
        return if ApiKeyCache::is_key(value) { Ok(Some(value.to_owned())) } else { Err(unreadable()) };
    };
    let rest = rest.trim();
    let key = match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "splunk" => rest.to_owned(),
        "token" => rest.strip_prefix("token=").unwrap_or(rest).trim_matches('"').to_owned(),
        "basic" => {
            let decoded = STANDARD.decode(rest).map_err(|_| unreadable())?;
            let decoded = String::from_utf8(decoded).map_err(|_| unreadable())?;
            let (user, password) = decoded.split_once(':').ok_or_else(unreadable)?;
            if ApiKeyCache::is_key(user) { user.to_owned() } else { password.to_owned() }
        }
        _ => return Err(unreadable()),
    };
    Ok(Some(key))
}

/// The source whose key this is. Without a key, or with that of no source, the request counts against the limits of its
/// address, as every other one that is refused.
///
/// # Errors
/// `unauthenticated`, also for a key that belongs to no source; `token_expired`, `rate_limited`.
pub async fn sender(request: &HttpRequest, key: Result<Option<String>>) -> Result<Sender> {
    let missing = || Problem::new(Code::Unauthenticated, "send the header Authorization: Bearer <key>");
    let key = key.and_then(|key| key.ok_or_else(missing));
    let token = match &key {
        // Other tokens are not for doors.
        Ok(key) if !ApiKeyCache::is_key(key) => {
            Err(Problem::new(Code::Unauthenticated, "this is no API key; send the key of a source"))
        }
        Ok(key) => Ok(key.as_str()),
        Err(problem) => Err(problem.clone()),
    };
    let caller = identify(request, token).await?;
    let owner = caller.source.clone().zip(caller.roles.keys().next().copied());
    let (source, workspace_id) = owner.ok_or_else(|| {
        let detail = "this key belongs to no source; make one for the source that sends";
        Problem::new(Code::Unauthenticated, detail)
    })?;
    Ok(Sender { workspace_id, source, caller })
}

/// The sender, by the key in the header. As an extractor it holds back the body until it is known that somebody may send one.
pub struct ByKey(pub Sender);

impl FromRequest for ByKey {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, gate) = (request.clone(), AuthGate::close(request));
        Box::pin(async move {
            let sender = sender(&request, key_in_header(&request)).await?;
            gate.send_replace(true);
            Ok(Self(sender))
        })
    }
}

/// Counts a request without a key, or whose signature is missing or wrong, against the limits of its address. Returns
/// `unauthenticated`, or `rate_limited` when there were too many.
pub async fn refuse(request: &HttpRequest, why: &str) -> Problem {
    let problem = Problem::new(Code::Unauthenticated, why.to_owned());
    identify(request, Err(problem.clone())).await.err().unwrap_or(problem)
}
