//! What other systems send, made into events.
//!
//! ```text
//! body ──formats──> elements ──mapping──> events ──appender──> stored
//!                       └──── what cannot be read ────────> quarantine
//! ```
//!
//! [`formats`] knows how each kind of source wraps its elements: a body that is partly damaged gives the others. [`mapping`]
//! makes an element an event, as the file of its kind or the source's own says. [`reading`] does both for a body. None of them
//! knows of requests' addresses or of the database; [`registry`] remembers the sources.

pub mod element;
pub mod formats;
pub mod handshake;
pub mod mapping;
mod own;
pub mod reading;
pub mod registry;
