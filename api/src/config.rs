//! Settings: each a flag and an environment variable, with defaults that are safe and work at once.

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgAction, Args};

use crate::visitor::Proxy;

/// Where the data is. Every command needs it.
#[derive(Args, Clone, Debug)]
pub struct DataConfig {
    /// sqlite://PATH or postgres://USER@HOST/DATABASE
    #[arg(
        long,
        env = "LOGBOOK_DATABASE_URL",
        default_value = "sqlite://data/logbook.db",
        hide_env_values = true,
        global = true
    )]
    pub database_url: String,
    /// Folder of the keys and secrets that are made at the first start
    #[arg(long, env = "LOGBOOK_DATA_DIR", default_value = "data", global = true)]
    pub data_dir: PathBuf,
    /// Log what happens in Logbook itself in the logs of the workspaces it concerns: true or false
    #[arg(long, env = "LOGBOOK_OWN_EVENTS", default_value_t = true, action = ArgAction::Set, global = true)]
    pub own_events: bool,
}

/// How the server runs.
#[derive(Args, Clone, Debug)]
pub struct ServeConfig {
    /// Address and port to listen on
    #[arg(long, env = "LOGBOOK_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Folder of the built web application; without it only the API is served
    #[arg(long, env = "LOGBOOK_WEB_DIR")]
    pub web_dir: Option<PathBuf>,
    /// The address that people open, for links: https://logbook.example. Default: the listening address
    #[arg(long, env = "LOGBOOK_PUBLIC_URL")]
    pub public_url: Option<url::Url>,
    /// Database connections
    #[arg(long, env = "LOGBOOK_DATABASE_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..=500))]
    pub database_connections: u32,
    /// Threads that answer requests
    #[arg(long, env = "LOGBOOK_WORKERS", default_value_t = default_workers())]
    pub workers: usize,
    /// Days for which a dedupe key or an Idempotency-Key is remembered
    #[arg(long, env = "LOGBOOK_DEDUPE_DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub dedupe_days: u16,
    /// Most events that may wait to be stored; what comes then is answered with 503
    #[arg(long, env = "LOGBOOK_QUEUE_EVENTS", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub queue_events: u32,
    /// Most MiB of request bodies that may wait to be stored
    #[arg(long, env = "LOGBOOK_QUEUE_MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub queue_mib: u32,
    /// Proxies whose X-Forwarded-For is believed: addresses or networks such as 10.0.0.0/8, separated by commas
    #[arg(long, env = "LOGBOOK_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<Proxy>,
    /// Do not apply pending migrations; refuse to start when there are any
    #[arg(long, env = "LOGBOOK_NO_MIGRATE")]
    pub no_migrate: bool,
    /// Log lines as JSON
    #[arg(long, env = "LOGBOOK_LOG_JSON")]
    pub log_json: bool,
}

fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).min(8)
}

impl ServeConfig {
    /// Where people find this server, without a slash at the end.
    pub fn origin(&self, address: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None if address.ip().is_unspecified() => format!("http://localhost:{}", address.port()),
            None => format!("http://{address}"),
        }
    }

    /// True where people come by TLS.
    pub fn is_secure(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }
}
