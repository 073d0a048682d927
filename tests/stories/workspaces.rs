//! Platform admins create workspaces, and members see them.

use logbook::accounts::role::Role;
use logbook_tests::on_both;
use serde_json::json;

on_both!(a_new_workspace_is_there_at_once, |server| {
    let admin = server.admin();
    assert_eq!(admin.get("/workspaces").expect(200).json, json!({"data": []}));
    let new = json!({"slug": "clinic", "name": "Riverside Clinic", "timezone": "Asia/Kolkata", "date_format": "yyyy-mm-dd"});
    let made = admin.post("/workspaces", new).expect(201).json;
    assert!(made["created_at"].as_str().is_some_and(|at| at.ends_with('Z')));
    assert_eq!(
        (&made["timezone"], &made["date_format"], &made["role"]),
        (&json!("Asia/Kolkata"), &json!("yyyy-mm-dd"), &json!("admin"))
    );
    assert_eq!(admin.get("/workspaces/clinic").expect(200).json, made);
    let plain = admin.post("/workspaces", json!({"slug": "a-1", "name": "A"})).expect(201).json;
    assert_eq!((&plain["timezone"], &plain["date_format"]), (&json!("UTC"), &json!("dd/mm/yyyy")));
    assert_eq!(admin.get("/workspaces").expect(200).json["data"], json!([plain, made]));
    assert_eq!(admin.get("/workspaces/clinic/logs/feed").expect(200).data().len(), 0);
    admin.get("/workspaces/unknown").expect(404);
    admin.get("/workspaces?limit=3").expect(400);
});

on_both!(a_slug_is_used_once, |server| {
    let admin = server.admin();
    admin.post("/workspaces", json!({"slug": "clinic", "name": "A"})).expect(201);
    let answer = admin.post("/workspaces", json!({"slug": "clinic", "name": "B"})).expect(409);
    assert_eq!((answer.code(), answer.places().as_slice()), ("conflict", ["/slug"].as_slice()));
    let made = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..6)
            .map(|_| {
                scope
                    .spawn(|| server.admin().post("/workspaces", json!({"slug": "shop", "name": "S"})).status)
            })
            .collect();
        tries.into_iter().map(|t| t.join().expect("a thread")).collect::<Vec<_>>()
    });
    assert_eq!(made.iter().filter(|status| **status == 201).count(), 1, "{made:?}");
    assert!(made.iter().all(|status| [201, 409].contains(status)), "{made:?}");
});

on_both!(each_error_in_a_new_workspace_is_named, |server| {
    let admin = server.admin();
    let long = "a".repeat(64);
    for (body, place) in [
        (json!({"slug": "", "name": "x"}), "/slug"),
        (json!({"slug": "Clinic", "name": "x"}), "/slug"),
        (json!({"slug": "a b", "name": "x"}), "/slug"),
        (json!({"slug": "-a", "name": "x"}), "/slug"),
        (json!({"slug": "a/b", "name": "x"}), "/slug"),
        (json!({"slug": "ä", "name": "x"}), "/slug"),
        (json!({"slug": long, "name": "x"}), "/slug"),
        (json!({"slug": 7, "name": "x"}), "/slug"),
        (json!({"name": "x"}), "/slug"),
        (json!({"slug": "a"}), "/name"),
        (json!({"slug": "a", "name": ""}), "/name"),
        (json!({"slug": "a", "name": "n".repeat(201)}), "/name"),
        (json!({"slug": "a", "name": "\u{0}"}), "/name"),
        (json!({"slug": "a", "name": "x", "timezone": "Mars/Olympus"}), "/timezone"),
        (json!({"slug": "a", "name": "x", "timezone": ""}), "/timezone"),
        (json!({"slug": "a", "name": "x", "date_format": "dd.mm.yy"}), "/date_format"),
        (json!({"slug": "a", "name": "x", "colour": "red"}), "/colour"),
    ] {
        let answer = admin.post("/workspaces", body.clone()).expect(422);
        assert_eq!(answer.places(), [place], "{body}: {}", answer.text);
    }
    admin.post("/workspaces", json!({"slug": "a".repeat(63), "name": "n".repeat(200)})).expect(201);
    assert_eq!(admin.get("/workspaces").expect(200).data().len(), 1);
});

on_both!(only_ones_own_workspaces_are_listed, |server| {
    let (a, b) = (server.workspace("a"), server.workspace("b"));
    server.workspace("c");
    let mut claims = logbook::accounts::claims::Claims::new("token:test".into(), "test".into(), 60);
    claims.roles = [(a.id, Role::Viewer), (b.id, Role::Writer)].into();
    let listed = server.client(&claims).get("/workspaces").expect(200);
    let seen: Vec<_> = listed.data().iter().map(|w| json!([w["slug"], w["role"]])).collect();
    assert_eq!(seen, [json!(["a", "viewer"]), json!(["b", "writer"])]);
});
