//! Requests and responses. Nothing here depends on Logbook's own subjects.

pub mod body;
pub mod client;
pub mod error;
pub mod field_error;
pub mod json;
pub mod page;
pub mod params;
pub mod path;
pub mod request_id;
pub mod stream;
pub mod validation;
