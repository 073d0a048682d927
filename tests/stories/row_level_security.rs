//! What the database itself shows and refuses, whatever the server asks: row-level security on PostgreSQL, triggers on
//! SQLite.

use diesel::{
    Connection as _, PgConnection, QueryDsl as _, QueryableByName, RunQueryDsl as _,
    connection::SimpleConnection as _,
    result::Error,
    sql_query,
    sql_types::{BigInt, Text},
};
use logbook_engine::db::{self, Conn, schema::events};
use logbook_tests::{TestServer, on_both, pagination, postgres, server::sample};
use serde_json::json;

/// Tables with a workspace and without a policy; the migration says why.
const WITHOUT_POLICY: &[&str] = &[
    "api_key_networks",
    "api_keys",
    "exports",
    "identity_roles",
    "invitations",
    "members",
    "note_events",
    "notes",
    "platform_workspace",
    "saved_views",
    "script_tokens",
    "session_workspaces",
    "sources",
];

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

pub(crate) fn names(conn: &mut PgConnection, sql: &str) -> Vec<String> {
    sql_query(sql).load::<Name>(conn).expect("names").into_iter().map(|row| row.name).collect()
}

pub(crate) fn number(conn: &mut PgConnection, sql: &str) -> i64 {
    sql_query(sql).get_result::<Number>(conn).expect("a number").n
}

/// Tables with a policy.
fn tables_with_policy(conn: &mut PgConnection) -> Vec<String> {
    names(
        conn,
        "SELECT c.relname::text AS name FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
         WHERE p.polname = 'own_workspace' AND c.relrowsecurity AND c.relforcerowsecurity ORDER BY 1",
    )
}

/// A connection as the server has it, in no workspace.
pub(crate) fn sign_in(server: &TestServer) -> PgConnection {
    PgConnection::establish(&server.data.database_url).expect("a connection")
}

pub(crate) fn superuser(server: &TestServer) -> PgConnection {
    PgConnection::establish(&postgres::as_superuser(&server.data.database_url)).expect("a connection")
}

/// Two workspaces with seven events each, and with rows in every table that has a policy.
fn two_workspaces() -> (TestServer, [i32; 2]) {
    let server = TestServer::postgres();
    let admin = server.admin();
    let ids = ["clinic", "shop"].map(|slug| {
        let id = server.workspace(slug).id;
        for log in ["access", "application", "framework"] {
            let count = if log == "access" { 3 } else { 2 };
            let mut events: Vec<_> = (0..count).map(|n| sample(log, n)).collect();
            events[0]["dedupe_key"] = json!(log);
            let path = format!("/workspaces/{slug}/logs/{log}");
            admin.with_header("idempotency-key", log).post(&path, events.into()).expect(201);
        }
        id
    });
    admin.wait_for_index();
    let mut conn = superuser(&server);
    for id in ids {
        conn.batch_execute(&format!(
            "INSERT INTO import_positions VALUES ({id}, 'test', 'table', '1');
             INSERT INTO event_counts VALUES ({id}, 1, 1, 1, 1, '');
             INSERT INTO count_states VALUES ({id}, 1, 0, NULL);
             INSERT INTO index_merges VALUES ({id}, 99, 2, 1, 1, 0);
             INSERT INTO index_removals VALUES ({id}, 98);
             INSERT INTO source_states (workspace_id, source, events, duplicates, skipped, bytes, rejected, rejected_bytes,
                last_rejected, gaps_complete, reported_rejected) VALUES ({id}, 's', 0, 0, 0, 0, 0, 0, 0, true, 0);
             INSERT INTO source_days VALUES ({id}, 's', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
             INSERT INTO source_epochs VALUES ({id}, 's', 'e', 1, 1, 0, 0, now());
             INSERT INTO source_gaps VALUES ({id}, 's', 'e', 1, 1, now(), true);
             INSERT INTO rejected_records VALUES ({id}, 's', 1, now(), 'c', 'r', NULL, '', NULL)"
        ))
        .expect("rows");
    }
    (server, ids)
}

#[test]
fn every_table_with_a_workspace_has_a_policy_or_a_reason() {
    let (server, _) = two_workspaces();
    let conn = &mut superuser(&server);
    let with_workspace = names(
        conn,
        "SELECT c.relname::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE a.attname = 'workspace_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relnamespace = 'public'::regnamespace ORDER BY 1",
    );
    let mut known = tables_with_policy(conn);
    known.extend(WITHOUT_POLICY.iter().map(|name| (*name).to_owned()));
    known.sort();
    assert_eq!(with_workspace, known);
    // A view, a function or another kind of relation would show rows with its owner's rights.
    let others = names(
        conn,
        "SELECT relname::text AS name FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'p', 'i', 'I', 'S', 't')
         UNION SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef",
    );
    assert_eq!(others, Vec::<String>::new());
    // Each partition has row-level security under its own name as well, and only the owner has rights on it.
    let partitions = "FROM pg_class WHERE relispartition AND relkind = 'r'";
    assert!(number(conn, &format!("SELECT count(*) AS n {partitions}")) > 0);
    let open = names(
        conn,
        &format!(
            "SELECT relname::text AS name {partitions} AND NOT (relrowsecurity AND relforcerowsecurity)
             UNION SELECT relname::text FROM pg_class, aclexplode(relacl) a
             WHERE relispartition AND relkind = 'r'
                AND (a.grantee <> relowner OR a.privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE'))"
        ),
    );
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn a_reader_sees_one_workspace_and_without_one_nothing() {
    let (server, ids) = two_workspaces();
    let conn = &mut superuser(&server);
    let tables = tables_with_policy(conn);
    assert_eq!(tables.len(), 21, "{tables:?}");
    let count = |conn: &mut PgConnection, table: &str, filter: &str| {
        number(conn, &format!("SELECT count(*) AS n FROM {table} {filter}"))
    };
    for table in &tables {
        // Work that belongs to no workspace has its lease under 0.
        let all = count(conn, table, "WHERE workspace_id <> 0");
        let own = ids.map(|id| count(conn, table, &format!("WHERE workspace_id = {id}")));
        assert!(own.iter().all(|n| *n > 0) && own.iter().sum::<i64>() == all, "{table}: {own:?} of {all}");
        // Where the reader has no right to a table, the policy is for the eraser or for the owner.
        for role in ["logbook_reader", "logbook_eraser", "logbook_server"] {
            let may = names(
                conn,
                &format!("SELECT has_table_privilege('{role}', '{table}', 'SELECT')::text AS name"),
            );
            if may == ["false"] {
                assert_ne!(role, "logbook_server");
                continue;
            }
            conn.batch_execute(&format!("SET ROLE {role}; RESET logbook.workspace")).expect("a role");
            assert_eq!(count(conn, table, ""), 0, "{role} without a workspace, {table}");
            for (id, own) in ids.iter().zip(own) {
                conn.batch_execute(&format!("SET logbook.workspace = {id}")).expect("a setting");
                assert_eq!(count(conn, table, ""), own, "{role}, {table}");
                let others = count(conn, table, &format!("WHERE workspace_id <> {id}"));
                assert_eq!(others, 0, "{role}, {table}");
            }
            conn.batch_execute("RESET logbook.workspace; SET logbook.workspace = ''").expect("a setting");
            assert_eq!(count(conn, table, ""), 0, "{role} with no number, {table}");
            conn.batch_execute("RESET ROLE").expect("no role");
        }
    }
}

#[track_caller]
fn refused(conn: &mut PgConnection, role: &str, sql: &str) {
    conn.batch_execute(&format!("BEGIN; SET LOCAL ROLE {role}")).expect("a role");
    let error = conn.batch_execute(sql).expect_err(&format!("{role}: {sql}")).to_string();
    assert!(error.contains("permission denied"), "{role}: {sql}: {error}");
    conn.batch_execute("ROLLBACK").expect("an end");
}

#[test]
fn nobody_who_works_for_the_server_changes_an_event() {
    let (server, [clinic, _]) = two_workspaces();
    let conn = &mut sign_in(&server);
    let changes = |table: &str| {
        [
            format!("UPDATE {table} SET action = 'x'"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
        ]
    };
    conn.batch_execute(&format!("SET logbook.workspace = {clinic}")).expect("a setting");
    let partition = "events_2026_10";
    for table in ["events", partition] {
        for role in ["logbook_reader", "logbook_appender"] {
            changes(table).iter().for_each(|sql| refused(conn, role, sql));
        }
    }
    for role in ["logbook_reader", "logbook_appender"] {
        refused(conn, role, &format!("SELECT FROM {partition}"));
        refused(conn, role, &format!("INSERT INTO {partition} SELECT * FROM events LIMIT 1"));
        refused(conn, role, &format!("TRUNCATE {partition}"));
        for secret in [
            "users",
            "api_keys",
            "sessions",
            "refresh_tokens",
            "script_tokens",
            "invitations",
            "members",
            "second_factors",
            "recovery_codes",
        ] {
            refused(conn, role, &format!("SELECT FROM {secret}"));
        }
    }
    // Nor does the owner; it may read a partition, and finds it empty.
    assert_eq!(number(conn, "SELECT count(*) AS n FROM events"), 7);
    assert_eq!(number(conn, &format!("SELECT count(*) AS n FROM {partition}")), 0);
    for sql in [changes("events"), changes(partition)].concat() {
        refused(conn, "logbook_server", &sql);
    }

    refused(conn, "logbook_reader", "INSERT INTO events SELECT * FROM events LIMIT 1");
    for table in ["index_pieces", "count_deltas", "workspace_sequences"] {
        let insert = format!("INSERT INTO {table} SELECT * FROM {table}");
        for sql in [insert, format!("UPDATE {table} SET workspace_id = 1"), format!("DELETE FROM {table}")] {
            refused(conn, "logbook_reader", &sql);
        }
    }
    let kept = pagination::feed(&server.admin(), "clinic", "0".into(), 100);
    assert_eq!(kept.len(), 7);
}

#[test]
fn an_eraser_reaches_one_workspace_and_the_server_is_none() {
    let (server, [clinic, shop]) = two_workspaces();
    let own = sign_in(&server).batch_execute("SET ROLE logbook_eraser").expect_err("not granted").to_string();
    assert!(own.contains("permission denied to set role"), "{own}");
    let conn = &mut superuser(&server);
    conn.batch_execute("BEGIN; SET LOCAL ROLE logbook_eraser").expect("a role");
    assert_eq!(sql_query("DELETE FROM events").execute(conn), Ok(0), "no workspace, no rows");
    conn.batch_execute(&format!("SET LOCAL logbook.workspace = {clinic}")).expect("a setting");
    assert_eq!(sql_query("UPDATE events SET actor_name = NULL").execute(conn), Ok(7));
    assert_eq!(sql_query(format!("DELETE FROM events WHERE workspace_id = {shop}")).execute(conn), Ok(0));
    assert_eq!(sql_query("DELETE FROM events").execute(conn), Ok(7));
    assert_eq!(sql_query("DELETE FROM count_deltas").execute(conn), Ok(3));
    let moved = "UPDATE count_states SET workspace_id = workspace_id + 1000";
    let error = sql_query(moved).execute(conn).expect_err("into another workspace").to_string();
    assert!(error.contains("row-level security"), "{error}");
}

on_both!(a_handler_that_forgets_its_workspace_sees_no_other, |server| {
    let ids = ["clinic", "shop"].map(|slug| {
        let id = server.workspace(slug).id;
        let events = vec![sample("access", 1), sample("access", 2)];
        server.admin().post(&format!("/workspaces/{slug}/logs/access"), events.into()).expect(201);
        id
    });
    let all = |conn: &mut Conn| events::table.select(events::workspace_id).load::<i32>(conn);
    let read = |id: i32| {
        let reader = db::ReaderId { workspace_id: id, caller: "a story".into() };
        let found = server.db.read(reader, move |conn| all(conn).map_err(db::Error::from));
        let mut found = actix_web::rt::System::new().block_on(found).expect("events");
        found.dedup();
        found
    };
    // SQLite has no row-level security: there the handler's own filter is everything.
    let seen = ids.map(read);
    let expected = if server.is_postgres() { ids.map(|id| vec![id]) } else { ids.map(|_| ids.to_vec()) };
    assert_eq!(seen, expected);
    if server.is_postgres() {
        assert_eq!(all(&mut server.db.conn().expect("a connection")), Ok(Vec::new()), "the owner itself");
    }
});

#[test]
fn sqlite_refuses_to_change_an_event() {
    let server = TestServer::sqlite();
    let id = server.workspace("clinic").id;
    server.admin().post("/workspaces/clinic/logs/access", json!([sample("access", 1)])).expect(201);
    for (sql, said) in [
        ("UPDATE events SET action = 'x'", "events cannot be changed"),
        ("DELETE FROM events", "events cannot be deleted"),
        ("REPLACE INTO events SELECT * FROM events", "events cannot be deleted"),
    ] {
        let error = server.db.conn().expect("a connection").batch_execute(sql).expect_err(sql).to_string();
        assert!(error.contains(said), "{sql}: {error}");
    }
    let kept = pagination::feed(&server.admin(), "clinic", "0".into(), 10);
    assert_eq!((kept.len(), kept[0]["action"].as_str()), (1, Some("login")));
    // To erase, one removes the trigger and puts it back, in one transaction.
    let drop_trigger = "DROP TRIGGER events_are_not_deleted;";
    let mut conn = server.own_connection();
    let undone = conn.transaction(|conn| {
        conn.batch_execute(&format!("{drop_trigger} DELETE FROM events WHERE workspace_id = {id}"))?;
        Err::<(), _>(Error::RollbackTransaction)
    });
    assert_eq!(undone, Err(Error::RollbackTransaction));
    conn.batch_execute("DELETE FROM events").expect_err("the trigger is there");
}
