//! Citus for the stories: a cluster that is there already, whose coordinator is `LOGBOOK_TEST_CITUS_URL` (a superuser's URL
//! without a database) and whose workers that coordinator's database `postgres` knows.
//!
//! Servers sign in as the user of docs/POSTGRES.md. A story's database is on every node, a copy of one that was migrated
//! once; both stay when the tests end, until the next run removes them.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _,
    connection::SimpleConnection as _,
    sql_query,
    sql_types::{Integer, Text},
};
use logbook_engine::db::{Conn, migrations, partitions};

use crate::{postgres, wait::wait_until};

static NEXT: AtomicU32 = AtomicU32::new(1);

/// The coordinator and the workers.
struct Cluster {
    /// The nodes' URLs without a database, a superuser's; the coordinator's first.
    nodes: Vec<String>,
    /// The nodes' addresses, in the same order.
    addresses: Vec<(String, i32)>,
}

#[derive(QueryableByName)]
struct Node {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    port: i32,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// A new, empty database of the cluster, with the extension and its nodes. Returns its URL, with the user that a server
/// signs in as.
pub fn new_database() -> String {
    let cluster = cluster();
    let name = create_database("template1");
    for node in &cluster.nodes {
        execute(&format!("{node}/{name}"), &["CREATE EXTENSION citus".to_owned()]);
    }
    let (host, port) = &cluster.addresses[0];
    let mut statements = vec![format!("SELECT citus_set_coordinator_host('{host}', {port})")];
    for (host, port) in &cluster.addresses[1..] {
        statements.push(format!("SELECT citus_add_node('{host}', {port})"));
    }
    execute(&format!("{}/{name}", cluster.nodes[0]), &statements);
    server_url(&name)
}

/// A new database as a server leaves it that has just started on an empty one: migrated and distributed, with the partitions of
/// the next months.
pub fn migrated_database() -> String {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    server_url(&create_database(TEMPLATE.get_or_init(make_template)))
}

/// The database of a server, which goes with it: Citus has processes and connections for each that there is.
pub struct OwnDatabase(String);

impl OwnDatabase {
    pub fn of(url: &str) -> Self {
        let (_, name) = url.rsplit_once('/').expect("a name");
        Self(name.to_owned())
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        for node in &cluster().nodes {
            // What does not go now is removed by the next run.
            if let Ok(mut admin) = PgConnection::establish(&format!("{node}/postgres")) {
                let _ = admin.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.0));
            }
        }
    }
}

fn make_template() -> String {
    let url = new_database();
    let mut conn = Conn::Pg(PgConnection::establish(&url).expect("a connection"));
    migrations::run(&mut conn).expect("migrations");
    partitions::create_upcoming(&mut conn).expect("partitions");
    drop(conn);
    let (_, name) = url.rsplit_once('/').expect("a name");
    // PostgreSQL copies a database only while nobody is connected to it, and Citus' own processes are.
    for node in &cluster().nodes {
        let admin = &mut connect(&format!("{node}/postgres"));
        admin.batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).expect("closed");
        let sessions = format!("FROM pg_stat_activity WHERE datname = '{name}'");
        wait_until("nobody is connected to the template", || {
            admin.batch_execute(&format!("SELECT pg_terminate_backend(pid) {sessions}")).expect("an end");
            names(admin, &format!("SELECT pid::text AS name {sessions}")).is_empty()
        });
    }
    name.to_owned()
}

/// Makes the database on every node. Citus makes it only where it is asked to.
fn create_database(template: &str) -> String {
    let name = format!("logbook_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    for node in &cluster().nodes {
        let create = format!("CREATE DATABASE {name} TEMPLATE {template} OWNER logbook_server");
        execute(&format!("{node}/postgres"), &[create]);
    }
    name
}

/// The URL of a database for a server.
fn server_url(name: &str) -> String {
    let (host, port) = &cluster().addresses[0];
    format!("postgres://logbook_server@{host}:{port}/{name}")
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(find_cluster)
}

fn find_cluster() -> Cluster {
    let url = std::env::var("LOGBOOK_TEST_CITUS_URL").expect("LOGBOOK_TEST_CITUS_URL names a cluster");
    let url = url.trim_end_matches('/');
    let (user, address) = url.rsplit_once('@').expect("a URL with a user");
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "5432"));
    let mut addresses = vec![(host.to_owned(), port.parse().expect("a port"))];
    let workers =
        "SELECT nodename AS name, nodeport AS port FROM pg_dist_node WHERE groupid > 0 ORDER BY nodeid";
    let workers = sql_query(workers).load::<Node>(&mut connect(&format!("{url}/postgres")));
    addresses.extend(workers.expect("Citus in the database postgres").into_iter().map(|n| (n.name, n.port)));
    let nodes: Vec<String> = addresses.iter().map(|(host, port)| format!("{user}@{host}:{port}")).collect();
    nodes.iter().for_each(|node| prepare(node));
    Cluster { nodes, addresses }
}

/// Makes the roles, as docs/CITUS.md says, and removes the databases of runs that are over.
fn prepare(node: &str) {
    let admin = &mut connect(&format!("{node}/postgres"));
    // Where Citus is in this database, the coordinator makes them on the workers too.
    if names(admin, "SELECT rolname::text AS name FROM pg_roles WHERE rolname = 'logbook_server'").is_empty()
    {
        admin.batch_execute(&postgres::preparation().replace("NOLOGIN", "LOGIN")).expect("roles");
    }
    for name in
        names(admin, "SELECT datname::text AS name FROM pg_database WHERE datname LIKE 'logbook\\_test\\_%'")
    {
        let process = name.split('_').nth(2).unwrap_or_default();
        if !std::path::Path::new("/proc").join(process).exists() {
            roll_back_prepared(node, &name);
            admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).expect("it goes");
        }
    }
}

/// What was prepared when the coordinator's database went away, for which nobody will decide any more.
fn roll_back_prepared(node: &str, database: &str) {
    let left = format!("SELECT gid::text AS name FROM pg_prepared_xacts WHERE database = '{database}'");
    let left = names(&mut connect(&format!("{node}/postgres")), &left);
    if left.is_empty() {
        return;
    }
    let conn = &mut connect(&format!("{node}/{database}"));
    for id in left {
        conn.batch_execute(&format!("ROLLBACK PREPARED '{id}'")).expect("it is rolled back");
    }
}

fn names(conn: &mut PgConnection, query: &str) -> Vec<String> {
    sql_query(query).load::<Name>(conn).expect("names").into_iter().map(|row| row.name).collect()
}

fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn execute(url: &str, statements: &[String]) {
    let conn = &mut connect(url);
    for statement in statements {
        conn.batch_execute(statement).unwrap_or_else(|error| panic!("{url}: {error}: {statement}"));
    }
}
