//! Small JSON bodies: parsed and checked, each error with its place.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
use futures_util::{Stream, StreamExt as _};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use validator::Validate;

use crate::http::{
    error::{Code, FieldError, Problem, Result},
    json::from_json,
    params::AuthGate,
    validation::field_errors,
};

/// A JSON object of at most 64 KiB.
pub struct Body<T>(pub T);

/// In each of these spans a body has to bring [`LEAST`] bytes, or its end: a stalled one occupies memory that its sender
/// could use.
const SPAN: Duration = Duration::from_secs(5);
/// 16 KiB/s.
const LEAST: usize = 5 * 16 * 1024;
const MAX_BYTES: usize = 64 * 1024;

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (gate, payload) = (AuthGate::from_request(request), payload.take());
        let of_this_type = demand_type(request, &["application/json"]);
        Box::pin(async move {
            AuthGate::wait(gate).await;
            of_this_type?;
            let too_large = || Problem::new(Code::BodyTooLarge, "the limit is 64 KiB");
            let admit = |bytes| if bytes > MAX_BYTES { Err(too_large()) } else { Ok(()) };
            let body = collect(payload, admit).await?;
            let malformed = |detail: String| {
                Problem::with_errors(Code::MalformedJson, vec![FieldError::at("", "malformed", detail)])
            };
            let text = std::str::from_utf8(&body).map_err(|_| malformed("the body is not UTF-8".into()))?;
            // Malformed JSON is a 400, JSON of the wrong shape a 422.
            let element: &serde_json::value::RawValue =
                serde_json::from_str(text).map_err(|error| malformed(format!("not well-formed: {error}")))?;
            let parsed: T = from_json("", element)
                .map_err(|errors| Problem::with_errors(Code::ValidationFailed, errors))?;
            parsed
                .validate()
                .map_err(|errors| Problem::with_errors(Code::ValidationFailed, field_errors("", &errors)))?;
            Ok(Self(parsed))
        })
    }
}

/// The same where a body may be left out: then it is the default.
pub struct BodyOrDefault<T>(pub T);

impl<T: DeserializeOwned + Validate + Default + 'static> FromRequest for BodyOrDefault<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let headers = request.headers();
        let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let is_empty = length.unwrap_or("0") == "0" && !headers.contains_key(header::TRANSFER_ENCODING);
        if is_empty {
            let gate = AuthGate::from_request(request);
            return Box::pin(async move {
                AuthGate::wait(gate).await;
                Ok(Self(T::default()))
            });
        }
        let body = Body::<T>::from_request(request, payload);
        Box::pin(async move { body.await.map(|Body(body)| Self(body)) })
    }
}

/// Demands one of these media types, whatever its parameters. A form of another site's page can send others without asking
/// first, and never these.
///
/// # Errors
/// `unsupported_media_type`
pub fn demand_type(request: &HttpRequest, types: &[&str]) -> Result<()> {
    let sent = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = sent.and_then(|sent| sent.split(';').next()).unwrap_or_default().trim();
    if types.iter().any(|known| known.eq_ignore_ascii_case(essence)) {
        return Ok(());
    }
    let detail = format!("send the header Content-Type: {}", types.join(" or "));
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}

/// Reads a body to its end. `admit` is called before each chunk is added, with the resulting size in bytes.
///
/// # Errors
/// `request_timeout`, `malformed_body` when it is cut off; whatever `admit` returns.
pub async fn collect<E>(
    mut payload: impl Stream<Item = Result<web::Bytes, E>> + Unpin,
    mut admit: impl FnMut(usize) -> Result<()>,
) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let (before, until) = (body.len(), Instant::now() + SPAN);
        while let Ok(chunk) = timeout_at(until, payload.next()).await {
            let Some(chunk) = chunk else { return Ok(body) };
            let chunk = chunk.map_err(|_| Problem::new(Code::MalformedBody, "the body is incomplete"))?;
            admit(body.len() + chunk.len())?;
            body.extend_from_slice(&chunk);
        }
        if body.len() - before < LEAST {
            let detail = "the body arrived at less than 16 KiB/s, averaged over 5 seconds";
            return Err(Problem::new(Code::RequestTimeout, detail));
        }
    }
}
