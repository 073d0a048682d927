//! The logs: one file each, and what they share.

pub mod access;
pub mod activity;
pub mod append;
pub mod application;
pub mod body;
pub mod columns;
pub mod event_types;
pub mod explorer;
pub mod export;
pub mod feed;
pub mod filters;
pub mod formats;
pub mod framework;
pub mod groups;
pub mod ingest;
pub mod log;
pub mod params;
pub mod parquet;
pub mod streamed;
pub mod tail;
pub mod top;
pub mod wire;
