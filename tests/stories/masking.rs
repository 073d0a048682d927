//! Secrets in events are masked before they are stored, so no answer has them.

use logbook_tests::{on_both, pagination};
use serde_json::{Value, json};

const HASH: &str = "pbkdf2_sha256$600000$0a031ae315d5ffff4f5212$597deccddd883fc20c46c4c9985f8e21585f31f6f50=";
const JWT: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
const BCRYPT: &str = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW";
const SHORT: &str = "YTpi";
const WORDS: &str = "correct horse battery staple";

/// The event with `[masked]` in place of each mask with its fingerprint.
pub(crate) fn plain(event: &Value) -> Value {
    let mut text = event.to_string();
    while let Some(start) = text.find("[masked:") {
        let end = start + text[start..].find(']').expect("its end");
        assert_eq!(end - start, "[masked:".len() + 24, "{}", &text[start..=end]);
        text.replace_range(start..=end, "[masked]");
    }
    serde_json::from_str(&text).expect("JSON")
}

fn secrets() -> [&'static str; 6] {
    [HASH, JWT, BCRYPT, SHORT, WORDS, "483920"]
}

fn events() -> Value {
    json!([
        {"log": "access", "event_type": "login_failed", "status_reason": format!("bad token {JWT} given"), "username": JWT,
         "user": {"id": "1", "name": HASH}, "user_agent": format!("curl {BCRYPT}"), "session_id": JWT, "correlation_id": BCRYPT,
         "metadata": {"password": WORDS, "form": {"otp": 483_920, "a/b": [{"secret": WORDS}]}}},
        {"log": "application", "action": "update", "model": "user", "record_id": JWT, "record_name": HASH,
         "actor": {"type": "user", "id": BCRYPT, "name": JWT},
         "changes": [
            {"field": "password", "old": "", "new": WORDS}, {"field": "note", "old": format!("was {HASH} before"), "new": null},
            {"field": "api_tokens", "added": [WORDS, JWT], "removed": []}, {"field": "city", "old": "Pune", "new": "Goa"},
            {"field": "password1", "old": null, "new": WORDS}, {"field": "login_otp_code", "old": 483_920, "new": {"x": ["483920"]}},
            {"field": "settings", "old": {"client-secret": WORDS, "theme": "dark"}, "new": true},
         ]},
        {"log": "framework", "action": "task_failed", "error": format!("Authorization: Bearer {JWT}"),
         "component": {"type": "task", "id": HASH, "name": BCRYPT},
         "metadata": {"apiKey": WORDS, "command": format!("curl -H 'Authorization: Basic {SHORT}' x"), "note": "the bearer of this letter"}},
    ])
}

on_both!(what_was_masked_is_named_by_each_logs_own_pointers, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    admin.post("/workspaces/clinic/logs/ingest", events()).expect(201);
    let one = |log: &str| admin.get(&format!("/workspaces/clinic/logs/{log}")).expect(200).data()[0].clone();
    let one = |log: &str| plain(&one(log));

    let access = one("access");
    assert_eq!(
        access["masked"],
        json!([
            "/metadata/form/a~1b/0/secret",
            "/metadata/form/otp",
            "/metadata/password",
            "/user/name",
            "/username",
            "/status_reason",
            "/user_agent",
            "/session_id",
            "/correlation_id"
        ])
    );
    assert_eq!(access["status_reason"], "bad token [masked] given");
    assert_eq!(access["metadata"]["form"]["otp"], "[masked]");

    let application = one("application");
    assert_eq!(
        application["masked"],
        json!([
            "/changes/0/new",
            "/changes/1/old",
            "/changes/2/added/0",
            "/changes/2/added/1",
            "/changes/4/new",
            "/changes/5/old",
            "/changes/5/new/x/0",
            "/changes/6/old/client-secret",
            "/actor/id",
            "/actor/name",
            "/record_id",
            "/record_name"
        ])
    );
    assert_eq!(application["changes"][0], json!({"field": "password", "old": "", "new": "[masked]"}));
    assert_eq!(
        application["changes"][1],
        json!({"field": "note", "old": "was [masked] before", "new": null})
    );
    assert_eq!(application["changes"][3], json!({"field": "city", "old": "Pune", "new": "Goa"}));
    assert_eq!(application["changes"][6]["old"], json!({"client-secret": "[masked]", "theme": "dark"}));

    let framework = one("framework");
    assert_eq!(
        framework["masked"],
        json!(["/metadata/apiKey", "/metadata/command", "/component/id", "/component/name", "/error"])
    );
    assert_eq!(framework["error"], "Authorization: Bearer [masked]");
    assert_eq!(framework["metadata"]["command"], "curl -H 'Authorization: Basic [masked]' x");
    assert_eq!(framework["metadata"]["note"], "the bearer of this letter");

    for event in [&access, &application, &framework] {
        for pointer in event["masked"].as_array().expect("pointers") {
            let value = event.pointer(pointer.as_str().expect("a pointer"));
            let value =
                value.and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} leads nowhere in {event}"));
            assert!(value.contains("[masked]"), "{pointer}: {value}");
        }
    }
});

on_both!(a_secret_is_in_no_answer, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let answer = admin.post("/workspaces/clinic/logs/ingest", events()).expect(201);
    let mut texts = vec![
        answer.text.clone(),
        Value::from(pagination::feed(&admin, "clinic", "0".into(), 100)).to_string(),
    ];
    for (i, log) in ["access", "application", "framework"].into_iter().enumerate() {
        let path = format!("/workspaces/clinic/logs/{log}");
        texts.push(admin.get(&path).expect(200).text);
        texts.push(
            admin
                .get(&format!("{path}/{}", answer.json["results"][i]["id"].as_str().expect("id")))
                .expect(200)
                .text,
        );
        texts.push(admin.get(&format!("{path}/facets")).expect(200).text);
        for secret in secrets() {
            assert!(
                admin.query(&path, &[("q", secret)]).expect(200).data().is_empty(),
                "{secret} is found in {log}"
            );
            let half = &secret[..secret.len().min(30)];
            assert!(
                admin.query(&path, &[("q", half)]).expect(200).data().is_empty(),
                "{half} is found in {log}"
            );
        }
    }
    for secret in secrets() {
        assert!(!texts.iter().any(|text| text.contains(secret)), "{secret} got out");
    }
    assert_eq!(
        admin.query("/workspaces/clinic/logs/application", &[("q", "[masked:")]).expect(200).data().len(),
        1
    );
});

on_both!(what_only_sounds_like_a_secret_stays, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let metadata = json!({
        "token_count": 17, "password_changed_at": "2026-01-01", "author": "Asha", "sha256": "ab".repeat(32), "secretary": "Jo",
        "uuid": "a401a006-e524-460b-87c3-efe91686bc82", "has_password": true, "pincode": "411001", "tokenizer": "bpe",
        "password": null, "secret": "", "otp": [], "keyboard": "qwerty", "tokens": 1200, "total_tokens": 1843, "pin_code": 560_034,
        "next_page_token": "CAUQAA8f7k299xqT", "private_key_path": "/etc/ssl/clinic.key", "prior_authorization": "PA-2024-00187",
        "image": format!("registry.test/api@sha256:{}", "ab".repeat(32)), "evidence_sha512": "ab".repeat(64),
    });
    let event = json!([{"event_type": "login", "metadata": metadata}]);
    admin.post("/workspaces/clinic/logs/access", event).expect(201);
    let found = admin.get("/workspaces/clinic/logs/access").expect(200).data()[0].clone();
    assert_eq!((&found["metadata"], &found["masked"]), (&metadata, &json!([])));
});

on_both!(a_secret_is_found_wherever_it_hides, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let hidden = "Lantern-204";
    let github = format!("gh{}_{}", "p", "a1B2".repeat(9));
    let event = json!([{"event_type": "login", "user_agent": format!("cli ({github})"), "metadata": {
        "пароль": hidden, "ｐａｓｓｗｏｒｄ": hidden, "pass\u{200b}word": hidden,
        "dsn": format!("postgres://app:{hidden}@db.test/app"), "query": format!("a=1&password={hidden}&b=2"),
        "body": json!({"inner": json!({"client_secret": hidden}).to_string()}).to_string(),
        "headers": [["X-Api-Key", hidden]], "list": [{"name": "password", "value": hidden}],
        "sessions": {github.clone(): {"last": "2026-01-02"}},
    }}]);
    admin.post("/workspaces/clinic/logs/access", event).expect(201);
    let answer = admin.get("/workspaces/clinic/logs/access").expect(200);
    assert!(!answer.text.contains(hidden) && !answer.text.contains(&github), "{}", answer.text);
    let found = &plain(&answer.data()[0]);
    assert_eq!(found["masked"].as_array().expect("pointers").len(), 10, "{}", found["masked"]);
    assert_eq!(found["metadata"]["dsn"], "postgres://app:[masked]@db.test/app");
    assert_eq!(found["metadata"]["query"], "a=1&password=[masked]&b=2");
});

on_both!(equal_secrets_of_a_workspace_have_equal_masks, |server| {
    let admin = server.admin();
    let change = |old: &str, new: &str| {
        json!([{"action": "update", "model": "user", "record_id": "1", "changes": [{"field": "password", "old": old, "new": new}],
            "metadata": {"query": format!("password={new}")}}])
    };
    let mut masks = Vec::new();
    for workspace in ["clinic", "lab"] {
        server.workspace(workspace);
        let path = format!("/workspaces/{workspace}/logs/application");
        admin.post(&path, change("hunter2", "hunter3")).expect(201);
        admin.post(&path, change("hunter3", "hunter3")).expect(201);
        let events = admin.query(&path, &[("order", "asc")]).expect(200).data().clone();
        let (first, second) = (&events[0]["changes"][0], &events[1]["changes"][0]);
        assert_ne!(first["old"], first["new"]);
        assert_eq!(second["old"], second["new"]);
        assert_eq!(first["new"], second["new"]);
        let mask = first["new"].as_str().expect("a mask").to_owned();
        assert_eq!(events[0]["metadata"]["query"], format!("password={mask}"));
        // A search finds every event with the same secret.
        assert_eq!(admin.query(&path, &[("q", &mask)]).expect(200).data().len(), 2);
        masks.push(mask);
    }
    assert_ne!(masks[0], masks[1], "each workspace has its own key");
});
