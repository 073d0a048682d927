//! Exports in the background: started, watched, downloaded and removed.

use std::io::Read as _;

use diesel::prelude::*;
use flate2::read::GzDecoder;
use logbook::accounts::{exports as rows, role::Role};
use logbook_engine::db::{schema::exports, timestamp::Timestamp};
use logbook_tests::{
    Client, TestServer, audit_events::audit_events, on_both, server::sample, wait::wait_until,
};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/exports";
const ACCESS: &str = "/workspaces/clinic/logs/access";

/// Starts an export, waits until it has ended, and returns its id.
pub(crate) fn export(client: &Client, path: &str) -> String {
    let started = client.send("POST", path, "application/json", b"").expect(202);
    wait(client);
    started.json["id"].as_str().expect("an id").to_owned()
}

/// Waits until no export runs.
pub(crate) fn wait(client: &Client) {
    wait_until("the exports end", || {
        client.get(PATH).expect(200).data().iter().all(|export| export["state"] != "running")
    });
}

fn append(admin: &Client, n: i64) {
    let events: Vec<Value> = (0..n).map(|n| sample("access", n)).collect();
    admin.post(ACCESS, events.into()).expect(201);
}

fn unpacked(client: &Client, id: &str) -> String {
    let mut text = String::new();
    let file = client.bytes(&format!("{PATH}/{id}/file"), &[]);
    GzDecoder::new(&*file).read_to_string(&mut text).expect("gzip");
    text
}

/// The files in the server's folder.
fn files(server: &TestServer) -> usize {
    std::fs::read_dir(server.data.data_dir.join("exports")).map(Iterator::count).unwrap_or_default()
}

on_both!(
    an_export_in_the_background_is_the_same_file_and_is_on_record,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        let admin = server.admin();
        append(&admin, 1200);
        let person = |name: &str, role| crate::views::person(&server, &clinic, name, role);
        let [auditor, other, viewer, manager] = [
            person("asha", Role::Auditor),
            person("ravi", Role::Auditor),
            person("ben", Role::Viewer),
            person("carl", Role::Admin),
        ];
        let filters = "status=success&order=asc";
        for format in ["ndjson", "csv"] {
            let id = export(&auditor, &format!("{ACCESS}/exports?format={format}&{filters}"));
            let told = other.get(&format!("{PATH}/{id}")).expect(200).json;
            assert_eq!(
                (&told["state"], &told["events"], &told["total"]),
                (&json!("done"), &json!(1200), &json!(1200))
            );
            assert_eq!(
                (&told["own"], &told["query"]),
                (&json!(false), &json!(format!("format={format}&{filters}")))
            );
            assert!(told["bytes"].as_i64() > Some(0) && told["expires_at"].is_string());
            let streamed = auditor.get(&format!("{ACCESS}/export.{format}?{filters}")).expect(200).text;
            assert_eq!(unpacked(&other, &id), streamed);
        }
        let parquet = export(&auditor, &format!("{ACCESS}/exports?format=parquet"));
        assert!(auditor.bytes(&format!("{PATH}/{parquet}/file"), &[]).starts_with(b"PAR1"));
        let timeline = export(&auditor, "/workspaces/clinic/timeline/exports?format=ndjson&since=2026-01-01");
        let events = crate::export::ndjson(&unpacked(&auditor, &timeline));
        assert_eq!(events.iter().filter(|event| event["log"] == "access").count(), 1200);

        let all = other.get(PATH).expect(200);
        assert_eq!((all.data().len(), &all.data()[0]["id"]), (4, &json!(timeline)));
        viewer.get(PATH).expect(403);
        viewer.get(&format!("{PATH}/{parquet}/file")).expect(403);
        other.delete(&format!("{PATH}/{parquet}")).expect(403);
        auditor.delete(&format!("{PATH}/{parquet}")).expect(204);
        manager.delete(&format!("{PATH}/{timeline}")).expect(204);
        other.get(&format!("{PATH}/{parquet}/file")).expect(404);
        assert_eq!(files(&server), 2);

        let events = audit_events(&server, "clinic");
        let of = |action: &str| events.iter().filter(|event| event["action"] == action).collect::<Vec<_>>();
        let background = of("log_exported")
            .into_iter()
            .filter(|event| event["metadata"]["background"] == true)
            .collect::<Vec<_>>();
        assert_eq!((background.len(), of("export_removed").len()), (4, 2));
        assert!(background.iter().any(|event| event["metadata"]["events"] == 1200));
        assert!(of("log_exported").iter().any(|event| event["metadata"]["log"] == "export"), "the downloads");
    }
);

on_both!(an_export_is_kept_for_a_day_and_given_up_when_its_server_is_gone, |server| {
    let clinic = server.workspace("clinic");
    let admin = server.admin();
    append(&admin, 3);
    let id = export(&admin, &format!("{ACCESS}/exports?format=csv"));
    let mut conn = server.db.conn().expect("a connection");
    let folder = server.data.data_dir.join("exports");
    let states = || {
        let all = admin.get(PATH).expect(200);
        all.data()
            .iter()
            .map(|export| export["state"].as_str().expect("a state").to_owned())
            .collect::<Vec<_>>()
    };
    rows::sweep(&mut conn, &folder, Timestamp::now().plus_seconds(86_000)).expect("swept");
    assert_eq!((states(), files(&server)), (vec!["done".to_owned()], 1));
    // As a server leaves it that was killed.
    diesel::update(exports::table.find((clinic.id, &id)))
        .set(exports::state.eq("running"))
        .execute(&mut conn)
        .expect("updated");
    admin.get(&format!("{PATH}/{id}/file")).expect(409);
    rows::sweep(&mut conn, &folder, Timestamp::now().plus_seconds(500)).expect("swept");
    assert_eq!(states(), ["running"]);
    rows::sweep(&mut conn, &folder, Timestamp::now().plus_seconds(700)).expect("swept");
    assert_eq!(states(), ["failed"]);
    assert_eq!(admin.get(&format!("{PATH}/{id}")).expect(200).json["reason"], "the server stopped");
    rows::sweep(&mut conn, &folder, Timestamp::now().plus_seconds(90_000)).expect("swept");
    assert_eq!((states(), files(&server)), (Vec::<String>::new(), 0));
});

on_both!(
    exports_in_the_background_are_bounded,
    |config| {
        config.exports_mib = 1;
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        let admin = server.admin();
        append(&admin, 3);
        admin.send("POST", &format!("{ACCESS}/exports"), "application/json", b"").expect(400);
        admin.send("POST", &format!("{ACCESS}/exports?format=xlsx"), "application/json", b"").expect(400);
        let mut conn = server.db.conn().expect("a connection");
        let id = export(&admin, &format!("{ACCESS}/exports?format=csv"));
        // As if it were as large as all may be.
        diesel::update(exports::table.find((clinic.id, &id)))
            .set(exports::bytes.eq((1 << 20) - 1))
            .execute(&mut conn)
            .expect("updated");
        let full = export(&admin, &format!("{ACCESS}/exports?format=parquet"));
        let full = admin.get(&format!("{PATH}/{full}")).expect(200).json;
        assert_eq!(full["state"], "failed");
        assert!(full["reason"].as_str().expect("a reason").contains("room"), "{full}");
        diesel::update(exports::table.find((clinic.id, &id)))
            .set(exports::bytes.eq(1 << 20))
            .execute(&mut conn)
            .expect("updated");
        let start = || admin.send("POST", &format!("{ACCESS}/exports?format=csv"), "application/json", b"");
        assert_eq!(start().expect(409).code(), "conflict");
        admin.delete(&format!("{PATH}/{id}")).expect(204);
        for _ in 0..19 {
            export(&admin, &format!("{ACCESS}/exports?format=csv"));
        }
        assert_eq!(start().expect(409).code(), "conflict");
        // What is refused is no export.
        let late = crate::views::person(&server, &clinic, "late", Role::Admin);
        late.send("POST", &format!("{ACCESS}/exports?format=csv"), "application/json", b"").expect(409);
        let recorded = audit_events(&server, "clinic");
        assert!(!recorded.iter().any(|event| event["actor"]["id"] == "token:late"), "{recorded:?}");
    }
);
