//! Both folders of migrations make the same tables, and can be reverted.

use std::collections::BTreeMap;

use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types};
use logbook_engine::db::{Conn, citus, migrations};
use logbook_tests::{TestServer, on_both};

#[derive(QueryableByName, Debug)]
struct Column {
    #[diesel(sql_type = sql_types::Text)]
    table_name: String,
    #[diesel(sql_type = sql_types::Text)]
    name: String,
    #[diesel(sql_type = sql_types::Bool)]
    nullable: bool,
}

#[derive(QueryableByName, Debug)]
struct Key {
    #[diesel(sql_type = sql_types::Text)]
    table_name: String,
    #[diesel(sql_type = sql_types::Text)]
    first: String,
}

macro_rules! load {
    ($conn:expr, $sql:expr, $row:ty) => {
        match $conn {
            Conn::Pg(conn) => sql_query($sql).load::<$row>(conn),
            Conn::Sqlite(conn) => sql_query($sql).load::<$row>(conn),
        }
        .expect("the catalogue answers")
    };
}

type Columns = BTreeMap<String, Vec<(String, bool)>>;

fn columns(conn: &mut Conn) -> Columns {
    let sql = match conn {
        Conn::Pg(_) => {
            "SELECT table_name::text, column_name::text AS name, is_nullable = 'YES' AS nullable
             FROM information_schema.columns WHERE table_schema = 'public' AND
                (SELECT relkind IN ('r', 'p') AND NOT relispartition FROM pg_class
                 WHERE oid = quote_ident(table_name)::regclass)
             ORDER BY table_name, ordinal_position"
        }
        Conn::Sqlite(_) => {
            "SELECT t.name AS table_name, c.name, NOT c.\"notnull\" AS nullable
             FROM sqlite_master t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid"
        }
    };
    let mut tables = Columns::new();
    for Column { table_name, name, nullable } in load!(conn, sql, Column) {
        tables.entry(table_name).or_default().push((name, nullable));
    }
    // Diesel's own.
    tables.remove("__diesel_schema_migrations");
    tables
}

/// The tables as `schema.rs` declares them.
fn declared() -> Columns {
    let text = include_str!("../../engine/src/db/schema.rs");
    let mut tables = Columns::new();
    let mut table = None;
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = Some(name.to_owned());
        } else if line == "}" {
            table = None;
        } else if let (Some(table), Some((column, kind))) = (&table, line.split_once(" -> ")) {
            let column = (column.to_owned(), kind.starts_with("Nullable<"));
            tables.entry(table.clone()).or_default().push(column);
        }
    }
    tables
}

on_both!(
    each_folder_goes_up_and_down_and_up_and_makes_what_the_schema_declares,
    |config| {
        config.empty_database = true;
        // On Citus, dropping tables and creating their partitions at once is a deadlock.
        config.no_background_jobs = true;
    },
    |server| {
        let mut conn = server.own_connection();
        let up = columns(&mut conn);
        assert!(up.len() >= 9, "{up:?}");
        assert_eq!(up, declared());
        migrations::revert_all(&mut conn).expect("down");
        assert_eq!(columns(&mut conn), Columns::new());
        assert!(migrations::pending(&mut conn).expect("an answer"));
        assert!(!migrations::run(&mut conn).expect("up again").is_empty());
        assert_eq!(columns(&mut conn), up);
        assert!(!migrations::pending(&mut conn).expect("an answer"));
        assert_eq!(migrations::run(&mut conn).expect("nothing to do"), Vec::<String>::new());
    }
);

on_both!(a_database_of_another_version_is_refused_before_anything_changes, |server| {
    let mut conn = server.own_connection();
    server.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('20200101000000')");
    let before = columns(&mut conn);
    let said = migrations::run(&mut conn).expect_err("an unknown migration").to_string();
    assert!(said.contains("another version of Logbook") && said.contains("20200101000000"), "{said}");
    assert_eq!(columns(&mut conn), before);
    // A pending migration is not applied either.
    server.sql("DELETE FROM __diesel_schema_migrations WHERE version <> '20200101000000'");
    let said = migrations::run(&mut conn).expect_err("still unknown").to_string();
    assert!(said.contains("another version of Logbook"), "{said}");
});

#[test]
fn citus_is_told_what_to_do_with_every_table() {
    let mut tables: Vec<&str> = citus::DISTRIBUTED.iter().chain(&citus::REFERENCE).copied().collect();
    tables.sort_unstable();
    assert_eq!(tables, declared().keys().map(String::as_str).collect::<Vec<_>>());
}

on_both!(every_key_of_a_workspaces_table_begins_with_the_workspace, |server| {
    let mut conn = server.own_connection();
    let sql = match conn {
        Conn::Pg(_) => {
            "SELECT i.indrelid::regclass::text AS table_name, a.attname::text AS first FROM pg_index i
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
             WHERE i.indisunique AND i.indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)"
        }
        // An INTEGER PRIMARY KEY has no index of its own, so its column counts.
        Conn::Sqlite(_) => {
            "SELECT t.name AS table_name, i.name AS first FROM sqlite_master t, pragma_index_list(t.name) l,
                pragma_index_info(l.name) i WHERE t.type = 'table' AND l.\"unique\" AND i.seqno = 0
             UNION SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND c.pk = 1"
        }
    };
    let keys = load!(&mut conn, sql, Key);
    for table in [
        "events",
        "index_states",
        "index_runs",
        "index_merges",
        "index_removals",
        "index_pieces",
        "job_leases",
        "count_states",
        "count_deltas",
        "event_counts",
        "count_keys",
        "dedupe_runs",
        "dedupe_parts",
        "idempotency_keys",
        "import_positions",
        "workspace_sequences",
        "members",
        "api_keys",
        "api_key_networks",
        "identity_roles",
    ] {
        let first: Vec<_> = keys.iter().filter(|key| key.table_name == table).map(|key| &key.first).collect();
        assert!(!first.is_empty(), "{table} has a key");
        assert!(first.iter().all(|name| *name == "workspace_id"), "{table}: {first:?}");
    }
});

on_both!(
    a_database_without_its_migrations_is_not_ready,
    // On Citus, dropping tables and writing them at once is a deadlock.
    |config| { config.no_background_jobs = true },
    |server| {
        server.nobody().get("/readyz").expect(200);
        migrations::revert_all(&mut server.own_connection()).expect("down");
        let answer = server.nobody().get("/readyz").expect(503);
        assert_eq!(answer.code(), "unavailable");
        assert!(answer.headers.contains_key("retry-after"));
        server.nobody().get("/healthz").expect(200);
    }
);

#[test]
fn two_servers_that_start_together_on_one_database_migrate_it_once() {
    let url = logbook_tests::postgres::new_database();
    let servers: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..3).map(|_| scope.spawn(|| TestServer::on_database(&url))).collect();
        started.into_iter().map(|server| server.join().expect("it starts")).collect()
    });
    servers[0].workspace("clinic");
    for server in &servers {
        server.admin().get("/workspaces/clinic").expect(200);
    }
}
