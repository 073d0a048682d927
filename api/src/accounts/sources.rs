//! The registry of a workspace's sources: rows and queries.
