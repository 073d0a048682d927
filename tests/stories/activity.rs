//! The activity log: what happens in Logbook itself, apart from the app's logs.

use logbook::{
    accounts::{role::Role, workspaces},
    import::zango::{ZangoImport, run},
};
use logbook_tests::{TestServer, on_both, pagination, server::sample};
use serde_json::{Value, json};

const LOGS: &str = "/workspaces/clinic/logs";
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/zango");

/// The totals of the three logs of the app.
fn totals(server: &TestServer, slug: &str) -> Vec<Value> {
    let total = |log: &str| {
        let metrics = server.admin().get(&format!("/workspaces/{slug}/logs/{log}/metrics")).expect(200);
        metrics.json["total"].clone()
    };
    ["access", "application", "framework"].map(total).to_vec()
}

on_both!(
    what_happens_in_logbook_is_not_counted_with_the_app,
    |config| {
        config.audit = true;
    },
    |server| {
        let import = ZangoImport {
            from: FIXTURE.into(),
            schema: "peerapp".into(),
            workspace: "peerapp".into(),
            rejects: None,
        };
        let summary = run(&server.db, &server.data.data_dir, &import, false).expect("an import");
        let imported = json!([summary.access, summary.application, summary.framework]);
        assert_eq!(Value::from(totals(&server, "peerapp")), imported);
        let workspace = workspaces::find(&mut server.own_connection(), "peerapp").expect("an answer");
        let workspace = workspace.expect("the workspace");
        for _ in 0..10 {
            let reader = server.member(&workspace, Role::Auditor);
            reader.get("/workspaces/peerapp/logs/access").expect(200);
            reader.get("/workspaces/peerapp/logs/access/metrics").expect(200);
        }
        server.settle();
        assert_eq!(Value::from(totals(&server, "peerapp")), imported);
        let activity = server.admin().get("/workspaces/peerapp/logs/activity?action=log_read").expect(200);
        assert!(!activity.data().is_empty(), "the reads are in the activity log");
    }
);

on_both!(
    a_new_workspace_has_empty_logs_and_an_activity_log,
    |config| {
        config.audit = true;
    },
    |server| {
        let admin = server.admin();
        admin.post("/workspaces", json!({"slug": "clinic", "name": "Clinic"})).expect(201);
        server.settle();
        assert_eq!(totals(&server, "clinic"), [json!(0), json!(0), json!(0)]);
        for log in ["access", "application", "framework"] {
            let facets = admin.get(&format!("{LOGS}/{log}/facets")).expect(200).json;
            let mut values = facets["data"].as_array().expect("facets").iter().map(|facet| &facet["values"]);
            assert!(values.all(|values| values == &json!([])), "{log}: {facets}");
            assert!(admin.get(&format!("{LOGS}/{log}")).expect(200).data().is_empty());
        }
        let created = admin.get(&format!("{LOGS}/activity?action=workspace_created")).expect(200);
        let event = &created.data()[0];
        assert_eq!(
            (&event["source"], &event["target"]["type"], &event["status"], &event["actor"]["type"]),
            (&json!("logbook"), &json!("workspace"), &json!("success"), &json!("service"))
        );
        let id = event["id"].as_str().expect("an id");
        assert_eq!(&admin.get(&format!("{LOGS}/activity/{id}")).expect(200).json, event);
        admin.get(&format!("{LOGS}/access/{id}")).expect(404);
        let metrics = admin.get(&format!("{LOGS}/activity/metrics?target_type=workspace")).expect(200).json;
        assert_eq!((&metrics["total"], &metrics["by_action"]), (&json!(1), &json!({"workspace_created": 1})));
        let chart = admin.get(&format!("{LOGS}/activity/histogram?by=target_type")).expect(200).json;
        assert_eq!(chart["data"][0]["counts"]["workspace"], 1);
    }
);

on_both!(nobody_but_logbook_writes_the_activity_log, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event = json!([{"log": "activity", "action": "api_key_revoked"}]);
    let refused = admin.post(&format!("{LOGS}/activity"), event.clone()).expect(405);
    assert_eq!(refused.headers["allow"], "GET");
    assert_eq!(admin.post(&format!("{LOGS}/ingest"), event).expect(422).places(), ["/0/log"]);
    for log in ["access", "application", "framework"] {
        let mut event = sample(log, 1);
        event["log"] = "activity".into();
        let refused = admin.post(&format!("{LOGS}/{log}"), json!([event])).expect(422);
        assert_eq!(refused.places(), ["/0/log"], "{log}");
        // Nor can a sender say who sent it.
        let mut event = sample(log, 1);
        event["source"] = "logbook".into();
        admin.post(&format!("{LOGS}/{log}"), json!([event])).expect(422);
    }
    assert!(admin.get(&format!("{LOGS}/activity")).expect(200).data().is_empty());
});

on_both!(
    who_may_not_read_the_activity_log_does_not_read_it_in_the_feed,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        let admin = server.admin();
        admin.post(&format!("{LOGS}/access"), json!([sample("access", 1)])).expect(201);
        admin.get(&format!("{LOGS}/access")).expect(200);
        server.settle();
        admin.post(&format!("{LOGS}/access"), json!([sample("access", 2)])).expect(201);
        let (viewer, auditor) = (server.member(&clinic, Role::Viewer), server.member(&clinic, Role::Auditor));
        viewer.get(&format!("{LOGS}/activity")).expect(403);
        let logs = |client: &logbook_tests::Client| {
            let feed = pagination::feed(client, "clinic", "0".into(), 1);
            feed.iter().map(|event| event["log"].as_str().expect("a log").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(logs(&viewer), ["access", "access"], "and every page leads to the next one");
        assert!(logs(&auditor).contains(&"activity".to_owned()));
    }
);
