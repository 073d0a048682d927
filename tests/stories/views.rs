//! Saved views: private ones, shared ones, and the one that a log opens with.

use logbook::accounts::{claims::Claims, role::Role, workspaces::Workspace};
use logbook_tests::{Client, TestServer, audit_events::audit_events, on_both};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/views";

fn people(server: &TestServer) -> [Client; 3] {
    let clinic = server.workspace("clinic");
    [("asha", Role::Viewer), ("ravi", Role::Viewer), ("admin", Role::Admin)]
        .map(|(name, role)| person(server, &clinic, name, role))
}

/// Somebody who is not the same as others with this role.
pub(crate) fn person(server: &TestServer, workspace: &Workspace, name: &str, role: Role) -> Client {
    let mut claims = Claims::new(format!("token:{name}"), name.into(), 3600);
    claims.roles.insert(workspace.id, role);
    server.client(&claims)
}

fn save(client: &Client, view: &Value) -> String {
    let saved = client.post(PATH, view.clone()).expect(201);
    saved.json["id"].as_str().expect("an id").to_owned()
}

fn names(client: &Client) -> Vec<String> {
    let views = client.get(PATH).expect(200);
    views.data().iter().map(|view| view["name"].as_str().expect("a name").to_owned()).collect()
}

on_both!(
    a_view_is_its_owners_until_it_is_shared,
    |config| {
        config.audit = true;
    },
    |server| {
        let [asha, ravi, admin] = people(&server);
        let view = json!({"log": "access", "name": "Failures", "query": "range=7d&status=failure"});
        let id = save(&asha, &view);
        assert_eq!((names(&asha), names(&ravi)), (vec!["Failures".to_owned()], vec![]));
        let path = format!("{PATH}/{id}");
        // As if it were not there.
        for other in [&ravi, &admin] {
            other.patch(&path, json!({"name": "Mine"})).expect(404);
            other.delete(&path).expect(404);
        }
        let shared = asha.patch(&path, json!({"shared": true, "name": "All failures"})).expect(200);
        assert_eq!(shared.json["query"], "range=7d&status=failure");
        assert_eq!(names(&ravi), ["All failures"]);
        let seen = ravi.get(PATH).expect(200);
        assert_eq!((&seen.data()[0]["own"], &seen.data()[0]["shared"]), (&json!(false), &json!(true)));
        ravi.patch(&path, json!({"name": "Mine"})).expect(403);
        asha.patch(&path, json!({"shared": false})).expect(200);
        assert_eq!(names(&ravi), Vec::<String>::new());
        asha.patch(&path, json!({"shared": true})).expect(200);
        ravi.delete(&path).expect(403);
        admin.delete(&path).expect(204);
        assert_eq!(names(&asha), Vec::<String>::new());
        // What everybody sees is on record.
        let told = audit_events(&server, "clinic");
        let told: Vec<_> = told.iter().map(|event| event["action"].as_str().unwrap_or_default()).collect();
        for action in ["view_shared", "view_unshared", "view_removed"] {
            assert!(told.contains(&action), "{told:?}");
        }
    }
);

on_both!(a_log_opens_with_one_view_of_each_person, |server| {
    let [asha, ravi, _] = people(&server);
    let view = |log: &str, name: &str| json!({"log": log, "name": name, "query": "", "is_default": true, "shared": true});
    for (log, name) in [("access", "a"), ("access", "b"), ("framework", "c")] {
        save(&asha, &view(log, name));
    }
    save(&ravi, &view("access", "d"));
    let defaults = |client: &Client| {
        let views = client.get(PATH).expect(200);
        let defaults = views.data().iter().filter(|view| view["is_default"] == true);
        defaults.map(|view| view["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((defaults(&asha), defaults(&ravi)), (vec!["b".into(), "c".into()], vec!["d".to_owned()]));
});

on_both!(views_are_bounded_and_checked, |server| {
    let [asha, ravi, _] = people(&server);
    for (view, place) in [
        (json!({"log": "access", "name": "", "query": ""}), "/name"),
        (json!({"log": "access", "name": "x", "query": "a b"}), "/query"),
        (json!({"log": "access", "name": "x", "query": "a#b"}), "/query"),
        (json!({"log": "access", "name": "x", "query": "x".repeat(4001)}), "/query"),
        (json!({"log": "nothing", "name": "x", "query": ""}), "/log"),
    ] {
        assert_eq!(asha.post(PATH, view).expect(422).places(), [place]);
    }
    let view = json!({"log": "access", "name": "x", "query": "a=%20b"});
    for _ in 0..100 {
        save(&asha, &view);
    }
    assert_eq!(asha.post(PATH, view.clone()).expect(409).code(), "conflict");
    save(&ravi, &view);
});
