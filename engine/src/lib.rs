//! The engine of Logbook: everything that a log is, and nothing of HTTP.
//!
//! | module | what it does |
//! |---|---|
//! | [`jobs`] | background jobs: what is derived from stored events |
//! | [`caches`] | what readers keep in memory between requests |
//! | [`append`] | the only way in: queue, group commit, deduplicate, number, store, count |
//! | [`counts`] | kept counts: metrics, facets, histogram |
//! | [`query`] | reads: a page, one event, the feed |
//! | [`index`] | the signature index: any filter, any substring |
//! | [`filter`] | which events match, in Rust and as far as possible in SQL |
//! | [`event`] | one event, its limits, its id, the masking of secrets |
//! | [`error`] | what can go wrong |
//! | [`order`], [`local_time`], [`text`], [`varint`] | the order of a page; days of a time zone; normalized text; short numbers |
//! | [`db`] | the only module that knows which database it is |
//! | [`private_files`] | files and folders that only their owner can read |
//!
//! Imports point down this table, never up; which of them are allowed is a table in `tests/stories/architecture.rs`.

pub mod append;
pub mod caches;
pub mod counts;
pub mod db;
pub mod error;
pub mod event;
pub mod filter;
pub mod index;
pub mod jobs;
pub mod local_time;
pub mod order;
pub mod private_files;
pub mod query;
pub mod text;
pub mod varint;

pub use error::{Error, Result};
