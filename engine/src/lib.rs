//! The engine of Logbook: it stores, finds and counts events, and knows nothing of HTTP.
//!
//! | module | what it does |
//! |---|---|
//! | [`jobs`] | background jobs: derive data from stored events |
//! | [`caches`] | what readers cache between requests |
//! | [`append`] | stores events: queue, group commit, dedupe, number, insert, count |
//! | [`sources`] | who sends: health, gaps, quarantine |
//! | [`counts`] | kept counts: metrics, facets, histogram, top values |
//! | [`timeline`] | several logs in one order |
//! | [`history`] | what a record was at any time |
//! | [`query`] | reads: a page, one event, the feed |
//! | [`index`] | the signature index: any filter, any substring |
//! | [`filter`] | which events match, in Rust and as far as possible in SQL |
//! | [`event`] | one event, its limits, its id, the masking of secrets |
//! | [`error`] | what can go wrong |
//! | [`order`], [`local_time`], [`text`], [`varint`] | the order of a page; days of a time zone; normalized text; short numbers |
//! | [`db`] | the only module that tells the two databases apart |
//! | [`priority`] | threads that give way to those that answer requests |
//! | [`private_files`] | files and folders that only their owner can read |
//!
//! Imports point down this table, never up. `tests/stories/architecture.rs` lists those that are allowed.

pub mod append;
pub mod caches;
pub mod counts;
pub mod db;
pub mod error;
pub mod event;
pub mod filter;
pub mod history;
pub mod index;
pub mod jobs;
pub mod local_time;
pub mod order;
pub mod priority;
pub mod private_files;
pub mod query;
pub mod sources;
pub mod text;
pub mod timeline;
pub mod varint;

pub use error::{Error, Result};
