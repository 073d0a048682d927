//! The activity log: what happens in Logbook itself is there, and nowhere else. What is recorded is told in `audit_events`.

use logbook_tests::{on_both, server::sample, wait::wait_until};
use serde_json::json;

const LOGS: &str = "/workspaces/clinic/logs";

on_both!(
    a_new_workspace_has_activity_and_three_empty_logs,
    |config| {
        config.audit = true;
    },
    |server| {
        let asha = server.admin_called("Asha Rao");
        asha.post("/workspaces", json!({"slug": "clinic", "name": "Clinic"})).expect(201);
        asha.post("/workspaces/clinic/keys", json!({"name": "Vector", "role": "writer"})).expect(201);
        let activity = || asha.get(&format!("{LOGS}/activity")).expect(200);
        for log in ["access", "application", "framework"] {
            assert_eq!(asha.get(&format!("{LOGS}/{log}")).expect(200).data().len(), 0, "{log}");
            assert_eq!(asha.get(&format!("{LOGS}/{log}/metrics")).expect(200).json["total"], 0, "{log}");
            let facets = asha.get(&format!("{LOGS}/{log}/facets")).expect(200).json;
            let facets = facets["data"].as_array().expect("facets");
            assert!(facets.iter().all(|facet| facet["values"] == json!([])), "{log}: {facets:?}");
        }
        wait_until("its creation, the key and the reads of four logs are there", || {
            activity().data().len() >= 6
        });
        let key = asha.query(&format!("{LOGS}/activity"), &[("target_type", "api_key")]).expect(200);
        let key = &key.data()[0];
        assert_eq!(
            (&key["action"], &key["status"], &key["target"]["name"], &key["actor"]["name"], &key["role"]),
            (
                &json!("api_key_created"),
                &json!("success"),
                &json!("Vector"),
                &json!("Asha Rao"),
                &json!("admin")
            )
        );
        let metrics =
            asha.query(&format!("{LOGS}/activity/metrics"), &[("not_action", "log_read")]).expect(200);
        assert_eq!(metrics.json["by_action"]["api_key_created"], 1);
        let facets =
            asha.query(&format!("{LOGS}/activity/facets"), &[("action", "api_key_created")]).expect(200);
        let types = facets.data().iter().find(|facet| facet["field"] == "target_type").expect("the facet");
        assert_eq!(types["values"], json!([{"value": "api_key", "count": 1}]));
    }
);

on_both!(nobody_writes_the_activity_log, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let answer = admin.post(&format!("{LOGS}/activity"), json!([]));
    assert_eq!((answer.status, answer.headers["allow"].as_str()), (405, "GET"));
    for path in ["access", "application", "framework", "ingest"] {
        let mut event = sample(path, 1);
        event["log"] = "activity".into();
        let answer = admin.post(&format!("{LOGS}/{path}"), json!([event])).expect(422);
        let error = &answer.json["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!("/0/log"), &json!("wrong_log")), "{path}");
    }
    assert!(admin.get(&format!("{LOGS}/feed")).expect(200).data().is_empty());
});
