//! Databases of other systems, as importers find them.

use std::{
    fs,
    process::{Command, Stdio},
};

use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, sql_query, sql_types::BigInt,
};
use serde_json::Value;

use crate::{TestServer, postgres};

pub const ZANGO_FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/zango");
pub const DJANGO_FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/django");

const TENANTS_TABLES: &[&str] = &[
    "accesslogs_appaccesslog",
    "appauth_appusermodel",
    "appauth_appusermodel_roles",
    "appauth_userrolemodel",
    "auditlogs_logentry",
    "django_content_type",
    "object_store_objectstore",
    "permissions_policymodel",
];
const PUBLIC_TABLES: &[&str] = &["platformauth_platformusermodel", "tenancy_domain", "tenancy_tenantmodel"];

/// A PostgreSQL database as Zango leaves it, with the rows of the fixture. Returns a superuser's URL.
pub fn zango_database() -> String {
    let url = postgres::as_superuser(&postgres::new_database());
    let mut script = format!(
        "CREATE SCHEMA peerapp;\n\\i {ZANGO_FIXTURE}/schema.sql\nSET session_replication_role = replica;\n"
    );
    let tenants = TENANTS_TABLES.iter().map(|table| ("peerapp", *table));
    for (schema, table) in tenants.chain(PUBLIC_TABLES.iter().map(|table| ("public", *table))) {
        let path = format!("{ZANGO_FIXTURE}/{table}.csv");
        let header =
            fs::read_to_string(&path).expect("a table").lines().next().unwrap_or_default().to_owned();
        // An empty field is null, except in text columns that cannot be null.
        let filled = texts_that_are_never_null(&header, table);
        script +=
            &format!("\\copy {schema}.{table}({header}) FROM '{path}' WITH (FORMAT csv, HEADER{filled})\n");
    }
    psql(&url, &script);
    url
}

fn texts_that_are_never_null(header: &str, table: &str) -> String {
    let ddl = fs::read_to_string(format!("{ZANGO_FIXTURE}/schema.sql")).expect("the DDL");
    let start = ddl.find(&format!(".{table} (")).expect("the table's DDL");
    let body: Vec<&str> = ddl[start..].lines().skip(1).take_while(|line| !line.starts_with(')')).collect();
    let never_null = |column: &&str| {
        body.iter().any(|line| {
            let line = line.trim();
            line.starts_with(&format!("{column} "))
                && line.contains("NOT NULL")
                && (line.contains(" text ") || line.contains(" character varying"))
        })
    };
    let columns: Vec<&str> = header.split(',').filter(never_null).collect();
    if columns.is_empty() { String::new() } else { format!(", FORCE_NOT_NULL ({})", columns.join(", ")) }
}

/// Runs a script of psql.
pub fn psql(url: &str, script: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("script.sql");
    fs::write(&path, script).expect("a script");
    let psql = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", url, "--file"])
        .arg(&path)
        .stdout(Stdio::null())
        .output()
        .expect("psql is installed");
    assert!(psql.status.success(), "{}", String::from_utf8_lossy(&psql.stderr));
}

/// A PostgreSQL database as Django, django-auditlog and django-axes leave it. Returns a superuser's URL.
pub fn django_database() -> String {
    let url = postgres::as_superuser(&postgres::new_database());
    let mut script = format!("\\i {DJANGO_FIXTURE}/schema.sql\nSET session_replication_role = replica;\n");
    for entry in fs::read_dir(DJANGO_FIXTURE).expect("the fixture").flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            let table = path.file_stem().and_then(|name| name.to_str()).expect("a table");
            script += &format!("\\copy public.{table} FROM '{}' WITH (FORMAT csv, HEADER)\n", path.display());
        }
    }
    psql(&url, &script);
    url
}

/// Runs a statement, and returns how many rows it changed.
pub fn execute(url: &str, statement: &str) -> usize {
    let mut conn = PgConnection::establish(url).expect("the source answers");
    sql_query(statement).execute(&mut conn).expect("the statement runs")
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// The ids of a query's rows, `SELECT … AS id …`.
pub fn ids(url: &str, query: &str) -> Vec<i64> {
    let mut conn = PgConnection::establish(url).expect("the source answers");
    let rows = sql_query(query).load::<Id>(&mut conn).expect("rows");
    rows.into_iter().map(|row| row.id).collect()
}

/// Closes a database to everybody and ends its connections, or opens it again.
pub fn set_open(url: &str, open: bool) {
    let (server, name) = url.rsplit_once('/').expect("a name");
    let postgres = format!("{server}/postgres");
    execute(&postgres, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {open}"));
    if !open {
        execute(
            &postgres,
            &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
        );
    }
}

/// The whole feed of a workspace, without what says only where and when an event was stored.
pub fn imported(server: &TestServer, workspace: &str) -> Vec<Value> {
    let mut events = Vec::new();
    let mut after = 0;
    loop {
        let path = format!("/workspaces/{workspace}/logs/feed?after={after}&limit=1000");
        let page = server.admin().get(&path).expect(200).json["data"].as_array().expect("events").clone();
        let Some(last) = page.last() else { break };
        after = last["seq"].as_i64().expect("a seq");
        events.extend(page);
    }
    for event in &mut events {
        for field in ["id", "received_at"] {
            event.as_object_mut().expect("an event").remove(field);
        }
    }
    events
}
