//! Suggestions of people, records, components and targets.

use logbook::accounts::role::Role;
use logbook_tests::{audit_events::store_activity, on_both, server::sample};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/suggest";

fn names(data: &[Value]) -> Vec<(&str, &str, &str)> {
    fn text(value: &Value) -> &str {
        value.as_str().unwrap_or("-")
    }
    data.iter().map(|found| (text(&found["type"]), text(&found["id"]), text(&found["name"]))).collect()
}

on_both!(what_was_seen_is_suggested_by_a_part_of_its_name_or_id, |server| {
    let clinic = server.workspace("clinic");
    let admin = server.admin();
    let mut events = Vec::new();
    for (n, (id, name)) in
        [("17", "Asha Rao"), ("18", "Thomas"), ("19", "Ben Kim"), ("17", "Asha Rao-Kim")].iter().enumerate()
    {
        let mut event = sample("application", n as i64);
        event["actor"] = json!({"type": "user", "id": id, "name": name});
        event["record_name"] = format!("Patient of {name}").into();
        event["targets"] = json!([{"type": "ward", "id": "asha-3", "name": "Ward 3"}]);
        events.push(event);
    }
    events[1]["on_behalf_of"] = json!({"type": "user", "id": "20", "name": "Natasha"});
    admin.post("/workspaces/clinic/logs/application", events.into()).expect(201);
    let framework = json!([
        {"action": "app_updated", "component": {"type": "app"}},
        {"action": "policy_synced", "component": {"type": "policy", "id": "2", "name": "OpsAccess"}},
    ]);
    admin.post("/workspaces/clinic/logs/framework", framework).expect(201);

    let ask = |parameters: &[(&str, &str)]| admin.query(PATH, parameters).expect(200);
    let found = ask(&[("field", "actor"), ("q", "AS")]);
    assert_eq!(
        names(found.data()),
        [("user", "17", "Asha Rao-Kim"), ("user", "18", "Thomas"), ("user", "20", "Natasha")],
        "what begins with it, then the newest"
    );
    let found = ask(&[("field", "actor"), ("q", "17")]);
    assert_eq!(names(found.data()), [("user", "17", "Asha Rao-Kim")]);
    let found = ask(&[("field", "actor"), ("limit", "2")]);
    assert_eq!(names(found.data()), [("user", "17", "Asha Rao-Kim"), ("user", "19", "Ben Kim")]);
    let found = ask(&[("field", "record"), ("q", "ben")]);
    assert_eq!(names(found.data()), [("patient", "2", "Patient of Ben Kim")]);
    let found = ask(&[("field", "target"), ("q", "asha-")]);
    assert_eq!(names(found.data()), [("ward", "asha-3", "Ward 3")]);
    let found = ask(&[("field", "component")]);
    assert_eq!(names(found.data()), [("policy", "2", "OpsAccess"), ("app", "-", "-")]);
    assert!(ask(&[("field", "actor"), ("q", "closed")]).data().is_empty(), "it is in the changes only");
    assert!(ask(&[("field", "actor"), ("q", "asha"), ("log", "access")]).data().is_empty());

    store_activity(&server, &clinic, 1);
    let [viewer, auditor] = [Role::Viewer, Role::Auditor].map(|role| server.member(&clinic, role));
    let activity = [("field", "actor"), ("log", "activity")];
    assert_eq!(viewer.query(PATH, &activity).expect(400).places(), ["log"]);
    auditor.query(PATH, &activity).expect(200);
    for (parameter, value) in
        [("field", "name"), ("field", ""), ("log", "x"), ("limit", "21"), ("limit", "0")]
    {
        let parameters = [("field", "actor"), (parameter, value)];
        let parameters = if parameter == "field" { &parameters[1..] } else { &parameters[..] };
        admin.query(PATH, parameters).expect(400);
    }
    assert_eq!(admin.get(PATH).expect(400).places(), ["field"]);
});

on_both!(paths_in_the_metadata_are_suggested_and_ranked, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event = |n: i64, region: &str| {
        let mut event = sample("access", n);
        event["metadata"] = json!({"request": {"region": region, "tags": ["a", "b", "a"]}, "build": n});
        event
    };
    admin
        .post("/workspaces/clinic/logs/access", json!([event(1, "eu"), event(2, "us"), event(3, "eu")]))
        .expect(201);
    let ask = |q: &str| admin.query(PATH, &[("field", "metadata"), ("q", q)]).expect(200);
    assert_eq!(names(ask("REG").data()), [("metadata", "request.region", "eu")]);
    assert_eq!(
        names(admin.query(PATH, &[("field", "metadata"), ("limit", "1")]).expect(200).data()),
        [("metadata", "build", "3")]
    );
    assert!(ask("eu").data().is_empty(), "a value");
    let top = |path: &str, field: &str| {
        let answer = admin.query(&format!("/workspaces/clinic/logs/access/{path}"), &[("field", field)]);
        answer.expect(200).json["data"].clone()
    };
    assert_eq!(
        top("top", "metadata.request.region"),
        json!([{"value": "eu", "name": null, "count": 2}, {"value": "us", "name": null, "count": 1}])
    );
    assert_eq!(
        top("top", "metadata.request.tags")[0],
        json!({"value": "a", "name": null, "count": 3}),
        "once an event"
    );
    assert_eq!(top("groups", "metadata.request.region")[0]["count"], 2);
    assert_eq!(top("top", "metadata.region"), json!([]));
    admin.query("/workspaces/clinic/logs/access/top", &[("field", "metadata.")]).expect(400);
});
