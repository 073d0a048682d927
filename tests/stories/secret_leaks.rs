//! A secret that reaches the server, in whatever way, is in no log line, no answer and no metric.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
};

use logbook::accounts::{members, role::Role, users};
use logbook_tests::{Answer, Client, TestServer, on_both};
use serde_json::json;
use tracing_subscriber::{filter::Targets, fmt::MakeWriter, prelude::*};

/// All log lines of this process, with the levels set as low as they can be.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("the lines").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn listen() -> Self {
        static LINES: OnceLock<Lines> = OnceLock::new();
        let listen = || {
            let lines = Self::default();
            // But not what the story's own client says of what it sends.
            let filter: Targets = "debug,logbook=trace,ureq=off,ureq_proto=off".parse().expect("a filter");
            let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(lines.clone());
            tracing_subscriber::registry().with(filter).with(layer).init();
            lines
        };
        LINES.get_or_init(listen).clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("the lines")).into_owned()
    }
}

/// A secret that is nowhere by chance, and of no kind that masking knows.
fn planted(server: &TestServer) -> String {
    format!("plum{}x{}", server.address.port(), std::process::id())
}

/// Requests with the secret in every place where one may be, rightly or by mistake.
fn ways(server: &TestServer, secret: &str) -> Vec<Answer> {
    let (nobody, admin) = (server.nobody(), server.admin());
    let logs = "/workspaces/clinic/logs";
    let login = |email: &str, password: &str| {
        nobody.post("/auth/login", json!({"email": email, "password": password}))
    };
    let raw = |client: &Client, path: &str, body: String| {
        client.send("POST", path, "application/json", body.as_bytes())
    };
    let made = admin.post("/workspaces/clinic/keys", json!({"name": "Vector", "role": "writer"}));
    let prefix = made.json["key"]["prefix"].as_str().unwrap_or("k7w2m9x4c1qd").to_owned();
    let masked = json!([{
        "event_type": "login", "metadata": {"password": secret, "deeper": {"api_key": secret}}
    }]);
    vec![
        login("asha@clinic.test", secret),
        login(secret, secret),
        login("asha@clinic.test", &secret.repeat(20)),
        raw(&nobody, "/auth/login", format!("{{\"email\": \"a\", \"password\": \"{secret}\"")),
        raw(&nobody, "/auth/login", json!({"email": "a", "password": [secret]}).to_string()),
        raw(&nobody, "/auth/login", json!(secret).to_string()),
        nobody.post("/auth/link", json!({"token": secret})),
        nobody.with_header("cookie", &format!("logbook_refresh={secret}")).post("/auth/refresh", json!(null)),
        nobody.with_header("cookie", &format!("logbook_sign_in={secret}")).get("/auth/oidc/callback"),
        nobody.query("/auth/oidc/callback", &[("code", secret), ("state", secret)]),
        admin.put("/auth/password", json!({"password": secret.repeat(2), "current_password": secret})),
        server.bearer(secret).get(&format!("{logs}/access")),
        server.bearer(&format!("lbk_{prefix}_{secret}")).get(&format!("{logs}/access")),
        server.bearer(&format!("eyJhbGciOiJIUzI1NiJ9.{secret}.{secret}")).get("/me"),
        nobody.with_header("authorization", &format!("Basic {secret}")).get("/me"),
        admin.query(&format!("{logs}/access"), &[("q", secret)]),
        admin.query(&format!("{logs}/access/metrics"), &[("user_id", secret)]),
        admin.query(&format!("{logs}/access"), &[("cursor", secret)]),
        admin.query(&format!("{logs}/access"), &[("token", secret)]),
        admin.with_header("user-agent", "plain").post(&format!("{logs}/access"), masked.clone()),
        raw(&admin, &format!("{logs}/access"), format!("[{{\"event_type\": \"{secret}")),
        raw(&admin, &format!("{logs}/ingest"), format!("{{\"log\": \"access\", \"event_type\": \"{secret}")),
        admin.with_header("idempotency-key", secret).post(&format!("{logs}/access"), masked),
    ]
}

on_both!(
    a_planted_secret_is_in_no_log_line_no_answer_and_no_metric,
    |config| {
        config.audit = true;
    },
    |server| {
        let lines = Lines::listen();
        let clinic = server.workspace("clinic");
        let mut conn = server.db.conn().expect("a connection");
        let user = users::create(&mut conn, "asha@clinic.test", "Asha Rao", false).expect("a user");
        members::set(&mut conn, clinic.id, user.id, Role::Viewer).expect("a member");
        drop(conn);
        let secret = planted(&server);
        let said = |answer: &Answer| format!("{:?} {}", answer.headers, answer.text).contains(&secret);
        for (n, answer) in ways(&server, &secret).iter().enumerate() {
            assert!(answer.status < 500 && !said(answer), "way {n}: {answer:?}");
        }
        server.settle();
        for path in ["access", "application", "framework", "activity", "feed"] {
            let answer = server.admin().get(&format!("/workspaces/clinic/logs/{path}")).expect(200);
            assert!(!said(&answer), "{path}: {}", answer.text);
            // Events that belong to no workspace are in the platform's own.
            let answer = server.admin().get(&format!("/workspaces/logbook/logs/{path}")).expect(200);
            assert!(!said(&answer), "{path}: {}", answer.text);
        }
        // Failures are logged, and databases like to quote.
        server.sql("ALTER TABLE events RENAME TO gone");
        for (n, answer) in ways(&server, &secret).iter().enumerate() {
            assert!(!said(answer), "way {n}, broken: {answer:?}");
        }
        assert!(!said(&server.admin().get("/metrics").expect(200)));
        server.settle();

        let text = lines.text();
        assert!(text.contains("/api/v1/auth/login") && text.contains("query failed"), "the lines are there");
        let line = text.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None);
    }
);
