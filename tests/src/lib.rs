//! A real server on a real database for each test, and a client that speaks to it over HTTP.
//!
//! A test is written once and runs on both databases: see [`on_both!`].

pub mod postgres;
pub mod server;

pub use server::{Answer, Client, TestServer};

/// Writes a test once and runs it on SQLite and on PostgreSQL: `on_both!(name, |server| { … })`.
#[macro_export]
macro_rules! on_both {
    ($(#[$meta:meta])* $name:ident, |$server:ident| $body:block) => {
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every story needs all of the module above")]
            use super::*;

            $(#[$meta])*
            fn story($server: $crate::TestServer) $body

            #[test]
            fn sqlite() {
                story($crate::TestServer::sqlite());
            }

            #[test]
            fn postgres() {
                story($crate::TestServer::postgres());
            }
        }
    };
}
