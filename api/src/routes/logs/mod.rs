//! The logs: one file each, and what they share.

pub mod access;
pub mod activity;
pub mod append;
pub mod application;
pub mod body;
pub mod event_types;
pub mod feed;
pub mod filters;
pub mod framework;
pub mod ingest;
pub mod log;
pub mod params;
pub mod wire;
