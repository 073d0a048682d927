//! What Logbook promises, told through its HTTP interface on both databases.

mod append_and_read;
mod import_zango;
mod law;
