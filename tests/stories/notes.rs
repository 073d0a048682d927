//! Notes on events.

use logbook::accounts::role::Role;
use logbook_tests::{
    Answer, Client,
    audit_events::{audit_events, store_activity},
    on_both,
    server::sample,
};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/notes";

fn texts(answer: &Answer) -> Vec<&str> {
    answer.data().iter().map(|note| note["text"].as_str().expect("a text")).collect()
}

fn events(admin: &Client, n: i64) -> Vec<String> {
    let events: Vec<Value> = (0..n).map(|n| sample("access", n)).collect();
    let made = admin.post("/workspaces/clinic/logs/access", events.into()).expect(201);
    let results = made.json["results"].as_array().expect("results");
    results.iter().map(|result| result["id"].as_str().expect("an id").to_owned()).collect()
}

on_both!(
    a_note_is_seen_by_all_who_read_and_is_on_record,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        let admin = server.admin();
        let [viewer, other, manager] =
            [("asha", Role::Viewer), ("ravi", Role::Auditor), ("carl", Role::Admin)]
                .map(|(name, role)| crate::views::person(&server, &clinic, name, role));
        let ids = events(&admin, 3);
        let note = viewer
            .post(PATH, json!({"event_ids": [ids[0], ids[1], ids[0]], "text": "Asked Asha: it was her."}))
            .expect(201);
        assert_eq!(note.json["own"], true);
        let mut about = vec![ids[0].clone(), ids[1].clone()];
        about.sort();
        let seen =
            other.query(PATH, &[("event_id", ids[1].as_str()), ("event_id", ids[2].as_str())]).expect(200);
        assert_eq!(texts(&seen), ["Asked Asha: it was her."]);
        assert_eq!((&seen.data()[0]["event_ids"], &seen.data()[0]["own"]), (&json!(about), &json!(false)));
        assert!(other.query(PATH, &[("event_id", ids[2].as_str())]).expect(200).data().is_empty());

        // A note on what one may not read is as if it were not there.
        let secret = store_activity(&server, &clinic, 1);
        let refused = viewer.post(PATH, json!({"event_ids": [ids[0], secret], "text": "x"})).expect(422);
        assert_eq!(refused.places(), ["/event_ids/1"]);
        let hidden = other.post(PATH, json!({"event_ids": [secret], "text": "Who was that?"})).expect(201);
        assert!(viewer.query(PATH, &[("event_id", secret.as_str())]).expect(200).data().is_empty());
        let hidden = format!("{PATH}/{}", hidden.json["id"].as_str().expect("an id"));
        viewer.delete(&hidden).expect(404);

        let path = format!("{PATH}/{}", note.json["id"].as_str().expect("an id"));
        other.delete(&path).expect(403);
        viewer.delete(&path).expect(204);
        viewer.delete(&path).expect(404);
        manager.delete(&hidden).expect(204);
        assert!(viewer.query(PATH, &[("event_id", ids[0].as_str())]).expect(200).data().is_empty());
        let told = audit_events(&server, "clinic");
        let of = |action: &str| told.iter().filter(|event| event["action"] == action).collect::<Vec<_>>();
        assert_eq!((of("note_added").len(), of("note_removed").len()), (2, 2));
        assert!(
            of("note_added")
                .iter()
                .any(|event| event["metadata"]["event_ids"].as_array().is_some_and(|ids| ids.len() == 2))
        );
        assert!(
            !told.iter().any(|event| event.to_string().contains("Asked Asha")),
            "what is removed is gone"
        );
    }
);

on_both!(notes_are_bounded_and_checked, |server| {
    let clinic = server.workspace("clinic");
    let viewer = server.member(&clinic, Role::Viewer);
    let ids = events(&server.admin(), 1);
    for (note, place) in [
        (json!({"event_ids": [], "text": "x"}), "/event_ids"),
        (json!({"event_ids": vec![ids[0].clone(); 51], "text": "x"}), "/event_ids"),
        (json!({"event_ids": ["x"], "text": "x"}), "/event_ids/0"),
        (json!({"event_ids": ids, "text": ""}), "/text"),
        (json!({"event_ids": ids, "text": " \n"}), "/text"),
        (json!({"event_ids": ids, "text": "x".repeat(2001)}), "/text"),
        (json!({"event_ids": ids, "text": "a\u{0}b"}), "/text"),
    ] {
        assert_eq!(viewer.post(PATH, note.clone()).expect(422).places(), [place], "{note}");
    }
    for _ in 0..100 {
        viewer.post(PATH, json!({"event_ids": ids, "text": "x"})).expect(201);
    }
    assert_eq!(viewer.post(PATH, json!({"event_ids": ids, "text": "x"})).expect(409).code(), "conflict");
    for id in ["", "x"] {
        assert_eq!(viewer.query(PATH, &[("event_id", id)]).expect(400).places(), ["event_id"]);
    }
    assert_eq!(viewer.get(PATH).expect(400).places(), ["event_id"]);
});
