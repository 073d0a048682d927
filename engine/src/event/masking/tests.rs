use super::*;
use crate::event::{
    Log,
    limits::{Action, OccurredAt},
};

#[test]
fn names() {
    for name in [
        "password",
        "userPassword",
        "NEW-PASSWORD",
        "client_secret",
        "otp",
        "otp_codes",
        "apiKey",
        "password2",
        "password_confirmation",
        "new_password_confirm",
        "passwords",
        "access_token_value",
        "PIN code",
        "api_secret_v2",
        "otp_1",
    ] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in ["password_date", "token_count", "author", "pinned", "keyboard", "secretary", "description"] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn shapes() {
    let hash = "pbkdf2_sha256$600000$0a031ae315d5ffff4f5212$597deccddd883fc20c46c4c9985f8e21585f31f6f50=";
    assert_eq!(masked_text(&format!("was {hash} before")).as_deref(), Some("was [masked] before"));
    assert_eq!(masked_text(&"ab".repeat(64)).as_deref(), Some(MASK));
    assert!(masked_text("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW").is_some());
    assert!(masked_text("-----BEGIN RSA PRIVATE KEY-----\nMIIE").is_some());
    // A checksum of 256 bits, a UUID and a version are no secrets.
    assert!(masked_text(&"ab".repeat(32)).is_none());
    assert!(masked_text("a401a006-e524-460b-87c3-efe91686bc82").is_none());
}

#[test]
fn what_an_authorization_header_gives_away() {
    for (text, clean) in [
        ("Authorization: Bearer abc", "Authorization: [masked]"),
        ("authorization:basic YTpi", "authorization:[masked]"),
        ("curl -H 'Authorization: Bearer abc' http://x", "curl -H 'Authorization: [masked]' http://x"),
        ("Proxy-Authorization: Basic YTpi, then", "Proxy-Authorization: [masked], then"),
        (r#"{"Authorization": "Bearer s3", "a": 1}"#, r#"{"Authorization": "[masked]", "a": 1}"#),
        (r#"{\"authorization\":\"token x\"}"#, r#"{\"authorization\":\"[masked]\"}"#),
        ("authorization=Bearer%20abc&x=1", "authorization=[masked]"),
        (
            "Authorization: Bearer a\nAuthorization: Basic b",
            "Authorization: [masked]\nAuthorization: [masked]",
        ),
        ("Bearer abcdefg1", MASK),
        ("Bearer abc1def2", MASK),
        ("Bearer article7", MASK),
        ("bearer s3cretvalue", MASK),
        ("sent Basic YWRtaW46YWRtaW4= to it", "sent [masked] to it"),
        ("sent Basic dXNlcjpwYXNz then", "sent Basic dXNlcjpwYXNz then"),
    ] {
        assert_eq!(masked_text(text).unwrap_or_else(|| text.into()), clean);
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
        assert_eq!(masked_text(text), None, "{text}");
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
    event.metadata = Map::from_iter([("config".into(), serde_json::json!({"a/b": {"token": 7}}))])
        .try_into()
        .expect("within the limits");
    let masked = mask(&mut event);
    assert_eq!(masked, ["/changes/0/new", "/metadata/config/a~1b/token"]);
    assert_eq!(event.changes[0], Change::value("password", "".into(), MASK.into()));
    assert_eq!(event.changes[1], Change::value("city", "Pune".into(), "Goa".into()));
}

#[test]
fn every_secret_name_has_a_hint() {
    let pairs = PAIRS.iter().map(|(one, other)| format!("{one}_{other}"));
    let words = LAST_WORDS.iter().chain(ANYWHERE).map(|word| (*word).to_owned());
    for name in
        pairs.chain(words).chain(["apikey", "privatekey", "secretkey", "accesskey"].map(str::to_owned))
    {
        assert!(HINTS.iter().any(|hint| contains_ignoring_case(&name, hint)), "{name}");
        assert!(is_secret_name(&name), "{name}");
        assert!(is_secret_name(&name.to_uppercase()), "{name}");
    }
}
