//! Small JSON bodies: parsed and checked, each error with its place.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;
use validator::Validate;

use crate::{
    error::{Code, FieldError, Problem, Result},
    logs::{ingest::from_json, received::gather, validate::field_errors},
    params::Gate,
};

/// A JSON object of at most 64 KiB.
pub struct Body<T>(pub T);

const MAX_BYTES: usize = 64 * 1024;

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (gate, payload) = (Gate::of(request), payload.take());
        Box::pin(async move {
            Gate::pass(gate).await;
            let too_large = || Problem::new(Code::BodyTooLarge, "the body may have at most 64 KiB");
            let admit = |bytes| if bytes > MAX_BYTES { Err(too_large()) } else { Ok(()) };
            let body = gather(payload, admit).await?;
            let malformed = |detail: String| {
                Problem::with_errors(Code::MalformedJson, vec![FieldError::at("", "malformed", detail)])
            };
            let text = std::str::from_utf8(&body).map_err(|_| malformed("the body is not UTF-8".into()))?;
            // First whether it is JSON at all, then whether it is what is wanted: two kinds of answer.
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
