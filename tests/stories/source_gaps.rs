//! Whether all came: a producer counts its events, and what is missing is told by range until it comes.

use std::collections::BTreeSet;

use logbook_tests::{Client, on_both, wait::wait_until};
use serde_json::{Value, json};

use crate::sources::{PATH, how, source, told};

fn counted(epoch: &str, sequence: i64) -> Value {
    json!({"event_type": "login", "epoch": epoch, "sequence": sequence, "dedupe_key": format!("{epoch}:{sequence}")})
}

fn send(sender: &Client, epoch: &str, sequences: impl IntoIterator<Item = i64>) {
    let events: Vec<Value> = sequences.into_iter().map(|sequence| counted(epoch, sequence)).collect();
    sender.post("/workspaces/clinic/logs/access", events.into()).expect(201);
}

fn gaps(how: &Value) -> Vec<(String, i64, i64)> {
    let gap = |gap: &Value| {
        let number = |name: &str| gap[name].as_i64().expect("a number");
        (gap["epoch"].as_str().expect("an epoch").to_owned(), number("from"), number("to"))
    };
    how["gaps"].as_array().expect("gaps").iter().map(gap).collect()
}

on_both!(gaps_are_told_by_range_and_close_when_what_is_missing_comes, |server| {
    server.workspace("clinic");
    let sender = source(&server, "billing", "api");
    let of = |epoch: &str, from: i64, to: i64| (epoch.to_owned(), from, to);
    send(&sender, "a", [1, 2, 3]);
    assert!(gaps(&how(&server, "billing")).is_empty());
    send(&sender, "a", [7, 10]);
    assert_eq!(gaps(&how(&server, "billing")), [of("a", 4, 6), of("a", 8, 9)]);
    assert_eq!(how(&server, "billing")["problems"], json!(["gap"]));
    // A restart is an epoch of its own, and what is missing of the one before stays missing.
    send(&sender, "b", [0, 1, 2]);
    send(&sender, "a", [5]);
    assert_eq!(gaps(&how(&server, "billing")), [of("a", 4, 4), of("a", 6, 6), of("a", 8, 9)]);
    let epochs = how(&server, "billing")["epochs"].clone();
    let of_a =
        epochs.as_array().expect("epochs").iter().find(|epoch| epoch["epoch"] == "a").expect("a").clone();
    assert_eq!((&of_a["first"], &of_a["last"], &of_a["reordered"]), (&json!(1), &json!(10), &json!(1)));

    // Only a gap that stays is an event.
    assert!(told(&server, "source_gap").is_empty());
    server.shift("source_gaps", "noticed_at", -61);
    wait_until("the gap is told", || !told(&server, "source_gap").is_empty());
    let event = told(&server, "source_gap").remove(0);
    assert_eq!(event["metadata"]["missing"], 4);
    assert_eq!(event["metadata"]["gaps"][2], json!({"epoch": "a", "from": 8, "to": 9}));

    send(&sender, "a", [9, 8, 6, 4]);
    let now = how(&server, "billing");
    assert!(gaps(&now).is_empty() && now["problems"] == json!([]), "{now}");
    wait_until("its end is told", || !told(&server, "source_gap_closed").is_empty());
    assert_eq!(told(&server, "source_gap").len(), 1);
    // What is sent again fills nothing and opens nothing.
    send(&sender, "a", [9, 10]);
    assert!(gaps(&how(&server, "billing")).is_empty());
});

on_both!(an_epoch_begins_at_0_or_1_and_a_heartbeat_tells_how_far_it_is, |server| {
    server.workspace("clinic");
    let sender = source(&server, "billing", "api");
    send(&sender, "late", [3]);
    assert_eq!(gaps(&how(&server, "billing")), [("late".to_owned(), 1, 2)]);
    send(&sender, "late", [2, 1]);
    send(&sender, "zero", [0, 1]);
    assert!(gaps(&how(&server, "billing")).is_empty());
    // The last events were lost on the way, and nothing comes after them.
    let beat = format!("{PATH}/billing/heartbeat");
    sender.post(&beat, json!({"epoch": "zero", "sequence": 4})).expect(204);
    assert_eq!(gaps(&how(&server, "billing")), [("zero".to_owned(), 2, 4)]);
    sender.post(&beat, json!({"epoch": "zero", "sequence": 3})).expect(204);
    send(&sender, "zero", [2, 3, 4, 5]);
    assert!(gaps(&how(&server, "billing")).is_empty());
    assert_eq!(sender.post(&beat, json!({"sequence": -1})).expect(422).places(), ["/sequence"]);
    assert_eq!(sender.post(&beat, json!({"epoch": ""})).expect(422).places(), ["/epoch"]);
});

on_both!(gaps_are_those_of_a_set_whatever_the_order, |server| {
    server.workspace("clinic");
    let sender = source(&server, "billing", "api");
    // Numbers that are always the same: a linear congruential generator.
    let mut state = 7_u64;
    let mut below = |most: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % most
    };
    let mut seen = BTreeSet::new();
    for _ in 0..40 {
        let batch: Vec<i64> = (0..below(6) + 1).map(|_| below(60) as i64).collect();
        seen.extend(&batch);
        // The same event twice in one request is a duplicate.
        send(&sender, "e", batch);
        let last = *seen.last().expect("some");
        let missing: BTreeSet<i64> = (1..=last).filter(|n| !seen.contains(n)).collect();
        let told: Vec<i64> = gaps(&how(&server, "billing")).into_iter().flat_map(|(_, a, b)| a..=b).collect();
        assert_eq!(told, missing.into_iter().collect::<Vec<_>>());
    }
});

on_both!(a_producer_with_endless_epochs_and_gaps_takes_bounded_room, |server| {
    server.workspace("clinic");
    let sender = source(&server, "billing", "api");
    for n in 0..3 {
        let events: Vec<Value> = (0..500).map(|m| counted(&format!("e{n}-{m}"), 5)).collect();
        sender.post("/workspaces/clinic/logs/access", events.into()).expect(201);
    }
    send(&sender, "wide", (1..3000).map(|n| n * 2));
    let now = how(&server, "billing");
    assert_eq!(now["gaps_complete"], false);
    assert!(gaps(&now).len() <= 1000, "{}", gaps(&now).len());
    assert!(now["epochs"].as_array().expect("epochs").len() <= 10);
    assert_eq!(now["events"], 4499);
});
