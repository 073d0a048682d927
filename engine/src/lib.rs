//! The engine of Logbook: everything that a log is, and nothing of HTTP.
//!
//! | module | what it does |
//! |---|---|
//! | [`query`] | reads: a page, one event, the feed |
//! | [`append`] | the only way in: queue, group commit, deduplicate, number, store, count |
//! | [`jobs`] | background jobs: what is derived from stored events |
//! | [`counts`] | kept counts: metrics, facets, histogram |
//! | [`index`] | the signature index: any filter, any substring |
//! | [`caches`] | what readers keep in memory between requests |
//! | [`filter`] | which events match, in Rust and as far as possible in SQL |
//! | [`event`] | one event, its limits, its id, the masking of secrets |
//! | [`order`], [`local_time`], [`text`] | the order of a page; days of a time zone; normalized text |
//! | [`error`] | what can go wrong |
//! | [`db`] | the only module that knows which database it is |
//! | [`private_files`] | files and folders that only their owner can read |
//!
//! Imports point down this table, never up.

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

pub use error::{Error, Result};
