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

on_both!(
    a_forged_event_of_logbook_is_seen_to_be_forged,
    |config| {
        config.audit = true;
    },
    |server| {
        server.workspace("clinic");
        let admin = server.admin();
        let key = |name: &str| {
            let made =
                admin.post("/workspaces/clinic/keys", json!({"name": name, "role": "writer"})).expect(201);
            let prefix = made.json["key"]["prefix"].as_str().expect("a prefix").to_owned();
            (server.bearer(made.json["token"].as_str().expect("a key")), prefix)
        };
        let ((mallory, _), (named, prefix)) = (key("mallory"), key("Logbook"));
        let forged = json!([{
            "log": "framework", "action": "api_key_revoked",
            "actor": {"type": "admin", "id": "user:1", "name": "Platform Admin"},
            "component": {"type": "api_key", "id": "k7w2m9x4c1qd"}, "metadata": {"source": "logbook"}
        }]);
        for (client, path) in [(&mallory, "framework"), (&mallory, "ingest"), (&named, "ingest")] {
            client.post(&format!("{LOGS}/{path}"), forged.clone()).expect(201);
        }
        let mut with_source = forged.clone();
        with_source[0]["source"] = "logbook".into();
        mallory.post(&format!("{LOGS}/framework"), with_source).expect(422);
        // Who sent it is shown, by the server's word, and can be asked for. Not even a key's name makes it Logbook.
        let sources = |query: &[(&str, &str)]| {
            let page = admin.query(&format!("{LOGS}/framework"), query).expect(200);
            page.data().iter().map(|event| event["source"].clone()).collect::<Vec<_>>()
        };
        let own = format!("key:{prefix}");
        assert_eq!(sources(&[]), [json!(own), json!("mallory"), json!("mallory")]);
        assert_eq!(sources(&[("source", "mallory")]).len(), 2);
        assert_eq!(sources(&[("source", "logbook")]).len(), 0);
        // And the activity log has nothing but what happened.
        let activity = admin.query(&format!("{LOGS}/activity"), &[("action", "api_key_revoked")]).expect(200);
        assert!(activity.data().is_empty());
        let own = admin.query(&format!("{LOGS}/activity"), &[("not_source", "logbook")]).expect(200);
        assert!(own.data().is_empty());
    }
);
