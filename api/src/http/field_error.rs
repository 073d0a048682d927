//! What is wrong at one place of a request.

use logbook_engine::event::limits::Invalid;
use serde::Serialize;
use utoipa::ToSchema;

/// One error and its place: a JSON pointer into the body, or the name of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the request body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/12/changes/0/field", nullable = false)]
    pub pointer: Option<String>,
    /// Name of the query parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "since", nullable = false)]
    pub parameter: Option<String>,
    #[schema(example = "too_long")]
    pub code: String,
    #[schema(example = "must have at most 64 characters")]
    pub detail: String,
}

impl FieldError {
    pub fn at(pointer: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, code: code.into(), detail: detail.into() }
    }

    /// The errors of an event, as a client reads them.
    pub fn all(invalid: Vec<Invalid>) -> Vec<Self> {
        let error = |Invalid { pointer, code, detail }| Self::at(pointer, code, detail);
        invalid.into_iter().map(error).collect()
    }

    pub fn parameter(name: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(name.into()), code: code.into(), detail: detail.into() }
    }
}
