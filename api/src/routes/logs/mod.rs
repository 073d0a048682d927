//! The logs: a file each for what is theirs, and what they share.

pub mod access;
pub mod append;
pub mod application;
pub mod body;
pub mod feed;
pub mod framework;
pub mod ingest;
pub mod log;
pub mod params;
pub mod wire;
