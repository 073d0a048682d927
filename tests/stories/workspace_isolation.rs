//! A workspace never sees another, and nobody can do more than their role allows. The paths come from the OpenAPI document.

use logbook::accounts::role::Role;
use logbook_tests::{Client, audit_events::store_activity, on_both, pagination, server::sample};
use serde_json::{Value, json};

/// Method and path of every operation in the contract, with its security.
fn operations() -> Vec<(String, String, Value)> {
    let document = serde_json::to_value(logbook::openapi::document()).expect("JSON");
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            if ["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                operations.push((method.to_uppercase(), path.clone(), operation["security"].clone()));
            }
        }
    }
    assert!(operations.len() >= 30, "{operations:?}");
    operations
}

/// The path with its parameters filled in, as a story's client takes it.
fn filled(path: &str, workspace: &str, id: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path).replace("{workspace}", workspace);
    let path = path.replace("{id}", id).replace("{user}", "1").replace("{key}", "k7w2m9x4c1qd");
    let path = path.replace("{invitation}", "k7w2m9x4c1qd").replace("{view}", "k7w2m9x4c1qd");
    let path = path.replace("{note}", "k7w2m9x4c1qd").replace("{export}", "k7w2m9x4c1qd");
    let path = path.replace("{source}", "okta");
    let path = path.replace("{session}", "unknown");
    let path = path.replace("{model}", "patient").replace("{record_id}", "1");
    if path.ends_with("/top") || path.ends_with("/groups") {
        format!("{path}?field=status")
    } else if path.ends_with("/exports") && path != format!("/workspaces/{workspace}/exports") {
        format!("{path}?format=csv")
    } else if path.ends_with("/notes") {
        format!("{path}?event_id={ID}")
    } else {
        path
    }
}

fn send(client: &Client, method: &str, path: &str) -> u16 {
    match method {
        "GET" => client.get(path).status,
        _ => client.send(method, path, "application/json", b"[]").status,
    }
}

const ID: &str = "01935fb2-8e31-8000-8000-040000000029";

on_both!(without_a_token_only_health_and_signing_in_are_open, |server| {
    server.workspace("clinic");
    for (method, path, security) in operations() {
        let open = ["/healthz", "/readyz"].contains(&path.as_str()) || path.starts_with("/api/v1/auth/");
        let open = open && path != "/api/v1/auth/password";
        for workspace in ["clinic", "unknown"] {
            let path = filled(&path, workspace, ID);
            let status = send(&server.nobody(), &method, &path);
            if open {
                assert!(![404, 405].contains(&status), "{method} {path}: {status}");
                assert_ne!(security, Value::Null, "{path} says in the contract that it is open");
            } else {
                assert_eq!(status, 401, "{method} {path}");
                assert_eq!(send(&server.bearer("nonsense"), &method, &path), 401, "{method} {path}");
            }
        }
    }
});

on_both!(each_documented_operation_is_routed, |server| {
    server.workspace("clinic");
    // The user with the id that the paths have.
    server.user("asha@clinic.test");
    let admin = server.admin();
    // And the record.
    admin.post("/workspaces/clinic/logs/application", json!([sample("application", 1)])).expect(201);
    admin.post("/workspaces/clinic/sources", json!({"name": "okta", "kind": "okta"})).expect(201);
    for (method, path, _) in operations() {
        // Any other answer shows that there is a handler. For an unknown id 404 is right.
        if ![
            "{id}",
            "{user}",
            "{key}",
            "{invitation}",
            "{view}",
            "{note}",
            "{source}",
            "{export}",
            "{export}/file",
        ]
        .iter()
        .any(|end| path.ends_with(end))
        {
            let status = send(&admin, &method, &filled(&path, "clinic", ID));
            assert!(![404, 405].contains(&status) && status < 500, "{method} {path}: {status}");
        }
    }
});

on_both!(a_member_of_one_workspace_finds_nothing_in_another, |server| {
    let clinic = server.workspace("clinic");
    let shop = server.workspace("shop");
    let admin = server.admin();
    let mut ids = Vec::new();
    for log in ["access", "application", "framework"] {
        let events = vec![sample(log, 1), sample(log, 2), sample(log, 3)];
        admin.post(&format!("/workspaces/clinic/logs/{log}"), events.clone().into()).expect(201);
        let answer = admin.post(&format!("/workspaces/shop/logs/{log}"), events.into()).expect(201);
        ids.push((log, answer.json["results"][0]["id"].as_str().expect("an id").to_owned()));
    }
    store_activity(&server, &clinic, 3);
    ids.push(("activity", store_activity(&server, &shop, 3)));
    for role in [Role::Viewer, Role::Auditor, Role::Writer, Role::Admin] {
        let member = server.member(&clinic, role);
        for (method, path, _) in operations().iter().filter(|(_, path, _)| path.contains("{workspace}")) {
            let unknown = send(&member, method, &filled(path, "unknown", ID));
            // Invitations are a person's, and these tokens belong to none.
            // What only a source's key opens says so, whatever the address.
            let expected = match path.as_str() {
                path if path.starts_with("/api/v1/me/") => 403,
                path if path.ends_with("/{source}/events") || path.ends_with("/heartbeat") => 401,
                _ => 404,
            };
            assert_eq!(send(&member, method, &filled(path, "shop", ID)), expected, "{method} {path}");
            assert_eq!(
                unknown, expected,
                "what is not there and what may not be seen look alike: {method} {path}"
            );
        }
        let names: Vec<_> =
            member.get("/workspaces").expect(200).data().iter().map(|w| w["slug"].clone()).collect();
        assert_eq!(names, ["clinic"]);
    }
    let auditor = server.member(&clinic, Role::Auditor);
    let other = server.member(&shop, Role::Auditor);
    for (log, id) in ids {
        let theirs = other.get(&format!("/workspaces/shop/logs/{log}?limit=1")).expect(200);
        let cursor = theirs.json["next_cursor"].as_str().expect("a cursor");
        other.get(&format!("/workspaces/shop/logs/{log}/{id}")).expect(200);
        assert_eq!(
            auditor.get(&format!("/workspaces/clinic/logs/{log}/{id}")).expect(404).code(),
            "not_found"
        );
        let answer = auditor.get(&format!("/workspaces/clinic/logs/{log}?cursor={cursor}")).expect(400);
        assert_eq!(answer.code(), "cursor_mismatch");
        for what in
            ["", "/metrics", "/facets", "/histogram", "/export.ndjson", "/export.csv", "/export.parquet"]
        {
            let text = auditor
                .query(&format!("/workspaces/clinic/logs/{log}{what}"), &[("q", &id)])
                .expect(200)
                .text;
            assert!(!text.contains(&id), "{what}: {text}");
        }
        assert_eq!(
            pagination::pages(&auditor, &format!("/workspaces/clinic/logs/{log}"), &[("limit", "2")]).len(),
            3
        );
        let metrics = auditor.get(&format!("/workspaces/clinic/logs/{log}/metrics")).expect(200);
        assert_eq!(metrics.json["total"], 3);
    }
    assert_eq!(pagination::feed(&auditor, "clinic", "0".into(), 4).len(), 12);
});

on_both!(each_role_may_do_what_it_says, |server| {
    let clinic = server.workspace("clinic");
    for (role, reads, writes) in [
        (Role::Viewer, true, false),
        (Role::Auditor, true, false),
        (Role::Writer, false, true),
        (Role::Admin, true, true),
    ] {
        let member = server.member(&clinic, role);
        let status = |may: bool, well: u16| if may { well } else { 403 };
        for (method, path, _) in operations().iter().filter(|(_, path, _)| path.contains("/logs/")) {
            let is_closed = path.contains("/logs/activity") || path.contains("/export");
            let reads = reads && (role != Role::Viewer || !is_closed);
            let expected = match method.as_str() {
                "GET" if path.ends_with("{id}") => status(reads, 404),
                "GET" => status(reads, 200),
                _ if path.ends_with("/exports") => status(reads, 202),
                _ => status(writes, 201),
            };
            assert_eq!(
                send(&member, method, &filled(path, "clinic", ID)),
                expected,
                "{role:?}: {method} {path}"
            );
            // A caller may have one at once.
            if expected == 202 {
                crate::exports::wait(&server.admin());
            }
        }
        assert_eq!(member.get("/workspaces/clinic").expect(200).json["role"], role.as_str());
        let new = json!({"slug": "another", "name": "Another"});
        assert_eq!(member.post("/workspaces", new).expect(403).code(), "forbidden", "{role:?}");
        member.get("/metrics").expect(403);
    }
});

on_both!(a_viewers_events_are_not_stored, |server| {
    let clinic = server.workspace("clinic");
    let viewer = server.member(&clinic, Role::Viewer);
    for (log, path) in [("access", "access"), ("access", "ingest")] {
        let mut event = sample(log, 1);
        event["log"] = log.into();
        let answer = viewer.post(&format!("/workspaces/clinic/logs/{path}"), json!([event])).expect(403);
        assert_eq!(answer.code(), "forbidden");
    }
    assert!(viewer.get("/workspaces/clinic/logs/feed").expect(200).data().is_empty());
});
