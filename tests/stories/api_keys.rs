//! API keys: shown once, for one workspace and one role, until they expire or are revoked.

use logbook::accounts::role::Role;
use logbook_engine::db::timestamp::Timestamp;
use logbook_tests::{Answer, TestServer, on_both, server::sample, wait::wait_until};
use serde_json::{Value, json};

const KEYS: &str = "/workspaces/clinic/keys";
const LOG: &str = "/workspaces/clinic/logs/access";

fn made(server: &TestServer, role: &str) -> Answer {
    server.admin().post(KEYS, json!({"name": "Vector in Mumbai", "role": role})).expect(201)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

/// The key in the list of keys.
fn listed(server: &TestServer, prefix: &str) -> Value {
    let list = server.admin().get(KEYS).expect(200);
    list.data().iter().find(|key| key["prefix"] == prefix).expect("it is in the list").clone()
}

on_both!(a_key_appends_until_it_is_revoked, |server| {
    server.workspace("clinic");
    let made = made(&server, "writer");
    let token = text(&made.json, "token").to_owned();
    let prefix = text(&made.json["key"], "prefix").to_owned();
    assert!(token.starts_with(&format!("lbk_{prefix}_")), "{token}");
    assert_eq!(
        (&made.json["key"]["role"], &made.json["key"]["state"], &made.json["key"]["created_by"]),
        (&json!("writer"), &json!("active"), &json!("test"))
    );
    assert_eq!(made.headers["cache-control"], "no-store");
    let producer = server.bearer(&token);
    producer.post(LOG, json!([sample("access", 1)])).expect(201);
    assert_eq!(producer.get(LOG).expect(403).code(), "forbidden");
    let me = producer.get("/me").expect(200).json;
    assert_eq!(me["user"]["id"], format!("key:{prefix}"));
    assert_eq!((&me["user"]["name"], &me["platform_admin"]), (&json!("Vector in Mumbai"), &json!(false)));
    assert_eq!(me["workspaces"].as_array().map(Vec::len), Some(1));

    server.admin().delete(&format!("{KEYS}/{prefix}")).expect(204);
    let refused = producer.post(LOG, json!([sample("access", 2)])).expect(401);
    assert_eq!(refused.code(), "unauthenticated");
    assert_eq!(listed(&server, &prefix)["state"], "revoked");
    server.admin().delete(&format!("{KEYS}/{prefix}")).expect(204);
    assert_eq!(server.admin().get(LOG).expect(200).data().len(), 1);
});

on_both!(a_key_that_another_server_revoked_is_refused_soon, |server| {
    server.workspace("clinic");
    let made = made(&server, "viewer");
    let reader = server.bearer(text(&made.json, "token"));
    reader.get(LOG).expect(200);
    server.sql("UPDATE api_keys SET revoked_at = created_at");
    wait_until("the revocation is seen", || reader.get(LOG).status == 401);
});

on_both!(the_secret_of_a_key_is_nowhere, |server| {
    server.workspace("clinic");
    let made = made(&server, "admin");
    let token = text(&made.json, "token").to_owned();
    // lbk_<prefix>_<secret>, and a secret may have a _ itself.
    let secret = token.splitn(3, '_').nth(2).expect("a secret");
    let key = server.bearer(&token);
    for path in [KEYS, "/me", "/workspaces/clinic", LOG, "/workspaces/clinic/members"] {
        let answer = key.get(path).expect(200).text;
        assert!(!answer.contains(&token) && !answer.contains(secret), "{path}");
    }
    // A key in an event is masked.
    let leaked = json!([{"event_type": "login_failed", "status_reason": format!("tried {token}")}]);
    key.post(LOG, leaked).expect(201);
    let reason = key.get(LOG).expect(200).data()[0]["status_reason"].clone();
    assert!(reason.as_str().is_some_and(|reason| reason.starts_with("tried [masked:")), "{reason}");
    if let Some(path) = server.data.database_url.strip_prefix("sqlite://") {
        for path in [path.to_owned(), format!("{path}-wal")] {
            let bytes = std::fs::read(&path).expect("the database's file");
            assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()), "{path}");
        }
    }
});

on_both!(a_key_that_is_not_quite_right_is_refused, |server| {
    server.workspace("clinic");
    let made = made(&server, "viewer");
    let token = text(&made.json, "token").to_owned();
    let prefix = text(&made.json["key"], "prefix");
    server.bearer(&token).get(LOG).expect(200);
    let other = made_in_another_workspace(&server);
    for bad in [
        "lbk_".to_owned(),
        format!("lbk_{prefix}"),
        format!("lbk_{prefix}_"),
        token[..token.len() - 1].into(),
        format!("{token}A"),
        token.to_uppercase(),
        token.replace("lbk_", "LBK_"),
        token.replace("lbk_", ""),
        format!("lbk_{}", &token[4..].replace(prefix, "aaaaaaaaaaaa")),
        // This key's name with that key's secret.
        format!("lbk_{prefix}_{}", &other["lbk_".len() + prefix.len() + 1..]),
        format!("lbk_{}_{}", "' OR 1=1 --", "x"),
        format!("lbk_{prefix}%_{}", "x"),
    ] {
        assert_eq!(server.bearer(&bad).get(LOG).expect(401).code(), "unauthenticated", "{bad}");
    }
    server.bearer(&other).get(LOG).expect(404);
});

fn made_in_another_workspace(server: &TestServer) -> String {
    server.workspace("shop");
    let made =
        server.admin().post("/workspaces/shop/keys", json!({"name": "x", "role": "admin"})).expect(201);
    text(&made.json, "token").to_owned()
}

on_both!(a_key_expires, |server| {
    server.workspace("clinic");
    // A slow machine may need more than two seconds to make a key and to use it.
    let expired = [2, 20, 200].into_iter().any(|seconds| {
        let soon = Timestamp::now().plus_seconds(seconds).to_string();
        let body = json!({"name": "short", "role": "viewer", "expires_at": soon});
        let made = server.admin().post(KEYS, body);
        if made.status == 422 {
            return false;
        }
        let made = made.expect(201);
        assert_eq!(made.json["key"]["expires_at"], soon);
        let reader = server.bearer(text(&made.json, "token"));
        if reader.get(LOG).status != 200 {
            return false;
        }
        wait_until("it expires", || reader.get(LOG).status == 401);
        assert_eq!(reader.get(LOG).expect(401).code(), "token_expired");
        assert_eq!(listed(&server, text(&made.json["key"], "prefix"))["state"], "expired");
        true
    });
    assert!(expired, "a key is good until it expires");
});

on_both!(each_error_in_a_new_key_is_named, |server| {
    server.workspace("clinic");
    let past = Timestamp::now().plus_seconds(-1).to_string();
    for (body, place) in [
        (json!({"role": "viewer"}), "/name"),
        (json!({"name": "", "role": "viewer"}), "/name"),
        (json!({"name": "n".repeat(201), "role": "viewer"}), "/name"),
        (json!({"name": "a\u{0}", "role": "viewer"}), "/name"),
        (json!({"name": "x"}), "/role"),
        (json!({"name": "x", "role": "owner"}), "/role"),
        (json!({"name": "x", "role": "viewer", "expires_at": past}), "/expires_at"),
        (json!({"name": "x", "role": "viewer", "expires_at": "2099-01-01T00:00:00Z"}), "/expires_at"),
        (json!({"name": "x", "role": "viewer", "expires_at": "tomorrow"}), "/expires_at"),
        (json!({"name": "x", "role": "viewer", "token": "lbk_mine"}), "/token"),
    ] {
        let answer = server.admin().post(KEYS, body.clone()).expect(422);
        assert_eq!(answer.places(), [place], "{body}: {}", answer.text);
    }
    assert!(server.admin().get(KEYS).expect(200).data().is_empty());
    for prefix in ["k7w2m9x4c1qd", "x", "%25"] {
        server.admin().delete(&format!("{KEYS}/{prefix}")).expect(404);
    }
});

on_both!(a_key_of_another_workspace_is_unknown, |server| {
    let clinic = server.workspace("clinic");
    let other = made_in_another_workspace(&server);
    let prefix = other.split('_').nth(1).expect("a prefix");
    let admin = server.member(&clinic, Role::Admin);
    assert_eq!(
        admin.delete(&format!("{KEYS}/{prefix}")).expect(404).json["detail"],
        admin.delete(&format!("{KEYS}/k7w2m9x4c1qd")).expect(404).json["detail"]
    );
    server.bearer(&other).get("/workspaces/shop/keys").expect(200);
    assert!(admin.get(KEYS).expect(200).data().is_empty());
});

on_both!(the_use_of_a_key_is_noted_once_a_minute, |server| {
    server.workspace("clinic");
    let made = made(&server, "viewer");
    let prefix = text(&made.json["key"], "prefix").to_owned();
    assert_eq!(listed(&server, &prefix)["last_used_at"], Value::Null);
    let reader = server.bearer(text(&made.json, "token"));
    reader.get(LOG).expect(200);
    wait_until("the use is noted", || listed(&server, &prefix)["last_used_at"] != Value::Null);
    let first = listed(&server, &prefix)["last_used_at"].clone();
    for _ in 0..5 {
        reader.get(LOG).expect(200);
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(listed(&server, &prefix)["last_used_at"], first);
    // Another server, which has not seen the key before, writes the use only after a minute.
    let again = server.beside();
    again.bearer(text(&made.json, "token")).get(LOG).expect(200);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(listed(&server, &prefix)["last_used_at"], first);
    server.shift("api_keys", "last_used_at", -61);
    let third = server.beside();
    third.bearer(text(&made.json, "token")).get(LOG).expect(200);
    let late = || listed(&server, &prefix)["last_used_at"].as_str() > first.as_str();
    wait_until("the next use is noted", late);
});
