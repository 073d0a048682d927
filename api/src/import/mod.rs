//! Imports the history of other systems.
//!
//! An importer reads a source row by row, turns each row into an event and stores batches of them through
//! [`logbook_engine::append`], with the position that it has reached in the same transaction. Stopped at any point and run
//! again, it continues from there; run on a source that has grown, it adds only the new rows. A row that cannot become an
//! event goes to a [`rejects::Rejects`] file with the reason.

pub mod postgres;
pub mod rejects;
pub mod zango;
