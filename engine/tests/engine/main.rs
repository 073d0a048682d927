//! Tests of the engine as an embedder uses it: without a server, on SQLite. What is promised over HTTP, and on PostgreSQL, is
//! tested in the package `logbook-tests`.

mod event_ids;
mod history;
mod history_examples;
mod index_encoding;
mod masking;
mod masking_fields;
mod text;
mod whole;
