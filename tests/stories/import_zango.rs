//! The importer's two sources give the same events: a folder of CSV files, and a PostgreSQL database made of `schema.sql`
//! and those files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    import_follow::{BEFORE, ENTRY, database, following, wait_for},
    masking::plain,
};
use logbook::{
    accounts::{members, role::Role, users, workspaces},
    import::{
        ImportArgs, Summary,
        zango::{ZangoImport, run},
    },
};
use logbook_tests::{
    PASSWORD, TestServer,
    audit_events::{actions, audit_events},
    on_both, postgres,
    source_database::{ZANGO_FIXTURE as FIXTURE, execute, imported, zango_database},
};
use serde_json::{Value, json};

fn import(server: &TestServer, from: &str, workspace: &str) -> Summary {
    let args = ZangoImport { schema: "peerapp".into(), import: ImportArgs::new(from, workspace) };
    run(&server.db, &server.data.data_dir, &args, false).expect("an import")
}

on_both!(csv_and_postgres_give_the_same_events, |server| {
    let database = zango_database();
    let from_csv = import(&server, FIXTURE, "from-csv");
    let from_postgres = import(&server, &database, "from-postgres");
    assert_eq!((from_csv.access, from_csv.session_ends), (81, 21));
    assert_eq!((from_csv.application, from_csv.framework, from_csv.rejected), (178, 121, 0));
    assert_eq!(Summary { workspace: "from-csv".into(), ..from_postgres }, from_csv);
    let (left, right) = (imported(&server, "from-csv"), imported(&server, "from-postgres"));
    assert_eq!((left.len(), right.len()), (380, 380));
    // Each workspace has a key of its own for what is masked.
    for (left, right) in left.iter().zip(&right) {
        assert_eq!(plain(left), plain(right));
    }
});

on_both!(an_import_masks_the_fields_that_its_workspace_lists, |server| {
    server.workspace("listed");
    let lists = json!({"mask": ["Auth Config"], "keep": []});
    server.admin().put("/workspaces/listed/masking", lists).expect(200);
    let text = |workspace: &str| {
        import(&server, FIXTURE, workspace);
        Value::from(imported(&server, workspace)).to_string()
    };
    let (listed, other) = (text("listed"), text("other"));
    let kept = "\"enforce_sso\":false";
    assert!(other.contains(kept));
    assert!(listed.contains("\"enforce_sso\":\"[masked:") && !listed.contains(kept), "{listed}");
});

on_both!(
    an_imported_log_has_as_many_events_after_it_was_opened,
    |config| {
        config.audit = true;
    },
    |server| {
        let imported = import(&server, FIXTURE, "peerapp");
        let total = || {
            let answer = server.admin().get("/workspaces/peerapp/logs/access/metrics").expect(200);
            answer.json["total"].as_u64().expect("a count")
        };
        let mut conn = server.db.conn().expect("a connection");
        let workspace = workspaces::find(&mut conn, "peerapp").expect("an answer").expect("a workspace");
        let user = users::create(&mut conn, "asha@clinic.test", "Asha Rao", false).expect("a user");
        members::set(&mut conn, workspace.id, user.id, Role::Viewer).expect("a member");
        users::set_password(&mut conn, &user, None, PASSWORD, None).expect("a password");
        drop(conn);
        let before = total();
        assert_eq!(before, imported.access);
        for _ in 0..10 {
            let login = json!({"email": "asha@clinic.test", "password": PASSWORD});
            let login = server.nobody().post("/auth/login", login).expect(200);
            let asha = server.bearer(login.json["access_token"].as_str().expect("a token"));
            for rest in ["", "/metrics", "/facets", "/histogram"] {
                asha.get(&format!("/workspaces/peerapp/logs/access{rest}")).expect(200);
            }
        }
        let activity = audit_events(&server, "peerapp");
        let count = |action: &str| actions(&activity).iter().filter(|found| **found == action).count();
        assert_eq!(count("login"), 10);
        assert!(count("log_read") >= 1, "once an hour");
        assert_eq!(total(), before);
    }
);

on_both!(a_source_that_grows_is_followed, |server| {
    let database = zango_database();
    // The importer can do without the tenant's name.
    execute(&database, "TRUNCATE public.tenancy_tenantmodel CASCADE");
    import(&server, &database, "peerapp");
    assert_eq!(import(&server, &database, "peerapp").events(), 0);
    execute(
        &database,
        "UPDATE peerapp.accesslogs_appaccesslog SET session_expired_at = '2026-11-22 20:52Z' WHERE id = 13",
    );
    execute(
        &database,
        "INSERT INTO peerapp.auditlogs_logentry (id, object_pk, object_repr, action, changes_text, changes, \
         \"timestamp\", content_type_id, tenant_actor_id) VALUES (1000, '7', '100%', 1, '', \
         '{\"note\": [\"None\", \"a_b\"]}', '2026-11-22 21:00Z', 45, 1)",
    );
    let second = import(&server, &database, "peerapp");
    assert_eq!((second.session_ends, second.application, second.events()), (1, 1, 2));
    let added = &imported(&server, "peerapp")[380..];
    assert_eq!(
        (&added[0]["action"], &added[0]["session_id"]),
        (&json!("session_expired"), &json!("zango-13"))
    );
    assert_eq!(added[1]["changes"], json!([{"field": "note", "old": null, "new": "a_b"}]));
    assert_eq!(import(&server, &database, "peerapp").events(), 0);
});

on_both!(imported_names_are_found_by_search, |server| {
    import(&server, FIXTURE, "peerapp");
    let client = server.admin();
    for (query, count) in [("O'Brien \"Jo\"", 13), ("José Núñez", 27), ("李雷", 18)] {
        let answer = client.query("/workspaces/peerapp/logs/application", &[("q", query), ("limit", "1000")]);
        let named = answer.expect(200).data().iter().filter(|event| event["record_name"] == query).count();
        assert_eq!(named, count, "{query}");
    }
});

#[test]
fn each_error_in_a_source_database_is_named() {
    let server = TestServer::sqlite();
    let error = |from: &str, schema: &str| {
        let import =
            ImportArgs { rejects: Some(PathBuf::from("unused")), ..ImportArgs::new(from, "peerapp") };
        let args = ZangoImport { schema: schema.into(), import };
        run(&server.db, Path::new("unused"), &args, false).expect_err("an error").to_string()
    };
    let empty = postgres::new_database();
    assert!(error(&empty, "nobody").contains("there is no such schema"), "{}", error(&empty, "nobody"));
    execute(&empty, "CREATE SCHEMA peerapp");
    assert!(error(&empty, "peerapp").contains("there is no table peerapp.django_content_type"));
    let closed = error("postgres://who:secret@127.0.0.1:1/zango", "peerapp");
    assert!(closed.contains("database zango at 127.0.0.1:1") && !closed.contains("secret"), "{closed}");
}

on_both!(rejects_are_masked_by_the_lists_of_now, |server| {
    let source = database();
    let summary = following(&server, &source, || {
        wait_for(&server, BEFORE);
        let lists = json!({"mask": ["note"], "keep": []});
        server.admin().put("/workspaces/peerapp/masking", lists).expect(200);
        // No action has this number.
        execute(&source, &ENTRY.replace("'late', 1", "'late', 7").replace("\"a\"", "\"known to few\""));
        execute(&source, ENTRY);
        wait_for(&server, BEFORE + 1);
    });
    assert_eq!(summary.rejected, 1);
    let rejected = fs::read_to_string(summary.rejects_file.expect("a file")).expect("a text");
    assert!(rejected.contains("none of 0 to 3") && !rejected.contains("known to few"), "{rejected}");
});
