//! PostgreSQL for the stories: a temporary cluster on its own port, never run as root, gone when the tests end.
//!
//! Servers sign in to it as a user without special rights, prepared as docs/POSTGRES.md says; stories look past the server
//! as a superuser.
//!
//! `LOGBOOK_TEST_POSTGRES_URL` (a superuser's URL) makes the stories use that server instead, always as that user. The
//! stories of roles and of row-level security are about the other user and need the cluster.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
};

use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _,
    sql_query, sql_types::BigInt,
};
use logbook_engine::db::{Conn, migrations, partitions};

use crate::wait::wait_until;

static NEXT: AtomicU32 = AtomicU32::new(1);

/// The cluster's superuser, and the user that servers sign in as.
const SUPERUSER: &str = "//logbook@";
const SERVER: &str = "//logbook_server@";

/// A new, empty database. Returns its URL, with the user that a server signs in as.
pub fn new_database() -> String {
    create_database("template1")
}

/// A new database as a server leaves it that has just started on an empty one: migrated, with the partitions of the next
/// months. It is a copy of one that was made once for all stories.
pub fn migrated_database() -> String {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    create_database(TEMPLATE.get_or_init(make_template))
}

fn create_database(template: &str) -> String {
    let base = base_url();
    let name = format!("logbook_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let owner = if base.contains(SERVER) { " OWNER logbook_server" } else { "" };
    let create = format!("CREATE DATABASE {name} TEMPLATE {template}{owner}");
    sql_query(create).execute(&mut administrator()).expect("a new database");
    format!("{base}/{name}")
}

/// A superuser's connection, to none of the stories' databases.
fn administrator() -> PgConnection {
    PgConnection::establish(&format!("{}/postgres", as_superuser(base_url())))
        .expect("the test cluster answers")
}

/// Makes the database that all others are copies of, as its owner, so that each table has the owner and the rights that a
/// server's own migrations give it. Returns its name.
fn make_template() -> String {
    let url = new_database();
    let mut conn = Conn::Pg(PgConnection::establish(&url).expect("a connection"));
    migrations::run(&mut conn).expect("migrations");
    partitions::create_upcoming(&mut conn).expect("partitions");
    drop(conn);
    // PostgreSQL copies a database only while nobody is connected to it.
    let (_, name) = url.rsplit_once('/').expect("a name");
    let mut admin = administrator();
    admin.batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).expect("closed");
    wait_until("nobody is connected to the template", || connections(&mut admin, name) == 0);
    name.to_owned()
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn connections(admin: &mut PgConnection, database: &str) -> i64 {
    let query = format!("SELECT count(*) AS n FROM pg_stat_activity WHERE datname = '{database}'");
    sql_query(query).get_result::<Count>(admin).expect("a count").n
}

/// The same database with the rights of a superuser.
pub fn as_superuser(url: &str) -> String {
    url.replacen(SERVER, SUPERUSER, 1)
}

/// What a superuser runs once for a cluster, as docs/POSTGRES.md says.
pub fn preparation() -> String {
    let text = include_str!("../../docs/POSTGRES.md");
    let (_, block) = text.split_once("```sql\n").expect("a block of SQL");
    let (block, _) = block.split_once("```").expect("its end");
    let lines = block.lines().filter(|line| !line.starts_with("CREATE DATABASE"));
    lines.collect::<Vec<_>>().join("\n")
}

fn base_url() -> &'static str {
    static BASE: OnceLock<String> = OnceLock::new();
    BASE.get_or_init(|| match std::env::var("LOGBOOK_TEST_POSTGRES_URL") {
        Ok(url) => url.trim_end_matches('/').to_owned(),
        Err(_) => start_cluster(),
    })
}

/// The cluster lives for one run: durability would cost time and prove nothing.
pub const TEST_SETTINGS: &[&str] =
    &["max_connections=300", "fsync=off", "full_page_writes=off", "synchronous_commit=off"];

fn start_cluster() -> String {
    let parent = std::env::temp_dir().join("logbook-test-postgres");
    fs::create_dir_all(&parent).expect("a temporary folder");
    remove_leftovers(&parent);
    let cluster = Cluster::start(&parent.join(std::process::id().to_string()), TEST_SETTINGS);
    let mut conn = PgConnection::establish(&format!("{}/postgres", cluster.url)).expect("it answers");
    conn.batch_execute(&preparation()).expect("its roles are made");
    cluster.url.replacen(SUPERUSER, SERVER, 1)
}

/// A PostgreSQL server that ends when this process ends. Its one user is `logbook`, a superuser.
pub struct Cluster {
    /// Without a database's name.
    pub url: String,
    pub port: u16,
    folder: PathBuf,
}

impl Cluster {
    /// Starts a server with its files in the folder, which it makes if there is none. `settings` are those of
    /// postgresql.conf: `name=value`.
    pub fn start(folder: &Path, settings: &[&str]) -> Self {
        let bin = find_binaries();
        let data = folder.join("data");
        let as_root = is_root();
        if !data.exists() {
            fs::create_dir_all(folder).expect("a folder");
            if as_root {
                // PostgreSQL refuses to run as root; Debian's package makes a user for it.
                let chown = Command::new("chown").arg("postgres:").arg(folder).status().expect("chown runs");
                assert!(chown.success(), "the folder cannot be given to the user postgres");
            }
            let initdb = command(as_root, &bin.join("initdb"))
                .args(["--pgdata"])
                .arg(&data)
                .args(["--username=logbook", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
                .arg("--no-sync")
                .stdout(Stdio::null())
                .status()
                .expect("initdb runs");
            assert!(initdb.success(), "initdb failed; may the user postgres enter {}?", folder.display());
        }

        let port = free_port();
        let log = fs::File::create(folder.join("log")).expect("a log file");
        let mut server = command(as_root, &bin.join("postgres"));
        server.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        for setting in settings {
            server.args(["-c", setting]);
        }
        server
            .args(["-c", "unix_socket_directories="])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log);
        let ended = Arc::new(AtomicBool::new(false));
        // The child gets its signal when the thread that started it ends, so this one must not end.
        thread::spawn({
            let ended = ended.clone();
            move || {
                let mut child = server.spawn().expect("postgres starts");
                let _ = child.wait();
                ended.store(true, Ordering::Relaxed);
                loop {
                    thread::park();
                }
            }
        });

        let url = format!("postgres://logbook@127.0.0.1:{port}");
        wait_until("PostgreSQL starts", || {
            let log = folder.join("log");
            assert!(!ended.load(Ordering::Relaxed), "PostgreSQL did not start; see {}", log.display());
            PgConnection::establish(&format!("{url}/postgres")).is_ok()
        });
        Self { url, port, folder: folder.to_owned() }
    }

    /// The folder of its files.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Stops the server after it has written everything, so that it starts again without recovery.
    pub fn stop(self) {
        let stopped = command(is_root(), &find_binaries().join("pg_ctl"))
            .args(["stop", "--silent", "--mode=fast", "--timeout=600", "--pgdata"])
            .arg(self.data())
            .status()
            .expect("pg_ctl runs");
        assert!(stopped.success(), "PostgreSQL did not stop");
    }
}

/// The program, run as a user who may run PostgreSQL, and ended when this process ends.
fn command(as_root: bool, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if as_root {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg("--").arg(program).env("LC_ALL", "C.UTF-8").current_dir("/");
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout == b"0\n"
}

/// The folder of PostgreSQL's programs, of the newest version. Debian keeps those of the server out of PATH.
pub fn find_binaries() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    found.sort();
    if let Some((_, bin)) = found.pop() {
        return bin;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
        .expect("PostgreSQL is installed (scripts/setup does it), or LOGBOOK_TEST_POSTGRES_URL is set")
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Removes the folders of runs that are over.
fn remove_leftovers(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let running = Path::new("/proc").join(entry.file_name()).exists();
        if !running {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
