//! What Logbook promises, told through its HTTP interface on both databases.

mod append_and_read;
mod architecture;
mod bodies;
mod contract;
mod dedupe;
mod errors;
mod feed;
mod forged_tokens;
mod histogram;
mod import_zango;
mod isolation;
mod law;
mod list;
mod masking;
mod migrations;
mod overload;
mod paging;
mod properties;
mod round_trip;
mod search;
mod sign_in;
mod sql;
mod times;
mod tokens;
mod validation;
mod workspaces;
