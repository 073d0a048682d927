//! How much of a corpus of secrets is masked, and how much of a corpus of innocent values is kept.
//!
//! Each corpus has two halves: `masking/before` was written before the rules, without knowing them, and is the honest one;
//! `masking/after` was written with them. A line is one value and where it stands: `place` is `change` (with `field`),
//! `metadata`, or one of the event's texts. What must not be stored is `secret`, or the whole `value`. The secrets belong
//! to nobody; those that a scanner of repositories would take for live ones have a `¦` inside, which is removed here.

use logbook_engine::event::{
    Actor, ActorType, Change, Log, NewEvent, Target,
    limits::{Action, OccurredAt},
    masking::{self, FieldLists, Masker},
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The least share of each corpus that is treated rightly, in per cent.
const BAR: usize = 95;

const HALVES: [(&str, &str, &str); 2] = [
    ("before", include_str!("masking/before/secrets.jsonl"), include_str!("masking/before/innocents.jsonl")),
    ("after", include_str!("masking/after/secrets.jsonl"), include_str!("masking/after/innocents.jsonl")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    place: String,
    field: Option<String>,
    value: Value,
    secret: Option<String>,
}

impl Case {
    fn all(lines: &str) -> Vec<Self> {
        let parse = |line: &str| serde_json::from_str(&line.replace('¦', "")).expect(line);
        lines.lines().map(parse).collect()
    }

    /// An event that has the value in its place.
    fn event(&self) -> NewEvent {
        let mut event = NewEvent::new(Log::Application, Action::literal("update"), OccurredAt::now());
        let text = || self.value.as_str().expect("a text").to_owned();
        let common = &mut event.common;
        match self.place.as_str() {
            "change" => {
                let field = self.field.as_deref().expect("a field");
                let changes = vec![Change::value(field, Value::Null, self.value.clone())];
                event.changes = changes.try_into().expect("within the limits");
            }
            "metadata" => {
                let metadata: Map<String, Value> = self.value.as_object().expect("an object").clone();
                event.metadata = metadata.try_into().expect("within the limits");
            }
            "reason" => common.outcome_reason = Some(text().try_into().expect("within the limits")),
            "purpose" => common.purpose = Some(text().try_into().expect("within the limits")),
            "agent" => common.user_agent = Some(text().try_into().expect("within the limits")),
            "target_name" => {
                common.target =
                    Target { name: Some(text().try_into().expect("within the limits")), ..Target::default() };
            }
            "actor_name" => {
                let name = Some(text().try_into().expect("within the limits"));
                common.actor = Some(Actor { kind: ActorType::User, id: None, name });
            }
            place => panic!("{place} is no place"),
        }
        event
    }

    fn secret(&self) -> &str {
        self.secret.as_deref().unwrap_or_else(|| self.value.as_str().expect("a text"))
    }
}

/// Every text of the event that a corpus may use, keys included.
fn texts(event: &NewEvent) -> Vec<String> {
    fn collect(value: &Value, texts: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
            Value::Object(members) => members.iter().for_each(|(key, value)| {
                texts.push(key.clone());
                collect(value, texts);
            }),
            Value::String(text) => texts.push(text.clone()),
            other => texts.push(other.to_string()),
        }
    }
    let mut texts = Vec::new();
    collect(&serde_json::to_value(&event.changes).expect("JSON"), &mut texts);
    collect(&serde_json::to_value(&event.metadata).expect("JSON"), &mut texts);
    let common = &event.common;
    texts.extend(common.outcome_reason.as_ref().map(ToString::to_string));
    texts.extend(common.purpose.as_ref().map(ToString::to_string));
    texts.extend(common.user_agent.as_ref().map(ToString::to_string));
    texts.extend(common.target.name.as_ref().map(ToString::to_string));
    texts.extend(common.actor.iter().filter_map(|actor| actor.name.as_ref()).map(ToString::to_string));
    texts
}

fn is_hidden(case: &Case) -> bool {
    let mut event = case.event();
    assert!(texts(&event).iter().any(|text| text.contains(case.secret())), "{} is not there", case.secret());
    let masked = masking::mask(&mut event);
    let hidden = !texts(&event).iter().any(|text| text.contains(case.secret()));
    assert!(!hidden || !masked.is_empty(), "{} was masked and no place named", case.secret());
    hidden
}

fn is_kept(case: &Case) -> bool {
    let event = case.event();
    let mut after = event.clone();
    masking::mask(&mut after);
    after == event
}

/// The share of right ones in per cent, rounded down. Wrong ones are printed.
fn rate(name: &str, cases: &[Case], right: impl Fn(&Case) -> bool) -> usize {
    let wrong: Vec<_> = cases.iter().filter(|case| !right(case)).collect();
    let rate = (cases.len() - wrong.len()) * 100 / cases.len();
    println!("{name}: {} of {} ({rate} %)", cases.len() - wrong.len(), cases.len());
    for case in wrong {
        println!("  wrong: {} {} {}", case.place, case.field.as_deref().unwrap_or_default(), case.value);
    }
    rate
}

#[test]
fn secrets_are_masked_and_innocents_kept() {
    let mut rates = Vec::new();
    let (mut secrets, mut innocents) = (Vec::new(), Vec::new());
    for (half, some_secrets, some_innocents) in HALVES {
        let (some_secrets, some_innocents) = (Case::all(some_secrets), Case::all(some_innocents));
        rates.push(rate(&format!("{half}: secrets masked"), &some_secrets, is_hidden));
        rates.push(rate(&format!("{half}: innocents kept"), &some_innocents, is_kept));
        secrets.extend(some_secrets);
        innocents.extend(some_innocents);
    }
    rates.push(rate("all secrets masked", &secrets, is_hidden));
    rates.push(rate("all innocents kept", &innocents, is_kept));
    assert!(secrets.len() >= 150 && innocents.len() >= 150, "a corpus of some size");
    assert!(rates.iter().all(|rate| *rate >= BAR), "{rates:?}");
}

/// Texts that make a rule look again and again at what it has seen, were it not bounded.
fn nasty(size: usize) -> Vec<(&'static str, String)> {
    [
        "-----BEGIN A PRIVATE KEY",
        "-----BEGIN A PRIVATE KEY-----",
        "-----BEGIN ",
        "a=",
        "=",
        ":",
        "pin=",
        "pin= ",
        "token:",
        "token=\"",
        "token='x",
        "token: digest ",
        "token:bearer%20",
        "cookie:",
        "cookie=;",
        "password=\\\"",
        "://",
        "a://b:c",
        "eyJ",
        "eyJ.",
        "eyJaaaaaaaa.",
        "sk-",
        "ghp_",
        "SK",
        "$2b$",
        "scrypt:",
        "Bearer ",
        "Basic ",
        "Basic AAAA",
        " -token ",
        " -u ",
        "the pin is ",
        "pass\u{200b}",
        "ａ=",
        ":AA",
        "8Q~",
        "{\"a\":",
        "[[",
        "sid=;",
        "password: a b ",
        "password",
    ]
    .map(|part| (part, part.repeat(size / part.len())))
    .to_vec()
}

fn seconds_to_mask(masker: &Masker, text: &str) -> f64 {
    let field = Value::String(text.to_owned());
    let measure = || {
        let mut object = Map::from_iter([("note".to_owned(), field.clone())]);
        let start = std::time::Instant::now();
        masking::mask_object_with(masker, &mut object, "");
        start.elapsed().as_secs_f64()
    };
    (0..3).map(|_| measure()).fold(f64::MAX, f64::min)
}

/// The longest text of an event is 64 KiB; what is quadratic takes sixteen times as long for four times as much.
#[test]
fn no_text_costs_more_than_its_length() {
    let (half, whole) = (nasty(16 * 1024), nasty(64 * 1024));
    let lists = FieldLists::new(vec!["pin".into(), "a.b".into()], vec!["token".into()]).expect("lists");
    for masker in [Masker::default(), Masker::default().with_fields(&lists)] {
        for ((part, half), (_, whole)) in half.iter().zip(&whole) {
            // Something else may have had the processor; what is quadratic fails each time. Below a millisecond the clock
            // says little.
            let is_linear =
                || seconds_to_mask(&masker, whole) < 10.0 * seconds_to_mask(&masker, half).max(0.001);
            assert!((0..10).any(|_| is_linear()), "{part:?} takes more than its length");
        }
    }
}
