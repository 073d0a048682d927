//! Every error that a client can see, in one table: code, HTTP status, title.
//!
//! Handlers return [`Problem`]; it becomes `application/problem+json` (RFC 9457). Errors of the
//! engine and the database become problems here, so that no SQL text ever leaves the server.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, ResponseError, http::StatusCode, http::header};
use logbook_engine as engine;
use logbook_engine::db;
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{Content, RefOr, Response, ResponseBuilder},
};

pub use super::field_error::FieldError;
use super::request_id::REQUEST_ID;

macro_rules! codes {
    ($($variant:ident $name:literal $status:literal $title:literal;)*) => {
        /// What went wrong, for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($variant),* }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name),* }
            }

            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title),* }
            }

            pub fn status(self) -> StatusCode {
                let status: u16 = match self { $(Code::$variant => $status),* };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    };
}

codes! {
    InvalidPath "invalid_path" 400 "The path is not in its normal form";
    InvalidParameter "invalid_parameter" 400 "A parameter has an invalid value";
    UnknownParameter "unknown_parameter" 400 "There is no parameter of this name";
    CursorInvalid "cursor_invalid" 400 "This server did not issue the cursor";
    CursorMismatch "cursor_mismatch" 400 "The cursor belongs to other filters or another order";
    MalformedJson "malformed_json" 400 "The body is not well-formed JSON";
    MalformedBody "malformed_body" 400 "The body could not be read";
    Unauthenticated "unauthenticated" 401 "A valid bearer token is required";
    TokenExpired "token_expired" 401 "The token has expired";
    InvalidCredentials "invalid_credentials" 401 "Wrong e-mail address or password";
    LinkInvalid "link_invalid" 401 "The sign-in link was used, has expired or is unknown";
    NotSignedIn "not_signed_in" 401 "There is no session to refresh";
    SignInAgain "sign_in_again" 403 "You must have signed in just now for this";
    WrongPassword "wrong_password" 403 "The current password is wrong";
    SecondFactorRequired "second_factor_required" 403 "The code of the second factor is missing";
    SecondFactorWrong "second_factor_wrong" 403 "The code of the second factor is wrong";
    Forbidden "forbidden" 403 "Your role does not allow this";
    NotFound "not_found" 404 "The resource does not exist, or you may not see it";
    MethodNotAllowed "method_not_allowed" 405 "The resource does not support this method";
    RequestTimeout "request_timeout" 408 "The body took too long to arrive";
    Conflict "conflict" 409 "The resource already exists, or its state does not allow this";
    DedupeConflict "dedupe_conflict" 409 "Another event has this dedupe key";
    LastAdmin "last_admin" 409 "A workspace must keep at least one admin among its members";
    BodyTooLarge "body_too_large" 413 "The body is too large";
    TooManyEvents "too_many_events" 413 "Too many events in one request";
    UnsupportedMediaType "unsupported_media_type" 415 "The body has an unsupported type or encoding";
    ValidationFailed "validation_failed" 422 "Some of the input is invalid";
    RecordTooLarge "record_too_large" 422 "The record has more history than can be folded at once";
    IdempotencyKeyReused "idempotency_key_reused" 422 "The idempotency key was used for another body";
    RateLimited "rate_limited" 429 "Too many requests; try again later";
    TooManyAtOnce "too_many_at_once" 429 "Too many of your requests wait at once; try again";
    Internal "internal" 500 "The server encountered an unexpected error";
    QueueFull "queue_full" 503 "Too many events are waiting; send the request again";
    QuarantineFull "quarantine_full" 503 "The quarantine of the workspace is full";
    Busy "busy" 503 "Too many requests at once; try again";
    ProviderUnavailable "provider_unavailable" 503 "The identity provider cannot be reached; try again";
    Unavailable "unavailable" 503 "The database cannot be reached; try again";
}

/// An error as a client sees it.
#[derive(Clone, Debug)]
pub struct Problem {
    pub code: Code,
    pub detail: String,
    pub errors: Vec<FieldError>,
    pub retry_after_seconds: Option<u32>,
}

pub type Result<T, E = Problem> = std::result::Result<T, E>;

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let retry_after_seconds = (code.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after_seconds }
    }

    pub fn with_errors(code: Code, errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [FieldError { pointer: Some(place), detail, .. }]
            | [FieldError { parameter: Some(place), detail, .. }] => {
                format!("{place}: {detail}")
            }
            many => format!("{} errors; the member errors lists them", many.len()),
        };
        Self { errors, ..Self::new(code, detail) }
    }

    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::with_errors(Code::InvalidParameter, vec![FieldError::parameter(name, "invalid", detail)])
    }

    /// `conflict` if a unique value is taken; any other error unchanged.
    pub fn or_taken(error: diesel::result::Error, pointer: &str, detail: String) -> Self {
        use diesel::result::{DatabaseErrorKind, Error};
        match error {
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
                let errors = vec![FieldError::at(pointer, "taken", &detail)];
                Self { errors, ..Self::new(Code::Conflict, detail) }
            }
            error => error.into(),
        }
    }

    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "it does not exist, or you may not see it")
    }
}

/// The body of every error (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    #[schema(example = "about:blank")]
    pub r#type: &'static str,
    pub title: &'static str,
    pub status: u16,
    pub detail: String,
    /// The error code, for programs. docs/API.md lists all codes.
    #[schema(example = "validation_failed")]
    pub code: &'static str,
    /// The request's id, as in the server's log. Quote it when you ask for help.
    pub request_id: String,
    pub errors: Vec<FieldError>,
}

macro_rules! problem_responses {
    ($(#[$meta:meta])* $name:ident { $($status:literal $description:literal),* $(,)? }) => {
        $(#[$meta])*
        pub struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                let body = || Content::new(Some(utoipa::openapi::Ref::from_schema_name("Problem")));
                [$(($status, $description)),*]
                    .into_iter()
                    .map(|(status, description)| {
                        let response = ResponseBuilder::new()
                            .description(description)
                            .content("application/problem+json", body())
                            .build();
                        (status.to_owned(), RefOr::T(response))
                    })
                    .collect()
            }
        }
    };
}

problem_responses! {
    /// The errors of requests that read.
    ReadProblems {
        "400" "A parameter is unknown or has an invalid value",
        "401" "A valid bearer token is required",
        "403" "Your role does not allow this",
        "404" "The resource does not exist, or you may not see it",
        "429" "Too many requests; Retry-After says when to try again",
        "503" "Temporarily unavailable; Retry-After says when to try again",
    }
}
problem_responses! {
    /// The errors of requests that fold the history of a record.
    RecordProblems {
        "400" "A parameter is unknown or has an invalid value",
        "401" "A valid bearer token is required",
        "403" "Your role does not allow this",
        "404" "The record has no events, or you may not see it",
        "422" "The record has more history than can be folded at once",
        "429" "Too many requests; Retry-After says when to try again",
        "503" "Temporarily unavailable; Retry-After says when to try again",
    }
}
problem_responses! {
    /// The errors of requests that append events.
    WriteProblems {
        "400" "The body is not well-formed JSON",
        "401" "A valid bearer token is required",
        "403" "Your role does not allow this",
        "404" "The workspace does not exist, or you may not see it",
        "408" "The body took too long to arrive",
        "409" "An event has the dedupe key of another one; errors says which",
        "413" "The body has too many events or bytes",
        "415" "The body has an unsupported type or encoding",
        "422" "Some events are invalid, or the idempotency key was used for another body",
        "429" "Too many requests; Retry-After says when to try again",
        "503" "The queue is full or the database cannot be reached; Retry-After says when to try again",
    }
}
problem_responses! {
    /// The errors of signing in.
    SignInProblems {
        "400" "The body is not well-formed JSON",
        "401" "The credentials are invalid",
        "403" "The account has a second factor: its code is missing or wrong; or the request came from a page of another site",
        "408" "The body took too long to arrive",
        "413" "The body is too large",
        "415" "The Content-Type is not application/json",
        "422" "Some of the input is invalid",
        "429" "Too many requests; Retry-After says when to try again",
        "503" "Temporarily unavailable; Retry-After says when to try again",
    }
}
problem_responses! {
    /// The errors of requests that create or change something.
    ChangeProblems {
        "400" "The body is not well-formed JSON",
        "401" "A valid bearer token is required",
        "403" "You are not allowed to do this",
        "408" "The body took too long to arrive",
        "413" "The body is too large",
        "409" "The resource already exists, or its state does not allow this",
        "415" "The Content-Type is not application/json",
        "422" "Some of the input is invalid",
        "429" "Too many requests; Retry-After says when to try again",
        "503" "Temporarily unavailable; Retry-After says when to try again",
    }
}

problem_responses! {
    /// The errors of requests that manage a workspace.
    ManageProblems {
        "400" "The body is not well-formed JSON, or a parameter is unknown",
        "401" "A valid bearer token is required",
        "403" "You are not allowed to do this",
        "404" "The resource does not exist, or you may not see it",
        "408" "The body took too long to arrive",
        "409" "The resource already exists, its state does not allow this, or the workspace would lose its last admin",
        "413" "The body is too large",
        "415" "The Content-Type is not application/json",
        "422" "Some of the input is invalid",
        "429" "Too many requests; Retry-After says when to try again",
        "503" "Temporarily unavailable; Retry-After says when to try again",
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.detail)?;
        for error in &self.errors {
            let place = error.pointer.as_ref().or(error.parameter.as_ref());
            write!(f, "\n  {}: {}", place.map_or("", String::as_str), error.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
        if let Some(seconds) = self.retry_after_seconds {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(ProblemBody {
            r#type: "about:blank",
            title: self.code.title(),
            status: self.status_code().as_u16(),
            detail: self.detail.clone(),
            code: self.code.name(),
            request_id: REQUEST_ID.try_with(Clone::clone).unwrap_or_default(),
            errors: self.errors.clone(),
        })
    }
}

impl From<&db::Error> for Problem {
    fn from(error: &db::Error) -> Self {
        match error {
            db::Error::Busy => Self::new(Code::Busy, "too many requests are waiting for the database"),
            db::Error::TooManyAtOnce => Self {
                retry_after_seconds: Some(1),
                ..Self::new(
                    Code::TooManyAtOnce,
                    "too many of your reads are waiting; wait for some of them first",
                )
            },
            db::Error::Unavailable(reason) => {
                tracing::warn!(reason, "database unavailable");
                Self::new(
                    Code::Unavailable,
                    "the database cannot be reached; the request may not have been stored: send it again with the same keys",
                )
            }
            db::Error::Query(diesel::result::Error::NotFound) => Self::not_found(),
            db::Error::Query(error) => {
                tracing::error!(%error, "query failed");
                Self::new(Code::Internal, "the request could not be completed")
            }
            db::Error::Setup(reason) => {
                tracing::error!(reason, "database setup failed");
                Self::new(Code::Internal, "the request could not be completed")
            }
        }
    }
}

impl From<&engine::Error> for Problem {
    fn from(error: &engine::Error) -> Self {
        use engine::Error;
        let code = match error {
            Error::UnknownWorkspace => return Self::not_found(),
            Error::IdempotencyKeyReused => Code::IdempotencyKeyReused,
            Error::DedupeConflict { element, .. } => {
                let (pointer, code) = (format!("/{element}/dedupe_key"), Code::DedupeConflict.name());
                let error = FieldError::at(pointer, code, error.to_string());
                return Self::with_errors(Code::DedupeConflict, vec![error]);
            }
            Error::QueueFull => Code::QueueFull,
            Error::QuarantineFull => Code::QuarantineFull,
            Error::AlreadyReplayed => Code::Conflict,
            Error::RecordTooLarge => Code::RecordTooLarge,
            Error::Stopping | Error::Unconfirmed | Error::NeedsScan => Code::Unavailable,
            Error::TooManyBuckets { .. } => return Self::parameter("interval", error.to_string()),
            Error::WorkspaceFull | Error::Panicked | Error::Damaged(_) | Error::FromNewerVersion { .. } => {
                tracing::error!(%error, "request failed");
                Code::Internal
            }
            Error::NotStored(error) => return Self::from(&**error),
            Error::Database(error) => return Self::from(error),
        };
        Self::new(code, error.to_string())
    }
}

impl From<engine::Error> for Problem {
    fn from(error: engine::Error) -> Self {
        Self::from(&error)
    }
}

impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        Self::from(&error)
    }
}

impl From<diesel::result::Error> for Problem {
    fn from(error: diesel::result::Error) -> Self {
        db::Error::from(error).into()
    }
}
