//! A real server on a real database for each story, and a client that speaks to it over HTTP.
//!
//! A story is written once and runs on both databases: see [`on_both!`]. tests/README.md says how to write one.

pub mod audit_events;
pub mod authenticator;
pub mod citus;
pub mod client;
pub mod issuer;
pub mod jose;
pub mod messages;
pub mod oidc_browser;
pub mod oracle;
pub mod pagination;
pub mod postgres;
pub mod process;
pub mod random;
pub mod server;
pub mod source_database;
pub mod sqlite;
pub mod wait;

pub use authenticator::Authenticator;
pub use client::{Answer, Client};
pub use issuer::Issuer;
pub use server::{PASSWORD, TestServer};

/// Runs a story on SQLite and on PostgreSQL: `on_both!(name, |server| { … })`, or with other settings for the server
/// `on_both!(name, |config| { … }, |server| { … })`. Its third test is for Citus, and ignored unless asked for.
#[macro_export]
macro_rules! on_both {
    ($name:ident, |$server:ident| $body:block) => {
        $crate::on_both!($name, |_config| {}, |$server| $body);
    };
    ($name:ident, |$config:ident| $change:block, |$server:ident| $body:block) => {
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every story needs all of the module above")]
            use super::*;

            fn story($server: $crate::TestServer) $body

            #[test]
            fn sqlite() {
                story($crate::TestServer::sqlite_with(|$config| $change));
            }

            #[test]
            fn postgres() {
                story($crate::TestServer::postgres_with(|$config| $change));
            }

            #[test]
            #[ignore = "needs LOGBOOK_TEST_CITUS_URL"]
            fn citus() {
                story($crate::TestServer::citus_with(|$config| $change));
            }
        }
    };
}

/// As `on_both!`, beside an OpenID Connect provider: `with_issuer!(name, |server, issuer| { … })`, or with other settings
/// `with_issuer!(name, |config| { … }, |server, issuer| { … })`.
#[macro_export]
macro_rules! with_issuer {
    ($name:ident, |$server:ident, $issuer:ident| $body:block) => {
        $crate::with_issuer!($name, |_config| {}, |$server, $issuer| $body);
    };
    ($name:ident, |$config:ident| $change:block, |$server:ident, $issuer:ident| $body:block) => {
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every story needs all of the module above")]
            use super::*;

            fn story($server: $crate::TestServer, $issuer: $crate::Issuer) $body

            fn set_up(issuer: &$crate::Issuer) -> impl FnOnce(&mut $crate::server::Settings) {
                |$config| {
                    $config.oidc = issuer.config();
                    $change
                }
            }

            #[test]
            fn sqlite() {
                let issuer = $crate::Issuer::start();
                story($crate::TestServer::sqlite_with(set_up(&issuer)), issuer);
            }

            #[test]
            fn postgres() {
                let issuer = $crate::Issuer::start();
                story($crate::TestServer::postgres_with(set_up(&issuer)), issuer);
            }

            #[test]
            #[ignore = "needs LOGBOOK_TEST_CITUS_URL"]
            fn citus() {
                let issuer = $crate::Issuer::start();
                story($crate::TestServer::citus_with(set_up(&issuer)), issuer);
            }
        }
    };
}
