use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::*;

fn events(count: u64) -> Vec<Value> {
    let mut generator = Generator::new(count);
    let mut out = Vec::new();
    while generator.write_next(&mut out) {}
    let lines = out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect()
}

#[test]
fn the_same_number_of_events_are_the_same_events() {
    assert_eq!(events(500), events(500));
}

#[test]
fn the_proportions_are_those_that_are_promised() {
    const COUNT: u64 = 40_000;
    let events = events(COUNT);
    assert_eq!(events.len() as u64, COUNT);
    let share = |wanted: &dyn Fn(&Value) -> bool| {
        events.iter().filter(|event| wanted(event)).count() as f64 / COUNT as f64
    };
    let near = |share: f64, wanted: f64| (share - wanted).abs() < 0.02;
    assert!(near(share(&|event| event["log"] == "application"), 0.7));
    assert!(near(share(&|event| event["log"] == "access"), 0.2));

    let has = |pointer: &str| share(&|event| event.pointer(pointer).is_some());
    let is =
        |pointer: &str, wanted: &str| share(&|event| event.pointer(pointer).is_some_and(|v| v == wanted));
    let few = |share: f64, wanted: f64| (share / wanted - 1.0).abs() < 0.2;
    assert!(few(is("/status", "denied"), DENIED), "{}", is("/status", "denied"));
    assert!(few(has("/on_behalf_of/id"), 0.03), "{}", has("/on_behalf_of/id"));
    assert!(few(is("/actor/type", "agent"), 0.02), "{}", is("/actor/type", "agent"));
    assert!(few(has("/targets/0/id"), WITH_FURTHER_TARGETS) && few(has("/purpose"), WITH_PURPOSE));
    assert!(near(has("/metadata/build"), WITH_METADATA) && near(has("/metadata/request/id"), 0.1));
    assert!(share(&|event| event["metadata"]["request"]["region"] == words::REGIONS[0]) > 0.1);
    let changes: Vec<&Value> =
        events.iter().filter_map(|event| event["changes"].as_array()).flatten().collect();
    let labelled = changes.iter().filter(|change| change["label"].is_string()).count();
    assert!(few(labelled as f64 / changes.len() as f64, 0.1), "{labelled} of {}", changes.len());

    let times: Vec<&str> = events.iter().filter_map(|event| event["occurred_at"].as_str()).collect();
    let late = times.windows(2).filter(|pair| pair[0] > pair[1]).count() as f64 / COUNT as f64;
    assert!((0.005..0.03).contains(&late), "{late} are late");
    assert!(times.windows(2).any(|pair| pair[0] == pair[1]), "some have the same time");
    assert!(times.iter().all(|time| ("2025-11-01T00".."2026-11-01T00").contains(time)));

    let hot = share(&|event| event["model"] == HOT_RECORD.0 && event["record_id"] == HOT_RECORD.1);
    assert!((900.0..1100.0).contains(&(hot * COUNT as f64)), "{hot}");

    let mut users: HashMap<&str, usize> = HashMap::new();
    let mut session_agents: BTreeMap<&str, &str> = BTreeMap::new();
    for event in &events {
        let user =
            ["/on_behalf_of/id", "/user/id"].iter().find_map(|pointer| event.pointer(pointer)?.as_str());
        *users.entry(user.unwrap_or_default()).or_default() += 1;
        if let (Some(session), Some(agent)) = (event["session_id"].as_str(), event["user_agent"].as_str()) {
            let first = session_agents.entry(session).or_insert(agent);
            assert_eq!(*first, agent, "a session keeps its browser");
        }
    }
    assert!(users["1"] > 20 * users.get("500").copied().unwrap_or(1), "Zipf's law");
}

#[test]
fn an_application_event_has_some_144_characters_of_values_and_labels() {
    let mut generator = Generator::new(10_000);
    let (mut characters, mut count, mut out) = (0, 0, Vec::new());
    for _ in 0..10_000 {
        generator.changes.clear();
        out.clear();
        generator.write_next(&mut out);
        if out.starts_with(br#"{"log":"application""#) {
            count += 1;
            let values = generator.changes.iter().flat_map(|change| [&change.old, &change.new]);
            characters += values.map(event::Value::characters).sum::<usize>();
            let names = generator.changes.iter().flat_map(|change| [&change.old_label, &change.new_label]);
            characters += names.flatten().map(|name| name.chars().count()).sum::<usize>();
        }
    }
    let mean = characters / count;
    assert!((130..160).contains(&mean), "{mean}");
}
