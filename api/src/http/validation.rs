//! Checks of request bodies for `validator`, and its errors as JSON pointers.

use std::borrow::Cow;

use serde_json::Value;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::http::error::FieldError;

/// An error with a code for programs and a sentence for people.
pub fn error(code: &'static str, message: impl Into<Cow<'static, str>>) -> ValidationError {
    let mut error = ValidationError::new(code);
    error.message = Some(message.into());
    error
}

/// An error that a log's own check reports.
pub fn invalid(message: &'static str) -> ValidationError {
    error("invalid", message)
}

/// Refuses U+0000: PostgreSQL's text cannot hold it, and removing it would change the producer's data.
pub fn no_nul(text: &str) -> Result<(), ValidationError> {
    if text.contains('\0') {
        Err(error("nul_character", "must not contain the character U+0000"))
    } else {
        Ok(())
    }
}

/// validator's tree of errors as a list, each with its place below `prefix`.
pub fn field_errors(prefix: &str, errors: &ValidationErrors) -> Vec<FieldError> {
    let mut found = Vec::new();
    collect(prefix, errors, &mut found);
    found.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    found
}

fn collect(prefix: &str, errors: &ValidationErrors, found: &mut Vec<FieldError>) {
    for (field, kind) in errors.errors() {
        // Rust's name of a field that JSON calls `type`.
        let name = if field == "kind" { "type" } else { field.as_ref() };
        let pointer = format!("{prefix}/{name}");
        match kind {
            ValidationErrorsKind::Struct(inner) => collect(&pointer, inner, found),
            ValidationErrorsKind::List(items) => {
                for (i, inner) in items {
                    collect(&format!("{pointer}/{i}"), inner, found);
                }
            }
            ValidationErrorsKind::Field(errors) => {
                for error in errors {
                    let below = error.params.get("pointer").and_then(Value::as_str).unwrap_or_default();
                    found.push(FieldError::at(format!("{pointer}{below}"), code(error), detail(error)));
                }
            }
        }
    }
}

fn code(error: &ValidationError) -> String {
    error.code.to_string()
}

/// A sentence for people, made from validator's code and bounds.
pub fn detail(error: &ValidationError) -> String {
    if let Some(message) = &error.message {
        return message.to_string();
    }
    let bound = |name: &str| error.params.get(name).and_then(Value::as_u64);
    match (error.code.as_ref(), bound("min"), bound("max")) {
        ("length", Some(min), Some(max)) => format!("must have {min} to {max} characters"),
        ("length", None, Some(max)) => format!("must have at most {max} characters"),
        ("length", Some(min), None) => format!("must have at least {min} characters"),
        ("range", Some(min), Some(max)) => format!("must be between {min} and {max}"),
        ("regex", ..) => "must be lower snake case: a letter, then letters, digits and _".into(),
        ("email", ..) => "must be an e-mail address".into(),
        (code, ..) => format!("is invalid ({code})"),
    }
}
