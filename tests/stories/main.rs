//! What Logbook promises, told through its HTTP interface on both databases.

mod append_and_read;
mod bodies;
mod dedupe;
mod import_zango;
mod law;
mod list;
mod masking;
mod migrations;
mod overload;
mod paging;
mod round_trip;
mod search;
mod times;
mod validation;
