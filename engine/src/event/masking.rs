//! Masks what looks like a secret before it is stored, and records where.
//!
//! Two rules: a field whose *name* indicates a secret (`password`, `api_key`, `otp_codes`), and a text whose *value*
//! has the shape of one (a password hash, a JWT, a private key, a token's digest). A secret inside a longer text is cut
//! out; a secret field's whole value is replaced.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::{Actor, Change, Common, NewEvent, Target, limits::Text, pointer::escape_pointer};

/// What replaces a secret.
pub const MASK: &str = "[masked]";

/// Words that make a field secret when its name ends with them.
const LAST_WORDS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "secrets",
    "token",
    "tokens",
    "otp",
    "otps",
    "pin",
    "cvv",
    "cvc",
    "credential",
    "credentials",
    "digest",
    "authorization",
    "cookie",
    "jwt",
];

/// Pairs of words that make a field secret wherever they stand: `stripe_api_key`, `otp_code`.
const PAIRS: &[(&str, &str)] = &[
    ("api", "key"),
    ("api", "keys"),
    ("private", "key"),
    ("secret", "key"),
    ("access", "key"),
    ("token", "key"),
    ("signing", "key"),
    ("encryption", "key"),
    ("session", "key"),
    ("otp", "code"),
    ("otp", "codes"),
    ("backup", "codes"),
    ("recovery", "codes"),
    ("password", "hash"),
    ("token", "hash"),
    ("totp", "seed"),
    ("pin", "code"),
];

/// Word boundaries are those of ASCII, since the regex engine's fast path supports no others.
static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?s)",
        // Django: algorithm$iterations$salt$hash
        r"(?-u:\b)(?:pbkdf2_sha\d+|scrypt|bcrypt_sha256|bcrypt|md5|sha1|argon2)\$[^\s\x22']{8,}",
        // crypt(3) and PHC strings: $2b$…, $6$…, $argon2id$…
        r"|\$(?:2[abxy]|1|5|6|y|argon2(?:id?|d)|scrypt|pbkdf2[^$]*)\$[A-Za-z0-9./$=,+\-]{16,}",
        // JWT (RFC 7519)
        r"|(?-u:\b)eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        // PEM private keys; without its end, to the end of the text
        r"|-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)",
        // hex digests of 512 bits, as Django's token tables keep them
        r"|(?-u:\b)[0-9a-fA-F]{128}(?-u:\b)",
        // well-known prefixes of issued keys
        r"|(?-u:\b)(?:ghp|gho|ghs|ghu|glpat|xox[abprs])[_-][A-Za-z0-9_-]{16,}",
        r"|(?-u:\b)sk_(?:live|test)_[A-Za-z0-9]{16,}",
        r"|(?-u:\b)AKIA[0-9A-Z]{16}(?-u:\b)",
        r"|(?-u:\b)lbk_[a-z0-9]{12}_[A-Za-z0-9_-]{43}",
        r"|(?i:(?-u:\b)(?:bearer|basic) [A-Za-z0-9._~+/-]{20,}=*)",
        // shorter ones: behind the header's name, in whatever quotes; Bearer and something with a digit, alone; Basic and padding
        r"|(?i:(?P<before>authorization[\\\x22']*[ \t]*[:=][ \t]*[\\\x22']*)",
        r"(?:bearer|basic|token|negotiate|ntlm)(?:[ \t+]|%20)+[^\s\\\x22',;]+)",
        r"|\A(?i:bearer) [A-Za-z._~+/-]*[0-9][A-Za-z0-9._~+/-]*=*\z",
        r"|(?i:(?-u:\b)basic) (?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)",
    ))
    .expect("a constant pattern")
});

/// Masks the event's secrets. Returns the JSON pointers of what was masked, with the field names that all logs share.
pub fn mask(event: &mut NewEvent) -> Vec<String> {
    let NewEvent { occurred_at: _, dedupe_key: _, common, changes, metadata } = event;
    let Common {
        log: _,
        actor,
        role,
        action: _,
        outcome: _,
        outcome_reason,
        target: Target { kind: _, id: target_id, name: target_name },
        ip_address: _,
        user_agent,
        session_id,
        correlation_id,
    } = common;
    let mut masked = Vec::new();

    for (i, change) in changes.as_mut().iter_mut().enumerate() {
        let secret = is_secret_name(change.field());
        for (place, value) in change.values_mut() {
            mask_value(value, secret, &format!("/changes/{i}{place}"), &mut masked);
        }
        if let Some(clean) = masked_text(change.field()) {
            masked.push(format!("/changes/{i}/field"));
            match change {
                Change::Value(change) => change.field = clean,
                Change::Set(change) => change.field = clean,
            }
        }
    }
    masked.extend(mask_object(metadata.as_mut(), "/metadata"));

    let (actor_id, actor_name) = match actor {
        Some(Actor { kind: _, id, name }) => (id.as_mut().map(Text::as_mut), name.as_mut().map(Text::as_mut)),
        None => (None, None),
    };
    let texts = [
        ("/actor/id", actor_id),
        ("/actor/name", actor_name),
        ("/role", role.as_mut().map(Text::as_mut)),
        ("/target/id", target_id.as_mut().map(Text::as_mut)),
        ("/target/name", target_name.as_mut().map(Text::as_mut)),
        ("/outcome_reason", outcome_reason.as_mut().map(Text::as_mut)),
        ("/user_agent", user_agent.as_mut().map(Text::as_mut)),
        // A session id that is the session's own bearer token would give the token to every reader.
        ("/session_id", session_id.as_mut().map(Text::as_mut)),
        ("/correlation_id", correlation_id.as_mut().map(Text::as_mut)),
    ];
    for (place, text) in texts {
        if let Some(text) = text
            && let Some(clean) = masked_text(text)
        {
            *text = clean;
            masked.push(place.to_owned());
        }
    }
    masked
}

/// Masks the secrets of an object. Returns the JSON pointers of what was masked, below `place`.
pub fn mask_object(object: &mut Map<String, Value>, place: &str) -> Vec<String> {
    let mut masked = Vec::new();
    for (key, value) in object.iter_mut() {
        mask_value(value, is_secret_name(key), &format!("{place}/{}", escape_pointer(key)), &mut masked);
    }
    masked
}

fn mask_value(value: &mut Value, secret: bool, place: &str, masked: &mut Vec<String>) {
    match value {
        // No secrets. Worth keeping, since they show that one was set or removed.
        Value::Null | Value::Bool(_) => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) if secret => {
            if text != MASK {
                *text = MASK.into();
                masked.push(place.into());
            }
        }
        Value::String(text) => {
            if let Some(clean) = masked_text(text) {
                *text = clean;
                masked.push(place.into());
            }
        }
        Value::Number(_) => {
            if secret {
                *value = MASK.into();
                masked.push(place.into());
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter_mut().enumerate() {
                mask_value(item, secret, &format!("{place}/{i}"), masked);
            }
        }
        Value::Object(map) => {
            for (key, item) in map.iter_mut() {
                let place = format!("{place}/{}", escape_pointer(key));
                mask_value(item, secret || is_secret_name(key), &place, masked);
            }
        }
    }
}

/// The text without its secrets; None when it has none.
fn masked_text(text: &str) -> Option<String> {
    // Most texts are shorter than any secret. A value after Bearer alone counts only when it is long enough.
    if text.len() < 15 || !SHAPES.is_match(text) {
        return None;
    }
    // The header's name is kept.
    Some(SHAPES.replace_all(text, "${before}[masked]").into_owned())
}

/// Words that make a field secret wherever they stand, unless the next words show that it is only about one.
const ANYWHERE: &[&str] = &["password", "passwords", "passwd", "pwd", "passphrase", "secret", "secrets"];
/// `password_date`, `secret_count`: about a secret, not one itself.
const ABOUT: &[&str] = &[
    "age",
    "at",
    "by",
    "changed",
    "count",
    "created",
    "date",
    "datetime",
    "days",
    "enabled",
    "expired",
    "expires",
    "expiry",
    "field",
    "history",
    "hint",
    "id",
    "ids",
    "length",
    "name",
    "names",
    "on",
    "policy",
    "required",
    "reset",
    "rotation",
    "set",
    "status",
    "strength",
    "time",
    "timestamp",
    "type",
    "updated",
    "url",
    "validators",
    "version",
];
/// `access_token_value`: still the secret itself.
const ITSELF: &[&str] =
    &["value", "values", "plain", "raw", "text", "string", "hash", "confirm", "confirmation"];

/// True for `password`, `userPassword`, `stripe_api_key`, `OTP`; false for `password_date`, `token_count`, `author`.
pub fn is_secret_name(name: &str) -> bool {
    let mut words = words(name);
    // Forms number their fields: `password1`, `otp_2`, `api_secret_v2`.
    for word in &mut words {
        word.truncate(word.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    }
    words.retain(|word| !word.is_empty());
    while words.last().is_some_and(|word| word == "v" || ITSELF.contains(&word.as_str())) && words.len() > 1 {
        words.pop();
    }
    let Some(last) = words.last().map(String::as_str) else { return false };
    LAST_WORDS.contains(&last)
        || matches!(last, "apikey" | "privatekey" | "secretkey" | "accesskey")
        || words.windows(2).any(|pair| PAIRS.contains(&(pair[0].as_str(), pair[1].as_str())))
        || (!ABOUT.contains(&last) && words.iter().any(|word| ANYWHERE.contains(&word.as_str())))
}

/// `userPassword`, `user-password` and `USER_PASSWORD` all give `user password`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut fresh = true;
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            fresh = true;
            continue;
        }
        if fresh || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        fresh = false;
        after_lower = c.is_lowercase() || c.is_numeric();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
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
        for name in
            ["password_date", "token_count", "author", "pinned", "keyboard", "secretary", "description"]
        {
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
}
