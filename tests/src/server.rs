//! A server under test, and what speaks to it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::{Deref, DerefMut},
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

use diesel::{Connection as _, PgConnection, SqliteConnection, connection::SimpleConnection as _};
use logbook::{
    accounts::{
        claims::Claims,
        role::Role,
        workspaces::{self, NewWorkspace, Workspace},
    },
    audit::AuditLog,
    auth::tokens::Tokens,
    config::{DataConfig, OidcConfig, ServeConfig},
    server::start,
};
use logbook_engine::db::{Conn, Db, Kind};

use crate::postgres;

use serde_json::{Value, json};
use tempfile::TempDir;

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
        no_migrate: false,
        log_json: false,
        oidc: OidcConfig::default(),
    }
}

/// The settings that a story may change.
pub struct Settings {
    pub serve: ServeConfig,
    /// Off, since most stories count events and mean their own.
    pub audit: bool,
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
    handle: actix_web::dev::ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
    _folder: TempDir,
}

impl TestServer {
    pub fn sqlite() -> Self {
        Self::sqlite_with(|_| {})
    }

    pub fn postgres() -> Self {
        Self::postgres_with(|_| {})
    }

    pub fn sqlite_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with(|folder| format!("sqlite://{}", folder.join("logbook.db").display()), change)
    }

    pub fn postgres_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with(|_| postgres::new_database(), change)
    }

    /// With other settings than the usual.
    pub fn with(url: impl FnOnce(&Path) -> String, change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = Settings { serve: serve_config(), audit: false };
        change(&mut config);
        let data = DataConfig {
            database_url: url(folder.path()),
            data_dir: folder.path().join("data"),
            audit: config.audit,
        };
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn({
            let data = data.clone();
            move || {
                actix_web::rt::System::new().block_on(async move {
                    let started = start(&data, &config.serve).expect("the server starts");
                    let sent =
                        (started.address, started.db.clone(), started.audit.clone(), started.server.handle());
                    sender.send(sent).expect("the test waits");
                    started.server.await.expect("the server runs");
                });
            }
        });
        let (address, db, audit, handle) = receiver.recv().expect("the server starts");
        let tokens = Tokens::from_data_dir(&data.data_dir).expect("the server's key");
        Self { address, db, data, audit, tokens, handle, thread: Some(thread), _folder: folder }
    }

    /// Waits until what the server said of itself is stored.
    pub fn settle(&self) {
        actix_web::rt::System::new().block_on(self.audit.flush());
    }

    pub fn is_postgres(&self) -> bool {
        self.db.kind == Kind::Postgres
    }

    /// Statements straight at the database, past the server.
    pub fn sql(&self, statements: &str) {
        self.own_connection().batch_execute(statements).expect("the statements run");
    }

    /// A connection beside the server's pool: what it holds, the server waits for. On PostgreSQL a superuser's, who sees all
    /// workspaces.
    pub fn own_connection(&self) -> Conn {
        let url = &self.data.database_url;
        match url.strip_prefix("sqlite://") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path).expect("a connection");
                conn.batch_execute("PRAGMA busy_timeout = 5000").expect("a setting");
                Conn::Sqlite(conn)
            }
            None => Conn::Pg(PgConnection::establish(&postgres::as_superuser(url)).expect("a connection")),
        }
    }

    /// Signs claims as this server does.
    pub fn sign(&self, claims: &Claims) -> String {
        self.tokens.sign(claims).expect("a token")
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
        let mut claims = Claims::new("token:test".into(), "test".into(), 3600);
        claims.everywhere = Some(Role::Admin);
        claims.platform_admin = true;
        self.client(&claims)
    }

    /// A client with one role in one workspace.
    pub fn member(&self, workspace: &Workspace, role: Role) -> Client {
        let mut claims = Claims::new("token:test".into(), "test".into(), 3600);
        claims.roles.insert(workspace.id, role);
        self.client(&claims)
    }

    pub fn client(&self, claims: &Claims) -> Client {
        self.bearer(&self.sign(claims))
    }

    /// A client that shows this token.
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

/// Speaks HTTP to a server, as somebody.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    agent: ureq::Agent,
    pub headers: BTreeMap<String, String>,
}

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    /// Null when the body is no JSON.
    pub json: Value,
    pub text: String,
}

impl Answer {
    /// The answer, once its status is the expected one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The errors' places: JSON pointers, or parameters' names.
    pub fn places(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|e| e["pointer"].as_str().or(e["parameter"].as_str())).collect()
    }

    /// The error's code.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// The events of a page.
    #[track_caller]
    pub fn data(&self) -> &Vec<Value> {
        self.json["data"].as_array().unwrap_or_else(|| panic!("no data in {}", self.text))
    }
}

impl Client {
    pub fn new(address: SocketAddr, token: Option<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // The server closes a connection that is idle for 5 s, perhaps at the moment when it is used again.
            .max_idle_age(Duration::from_secs(2))
            .build();
        let headers = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}")));
        Self { address, agent: config.into(), headers: headers.into_iter().collect() }
    }

    /// The same client with one header more.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.insert(name.to_owned(), value.to_owned());
        client
    }

    pub fn get(&self, path: &str) -> Answer {
        self.query(path, &[])
    }

    /// `get` with query parameters, escaped.
    pub fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(self.url(path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        answer(request.query_pairs(parameters.iter().copied()).call().expect("the server answers"))
    }

    /// `get` of an address outside `/api/v1`, without a token.
    pub fn absolute(&self, url: &str) -> Answer {
        answer(self.agent.get(url).call().expect("the server answers"))
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, "application/json", body.to_string().as_bytes())
    }

    pub fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, "application/json", body.to_string().as_bytes())
    }

    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, "application/json", body.to_string().as_bytes())
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, "application/json", b"")
    }

    pub fn send(&self, method: &str, path: &str, content_type: &str, body: &[u8]) -> Answer {
        self.try_send(method, path, content_type, body).expect("the server answers")
    }

    /// `send` to a server that may be killed meanwhile.
    ///
    /// # Errors
    /// When there is no answer. A status that came is one, whatever became of the body.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(self.url(path))
            .header("content-type", content_type);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(body).expect("a request");
        let agent = self.agent.configure_request(request).allow_non_standard_methods(true).build();
        self.agent.run(agent).map(answer)
    }

    fn url(&self, path: &str) -> String {
        let prefix =
            if path.starts_with("/healthz") || path.starts_with("/readyz") || path.starts_with("/metrics") {
                ""
            } else {
                "/api/v1"
            };
        format!("http://{}{prefix}{path}", self.address)
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in response.headers() {
        let value = value.to_str().unwrap_or_default();
        // A header that comes several times, as Set-Cookie does, has its values one a line.
        headers
            .entry(name.to_string())
            .and_modify(|all| *all = format!("{all}\n{value}"))
            .or_insert(value.into());
    }
    let text = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap_or_default();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status: response.status().as_u16(), headers, json, text }
}

/// A plain event of each log, to be changed as a story needs it.
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
