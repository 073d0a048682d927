//! What a mapping may not be, and that nothing that is sent through one takes long.

use std::{sync::Arc, time::Instant};

use serde_json::{Map, Value, json};

use super::{tests::element, *};

/// The places of what is wrong with a mapping.
fn wrong(text: &str) -> Vec<String> {
    let errors = Mapping::compile(text).err().unwrap_or_default();
    errors.into_iter().map(|error| error.pointer.unwrap_or_default()).collect()
}

#[test]
fn a_mapping_is_checked_when_it_is_saved() {
    let with = |line: &str| format!("log = \"'access'\"\naction = 'event.a'\n{line}");
    assert!(wrong(&with("")).is_empty());
    assert_eq!(wrong("log = 'oops("), [""]);
    assert_eq!(wrong("log = \"'access'\""), ["/action"]);
    for (line, place) in [
        ("colour = 'event.x'", "/colour"),
        ("actor.age = 'event.x'", "/actor/age"),
        ("actor.id = 7", "/actor/id"),
        ("actor.id = []", "/actor/id"),
        ("actor.id = ''", "/actor/id"),
        ("actor.id = 'event.'", "/actor/id"),
        ("actor.id = 'evnet.x'", "/actor/id"),
        ("actor.id = 'shout(event.x)'", "/actor/id"),
        ("actor.id = 'event.x.matches(event.y)'", "/actor/id"),
        ("actor.id = 'rest'", "/actor/id"),
        ("metadata = 'without(rest, [\"a\"])'", "/metadata"),
        ("targets = 'event.l.map(a, event.l.map(b, b))'", "/targets"),
        ("targets = 'event.l.map(a, [a, event])'", "/targets"),
        ("targets = 'event.l.map(a, a.x + a.y)'", "/targets"),
        ("targets = 'event.l.map(a, hash(a))'", "/targets"),
        ("targets = 'event.l.map(a, [a,a,a,a,a,a,a,a,a,a,a])'", "/targets"),
    ] {
        assert_eq!(wrong(&with(line)), [place], "{line}");
    }
    let many = format!("actor.id = '{}'", "[".to_owned() + &"event.x, ".repeat(30) + "event.x]");
    assert_eq!(wrong(&with(&many)), ["/actor/id"]);
    assert_eq!(wrong(&"a".repeat(40_000)), [""]);
}

#[test]
fn hostile_expressions_are_refused_at_once() {
    let deep = |open: &str, n: usize| open.repeat(n);
    for expression in [
        deep("(", 1000),
        deep("[", 1000),
        deep("{", 1000),
        deep("-", 1000),
        deep("!", 1000),
        deep("f(", 500),
        deep("event.", 170),
        deep("event.map(x,", 80),
        deep("a?b:", 250),
        deep("1+", 500),
        deep("\\", 1000),
        deep("\u{1F600}", 200),
    ] {
        let started = Instant::now();
        let text = toml::to_string(&toml::Table::from_iter([
            ("log".to_owned(), "'access'".into()),
            ("action".to_owned(), expression.clone().into()),
        ]))
        .expect("TOML");
        let compiled = Mapping::compile(&text);
        if let Ok(mapping) = compiled {
            let _ = mapping.event(&element(Kind::Api, &json!({"a": 1})));
        }
        assert!(started.elapsed().as_secs() < 10, "{}", &expression[..8.min(expression.len())]);
    }
}

#[test]
fn no_element_takes_long_with_an_accepted_mapping() {
    // As many uses of the largest element as may be, and the dearest functions.
    let dear = r#"
        log = "'access'"
        action = ["hash([event,event,event,event])", "'a'"]
        targets = ["event.l.filter(a, a in [a,a,a,a,a])", "[]"]
        changes = "diff(event, {'x': event, 'y': event})"
        actor.id = "hash(event)"
        session_id = "event.l.exists(a, a.x == 1) ? 'y' : 'n'"
    "#;
    let mapping = Mapping::compile(dear).expect("a mapping");
    let list: Vec<Value> = (0..15_000).map(|n| json!([n])).collect();
    let largest = json!({"l": list});
    assert!(largest.to_string().len() < MAX_ELEMENT);
    let started = Instant::now();
    let _ = mapping.event(&element(Kind::Api, &largest));
    // Unoptimised and on a busy machine it takes a second; without bounds it would take minutes.
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn anything_can_be_sent_through_any_mapping() {
    let values = [
        json!(null),
        json!(1),
        json!(u64::MAX),
        json!(-1.5e300),
        json!(""),
        json!("\0"),
        json!("x".repeat(70_000)),
        json!([]),
        json!([[[]]]),
        json!({"": {}}),
        json!({"a": {"b": [1, null]}}),
    ];
    let names = [
        "event",
        "type",
        "time",
        "action",
        "actor",
        "data",
        "user",
        "id",
        "target",
        "log",
        "objectRef",
        "verb",
        "stage",
        "eventType",
        "outcome",
        "attributes",
        "changes",
        "targets",
        "metadata",
        "occurred_at",
        "details",
    ];
    let mut state = 3_u64;
    let mut below = |most: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % most
    };
    for _ in 0..300 {
        let mut object = Map::new();
        for _ in 0..8 {
            object.insert(names[below(names.len())].to_owned(), values[below(values.len())].clone());
        }
        let object = Value::Object(object);
        for kind in Kind::ALL {
            // Whatever it becomes, it does not panic.
            let _ = Mapping::of(*kind).event(&element(*kind, &object));
        }
    }
}

#[test]
fn functions_do_what_their_names_say() {
    let element = element(
        Kind::Api,
        &json!({"t": "A/B", "j": "{\"k\": 1}", "o": {"a": 1, "b": 2}, "n": {"a": 1, "c": 3}}),
    );
    let value = |expression: &str| {
        let text = format!("log = \"'access'\"\naction = \"'a'\"\nmetadata = \"{{'v': {expression}}}\"\n");
        match Mapping::compile(&text).expect("a mapping").event(&element) {
            Ok(Mapped::Event(event)) => event.metadata["v"].clone(),
            Ok(Mapped::Skipped) => panic!("skipped"),
            Err(errors) => panic!("{expression}: {errors:?}"),
        }
    };
    assert_eq!(value("lower(event.t)"), "a/b");
    assert_eq!(value("last(event.t, '/')"), "B");
    assert_eq!(value("trim_prefix(event.t, 'A/')"), "B");
    assert_eq!(value("trim_suffix(event.t, '/B')"), "A");
    assert_eq!(value("json(event.j).k"), 1);
    assert_eq!(value("json(event.t)"), Value::Null);
    assert_eq!(value("hash({'a': 1, 'b': 2})"), value("hash(event.o)"));
    assert_eq!(value("without(event.o, ['a'])"), json!({"b": 2}));
    let changed = json!([{"field": "b", "old": 2, "new": null}, {"field": "c", "old": null, "new": 3}]);
    assert_eq!(value("diff(event.o, event.n)"), changed);
    assert_eq!(value("diff(event.o, event.o)"), Value::Null);
}

#[test]
fn a_mapping_is_shared_by_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(Mapping::of(Kind::Okta));
    let _: &Arc<Mapping> = Mapping::of(Kind::Okta);
}
