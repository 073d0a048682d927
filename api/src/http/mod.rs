//! Requests and responses. Nothing here knows what Logbook is about.

pub mod body;
pub mod client;
pub mod error;
pub mod json;
pub mod page;
pub mod params;
pub mod path;
pub mod request_id;
pub mod validation;
