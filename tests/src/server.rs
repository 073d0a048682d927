//! A server under test.

use std::{
    net::SocketAddr,
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    sync::{OnceLock, mpsc},
    thread,
};

use diesel::{Connection as _, PgConnection, SqliteConnection, connection::SimpleConnection as _};
use logbook::{
    accounts::{
        claims::Claims,
        permissions,
        role::Role,
        script_tokens,
        sessions::{self, Beginning, Method},
        users::{self, User},
        workspaces::{self, NewWorkspace, Workspace},
    },
    audit::AuditLog,
    auth::tokens::Tokens,
    config::{DataConfig, OidcConfig, ServeConfig},
    http::client::ClientInfo,
    server::start,
};
use logbook_engine::db::{self, Conn, Db, Kind};

use crate::{Client, citus, postgres, sqlite, wait::PATIENCE};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The password of the stories' users.
pub const PASSWORD: &str = "correct horse battery";

/// The usual settings, on a free port.
fn serve_config() -> ServeConfig {
    ServeConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        web_dir: None,
        public_url: None,
        database_connections: 8,
        workers: 2,
        dedupe_days: 7,
        queue_events: 100_000,
        queue_mib: 64,
        trusted_proxies: Vec::new(),
        rate_key: 0,
        rate_user: 0,
        rate_address: 0,
        cors_origins: Vec::new(),
        index_cache_mib: 16,
        no_background_jobs: false,
        counts_cache_mib: 32,
        exports_mib: 64,
        quarantine_mib: 1,
        no_migrate: false,
        log_json: false,
        oidc: OidcConfig::default(),
    }
}

/// The settings that a story can change.
pub struct Settings {
    pub serve: ServeConfig,
    /// Off by default, since most stories count events and mean their own.
    pub audit: bool,
    /// Starts on an empty database, which the server migrates itself. Otherwise it starts on a copy of a migrated one,
    /// which is quicker.
    pub empty_database: bool,
}

impl Deref for Settings {
    type Target = ServeConfig;

    fn deref(&self) -> &ServeConfig {
        &self.serve
    }
}

impl DerefMut for Settings {
    fn deref_mut(&mut self) -> &mut ServeConfig {
        &mut self.serve
    }
}

/// A server on a database of its own, both gone when it is dropped.
pub struct TestServer {
    pub address: SocketAddr,
    pub db: Db,
    pub data: DataConfig,
    pub audit: AuditLog,
    tokens: Tokens,
    /// The client of [`TestServer::admin`].
    admin: OnceLock<Client>,
    handle: actix_web::dev::ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
    _folder: TempDir,
    _citus: Option<citus::OwnDatabase>,
}

/// What the thread of a server tells the test about it.
struct Running {
    address: SocketAddr,
    db: Db,
    audit: AuditLog,
    handle: actix_web::dev::ServerHandle,
}

impl TestServer {
    pub fn sqlite() -> Self {
        Self::sqlite_with(|_| {})
    }

    pub fn postgres() -> Self {
        Self::postgres_with(|_| {})
    }

    pub fn sqlite_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start(change, |folder, settings| match settings.empty_database {
            true => sqlite::new_database(folder),
            false => sqlite::migrated_database(folder),
        })
    }

    pub fn postgres_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start(change, |_, settings| match settings.empty_database {
            true => postgres::new_database(),
            false => postgres::migrated_database(),
        })
    }

    pub fn citus_with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut server = Self::start(change, |_, settings| match settings.empty_database {
            true => citus::new_database(),
            false => citus::migrated_database(),
        });
        server._citus = Some(citus::OwnDatabase::of(&server.data.database_url));
        server
    }

    /// Another server on a database that is there already.
    pub fn on_database(url: &str) -> Self {
        Self::start(|_| {}, |_, _| url.to_owned())
    }

    /// Another server on this one's database, with a data folder of its own.
    pub fn beside(&self) -> Self {
        Self::on_database(&self.data.database_url)
    }

    /// Another server on the same database, with the same keys.
    pub fn beside_with_keys(&self) -> Self {
        Self::start_in(|_| {}, |_, _| self.data.database_url.clone(), Some(self.data.data_dir.clone()))
    }

    fn start(
        change: impl FnOnce(&mut Settings),
        database_url: impl FnOnce(&Path, &Settings) -> String,
    ) -> Self {
        Self::start_in(change, database_url, None)
    }

    fn start_in(
        change: impl FnOnce(&mut Settings),
        database_url: impl FnOnce(&Path, &Settings) -> String,
        data_dir: Option<PathBuf>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = Settings { serve: serve_config(), audit: false, empty_database: false };
        change(&mut config);
        let data = DataConfig {
            database_url: database_url(folder.path(), &config),
            data_dir: data_dir.unwrap_or_else(|| folder.path().join("data")),
            audit: config.audit,
        };
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn({
            let data = data.clone();
            move || {
                actix_web::rt::System::new().block_on(async move {
                    let started = start(&data, &config.serve).expect("the server starts");
                    let running = Running {
                        address: started.address,
                        db: started.db.clone(),
                        audit: started.audit.clone(),
                        handle: started.server.handle(),
                    };
                    sender.send(running).expect("the test waits");
                    started.server.await.expect("the server runs");
                });
            }
        });
        let Running { address, db, audit, handle } = receiver.recv().expect("the server starts");
        let tokens = Tokens::from_data_dir(&data.data_dir).expect("the server's key");
        Self {
            address,
            db,
            data,
            audit,
            tokens,
            admin: OnceLock::new(),
            handle,
            thread: Some(thread),
            _folder: folder,
            _citus: None,
        }
    }

    /// Waits until the server has stored its audit events.
    pub fn settle(&self) {
        actix_web::rt::System::new().block_on(self.audit.flush());
    }

    /// Also on Citus.
    pub fn is_postgres(&self) -> bool {
        self.db.kind == Kind::Postgres
    }

    /// Whether the database is distributed: its plans are those of the shards.
    pub fn is_citus(&self) -> bool {
        match &mut self.own_connection() {
            Conn::Pg(conn) => db::citus::is_installed(conn).expect("the catalogue answers"),
            Conn::Sqlite(_) => false,
        }
    }

    /// Runs statements in the database, past the server.
    pub fn sql(&self, statements: &str) {
        self.own_connection().batch_execute(statements).expect("the statements run");
    }

    /// Moves every time in a column by a number of seconds: a story need not wait for what happens later.
    pub fn shift(&self, table: &str, column: &str, seconds: i64) {
        self.sql(&if self.is_postgres() {
            // Without a time zone the sum is immutable, as Citus wants it in an UPDATE.
            format!(
                "UPDATE {table} SET {column} =
                    ({column} AT TIME ZONE 'UTC' + interval '{seconds} seconds') AT TIME ZONE 'UTC'"
            )
        } else {
            format!("UPDATE {table} SET {column} = {column} + {seconds} * 1000000")
        });
    }

    /// Bytes, as SQL, that nothing of Logbook can read.
    pub fn garbage(&self) -> &'static str {
        if self.is_postgres() { r"'\x0102'" } else { "x'0102'" }
    }

    /// A connection outside the server's pool: the server waits for the locks that it holds. On PostgreSQL it is a
    /// superuser's, who sees all workspaces.
    pub fn own_connection(&self) -> Conn {
        connect(self.database_url())
    }

    pub fn database_url(&self) -> &str {
        &self.data.database_url
    }

    /// Signs claims as this server does, for a script's token that it knows. A person's claims come from a session.
    pub fn sign(&self, claims: &Claims) -> String {
        self.tokens.sign(&self.known(claims)).expect("a token")
    }

    /// The claims of a script's token with an id that the server knows.
    pub fn known(&self, claims: &Claims) -> Claims {
        let mut claims = claims.clone();
        if claims.sub.starts_with("token:") && claims.jti.is_none() {
            let mut conn = self.db.conn().expect("a connection");
            script_tokens::create(&mut conn, &mut claims, Role::Viewer, None).expect("a known token");
        }
        claims
    }

    /// The claims of a user who has just signed in.
    pub fn signed_in(&self, user: &User) -> Claims {
        let mut conn = self.db.conn().expect("a connection");
        let client_info = ClientInfo::default();
        let beginning = Beginning::new(Method::Password, &client_info);
        let new = sessions::start(&mut conn, user.clone(), beginning).expect("a session");
        permissions::claims(&mut conn, user, &new.session).expect("claims")
    }

    /// A workspace in UTC.
    pub fn workspace(&self, slug: &str) -> Workspace {
        self.workspace_in(slug, "UTC")
    }

    pub fn workspace_in(&self, slug: &str, timezone: &str) -> Workspace {
        let new = NewWorkspace {
            slug: slug.into(),
            name: slug.into(),
            timezone: timezone.into(),
            date_format: "dd/mm/yyyy".into(),
        };
        workspaces::create(&mut self.db.conn().expect("a connection"), &new).expect("a new workspace")
    }

    /// A client that may do everything everywhere.
    pub fn admin(&self) -> Client {
        // Threads that ask for it need not write to a database that others keep busy.
        self.admin.get_or_init(|| self.admin_called("test")).clone()
    }

    /// Another one, with this name.
    pub fn admin_called(&self, name: &str) -> Client {
        let mut claims = Claims::new("token:test".into(), name.into(), 3600);
        claims.everywhere = Some(Role::Admin);
        claims.platform_admin = true;
        self.client(&claims)
    }

    /// A client with one role in one workspace.
    pub fn member(&self, workspace: &Workspace, role: Role) -> Client {
        self.member_called("test", workspace, role)
    }

    /// Another one, with this name.
    pub fn member_called(&self, name: &str, workspace: &Workspace, role: Role) -> Client {
        let mut claims = Claims::new(format!("token:{name}"), name.into(), 3600);
        claims.roles.insert(workspace.id, role);
        self.client(&claims)
    }

    /// A user with the password [`PASSWORD`] and no role, signed in.
    pub fn user(&self, email: &str) -> Client {
        let mut conn = self.db.conn().expect("a connection");
        let user = users::create(&mut conn, email, "Asha Rao", false).expect("a user");
        users::set_password(&mut conn, &user, None, PASSWORD, None).expect("a password");
        drop(conn);
        self.client(&self.signed_in(&user))
    }

    pub fn client(&self, claims: &Claims) -> Client {
        self.bearer(&self.sign(claims))
    }

    /// A client that sends this token.
    pub fn bearer(&self, token: &str) -> Client {
        Client::new(self.address, Some(token.to_owned()))
    }

    /// A client that is not signed in.
    pub fn nobody(&self) -> Client {
        Client::new(self.address, None)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// As [`TestServer::own_connection`].
pub fn connect(url: &str) -> Conn {
    match url.strip_prefix("sqlite://") {
        Some(path) => {
            let mut conn = SqliteConnection::establish(path).expect("a connection");
            let timeout = format!("PRAGMA busy_timeout = {}", PATIENCE.as_millis());
            conn.batch_execute(&timeout).expect("a setting");
            Conn::Sqlite(conn)
        }
        None => {
            let mut conn = PgConnection::establish(&postgres::as_superuser(url)).expect("a connection");
            // Or a reader's transaction on it would see nothing on Citus' workers.
            conn.batch_execute("SET citus.propagate_set_commands = 'local'").expect("a setting");
            Conn::Pg(conn)
        }
    }
}

/// A plain event of a log, for a story to change as it needs.
pub fn sample(log: &str, n: i64) -> Value {
    let at = format!("2026-10-{:02}T{:02}:{:02}:00Z", 1 + n / 1440 % 28, n / 60 % 24, n % 60);
    match log {
        "access" => {
            json!({"event_type": "login", "occurred_at": at, "user": {"id": n.to_string(), "name": "Asha Rao"}})
        }
        "application" => json!({
            "action": "update", "occurred_at": at, "model": "patient", "record_id": n.to_string(),
            "changes": [{"field": "status", "old": "open", "new": "closed"}]
        }),
        _ => {
            json!({"action": "policy_synced", "occurred_at": at, "component": {"type": "policy", "id": n.to_string()}})
        }
    }
}
