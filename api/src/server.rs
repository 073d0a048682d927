//! Puts the parts together and listens.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
};

use actix_web::{
    App, HttpServer,
    dev::Server,
    http::header::STRICT_TRANSPORT_SECURITY,
    middleware::{Compress, Condition, DefaultHeaders, from_fn},
    rt,
    web::{self, Data},
};
use logbook_engine::{
    append::{
        DedupeWindow,
        queue::{Appender, AppenderConfig},
    },
    caches::Caches,
    db::{Conn, Db, dialect, migrations, roles},
    jobs::Jobs,
};

use crate::{
    accounts::{sign_in_links, users, workspaces::Workspaces},
    app::{self, Services},
    audit::AuditLog,
    auth::{
        api_keys::ApiKeyCache,
        oidc::{self, Provider},
        permissions::PermissionCache,
        sealing_key::SealingKey,
        second_factor::SecondFactors,
        sessions::Sessions,
        tokens::Tokens,
    },
    config::{DataConfig, OidcConfig, ServeConfig},
    http::{client::Proxies, error::Problem},
    limits::{requests::RequestLimits, streams::Streams},
    middleware,
    routes::{logs::sink::ExportFolder, oidc::OIDC_CALLBACK},
    sources::registry::Registry,
};

/// Connections of the appender: one per shard, and one to spare.
const WRITERS: u32 = 5;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {error}{}", hint(.error))]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error("cannot use the data folder {path}: {error}")]
    DataDir { path: String, error: std::io::Error },
    #[error(transparent)]
    Database(#[from] logbook_engine::db::Error),
    #[error("the database has pending migrations; run: logbook migrate")]
    Migrations,
    #[error("the settings of the identity provider are invalid: {0}")]
    Provider(String),
    #[error("there is no index.html in {0}; build the web application first")]
    WebDir(String),
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

fn hint(error: &std::io::Error) -> &'static str {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        "\nAnother program uses this port. Choose another one with --listen 127.0.0.1:PORT"
    } else {
        ""
    }
}

/// A server that listens but has not been awaited yet.
pub struct Started {
    pub server: Server,
    pub address: SocketAddr,
    pub db: Db,
    pub appender: Appender,
    pub audit: AuditLog,
    pub streams: Data<Streams>,
    pub origin: String,
}

/// Opens the database, applies migrations, starts the appender and listens.
///
/// # Errors
/// With a message for the person who started the server.
pub fn start(data: &DataConfig, config: &ServeConfig) -> Result<Started, StartError> {
    if let Some(web_dir) = &config.web_dir
        && !web_dir.join("index.html").is_file()
    {
        return Err(StartError::WebDir(web_dir.display().to_string()));
    }
    // First, so that a second server on the same port changes nothing.
    let listener = TcpListener::bind(config.listen)
        .map_err(|error| StartError::Listen { address: config.listen, error })?;
    let address = listener.local_addr()?;

    let db = Db::open(&data.database_url, config.database_connections)?;
    prepare(&mut *db.conn()?, config.no_migrate)?;
    let tokens = open_tokens(&data.data_dir)?;
    let sealing_key = SealingKey::open(&data.data_dir).map_err(data_dir(&data.data_dir))?;
    let second_factors = SecondFactors::from_data_dir(&data.data_dir).map_err(data_dir(&data.data_dir))?;
    // Connections of its own, so that slow readers never keep an event from being stored.
    let writers = Db::open_lazily(&data.database_url, WRITERS)?;
    let appender = Appender::start(
        &writers,
        AppenderConfig {
            windows: DedupeWindow { dedupe_seconds: i64::from(config.dedupe_days) * 86_400 },
            queue_events: config.queue_events as usize,
            queue_kib: config.queue_mib as usize * 1024,
        },
    );
    let sessions = Sessions::new(config.is_secure(), config.origin(address));
    let audit = AuditLog::start(&db, &appender, data.audit);
    let mib = |mib: u32| u64::from(mib) * 1024 * 1024;
    let caches = Caches::new(mib(config.index_cache_mib), mib(config.counts_cache_mib));
    let start_jobs = || Jobs::start(&data.database_url, &data.data_dir);
    let jobs = (!config.no_background_jobs).then(start_jobs).transpose()?;
    let provider = open_provider(config, address)?;
    let streams: Data<Streams> = Data::default();
    let exports = Data::new(ExportFolder::new(&data.data_dir, mib(config.exports_mib)));
    rt::spawn(exports.clone().into_inner().keep_clean(db.clone()));
    let services = Services {
        workspaces: Data::new(Workspaces::new(&db)),
        api_keys: Data::new(ApiKeyCache::new(&db)),
        permissions: Data::new(PermissionCache::new(&db)),
        db: Data::new(db.clone()),
        appender: Data::new(appender.clone()),
        caches: Data::new(caches),
        jobs: Data::new(jobs),
        tokens: Data::new(tokens),
        sessions: Data::new(sessions),
        second_factors: Data::new(second_factors),
        sealing_key: Data::new(sealing_key),
        sources: Data::new(Registry::new(&db, mib(config.quarantine_mib))),
        provider: provider.map(Data::new),
        audit: Data::new(audit.clone()),
        proxies: Data::new(Proxies(config.trusted_proxies.clone())),
        limits: Data::new(RequestLimits::new(config.allowed())),
        streams: streams.clone(),
        exports,
        counters: Data::default(),
        web_dir: config.web_dir.clone(),
    };
    let (origins, secure) = (config.cors_origins.clone(), config.is_secure());
    let server = HttpServer::new(move || {
        App::new()
            .wrap(Compress::default())
            .wrap(Condition::new(secure, strict_transport()))
            .wrap(Condition::new(!origins.is_empty(), middleware::cors(&origins)))
            .wrap(from_fn(middleware::observe))
            .configure(|config| app::configure(config, &services))
            .default_service(web::to(app::no_route))
    })
    .workers(config.workers)
    // A client that closes its connection waits for nothing any more: its search or its tail ends.
    .h1_allow_half_closed(false)
    .shutdown_timeout(10)
    .listen(listener)?
    .run();
    Ok(Started { server, address, db, appender, audit, streams, origin: config.origin(address) })
}

/// For a year browsers come over TLS only (RFC 6797). Other hosts of the domain are not ours to decide for.
fn strict_transport() -> DefaultHeaders {
    DefaultHeaders::new().add((STRICT_TRANSPORT_SECURITY, "max-age=31536000"))
}

fn prepare(conn: &mut Conn, no_migrate: bool) -> Result<(), StartError> {
    if !no_migrate {
        for name in migrations::run(conn)? {
            tracing::info!(name, "migration applied");
        }
    } else if migrations::pending(conn)? {
        return Err(StartError::Migrations);
    }
    roles::check(conn)?;
    Ok(dialect::check_messages(conn)?)
}

/// The identity provider, if one is configured.
fn open_provider(config: &ServeConfig, address: SocketAddr) -> Result<Option<Provider>, StartError> {
    let OidcConfig {
        oidc_issuer,
        oidc_audience,
        oidc_jwks_url,
        oidc_public_key,
        oidc_algorithms,
        oidc_roles_claim,
        oidc_client_id,
        oidc_client_secret,
        oidc_name,
        oidc_scopes,
        oidc_session_hours,
    } = config.oidc.clone();
    let Some(issuer) = oidc_issuer.filter(|issuer| !issuer.is_empty()) else { return Ok(None) };
    let redirect_url = format!("{}{}", config.origin(address), OIDC_CALLBACK);
    let redirect_url = redirect_url.parse().map_err(|error| StartError::Provider(format!("{error}")))?;
    let client = oidc_client_id.map(|id| oidc::Client {
        id,
        secret: oidc_client_secret,
        name: oidc_name,
        scopes: oidc_scopes,
        redirect_url,
        session_seconds: i64::from(oidc_session_hours) * 3600,
    });
    let settings = oidc::Settings {
        issuer,
        audience: oidc_audience,
        jwks_url: oidc_jwks_url,
        public_key: oidc_public_key,
        algorithms: oidc_algorithms,
        roles_claim: oidc_roles_claim,
        client,
    };
    Provider::new(settings).map(Some).map_err(StartError::Provider)
}

/// # Errors
/// When the key can be neither read nor created.
pub fn open_tokens(data_dir: &Path) -> Result<Tokens, StartError> {
    Tokens::from_data_dir(data_dir).map_err(self::data_dir(data_dir))
}

/// That a file of the data folder could not be used.
fn data_dir(data_dir: &Path) -> impl Fn(std::io::Error) -> StartError {
    let path = data_dir.display().to_string();
    move |error| StartError::DataDir { path: path.clone(), error }
}

/// A one-time link for the first admin, as long as no platform admin has signed in. Later: `logbook user link`.
///
/// # Errors
/// The database's.
pub fn first_link(conn: &mut Conn, origin: &str) -> Result<Option<String>, Problem> {
    if users::an_admin_has_signed_in(conn)? {
        return Ok(None);
    }
    let admin = users::first_admin(conn)?;
    Ok(Some(Sessions::link(origin, &sign_in_links::create(conn, admin.id)?)))
}
