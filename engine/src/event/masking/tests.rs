use super::*;
use crate::event::{
    Log,
    limits::{Action, OccurredAt},
};

fn masked(text: &str) -> String {
    Walk::new(&Masker::default()).masked_text(text, Verdict::Plain).unwrap_or_else(|| text.to_owned())
}

#[test]
fn shapes() {
    let hash = "pbkdf2_sha256$600000$0a031ae315d5ffff4f5212$597deccddd883fc20c46c4c9985f8e21585f31f6f50=";
    assert_eq!(masked(&format!("was {hash} before")), "was [masked] before");
    assert_eq!(masked("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"), MASK);
    assert_eq!(masked("-----BEGIN RSA PRIVATE KEY-----\nMIIE"), MASK);
    // Digests, a UUID and a version are no secrets.
    for text in [&"ab".repeat(32), &"ab".repeat(64), "a401a006-e524-460b-87c3-efe91686bc82", "1.29.3-rc1"] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn what_an_authorization_header_gives_away() {
    for (text, clean) in [
        ("Authorization: Bearer abc", "Authorization: Bearer [masked]"),
        ("authorization:basic YTpi", "authorization:basic [masked]"),
        ("curl -H 'Authorization: Bearer abc' http://x", "curl -H 'Authorization: Bearer [masked]' http://x"),
        ("Proxy-Authorization: Basic YTpi, then", "Proxy-Authorization: Basic [masked], then"),
        (r#"{"Authorization": "Bearer s3", "a": 1}"#, r#"{"Authorization":"Bearer [masked]","a":1}"#),
        (r#"{\"authorization\":\"token x\"}"#, r#"{\"authorization\":\"token [masked]\"}"#),
        ("authorization=Bearer%20abc&x=1", "authorization=Bearer%20[masked]&x=1"),
        (
            "Authorization: Bearer a\nAuthorization: Basic b",
            "Authorization: Bearer [masked]\nAuthorization: Basic [masked]",
        ),
        ("Bearer abcdefg1", "Bearer [masked]"),
        ("bearer s3cretvalue", "bearer [masked]"),
        ("sent Basic YWRtaW46YWRtaW4= to it", "sent Basic [masked] to it"),
        ("sent Basic dXNlcjpwYXNz then", "sent Basic [masked] then"),
    ] {
        assert_eq!(masked(text), clean);
    }
    for text in [
        "the bearer of this letter",
        "Bearer of this letter",
        "Bearer",
        "Bearer token",
        "Bearer of 2",
        "Bearer abc 1234567",
        "Bearer shareholders",
        "bearer bonds of 1998",
        "Basic plan 2024",
        "Basic auth is off",
        "Authorization: denied",
        "Authorization: bearer",
        "Authorization of the basic plan",
        "authorization: see the token policy",
        "the basic = rule",
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn an_event_says_where() {
    let mut event = NewEvent::new(Log::Application, Action::literal("update"), OccurredAt::now());
    let changes = vec![
        Change::value("password", "".into(), "hunter2".into()),
        Change::value("city", "Pune".into(), "Goa".into()),
    ];
    event.changes = changes.try_into().expect("within the limits");
    event.metadata = Map::from_iter([("config".into(), serde_json::json!({"a/b": {"otp": 7}}))])
        .try_into()
        .expect("within the limits");
    let masked = mask(&mut event);
    assert_eq!(masked, ["/changes/0/new", "/metadata/config/a~1b/otp"]);
    assert_eq!(event.changes[0], Change::value("password", "".into(), MASK.into()));
    assert_eq!(event.changes[1], Change::value("city", "Pune".into(), "Goa".into()));
}

#[test]
fn many_values_of_one_secret_become_one_mask() {
    let masked_below = |value: serde_json::Value| {
        let mut event = NewEvent::new(Log::Application, Action::literal("update"), OccurredAt::now());
        event.metadata = Map::from_iter([("password".into(), value)]).try_into().expect("within the limits");
        (mask(&mut event), serde_json::Value::Object((*event.metadata).clone()))
    };
    let (places, _) = masked_below(vec![7; 64].into());
    assert_eq!(places.len(), 64, "each by itself");
    for many in [serde_json::json!(vec![7; 65]), serde_json::json!(vec![vec![7]; 1000])] {
        let (places, metadata) = masked_below(many);
        assert_eq!(places, ["/metadata/password"]);
        assert_eq!(metadata, serde_json::json!({"password": MASK}));
    }
}
