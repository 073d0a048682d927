//! Settings: each a flag and an environment variable, with defaults that are safe and work at once.

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgAction, Args};

use crate::{http::client::Proxy, limits::requests::Allowed};

/// The origin of a page as browsers send it, without a path: https://console.example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(pub String);

impl std::str::FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let origin = url::Url::parse(text).ok().map(|url| url.origin()).filter(url::Origin::is_tuple);
        match origin.map(|origin| origin.ascii_serialization()) {
            Some(origin) if origin == text => Ok(Self(origin)),
            _ => Err(format!("{text} is not an origin such as https://console.example")),
        }
    }
}

/// Where the data is stored. Every command needs it.
#[derive(Args, Clone, Debug)]
pub struct DataConfig {
    /// The database: sqlite://PATH or postgres://USER@HOST/DATABASE
    #[arg(
        long,
        env = "LOGBOOK_DATABASE_URL",
        default_value = "sqlite://data/logbook.db",
        hide_env_values = true,
        global = true
    )]
    pub database_url: String,
    /// Folder for the keys and secrets that are created at the first start
    #[arg(long, env = "LOGBOOK_DATA_DIR", default_value = "data", global = true)]
    pub data_dir: PathBuf,
    /// Record what happens in Logbook itself, in the logs of the workspaces concerned: true or false
    #[arg(long, env = "LOGBOOK_AUDIT", default_value_t = true, action = ArgAction::Set, global = true)]
    pub audit: bool,
}

/// Settings of the server.
#[derive(Args, Clone, Debug)]
pub struct ServeConfig {
    /// Address and port to listen on
    #[arg(long, env = "LOGBOOK_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Folder of the built web application; without it, only the API is served
    #[arg(long, env = "LOGBOOK_WEB_DIR")]
    pub web_dir: Option<PathBuf>,
    /// Base URL for links to the server, such as https://logbook.example. Default: the listen address
    #[arg(long, env = "LOGBOOK_PUBLIC_URL")]
    pub public_url: Option<url::Url>,
    /// Number of database connections
    #[arg(long, env = "LOGBOOK_DATABASE_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(4..=500))]
    pub database_connections: u32,
    /// Number of threads that handle requests
    #[arg(long, env = "LOGBOOK_WORKERS", default_value_t = default_workers())]
    pub workers: usize,
    /// Days for which dedupe keys and idempotency keys are remembered
    #[arg(long, env = "LOGBOOK_DEDUPE_DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub dedupe_days: u16,
    /// Maximum number of events that wait to be stored; beyond it, the server returns 503
    #[arg(long, env = "LOGBOOK_QUEUE_EVENTS", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub queue_events: u32,
    /// Maximum size of the request bodies that wait to be stored, in MiB
    #[arg(long, env = "LOGBOOK_QUEUE_MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub queue_mib: u32,
    /// Proxies whose X-Forwarded-For is trusted: addresses or networks such as 10.0.0.0/8, separated by commas
    #[arg(long, env = "LOGBOOK_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<Proxy>,
    /// Requests per minute for each API key, and for each token that is not a person's; 0 means no limit
    #[arg(long, env = "LOGBOOK_RATE_KEY", default_value_t = 600_000)]
    pub rate_key: u32,
    /// Requests per minute for each person; 0 means no limit
    #[arg(long, env = "LOGBOOK_RATE_USER", default_value_t = 6000)]
    pub rate_user: u32,
    /// Requests per minute without a valid token, for each address; 0 means no limit
    #[arg(long, env = "LOGBOOK_RATE_ADDRESS", default_value_t = 3000)]
    pub rate_address: u32,
    /// Origins whose pages may call the API, such as https://console.example, separated by commas. Default: none
    #[arg(long, env = "LOGBOOK_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<Origin>,
    /// Maximum size of the index cache, in MiB
    #[arg(long, env = "LOGBOOK_INDEX_CACHE_MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub index_cache_mib: u32,
    /// Maximum size of the counts cache, in MiB
    #[arg(long, env = "LOGBOOK_COUNTS_CACHE_MIB", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub counts_cache_mib: u32,
    /// Maximum size of a workspace's kept exports, in MiB
    #[arg(long, env = "LOGBOOK_EXPORTS_MIB", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub exports_mib: u32,
    /// Maximum size of a workspace's quarantine, in MiB; beyond it, the doors of sources return 503 for what they cannot read
    #[arg(long, env = "LOGBOOK_QUARANTINE_MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub quarantine_mib: u32,
    /// Leave the background jobs (index, counts) to other processes on the same database
    #[arg(long, env = "LOGBOOK_NO_BACKGROUND_JOBS")]
    pub no_background_jobs: bool,
    /// Do not apply pending migrations; refuse to start if there are any
    #[arg(long, env = "LOGBOOK_NO_MIGRATE")]
    pub no_migrate: bool,
    /// Write log lines as JSON
    #[arg(long, env = "LOGBOOK_LOG_JSON")]
    pub log_json: bool,
    #[command(flatten)]
    pub oidc: OidcConfig,
}

/// The identity provider. docs/SIGN-IN.md describes how to set one up.
#[derive(Args, Clone, Debug, Default)]
pub struct OidcConfig {
    /// Issuer of the identity provider, exactly as in its tokens: https://id.example/realms/main
    #[arg(long, env = "LOGBOOK_OIDC_ISSUER")]
    pub oidc_issuer: Option<String>,
    /// Audiences whose bearer tokens from the provider are accepted; without one, none are accepted
    #[arg(long, env = "LOGBOOK_OIDC_AUDIENCE", value_delimiter = ',', requires = "oidc_issuer")]
    pub oidc_audience: Vec<String>,
    /// URL at which the provider publishes its keys. Default: the one in its discovery document
    #[arg(long, env = "LOGBOOK_OIDC_JWKS_URL", requires = "oidc_issuer")]
    pub oidc_jwks_url: Option<url::Url>,
    /// File with the provider's only public key in PEM, used instead of the keys that it publishes
    #[arg(long, env = "LOGBOOK_OIDC_PUBLIC_KEY", requires = "oidc_issuer", conflicts_with = "oidc_jwks_url")]
    pub oidc_public_key: Option<PathBuf>,
    /// Accepted signature algorithms
    #[arg(long, env = "LOGBOOK_OIDC_ALGORITHMS", value_delimiter = ',', default_value = "RS256,ES256,EdDSA")]
    pub oidc_algorithms: Vec<String>,
    /// Claim that holds the roles, by its name or path
    #[arg(long, env = "LOGBOOK_OIDC_ROLES_CLAIM", default_value = "logbook_roles")]
    pub oidc_roles_claim: String,
    /// Logbook's client id at the provider; it lets people sign in there
    #[arg(long, env = "LOGBOOK_OIDC_CLIENT_ID", requires = "oidc_issuer")]
    pub oidc_client_id: Option<String>,
    /// Client secret, if the client has one
    #[arg(long, env = "LOGBOOK_OIDC_CLIENT_SECRET", hide_env_values = true, requires = "oidc_client_id")]
    pub oidc_client_secret: Option<String>,
    /// Name of the provider on the sign-in page: "Sign in with …"
    #[arg(long, env = "LOGBOOK_OIDC_NAME", default_value = "single sign-on")]
    pub oidc_name: String,
    /// Scopes that are requested at sign-in
    #[arg(long, env = "LOGBOOK_OIDC_SCOPES", value_delimiter = ' ', default_value = "openid email profile")]
    pub oidc_scopes: Vec<String>,
    /// Hours after which a session that began at the provider has to sign in there again
    #[arg(long, env = "LOGBOOK_OIDC_SESSION_HOURS", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=336))]
    pub oidc_session_hours: u32,
}

fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).min(8)
}

impl ServeConfig {
    /// The server's base URL for people, without a trailing slash.
    pub fn origin(&self, address: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None if address.ip().is_unspecified() => format!("http://localhost:{}", address.port()),
            None => format!("http://{address}"),
        }
    }

    pub fn allowed(&self) -> Allowed {
        Allowed { key: self.rate_key, user: self.rate_user, address: self.rate_address }
    }

    /// Whether people reach the server by HTTPS.
    pub fn is_secure(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }
}
