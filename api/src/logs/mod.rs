//! The engine and the three logs.

pub mod access;
pub mod append;
pub mod appender;
pub mod application;
pub mod caches;
pub mod change;
pub mod counts;
pub mod event;
pub mod event_id;
pub mod face;
pub mod feed;
pub mod filter;
pub mod fold;
pub mod framework;
pub mod histogram;
pub mod index;
pub mod ingest;
pub mod prepared;
pub mod query;
pub mod received;
pub mod search;
pub mod secrets;
pub mod time;
pub mod upkeep;
pub mod validate;
pub mod wire;
