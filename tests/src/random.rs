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
const ADDRESSES: &[&str] =
    &["198.51.100.4", "10.0.0.1", "10.1.2.3", "::1", "::ffff:10.0.0.1", "2001:DB8:0::7"];
/// Addresses, and networks that the oracle knows.
const NETWORKS: &[&str] = &[
    "198.51.100.4",
    "10.0.0.1",
    "::FFFF:10.1.2.3",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "2001:db8::/32",
    "0.0.0.0/0",
];
const OUTCOMES: &[&str] = &["success", "failure", "denied"];
const ACTORS: &[&str] = &["user", "admin", "service", "system", "agent"];
/// Names of those who send events.
pub const SOURCES: [&str; 2] = ["test", "clinic producer"];

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
    let labels = (option::weighted(0.3, text()), option::weighted(0.3, text()));
    (plain_change(), labels).prop_map(|(mut change, (label, new_label))| {
        let map = change.as_object_mut().expect("an object");
        set(map, "label", label);
        set(map, "new_label", new_label);
        change
    })
}

/// A further target.
fn target() -> impl Strategy<Value = Value> {
    (one_of(KINDS), option::of(one_of(IDS)), option::of(text())).prop_map(|(kind, id, name)| {
        let mut target = Map::from_iter([("type".to_owned(), kind.into())]);
        set(&mut target, "id", id);
        set(&mut target, "name", name);
        target.into()
    })
}

/// Metadata with few enough paths that questions find something.
fn metadata() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![json_value(), one_of(IDS).prop_map(Value::from)];
    (leaf.clone(), leaf, option::of(text())).prop_map(|(region, nested, name)| {
        let mut metadata =
            Map::from_iter([("region".to_owned(), region), ("a".to_owned(), json!({"b": nested}))]);
        set(&mut metadata, "a.b", name);
        metadata.into()
    })
}

fn plain_change() -> impl Strategy<Value = Value> {
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
    let wide = (
        option::weighted(0.3, (one_of(ACTORS), option::of(one_of(IDS)), option::of(text()))),
        option::weighted(0.3, text()),
        vec(target(), 0..3),
        option::weighted(0.4, metadata()),
    );
    let words = (one_of(ACTIONS), one_of(KINDS), one_of(IDS), option::of(text()), one_of(OUTCOMES));
    let actor = (one_of(ACTORS), option::of(one_of(IDS)), option::of(text()));
    (moment(), (context, wide), words, actor, option::of(text()), vec(change(), 0..3)).prop_map(
        move |(
            at,
            (context, (person, purpose, targets, metadata)),
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
            set(&mut event, "purpose", purpose);
            set(&mut event, "metadata", metadata);
            if !targets.is_empty() {
                event.insert("targets".into(), targets.into());
            }
            if let Some((kind, id, name)) = person {
                event.insert("on_behalf_of".into(), json!({"type": kind, "id": id, "name": name}));
            }
            match log {
                "access" => {
                    event.insert("event_type".into(), action.into());
                    event.insert("status".into(), outcome.into());
                    let user = json!({"type": actor_type, "id": actor_id, "name": actor_name});
                    event.insert("user".into(), user);
                    set(&mut event, "username", name);
                    set(&mut event, "status_reason", reason);
                }
                "application" => {
                    event.insert("action".into(), action.into());
                    event.insert("status".into(), outcome.into());
                    set(&mut event, "status_reason", reason);
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

/// A field, and a value that it may have been changed to.
fn changed() -> BoxedStrategy<String> {
    let value = prop_oneof![text(), one_of(&["null", "true", "false", "7", "-1"])];
    (one_of(FIELDS), value).prop_map(|(field, value)| format!("{field}:{value}")).boxed()
}

/// A filter or its twin, with values.
fn filters(log: &'static str) -> impl Strategy<Value = (&'static str, Vec<String>)> {
    let of = |name: &'static str, not: &'static str, words: BoxedStrategy<String>| {
        (select(vec![name, not]), vec(words, 1..3)).boxed()
    };
    let words = |words| one_of(words).boxed();
    let ids = || words(IDS);
    let pair = || (one_of(KINDS), one_of(IDS)).prop_map(|(kind, id)| format!("{kind}:{id}"));
    let types_and_pairs = || prop_oneof![one_of(KINDS), pair()].boxed();
    let mut known = vec![
        of("role", "not_role", words(TEXTS)),
        of("status", "not_status", words(OUTCOMES)),
        of("source", "not_source", words(&SOURCES)),
        of("on_behalf_of", "not_on_behalf_of", ids()),
        of("target", "not_target", types_and_pairs()),
        of("ip_address", "not_ip_address", words(NETWORKS)),
        of("session_id", "not_session_id", ids()),
        of("correlation_id", "not_correlation_id", ids()),
        of("metadata.region", "not_metadata.region", words(&["1", "2", "17", "true", "Asha Rao"])),
        of("metadata.a.b", "not_metadata.a.b", words(&["1", "17", "", "a:b", "false", "O'Brien"])),
    ];
    known.extend(match log {
        "access" => vec![
            of("event_type", "not_event_type", words(ACTIONS)),
            of("user_id", "not_user_id", ids()),
            of("user_type", "not_user_type", words(ACTORS)),
        ],
        "application" => vec![
            of("action", "not_action", words(ACTIONS)),
            of("model", "not_model", words(KINDS)),
            of("record_id", "not_record_id", one_of(IDS).prop_map(|id| format!("r{id}")).boxed()),
            of(
                "record",
                "not_record",
                (one_of(KINDS), one_of(IDS)).prop_map(|(kind, id)| format!("{kind}:r{id}")).boxed(),
            ),
            of("actor_id", "not_actor_id", ids()),
            of("actor_type", "not_actor_type", words(ACTORS)),
            of("field", "not_field", words(FIELDS)),
            of("changed", "not_changed", changed()),
        ],
        _ => vec![
            of("action", "not_action", words(ACTIONS)),
            of("component", "not_component", types_and_pairs()),
            of("actor_id", "not_actor_id", ids()),
            of("actor_type", "not_actor_type", words(ACTORS)),
            of("field", "not_field", words(FIELDS)),
            of("changed", "not_changed", changed()),
        ],
    });
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
