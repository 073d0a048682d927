//! The past of any Django project: what django-auditlog and django-axes have recorded, from PostgreSQL, SQLite and CSV.
//!
//! `fixtures/django` was made by Django itself; its README.md says how. What each row becomes stands in the snapshots, row by row.

use std::{fs, path::Path, thread};

use logbook::import::{
    ImportError, Stop, Summary,
    django::{AuditlogImport, AxesImport},
};
use logbook_tests::{
    TestServer, on_both,
    source_database::{DJANGO_FIXTURE, django_database, execute, ids, imported},
    wait::wait_until,
};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::masking::plain;

/// A SQLite file as Django 4.2, django-auditlog 2.2 and django-axes 5.41 leave it.
fn older_database(folder: &Path) -> String {
    let path = folder.join("older.sqlite3");
    let rows = fs::read_to_string(Path::new(DJANGO_FIXTURE).join("older.sql")).expect("the fixture");
    let file = Connection::open(&path).expect("a file");
    file.execute_batch(&format!("PRAGMA foreign_keys = off; {rows}")).expect("its rows");
    path.display().to_string()
}

fn auditlog(server: &TestServer, from: &str, workspace: &str) -> Summary {
    AuditlogImport::new(from, workspace).run(&server.db, &server.data.data_dir, false).expect("an import")
}

fn axes(server: &TestServer, from: &str, workspace: &str) -> Summary {
    AxesImport::new(from, workspace).run(&server.db, &server.data.data_dir, false).expect("an import")
}

/// The events of a workspace, without what differs between two servers, and what is empty.
fn events(server: &TestServer, workspace: &str) -> Value {
    imported(server, workspace).iter().map(plain).map(filled).collect()
}

fn filled(event: Value) -> Value {
    let Value::Object(mut members) = event else { return event };
    members.retain(|name, value| {
        let is_empty = value.as_array().is_some_and(Vec::is_empty);
        if name == "target" {
            *value = filled(value.take());
        }
        !value.is_null() && !is_empty
    });
    members.into()
}

/// One line for each event.
fn lines(events: &Value) -> String {
    let lines = events.as_array().expect("events").iter().map(|event| event.to_string() + "\n");
    lines.collect()
}

fn assert_no_secret(events: &Value) {
    let text = events.to_string();
    for secret in ["md5$", "tok_1234567890abcdef", "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

fn origins(events: &Value) -> Vec<i64> {
    let events = events.as_array().expect("events");
    let mut ids: Vec<i64> =
        events.iter().map(|event| event["metadata"]["django"]["id"].as_i64().expect("an id")).collect();
    ids.sort_unstable();
    ids
}

on_both!(each_entry_of_django_auditlog_is_an_event, |server| {
    let source = django_database();
    let summary = auditlog(&server, &source, "shop");
    assert_eq!((summary.application, summary.events(), summary.rejected), (26, 26, 0));
    let found = events(&server, "shop");
    assert_no_secret(&found);
    assert_eq!(origins(&found), ids(&source, "SELECT id::bigint AS id FROM auditlog_logentry ORDER BY id"));
    insta::assert_snapshot!("auditlog", lines(&found));
    assert_eq!(auditlog(&server, &source, "shop").events(), 0);

    // A folder of the same tables gives the same events.
    assert_eq!(auditlog(&server, DJANGO_FIXTURE, "from-csv").events(), 26);
    assert_eq!(events(&server, "from-csv"), found);
});

on_both!(older_entries_in_sqlite_are_events_too, |server| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = older_database(folder.path());
    let summary = auditlog(&server, &source, "shop");
    assert_eq!((summary.application, summary.events(), summary.rejected), (22, 22, 0));
    let found = events(&server, "shop");
    assert_no_secret(&found);
    assert_eq!(origins(&found), (1..=22).collect::<Vec<_>>());
    insta::assert_snapshot!("auditlog_older", lines(&found));
    assert_eq!(auditlog(&server, &format!("sqlite://{source}"), "shop").events(), 0);
});

on_both!(logins_and_failures_of_django_axes_are_events, |server| {
    let source = django_database();
    let summary = axes(&server, &source, "shop");
    assert_eq!((summary.access, summary.events(), summary.rejected), (12, 12, 0));
    let found = events(&server, "shop");
    insta::assert_snapshot!("axes", lines(&found));
    assert_eq!(axes(&server, &source, "shop").events(), 0);
    assert_eq!(axes(&server, DJANGO_FIXTURE, "from-csv").events(), 12);
    assert_eq!(events(&server, "from-csv"), found);
});

on_both!(without_a_log_of_failures_the_attempts_are_counted, |server| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = older_database(folder.path());
    let summary = axes(&server, &source, "shop");
    assert_eq!((summary.access, summary.events(), summary.rejected), (9, 9, 0));
    insta::assert_snapshot!("axes_older", lines(&events(&server, "shop")));

    // Two more failures of an attempt; another attempt is removed by a login, as axes does.
    let app = Connection::open(&source).expect("the app's connection");
    let change = "UPDATE axes_accessattempt SET failures_since_start = 6, attempt_time = '2026-11-28 00:00:00' WHERE id = 2; \
                  DELETE FROM axes_accessattempt WHERE id = 4; \
                  UPDATE axes_accesslog SET logout_time = '2026-11-28 00:00:01' WHERE id = 2";
    app.execute_batch(change).expect("the app's changes");
    assert_eq!(axes(&server, &source, "shop").events(), 2);
    let all = events(&server, "shop");
    let failures = &all[9];
    assert_eq!(failures["metadata"]["failures"], 2);
    assert_eq!(failures["metadata"]["failures_since_start"], 6);
    assert_eq!((&all[10]["action"], &all[10]["session_id"]), (&json!("logout"), &json!("axes-2")));
    assert_eq!(axes(&server, &source, "shop").events(), 0);

    // One more, before a log of failures is switched on. Its first row is a failure of another attempt, counted just before it.
    app.execute_batch(
        "UPDATE axes_accessattempt SET failures_since_start = 7, attempt_time = '2026-11-28 00:00:02' WHERE id = 2;
         UPDATE axes_accessattempt SET failures_since_start = 2, attempt_time = '2026-11-28 00:00:03.1' WHERE id = 1;
         CREATE TABLE axes_accessfailurelog (id integer PRIMARY KEY AUTOINCREMENT, username, ip_address, user_agent, \
         attempt_time, locked_out);
         INSERT INTO axes_accessfailurelog SELECT 1, username, ip_address, user_agent, '2026-11-28 00:00:03.2', 1 \
         FROM axes_accessattempt WHERE id = 1",
    )
    .expect("the app's changes");
    assert_eq!(axes(&server, &source, "shop").events(), 2);
    let all = events(&server, "shop");
    let counted = (&all[11]["metadata"]["django"]["id"], &all[11]["metadata"]["failures"]);
    assert_eq!(counted, (&json!(2), &json!(1)));
    assert_eq!(
        (&all[12]["target"]["name"], &all[12]["outcome_reason"]),
        (&json!("asha"), &json!("locked_out"))
    );

    // What is logged does not come again as an attempt, also when the log has lost its first row.
    app.execute_batch(
        "UPDATE axes_accessattempt SET failures_since_start = 8, attempt_time = '2026-11-28 00:00:04.1' WHERE id = 2;
         INSERT INTO axes_accessfailurelog SELECT 2, username, ip_address, user_agent, '2026-11-28 00:00:04.2', 1 \
         FROM axes_accessattempt WHERE id = 2",
    )
    .expect("the app's changes");
    assert_eq!(axes(&server, &source, "shop").events(), 1);
    app.execute_batch(
        "DELETE FROM axes_accessfailurelog;
         INSERT INTO axes_accessfailurelog VALUES (3, 'other', NULL, 'curl', '2026-11-28 00:00:05', 0)",
    )
    .expect("the app's changes");
    assert_eq!(axes(&server, &source, "shop").events(), 1);

    // A first import has the attempts of before the log too: 1, 2 and 3 are older than what is left of it.
    let first = axes(&server, &source, "first");
    assert_eq!((first.access, first.rejected), (4 + 2 + 3 + 1, 0));
});

on_both!(django_is_followed, |server| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (postgres, sqlite) = (django_database(), older_database(folder.path()));
    let stop = Stop::default();
    let follow = |from: &str, workspace: &str| {
        let mut auditlog = AuditlogImport::new(from, workspace);
        auditlog.django.import.every = 1;
        let axes = AxesImport { django: auditlog.django.clone() };
        (auditlog, axes)
    };
    thread::scope(|scope| {
        for (from, workspace) in [(&postgres, "new"), (&sqlite, "old")] {
            // So that not both create it.
            server.workspace(workspace);
            let (auditlog, axes) = follow(from, workspace);
            let (db, data_dir) = (&server.db, &server.data.data_dir);
            let (one, other) = (stop.clone(), stop.clone());
            scope.spawn(move || auditlog.follow(db, data_dir, &one).expect("it ends well"));
            scope.spawn(move || axes.follow(db, data_dir, &other).expect("it ends well"));
        }
        let count = |workspace: &str| imported(&server, workspace).len();
        wait_until("the past is there", || count("new") == 38 && count("old") == 31);
        // A model that was not there, and the first entry about it.
        execute(&postgres, "INSERT INTO django_content_type VALUES (90, 'shop', 'invoice')");
        execute(
            &postgres,
            "INSERT INTO auditlog_logentry (id, object_pk, object_repr, action, changes, \"timestamp\", content_type_id, \
             changes_text, actor_id) VALUES (100, '5', 'Invoice 5', 0, '{\"total\": [\"None\", \"7\"]}', now(), 90, '', 2)",
        );
        execute(&postgres, "UPDATE axes_accesslog SET logout_time = now() WHERE id = 2");
        let app = Connection::open(&sqlite).expect("the app's connection");
        app.execute_batch("UPDATE axes_accessattempt SET failures_since_start = 2 WHERE id = 1")
            .expect("a failure");
        wait_until("what is new is there", || count("new") == 40 && count("old") == 32);
        // Another file in its place, as when a backup is restored.
        drop(app);
        let restored = folder.path().join("restored.sqlite3");
        fs::copy(&sqlite, &restored).expect("a copy");
        let app = Connection::open(&restored).expect("the app's connection");
        app.execute_batch("UPDATE axes_accessattempt SET failures_since_start = 3 WHERE id = 1")
            .expect("a failure");
        drop(app);
        fs::rename(&restored, &sqlite).expect("it takes the place");
        wait_until("what is new in the other file is there", || count("old") == 33);
        stop.set();
    });
    let new = imported(&server, "new");
    let invoice = new.iter().find(|event| event["target"]["id"] == "5").expect("an invoice");
    assert_eq!(
        (&invoice["target"]["type"], &invoice["actor"]["name"]),
        (&json!("shop.invoice"), &json!("bela"))
    );
});

on_both!(a_user_table_of_ones_own_gives_the_names, |server| {
    let source = django_database();
    execute(&source, "CREATE TABLE public.people (id uuid PRIMARY KEY, email text, full_name text)");
    execute(
        &source,
        "ALTER TABLE auditlog_logentry DROP CONSTRAINT auditlog_logentry_actor_id_959271d2_fk_auth_user_id",
    );
    execute(
        &source,
        "INSERT INTO people VALUES ('00000000-0000-0000-0000-000000000001', 'asha', 'Asha Rao-Lie'), \
         ('00000000-0000-0000-0000-000000000002', 'twin', 'One'), ('00000000-0000-0000-0000-000000000003', 'twin', 'Other')",
    );
    execute(
        &source,
        "ALTER TABLE auditlog_logentry ALTER actor_id TYPE uuid USING ('00000000-0000-0000-0000-00000000000' || actor_id)::uuid",
    );
    execute(&source, "UPDATE axes_accesslog SET username = 'twin' WHERE id = 2");
    let mut entries = AuditlogImport::new(&source, "shop");
    entries.django.user_table = "people".into();
    let logins = AxesImport { django: entries.django.clone() };
    entries.run(&server.db, &server.data.data_dir, false).expect("an import");
    logins.run(&server.db, &server.data.data_dir, false).expect("an import");
    let all = imported(&server, "shop");
    let actor = |event: &Value| (event["actor"]["id"].clone(), event["actor"]["name"].clone());
    let asha = (json!("00000000-0000-0000-0000-000000000001"), json!("Asha Rao-Lie"));
    assert_eq!(
        actor(all.iter().find(|event| event["target"]["name"] == "李雷's lamp").expect("a lamp")),
        asha
    );
    let user = |name: &str| {
        let login = all.iter().find(|event| event["action"] == "login" && event["target"]["name"] == name);
        login.expect("a login")["actor"].clone()
    };
    // By address, since this table has no user names; two of the same are nobody.
    assert_eq!(user("asha"), json!({"type": "user", "id": asha.0, "name": asha.1}));
    assert_eq!(user("twin"), json!({"type": "user", "id": null, "name": "twin"}));
});

#[test]
fn what_is_wrong_with_a_django_source_is_said() {
    let server = TestServer::sqlite();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = |from: &str| {
        let error = AuditlogImport::new(from, "shop").run(&server.db, &server.data.data_dir, false);
        let error = error.expect_err("an error");
        assert!(matches!(error, ImportError::Source { .. }), "{error}");
        error.to_string()
    };
    let empty = folder.path().join("empty.sqlite3");
    Connection::open(&empty).expect("a file").execute_batch("CREATE TABLE a (b)").expect("a table");
    let empty = error(&empty.display().to_string());
    assert!(empty.contains("empty.sqlite3: there is no table django_content_type"), "{empty}");
    let missing = error(&folder.path().join("missing").display().to_string());
    assert!(missing.contains("the folder cannot be read"), "{missing}");
    let text = folder.path().join("text");
    fs::write(&text, "no database").expect("a file");
    assert!(error(&text.display().to_string()).contains("file is not a database"));
    let axes = AxesImport::new(folder.path().display().to_string(), "shop");
    let axes = axes.run(&server.db, &server.data.data_dir, false).expect_err("an error").to_string();
    assert!(axes.contains("there is no file axes_accesslog.csv"), "{axes}");
}
