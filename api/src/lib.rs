//! Logbook: an audit-log service for platforms that host many apps.
//!
//! | room | what it holds |
//! |---|---|
//! | [`server`], [`config`] | puts the parts together; settings |
//! | [`app`] | every route, in one list |
//! | [`openapi`] | the contract |
//! | [`demo`] | something to look at |
//! | [`import`] | brings the history of other systems in |
//! | [`health`] | for machines that watch this one |
//! | [`auth`] | who may do what: tokens, API keys, sessions, the extractors that handlers ask by |
//! | [`workspaces`] | one app, one tenant each |
//! | [`brakes`] | how much a caller may ask, how often somebody may guess |
//! | [`audit`] | what Logbook says of itself in the logs |
//! | [`logs`] | the engine and the three logs |
//! | [`params`], [`body`], [`page`], [`client_info`] | reading requests: query parameters, small bodies, cursors, where they come from |
//! | [`error`] | every error that a client can see |
//! | [`db`] | the only room that knows which database it is |
//!
//! Imports point down this table, never up.

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
pub mod ttl_cache;
