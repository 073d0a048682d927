//! The fields that a workspace masks or keeps by name: who may say so, from when on, and for whose events.

use logbook::accounts::role::Role;
use logbook_tests::{Client, TestServer, on_both, pagination};
use serde_json::{Value, json};

use crate::masking::plain;

const PATH: &str = "/workspaces/clinic/masking";
const LOGS: &str = "/workspaces/clinic/logs";
/// What looks random, and is no secret for that.
const RANDOM: &str = "f7k2-99xq";

fn lists(mask: &[&str], keep: &[&str]) -> Value {
    json!({"mask": mask, "keep": keep})
}

/// Everything that the workspace's readers can get.
fn everything(client: &Client, slug: &str) -> String {
    let mut texts = Value::from(pagination::feed(client, slug, "0".into(), 100)).to_string();
    for log in ["access", "application", "framework"] {
        texts += &client.get(&format!("/workspaces/{slug}/logs/{log}")).expect(200).text;
        texts += &client.get(&format!("/workspaces/{slug}/logs/{log}/facets")).expect(200).text;
    }
    texts
}

fn newest(client: &Client, log: &str) -> Value {
    plain(&client.get(&format!("{LOGS}/{log}?limit=1")).expect(200).data()[0])
}

on_both!(lists_are_empty_until_an_admin_changes_them, |server| {
    let clinic = server.workspace("clinic");
    let admin = server.member(&clinic, Role::Admin);
    assert_eq!(admin.get(PATH).expect(200).json, lists(&[], &[]));
    let wanted = lists(&["patient_id", "address.street"], &["Next Token"]);
    assert_eq!(admin.put(PATH, wanted.clone()).expect(200).json, wanted);
    for role in [Role::Viewer, Role::Auditor, Role::Writer] {
        let member = server.member(&clinic, role);
        assert_eq!(member.get(PATH).expect(200).json, wanted);
        member.put(PATH, lists(&[], &[])).expect(403);
        member
            .post(&format!("{PATH}/preview"), json!({"masking": lists(&[], &[]), "metadata": {}}))
            .expect(403);
    }
    assert_eq!(admin.get(PATH).expect(200).json, wanted);
    assert_eq!(admin.put(PATH, lists(&[], &[])).expect(200).json, lists(&[], &[]));
});

on_both!(each_name_that_cannot_be_in_a_list_is_named, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let many: Vec<String> = (0..101).map(|n| format!("field{n}")).collect();
    let long = "x".repeat(129);
    for (body, places) in [
        (lists(&["mrn", "patient_id"], &["token", "patientId"]), vec!["/keep/1"]),
        (lists(&["mrn", "MRN"], &[]), vec!["/mask/1"]),
        (lists(&[""], &[]), vec!["/mask/0"]),
        (lists(&[], &[&long]), vec!["/keep/0"]),
        (lists(&["a..b", "ok", "\0"], &[]), vec!["/mask/0", "/mask/2"]),
        (json!({"mask": many, "keep": []}), vec!["/mask"]),
        (json!({"mask": [7], "keep": []}), vec!["/mask/0"]),
        (json!({"mask": []}), vec!["/keep"]),
        (json!({"mask": [], "keep": null}), vec!["/keep"]),
        (json!({"mask": [], "keep": [], "drop": []}), vec!["/drop"]),
    ] {
        let answer = admin.put(PATH, body.clone()).expect(422);
        assert_eq!((answer.code(), answer.places()), ("validation_failed", places.clone()), "{body}");
        let answer =
            admin.post(&format!("{PATH}/preview"), json!({"masking": body, "metadata": {}})).expect(422);
        assert_eq!(
            answer.places(),
            places.iter().map(|place| format!("/masking{place}")).collect::<Vec<_>>()
        );
    }
    let answer = admin.put(PATH, lists(&["Patient-ID"], &["patient_id"])).expect(422);
    assert!(
        answer.text.contains("`patient_id` is also in the list of fields to mask as `Patient-ID`"),
        "{}",
        answer.text
    );
    assert_eq!(admin.get(PATH).expect(200).json, lists(&[], &[]));
});

on_both!(a_masked_field_is_in_no_answer_and_a_kept_one_is, |server| {
    server.workspace("clinic");
    server.workspace("shop");
    let admin = server.admin();
    admin.put(PATH, lists(&["mrn", "Diagnosis", "address.street"], &["token", "pin"])).expect(200);
    let hidden = "quiet-fever";
    let events = json!([
        {"log": "access", "event_type": "login_failed", "status_reason": format!("no patient with mrn={hidden}"),
         "metadata": {"MRN": hidden, "deep": [{"m_r_n": {"type": hidden}}], "token": RANDOM, "query": format!("a=1&token={RANDOM}&mrn={hidden}")}},
        {"log": "application", "action": "update", "model": "patient", "record_id": "1",
         "changes": [{"field": "diagnosis", "old": "", "new": hidden, "new_label": format!("{hidden} (chronic)")},
            {"field": "address", "old": {"street": hidden, "city": "Pune"}, "new": null},
            {"field": "f_17", "label": "MRN", "added": [hidden], "removed": []}, {"field": "pin", "old": "4821", "new": RANDOM}]},
        {"log": "framework", "action": "task_failed", "component": {"type": "task", "id": "1", "name": "nightly"},
         "metadata": {"body": json!({"mrn": hidden}).to_string(), "street": "stays", "login": {"token": RANDOM}}},
    ]);
    admin.post(&format!("{LOGS}/ingest"), events.clone()).expect(201);
    admin.wait_for_index();
    let text = everything(&admin, "clinic");
    assert!(!text.contains(hidden), "{text}");
    for word in [hidden, "quiet", "fever"] {
        for log in ["access", "application", "framework"] {
            let found = admin.query(&format!("{LOGS}/{log}"), &[("q", word)]).expect(200);
            assert!(found.data().is_empty(), "{word} is found in {log}");
        }
    }
    let found = admin.query(&format!("{LOGS}/access"), &[("q", RANDOM)]).expect(200);
    assert_eq!(found.data().len(), 1, "what is kept can be searched");
    let access = newest(&admin, "access");
    assert_eq!(access["metadata"]["token"], RANDOM);
    assert_eq!(access["metadata"]["query"], format!("a=1&token={RANDOM}&mrn=[masked]"));
    assert_eq!(access["status_reason"], "no patient with mrn=[masked]");
    let changes = newest(&admin, "application")["changes"].clone();
    assert_eq!(changes[1]["old"], json!({"street": "[masked]", "city": "Pune"}));
    assert_eq!(changes[3], json!({"field": "pin", "old": "4821", "new": RANDOM}));
    assert_eq!(newest(&admin, "framework")["metadata"]["street"], "stays");

    // Another workspace has its own lists, which are empty.
    admin.post("/workspaces/shop/logs/ingest", events).expect(201);
    let text = everything(&admin, "shop");
    assert!(text.contains(hidden) && !text.contains(&format!("\"token\":\"{RANDOM}")), "{text}");
});

on_both!(a_change_counts_for_the_events_that_come_after_it, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let append = || {
        admin
            .post(&format!("{LOGS}/access"), json!([{"event_type": "login", "metadata": {"mrn": "12"}}]))
            .expect(201);
        newest(&admin, "access")["metadata"]["mrn"].clone()
    };
    assert_eq!(append(), "12");
    admin.put(PATH, lists(&["mrn"], &[])).expect(200);
    assert_eq!(append(), "[masked]");
    admin.put(PATH, lists(&[], &[])).expect(200);
    assert_eq!(append(), "12");
    let stored = admin.query(&format!("{LOGS}/access"), &[("order", "asc")]).expect(200);
    let stored: Vec<_> = stored.data().iter().map(|event| plain(event)["metadata"]["mrn"].clone()).collect();
    assert_eq!(stored, ["12", "[masked]", "12"]);
});

on_both!(an_event_that_is_sent_again_after_a_change_is_a_duplicate, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event = |mrn: &str| json!([{"event_type": "login", "dedupe_key": "a", "metadata": {"mrn": mrn}}]);
    let path = format!("{LOGS}/access");
    admin.post(&path, event("12")).expect(201);
    admin.post(&path, event("13")).expect(409);
    admin.put(PATH, lists(&["mrn"], &[])).expect(200);
    assert_eq!(admin.post(&path, event("12")).expect(201).json["duplicates"], 1);
});

on_both!(
    a_change_of_the_lists_is_in_the_activity_log,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        let admin = server.member(&clinic, Role::Admin);
        // Names that the rules would take for a header and its value.
        admin.put(PATH, lists(&["x-api-key", "mrn"], &["token"])).expect(200);
        admin.put(PATH, lists(&["x-api-key", "mrn"], &["token"])).expect(200);
        admin.put(PATH, lists(&["x-api-key", "mrn", "fields to mask", "old"], &[])).expect(200);
        admin
            .post(&format!("{PATH}/preview"), json!({"masking": lists(&[], &[]), "metadata": {"a": 1}}))
            .expect(200);
        let events = changes(&server);
        assert_eq!(
            events,
            [
                json!([{"field": "fields to mask", "old": "", "new": "x-api-key, mrn"}, {"field": "fields to keep", "old": "", "new": "token"}]),
                // Nobody can hide by a list what they change.
                json!([{"field": "fields to mask", "old": "x-api-key, mrn", "new": "x-api-key, mrn, fields to mask, old"},
                    {"field": "fields to keep", "old": "token", "new": ""}]),
            ]
        );
    }
);

fn changes(server: &TestServer) -> Vec<Value> {
    let mut events = pagination::feed(&server.admin(), "clinic", "0".into(), 1000);
    events.retain(|event| event["action"] == "masking_changed");
    assert!(events.iter().all(|event| event["target"]["id"] == "clinic" && event["masked"] == json!([])));
    events.into_iter().map(|event| event["changes"].clone()).collect()
}

on_both!(a_preview_masks_as_appending_does_and_stores_nothing, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let metadata = json!({"mrn": 12, "token": RANDOM, "password": "hunter2", "address": {"street": "4 Hill Road"}, "note": "x"});
    let masking = lists(&["mrn", "address.street"], &["token"]);
    let tried = admin
        .post(&format!("{PATH}/preview"), json!({"masking": masking.clone(), "metadata": metadata.clone()}))
        .expect(200)
        .json;
    assert_eq!(tried["masked"], json!(["/metadata/address/street", "/metadata/mrn", "/metadata/password"]));
    assert_eq!(admin.get(PATH).expect(200).json, lists(&[], &[]));
    assert_eq!(admin.get(&format!("{LOGS}/feed")).expect(200).data().len(), 0);
    admin.put(PATH, masking).expect(200);
    admin.post(&format!("{LOGS}/access"), json!([{"event_type": "login", "metadata": metadata}])).expect(201);
    let stored = newest(&admin, "access");
    assert_eq!((&stored["metadata"], &stored["masked"]), (&tried["metadata"], &tried["masked"]));
});
