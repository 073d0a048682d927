//! Random events and random questions, made of few enough words that questions find something.

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};
use serde_json::{Map, Value, json};

use crate::oracle::{Query, rfc3339};

/// 2026-03-08, the day on which clocks in New York go forward.
pub const BASE: i64 = 1_772_928_000_000_000;

const MOMENTS: &[i64] = &[
    0,
    1,
    -1,
    999,
    1_000_000,
    900_000_000,
    899_999_999,
    3_600_000_000,
    86_400_000_000,
    86_399_999_999,
    -86_400_000_000,
    7 * 86_400_000_000,
    -40 * 86_400_000_000,
];

const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "A",
    "Asha Rao",
    "O'Brien \"Jo\"",
    "José Núñez",
    "李雷",
    "雷",
    "ﬁne",
    "Straße",
    "İstanbul",
    "100%",
    "1000",
    "a_b",
    "axb",
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "👩‍👩‍👧 family",
    "é",
    "e\u{301}",
    "\u{202e}right",
    "ΑΣ",
    "null",
    "{\"a\":1}",
];

const IDS: &[&str] = &["1", "2", "17", "", "ß", "a:b", "O'Brien"];
const ACTIONS: &[&str] = &["login", "logout", "login_failed", "create", "update", "delete", "policy_synced"];
const KINDS: &[&str] = &["patient", "doctor", "policy", "role", "Ärzte"];
const FIELDS: &[&str] = &["status", "name", "größe", "a/b", "Status", "x"];
const ADDRESSES: &[&str] = &["198.51.100.4", "10.0.0.1", "::1"];
const OUTCOMES: &[&str] = &["success", "failure"];
const ACTORS: &[&str] = &["user", "admin", "service", "system"];

pub fn moment() -> impl Strategy<Value = i64> {
    (select(MOMENTS), 0..3i64).prop_map(|(moment, more)| BASE + moment + more)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(TEXTS).prop_map(str::to_owned), 1 => "[^\\x00]{0,8}"]
}

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    select(words).prop_map(str::to_owned)
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1000..1000i64).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map(one_of(FIELDS), inner, 0..3).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn change() -> impl Strategy<Value = Value> {
    prop_oneof![
        (one_of(FIELDS), json_value(), json_value())
            .prop_map(|(field, old, new)| json!({"field": field, "old": old, "new": new})),
        (one_of(FIELDS), vec(json_value(), 0..3), vec(json_value(), 0..2))
            .prop_map(|(field, added, removed)| json!({"field": field, "added": added, "removed": removed})),
    ]
}

/// Sets a field if there is a value. Without one the field is missing, not null.
fn set(event: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        event.insert(name.into(), value.into());
    }
}

/// An event as it is sent.
#[derive(Clone, Debug)]
pub struct Event {
    /// Microseconds since 1970.
    pub at: i64,
    pub body: Value,
}

/// An event of a log.
pub fn event(log: &'static str) -> impl Strategy<Value = Event> {
    let context = (
        option::of(text()),
        option::of(one_of(ADDRESSES)),
        option::of(text()),
        option::of(one_of(IDS)),
        option::of(one_of(IDS)),
    );
    let words = (one_of(ACTIONS), one_of(KINDS), one_of(IDS), option::of(text()), one_of(OUTCOMES));
    let actor = (one_of(ACTORS), option::of(one_of(IDS)), option::of(text()));
    (moment(), context, words, actor, option::of(text()), vec(change(), 0..3)).prop_map(
        move |(
            at,
            context,
            (action, kind, id, name, outcome),
            (actor_type, actor_id, actor_name),
            reason,
            changes,
        )| {
            let (role, ip_address, user_agent, session_id, correlation_id) = context;
            let mut event = Map::new();
            event.insert("occurred_at".into(), rfc3339(at).into());
            set(&mut event, "role", role);
            set(&mut event, "ip_address", ip_address);
            set(&mut event, "user_agent", user_agent);
            set(&mut event, "session_id", session_id);
            set(&mut event, "correlation_id", correlation_id);
            match log {
                "access" => {
                    event.insert("event_type".into(), action.into());
                    event.insert("status".into(), outcome.into());
                    event.insert("user".into(), json!({"id": actor_id, "name": actor_name}));
                    set(&mut event, "username", name);
                    set(&mut event, "status_reason", reason);
                }
                "application" => {
                    event.insert("action".into(), action.into());
                    event.insert(
                        "actor".into(),
                        json!({"type": actor_type, "id": actor_id, "name": actor_name}),
                    );
                    event.insert("model".into(), kind.into());
                    event.insert("record_id".into(), format!("r{id}").into());
                    set(&mut event, "record_name", name);
                    event.insert("changes".into(), changes.into());
                }
                _ => {
                    event.insert("action".into(), action.into());
                    event.insert("status".into(), outcome.into());
                    event.insert(
                        "actor".into(),
                        json!({"type": actor_type, "id": actor_id, "name": actor_name}),
                    );
                    event.insert("component".into(), json!({"type": kind, "id": id, "name": name}));
                    set(&mut event, "error", reason);
                    event.insert("changes".into(), changes.into());
                }
            }
            Event { at, body: event.into() }
        },
    )
}

fn filters(log: &'static str) -> impl Strategy<Value = (&'static str, Vec<String>)> {
    let of = |name: &'static str, words: BoxedStrategy<String>| {
        vec(words, 1..3).prop_map(move |values| (name, values)).boxed()
    };
    let ids = || one_of(IDS).boxed();
    let components =
        prop_oneof![one_of(KINDS), (one_of(KINDS), one_of(IDS)).prop_map(|(k, id)| format!("{k}:{id}"))];
    let known = match log {
        "access" => vec![
            of("event_type", one_of(ACTIONS).boxed()),
            of("status", one_of(OUTCOMES).boxed()),
            of("role", one_of(TEXTS).boxed()),
            of("user_id", ids()),
            of("ip_address", one_of(ADDRESSES).boxed()),
            of("session_id", ids()),
        ],
        "application" => vec![
            of("action", one_of(ACTIONS).boxed()),
            of("model", one_of(KINDS).boxed()),
            of("record_id", one_of(IDS).prop_map(|id| format!("r{id}")).boxed()),
            of("actor_id", ids()),
            of("actor_type", one_of(ACTORS).boxed()),
            of("field", one_of(FIELDS).boxed()),
        ],
        _ => vec![
            of("action", one_of(ACTIONS).boxed()),
            of("component", components.boxed()),
            of("actor_id", ids()),
            of("actor_type", one_of(ACTORS).boxed()),
            of("status", one_of(OUTCOMES).boxed()),
        ],
    };
    select(known).prop_flat_map(|filter| filter)
}

/// A question to a log.
pub fn query(log: &'static str) -> impl Strategy<Value = Query> {
    let words = prop_oneof![text(), one_of(IDS), one_of(FIELDS), one_of(KINDS), "[a-zA-Z0-9:._%-]{1,3}"];
    let q = option::weighted(0.4, words.prop_filter("1 to 200 characters", |q| !q.is_empty()));
    (
        option::weighted(0.3, moment()),
        option::weighted(0.3, moment()),
        q,
        vec(filters(log), 0..3),
        any::<bool>(),
        1..9usize,
    )
        .prop_map(move |(since, until, q, filters, ascending, limit)| {
            // The server refuses a range that ends before it begins.
            let (since, until) = match (since, until) {
                (Some(since), Some(until)) if since > until => (Some(until), Some(since)),
                range => range,
            };
            Query { log, since, until, q, filters: filters.into_iter().collect(), ascending, limit }
        })
}
