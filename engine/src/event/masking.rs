//! Masks what looks like a secret before it is stored, and records where.
//!
//! Two rules: a field whose *name* indicates a secret (`password`, `api_key`, `otp_codes`), and a text whose *value*
//! has the shape of one (a password hash, a JWT, a private key, a token's digest). A secret inside a longer text is cut
//! out; a secret field's whole value is replaced.

mod place;

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::{Actor, Change, Common, NewEvent, SetChange, Target, ValueChange, limits::Text};
use place::Place;

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
        on_behalf_of,
        role,
        action: _,
        outcome: _,
        outcome_reason,
        purpose,
        target: Target { kind: _, id: target_id, name: target_name },
        targets,
        ip_address: _,
        user_agent,
        session_id,
        correlation_id,
        epoch: _,
        sequence: _,
    } = common;
    let mut masked = Vec::new();

    let all = Place::at("/changes");
    for (i, change) in changes.as_mut().iter_mut().enumerate() {
        let place = all.index(i);
        mask_change(change, &place, &mut masked);
    }
    masked.extend(mask_object(metadata.as_mut(), "/metadata"));

    let mut mask_text = |place: &Place<'_>, text: Option<&mut String>| {
        if let Some(text) = text
            && let Some(clean) = masked_text(text)
        {
            *text = clean;
            masked.push(place.to_string());
        }
    };
    for (place, actor) in [("/actor", actor), ("/on_behalf_of", on_behalf_of)] {
        if let Some(Actor { kind: _, id, name }) = actor {
            let place = Place::at(place);
            mask_text(&place.pointer("/id"), id.as_mut().map(Text::as_mut));
            mask_text(&place.pointer("/name"), name.as_mut().map(Text::as_mut));
        }
    }
    let all = Place::at("/targets");
    for (i, Target { kind: _, id, name }) in targets.as_mut().iter_mut().enumerate() {
        let place = all.index(i);
        mask_text(&place.pointer("/id"), id.as_mut().map(Text::as_mut));
        mask_text(&place.pointer("/name"), name.as_mut().map(Text::as_mut));
    }
    let texts = [
        ("/role", role.as_mut().map(Text::as_mut)),
        ("/target/id", target_id.as_mut().map(Text::as_mut)),
        ("/target/name", target_name.as_mut().map(Text::as_mut)),
        ("/outcome_reason", outcome_reason.as_mut().map(Text::as_mut)),
        ("/purpose", purpose.as_mut().map(Text::as_mut)),
        ("/user_agent", user_agent.as_mut().map(Text::as_mut)),
        // A session id that is the session's own bearer token would give the token to every reader.
        ("/session_id", session_id.as_mut().map(Text::as_mut)),
        ("/correlation_id", correlation_id.as_mut().map(Text::as_mut)),
    ];
    for (place, text) in texts {
        mask_text(&Place::at(place), text);
    }
    masked
}

fn mask_change(change: &mut Change, place: &Place<'_>, masked: &mut Vec<String>) {
    let secret = is_secret_name(change.field());
    match change {
        Change::Value(ValueChange { field: _, old, new, labels: _ }) => {
            mask_value(old, secret, &place.pointer("/old"), masked);
            mask_value(new, secret, &place.pointer("/new"), masked);
        }
        Change::Set(SetChange { field: _, added, removed, labels: _ }) => {
            mask_items(added, secret, &place.pointer("/added"), masked);
            mask_items(removed, secret, &place.pointer("/removed"), masked);
        }
    }
    for (pointer, label) in change.labels_mut().texts_mut() {
        // The field's own label is a name; those of its values say what the values say.
        let secret = secret && pointer != "/label";
        if let Some(label) = label.filter(|label| !label.is_empty())
            && let Some(clean) = if secret { Some(MASK.to_owned()) } else { masked_text(label) }
            && *label != clean
        {
            *label = clean;
            masked.push(place.pointer(pointer).to_string());
        }
    }
    if let Some(clean) = masked_text(change.field()) {
        masked.push(place.pointer("/field").to_string());
        match change {
            Change::Value(change) => change.field = clean,
            Change::Set(change) => change.field = clean,
        }
    }
}

/// Masks the secrets of an object. Returns the JSON pointers of what was masked, below `place`.
pub fn mask_object(object: &mut Map<String, Value>, place: &str) -> Vec<String> {
    let mut masked = Vec::new();
    mask_members(object, false, &Place::at(place), &mut masked);
    masked
}

fn mask_members(object: &mut Map<String, Value>, secret: bool, place: &Place<'_>, masked: &mut Vec<String>) {
    for (key, value) in object.iter_mut() {
        mask_value(value, secret || is_secret_name(key), &place.key(key), masked);
    }
}

fn mask_items(items: &mut [Value], secret: bool, place: &Place<'_>, masked: &mut Vec<String>) {
    for (i, item) in items.iter_mut().enumerate() {
        mask_value(item, secret, &place.index(i), masked);
    }
}

fn mask_value(value: &mut Value, secret: bool, place: &Place<'_>, masked: &mut Vec<String>) {
    match value {
        // No secrets. Worth keeping, since they show that one was set or removed.
        Value::Null | Value::Bool(_) => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) if secret => {
            if text != MASK {
                *text = MASK.into();
                masked.push(place.to_string());
            }
        }
        Value::String(text) => {
            if let Some(clean) = masked_text(text) {
                *text = clean;
                masked.push(place.to_string());
            }
        }
        Value::Number(_) => {
            if secret {
                *value = MASK.into();
                masked.push(place.to_string());
            }
        }
        Value::Array(items) => mask_items(items, secret, place, masked),
        Value::Object(map) => mask_members(map, secret, place, masked),
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

/// Every secret's name contains one of these; a test holds it.
const HINTS: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "token",
    "otp",
    "pin",
    "cvv",
    "cvc",
    "credential",
    "digest",
    "authorization",
    "cookie",
    "jwt",
    "key",
    "codes",
    "seed",
];

fn contains_ignoring_case(text: &str, part: &str) -> bool {
    text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

/// True for `password`, `userPassword`, `stripe_api_key`, `OTP`; false for `password_date`, `token_count`, `author`.
pub fn is_secret_name(name: &str) -> bool {
    // Most names have nothing of a secret's in any case, and are not split into words.
    if name.is_ascii() && !HINTS.iter().any(|hint| contains_ignoring_case(name, hint)) {
        return false;
    }
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
mod tests;
