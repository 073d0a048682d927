//! The keys of an OpenID Connect provider: the server fetches them when it needs them and not more often, from the right
//! place, and still knows them while the provider is away.

use std::{thread, time::Instant};

use jsonwebtoken::{Algorithm, EncodingKey};
use logbook_tests::{
    Answer, Issuer, TestServer,
    jose::{KeyPair, OTHER_RSA, RSA, jws},
    wait::wait_until,
    with_issuer,
};
use serde_json::{Value, json};

const DISCOVERY: &str = "/.well-known/openid-configuration";

fn everywhere() -> Value {
    json!({"*": "admin"})
}

/// Sends requests until the server asks the provider again, which it does every few seconds at most. Returns the answer.
#[track_caller]
fn asked_again(issuer: &Issuer, path: &str, ask: impl Fn() -> Answer) -> Answer {
    let before = issuer.asked(path);
    let mut answer = None;
    wait_until("the provider is asked again", || {
        answer = Some(ask());
        issuer.asked(path) > before
    });
    answer.expect("an answer")
}

with_issuer!(a_new_key_is_fetched_once_and_unknown_ones_at_most_once_a_minute, |server, issuer| {
    let started = Instant::now();
    let status = |token: &str| server.bearer(token).get("/workspaces").status;
    let good = issuer.token(everywhere());
    assert_eq!((status(&good), status(&good), issuer.asked("/jwks")), (200, 200, 1));
    // The provider changes its key: the server fetches it for the first token that names it.
    let new = KeyPair::p256();
    issuer.state().keys = vec![new.public("new")];
    let token = new.sign("new", &issuer.claims(everywhere()));
    let all = thread::scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| status(&token))).collect();
        asked.into_iter().map(|asked| asked.join().expect("an answer")).collect::<Vec<_>>()
    });
    assert_eq!((all, issuer.asked("/jwks")), (vec![200; 8], 2));
    let fetched_for_unknown_names = || issuer.asked("/jwks") - 2;
    // A withdrawn key verifies nothing.
    assert_eq!(status(&good), 401);
    for n in 0..20 {
        assert_eq!(status(&new.sign(&format!("unknown-{n}"), &issuer.claims(everywhere()))), 401);
    }
    assert!(fetched_for_unknown_names() as u64 <= started.elapsed().as_secs() / 60, "at most once a minute");
    assert_eq!(status(&token), 200);
});

with_issuer!(a_known_key_verifies_while_the_provider_is_away, |server, issuer| {
    let client = server.bearer(&issuer.token(everywhere()));
    issuer.state().away = true;
    let answer = client.get("/workspaces").expect(503);
    assert_eq!((answer.code(), answer.headers["retry-after"].as_str()), ("provider_unavailable", "1"));
    let (before, since) = (issuer.asked(DISCOVERY), Instant::now());
    (0..10).for_each(|_| drop(client.get("/workspaces").expect(503)));
    let asked = issuer.asked(DISCOVERY) - before;
    assert!(asked as u64 <= since.elapsed().as_secs() / 5 + 1, "it is not asked all the time");
    server.admin().get("/workspaces").expect(200);
    // It comes back, and no restart is needed.
    issuer.state().away = false;
    wait_until("the provider is found again", || client.get("/workspaces").status == 200);
    issuer.state().away = true;
    let unknown = issuer.key.sign("unknown", &issuer.claims(everywhere()));
    assert_eq!(server.bearer(&unknown).get("/workspaces").expect(503).code(), "provider_unavailable");
    client.get("/workspaces").expect(200);
    server.bearer(&issuer.token(everywhere())).get("/workspaces").expect(200);
});

with_issuer!(keys_are_fetched_from_the_provider_and_nowhere_else, |server, issuer| {
    let other = Issuer::start();
    let client = server.bearer(&issuer.token(everywhere()));
    for (name, value) in [
        ("issuer", json!(other.url)),
        ("jwks_uri", json!("http://192.0.2.1/jwks")),
        ("token_endpoint", json!("http://192.0.2.1/token")),
        ("jwks_uri", json!("file:///etc/passwd")),
    ] {
        issuer.state().description = [(name.to_owned(), value)].into();
        let answer = asked_again(&issuer, DISCOVERY, || client.get("/workspaces"));
        assert_eq!(answer.expect(503).code(), "provider_unavailable", "{name}");
    }
    issuer.state().description.clear();
    issuer.state().keys_moved_to = Some(format!("{}/jwks", other.url));
    assert_eq!(issuer.asked("/jwks"), 0, "those documents led nowhere");
    asked_again(&issuer, "/jwks", || client.get("/workspaces")).expect(503);
    assert_eq!(other.asked("/jwks"), 0, "no redirect is followed");
    issuer.state().keys_moved_to = None;
    let keys = std::mem::take(&mut issuer.state().keys);
    asked_again(&issuer, "/jwks", || client.get("/workspaces")).expect(503);
    issuer.state().keys = keys;
    wait_until("the keys are there again", || client.get("/workspaces").status == 200);
});

#[test]
fn a_key_from_a_file_needs_no_running_provider() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("provider.pem");
    let issuer = Issuer::start();
    issuer.state().away = true;
    for key in [&*RSA, &KeyPair::p256(), &KeyPair::ed25519()] {
        std::fs::write(&path, &key.pem).expect("written");
        let server = TestServer::sqlite_with(|config| {
            config.oidc = issuer.config();
            config.oidc.oidc_public_key = Some(path.clone());
        });
        let token = key.sign("whatever", &issuer.claims(everywhere()));
        server.bearer(&token).get("/workspaces").expect(200);
        for forged in [KeyPair::p256(), KeyPair::ed25519(), OTHER_RSA.clone()] {
            let token = forged.sign("whatever", &issuer.claims(everywhere()));
            server.bearer(&token).get("/workspaces").expect(401);
        }
        let hs = EncodingKey::from_secret(key.pem.as_bytes());
        let header = json!({"alg": "HS256"}).to_string();
        let token = jws(header, issuer.claims(everywhere()).to_string(), &hs, Algorithm::HS256);
        server.bearer(&token).get("/workspaces").expect(401);
    }
    assert_eq!(issuer.asked("/.well-known/openid-configuration"), 0);
}

#[test]
fn a_server_with_wrong_provider_settings_does_not_start() {
    use logbook::auth::oidc::{Provider, Settings};
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        Some(path)
    };
    let good = Settings {
        issuer: "https://id.example".into(),
        audience: vec!["logbook".into()],
        jwks_url: None,
        public_key: None,
        algorithms: vec!["RS256".into()],
        roles_claim: "logbook_roles".into(),
        client: None,
    };
    assert!(Provider::new(good.clone()).is_ok());
    for (settings, word) in [
        (Settings { issuer: "http://id.example".into(), ..good.clone() }, "https"),
        (Settings { issuer: "id.example".into(), ..good.clone() }, "issuer"),
        (Settings { jwks_url: "http://id.example/jwks".parse().ok(), ..good.clone() }, "https"),
        (Settings { algorithms: vec!["RS256".into(), "HS256".into()], ..good.clone() }, "symmetric"),
        (Settings { algorithms: vec!["none".into()], ..good.clone() }, "none"),
        (Settings { public_key: Some("/nowhere.pem".into()), ..good.clone() }, "nowhere"),
        (Settings { public_key: file("a.pem", "secret"), ..good.clone() }, "public key"),
        (
            Settings { public_key: file("b.pem", "-----BEGIN PRIVATE KEY-----\n"), ..good.clone() },
            "public key",
        ),
        (Settings { public_key: file("c.pem", &KeyPair::ed25519().pem), ..good.clone() }, "algorithms"),
        (Settings { public_key: file("d.pem", &KeyPair::rsa(1024).pem), ..good.clone() }, "2048"),
    ] {
        let error = Provider::new(settings).err().expect("an error");
        assert!(error.contains(word), "{error}");
    }
}
