//! Texts, keys and JSON to the masker.

use logbook_engine::event::{
    Change, Labels, Log, NewEvent,
    limits::{Action, OccurredAt},
    masking::{Masker, mask_with},
};
use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Target;
use crate::{
    mutate::{mutated, one_in, pick},
    values,
};

const CORPORA: [&str; 4] = [
    include_str!("../../../engine/tests/engine/masking/before/secrets.jsonl"),
    include_str!("../../../engine/tests/engine/masking/before/innocents.jsonl"),
    include_str!("../../../engine/tests/engine/masking/after/secrets.jsonl"),
    include_str!("../../../engine/tests/engine/masking/after/innocents.jsonl"),
];
const WORDS: &[&str] = &[
    "password",
    "pin",
    "otp",
    "token",
    "secret",
    "api_key",
    "apiKey",
    "authorization",
    "Cookie: ",
    "Set-Cookie",
    "Bearer ",
    "Basic ",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----END",
    "eyJhbGciOiJIUzI1NiJ9.",
    "sk-",
    "ghp_",
    "AKIA",
    "$2b$12$",
    "pbkdf2_sha256$",
    "://",
    "a:b@",
    "password=",
    "\"password\":\"",
    "--password",
    "name",
    "value",
    "key",
    "errors",
    "note",
];
/// A fingerprint with its brackets.
const MASK_BYTES: usize = 33;

/// A line of the corpora of `engine/tests/engine/masking.rs`.
#[derive(Deserialize)]
struct Case {
    field: Option<String>,
    value: Value,
}

pub(crate) struct Masks {
    values: Vec<Value>,
    masker: Masker,
}

impl Masks {
    pub(crate) fn new() -> Self {
        let lines = CORPORA.iter().flat_map(|corpus| corpus.lines());
        let value = |line: &str| {
            let Case { field, value } = serde_json::from_str(&line.replace('¦', "")).expect("a case");
            match field {
                Some(field) => json!({field: value}),
                None => value,
            }
        };
        Self { values: lines.map(value).collect(), masker: Masker::with_key(vec![7; 32]) }
    }

    fn check(&self, event: Option<NewEvent>) -> bool {
        let Some(event) = event else { return false };
        let mut once = event.clone();
        let pointers = mask_with(&self.masker, &mut once);
        let text = |event: &NewEvent| {
            let common = &event.common;
            let texts = json!({
                "changes": &event.changes, "metadata": &event.metadata, "outcome_reason": common.outcome_reason,
                "user_agent": common.user_agent, "session_id": common.session_id,
            });
            texts
        };
        let (before, after) = (text(&event), text(&once));
        assert_eq!(before != after, !pointers.is_empty(), "{pointers:?}");
        for pointer in &pointers {
            assert!(after.pointer(pointer).is_some(), "{pointer} leads nowhere in {after}");
        }
        let (before, after) = (before.to_string().len(), after.to_string().len());
        let values = count(&text(&event));
        assert!(
            after <= 3 * before + MASK_BYTES * (32 * values),
            "{after} bytes of {before}, which are {values} values"
        );
        // Masked again, as an event that is sent from one Logbook to another: it may differ, since masks are no names.
        mask_with(&self.masker, &mut once);
        assert!(text(&once).to_string().len() <= 3 * after + MASK_BYTES * (32 * values), "masked twice");
        true
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(map) => map.values().map(|value| 1 + count(value)).sum(),
        _ => 0_usize,
    }
}

fn event() -> NewEvent {
    NewEvent::new(Log::Application, Action::literal("update"), OccurredAt::now())
}

/// An event that has the text wherever a text may be; None when it is too long.
fn with_text(text: &str) -> Option<NewEvent> {
    let mut event = event();
    let (before, after) = text.split_at(text.find([':', '=', '\n']).unwrap_or(0));
    let labels = Labels { label: Some(text.chars().take(900).collect()), ..Labels::default() };
    let field: String = before.chars().take(255).collect();
    let field = if field.is_empty() { "note".to_owned() } else { field };
    let changes = vec![
        Change::value(field, text.into(), Value::Null).labelled(labels),
        Change::set("items", vec![text.into(), after.into()], vec![before.into()]),
    ];
    event.changes = changes.try_into().ok()?;
    let metadata = json!({"note": text, "nested": {text: [after, {"value": before, "name": after}]}});
    let Value::Object(metadata) = metadata else { return None };
    event.metadata = metadata.try_into().ok()?;
    event.common.outcome_reason =
        Some(text.chars().filter(|c| *c != '\0').take(20_000).collect::<String>().try_into().ok()?);
    event.common.user_agent =
        Some(text.chars().filter(|c| *c != '\0').take(2000).collect::<String>().try_into().ok()?);
    event.common.session_id =
        Some(text.chars().filter(|c| *c != '\0').take(255).collect::<String>().try_into().ok()?);
    Some(event)
}

/// An event that has the value in its metadata and as a change.
fn with_value(value: &Value) -> Option<NewEvent> {
    let mut event = event();
    event.changes = vec![Change::value("config", Value::Null, value.clone())].try_into().ok()?;
    let metadata = match value {
        Value::Object(map) => map.clone(),
        other => Map::from_iter([("items".to_owned(), other.clone())]),
    };
    event.metadata = metadata.try_into().ok()?;
    Some(event)
}

impl Target for Masks {
    fn name(&self) -> &'static str {
        "mask"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.values.iter().map(|value| text(value).into_bytes()).collect()
    }

    fn mutate(&mut self, rng: &mut Pcg64Mcg, seeds: &[Vec<u8>]) -> Vec<u8> {
        if one_in(rng, 3) {
            let mut value = pick(rng, &self.values).clone();
            values::mutate(rng, &mut value, &self.values, WORDS);
            return value.to_string().into_bytes();
        }
        let mut seed = pick(rng, seeds).clone();
        for _ in 0..rng.random_range(0..3_u32) {
            let separator = *pick(rng, &["\n", " ", ", ", "; ", "&", ""]);
            seed = [&seed, separator.as_bytes(), pick(rng, seeds)].concat();
        }
        mutated(rng, &seed, seeds, WORDS)
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let text = String::from_utf8_lossy(input);
        let as_text = self.check(with_text(&text));
        let as_value = serde_json::from_str(&text).is_ok_and(|value| self.check(with_value(&value)));
        as_text || as_value
    }

    fn grown(&self, input: &[u8], length: usize) -> Option<Vec<u8>> {
        // The event has the text several times, and 64 KiB is the limit of its metadata.
        Some(input.repeat((length / 4 / input.len().max(1)).max(1)))
    }
}
