//! Logbook: an audit-log service for platforms that host many apps.
//!
//! | module | what it does |
//! |---|---|
//! | [`server`] | puts the parts together and listens |
//! | [`app`] | every route, in one list |
//! | [`middleware`] | what every request passes through |
//! | [`openapi`] | the contract |
//! | [`routes`] | the handlers; [`routes::logs`] has a file per log |
//! | [`auth`] | who is asking, and what they may do: extractors, tokens, API keys, sessions, OpenID Connect |
//! | [`audit`] | records what happens in Logbook itself |
//! | [`config`] | settings |
//! | [`limits`] | rate limits: requests, unverified tokens, passwords |
//! | [`demo`] | fills the demo workspaces |
//! | [`import`] | imports the history of other systems |
//! | [`sources`] | what other systems send: split, mapped to events, read again |
//! | [`accounts`] | people, identities, roles, API keys, workspaces, members: rows and queries |
//! | [`http`] | requests and responses of any subject: errors, parameters, bodies, pages |
//! | [`ttl_cache`] | a cache whose values live for a fixed time |
//! | [`logbook_engine`] | the engine: everything that a log is |
//!
//! Imports point down this table, never up; which of them are allowed is a table in `tests/stories/architecture.rs`. The
//! command line (`main.rs`, `commands/`) is the binary and may import everything.

pub mod accounts;
pub mod app;
pub mod audit;
pub mod auth;
pub mod config;
pub mod demo;
pub mod http;
pub mod import;
pub mod limits;
pub mod middleware;
pub mod openapi;
pub mod routes;
pub mod server;
pub mod sources;
pub mod ttl_cache;
