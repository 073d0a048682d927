//! The roles of PostgreSQL that a server works as. Every story runs on a server that signs in without special rights, so
//! row-level security is tested by all of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::{Connection as _, PgConnection, connection::SimpleConnection as _, result::Error};
use logbook_engine::db::{self, Conn, Db, dialect, roles};

use crate::row_level_security::{names, number, sign_in, superuser};

use logbook_tests::{TestServer, pagination, postgres, server::sample};
use serde_json::json;

/// Who a connection is, and which workspace it sees.
fn is(conn: &mut Conn) -> [String; 2] {
    let Conn::Pg(conn) = conn else { panic!("not PostgreSQL") };
    let role = names(conn, "SELECT current_user::text AS name");
    let workspace = names(conn, "SELECT coalesce(current_setting('logbook.workspace', true), '') AS name");
    [role, workspace].map(|mut found| found.remove(0))
}

#[test]
fn no_role_is_left_on_a_connection() {
    let url = postgres::migrated_database();
    let login = ["logbook_server", ""].map(str::to_owned);
    let db = Db::open(&url, 1).expect("the database");
    let conn = || db.conn().expect("a connection");
    let inside = |conn: &mut Conn| Ok::<_, Error>(is(conn));
    let fails = |conn: &mut Conn| {
        conn.batch_execute("SELECT 1/0")?;
        Ok::<_, Error>(())
    };
    let ends = |_: &mut Conn| Err::<(), _>(Error::NotFound);
    let panics = |_: &mut Conn| -> Result<(), Error> { panic!("as it was meant to") };

    assert_eq!(roles::as_reader(&mut conn(), 7, inside), Ok(["logbook_reader".into(), "7".into()]));
    assert_eq!(roles::as_appender(&mut conn(), inside), Ok(["logbook_appender".into(), String::new()]));
    let appender = Ok(["logbook_appender".into(), String::new()]);
    assert_eq!(roles::as_appender_throughout(&mut conn(), inside), appender);
    // All of this on one connection, which goes back to the pool clean and is not thrown away.
    let process = |conn: &mut Conn| {
        let Conn::Pg(conn) = conn else { panic!("not PostgreSQL") };
        number(conn, "SELECT pg_backend_pid()::bigint AS n")
    };
    let first = process(&mut conn());
    for work in [fails as fn(&mut Conn) -> _, ends] {
        assert!(roles::as_reader(&mut conn(), 7, work).is_err());
        assert_eq!(is(&mut conn()), login);
        assert!(roles::as_appender(&mut conn(), work).is_err());
        assert_eq!(is(&mut conn()), login);
        assert!(roles::as_appender_throughout(&mut conn(), work).is_err());
        assert_eq!(is(&mut conn()), login);
    }
    // A transaction within a transaction could not have a snapshot of its own.
    let nested = |conn: &mut Conn| roles::as_reader(conn, 7, inside).map(drop);
    assert_eq!((*conn()).transaction(nested), Err(Error::AlreadyInTransaction));
    assert_eq!(is(&mut conn()), login);
    assert_eq!(process(&mut conn()), first);
    for way in [
        |conn: &mut Conn, work: fn(&mut Conn) -> Result<(), Error>| roles::as_reader(conn, 7, work),
        |conn: &mut Conn, work: fn(&mut Conn) -> Result<(), Error>| roles::as_appender(conn, work),
        |conn: &mut Conn, work: fn(&mut Conn) -> Result<(), Error>| roles::as_appender_throughout(conn, work),
    ] {
        let before = process(&mut conn());
        let panicked = catch_unwind(AssertUnwindSafe(|| way(&mut conn(), panics)));
        assert!(panicked.is_err());
        assert_eq!(is(&mut conn()), login);
        assert_ne!(process(&mut conn()), before, "nobody gets that connection again");
    }
}

/// A cluster without Logbook's roles.
fn bare_cluster(folder: &tempfile::TempDir) -> postgres::Cluster {
    use std::os::unix::fs::PermissionsExt as _;
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("the user postgres may enter");
    postgres::Cluster::start(&folder.path().join("cluster"), postgres::TEST_SETTINGS)
}

#[test]
fn a_superuser_makes_the_roles_and_others_are_told_how() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = bare_cluster(&folder);
    let execute = |sql: &str| {
        PgConnection::establish(&format!("{}/postgres", cluster.url))
            .expect("a connection")
            .batch_execute(sql)
            .expect(sql);
    };
    let migrate = |url: &str| {
        let db = Db::open(url, 1).expect("the database");
        db::migrations::run(&mut db.conn().expect("a connection")).map(drop)
    };
    execute("CREATE ROLE app LOGIN");
    execute("CREATE DATABASE modest OWNER app");
    let modest = format!("{}/modest", cluster.url.replace("//logbook@", "//app@"));
    let said = migrate(&modest).expect_err("app may make no roles").to_string();
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| line.ends_with(';')).collect();
    let expected = [
        "CREATE ROLE logbook_reader NOLOGIN NOBYPASSRLS;",
        "GRANT logbook_reader TO app;",
        "CREATE ROLE logbook_appender NOLOGIN BYPASSRLS;",
        "GRANT logbook_appender TO app;",
        "CREATE ROLE logbook_eraser NOLOGIN NOBYPASSRLS;",
    ];
    assert_eq!(lines, expected, "{said}");

    // Superusers make the roles, and several at once may do so, each in a database of its own.
    let databases: Vec<String> = (0..6).map(|n| format!("many_{n}")).collect();
    databases.iter().for_each(|name| execute(&format!("CREATE DATABASE {name}")));
    std::thread::scope(|scope| {
        for name in &databases {
            let url = format!("{}/{name}", cluster.url);
            scope.spawn(move || migrate(&url).expect("it migrates"));
        }
    });

    // The roles are there now, but app is not a member.
    let said = migrate(&modest).expect_err("app belongs to no role").to_string();
    assert!(said.contains("GRANT logbook_appender TO app;") && !said.contains("CREATE ROLE"), "{said}");
    // A reader may not bypass row-level security.
    execute("ALTER ROLE logbook_reader BYPASSRLS");
    let said = migrate(&modest).expect_err("the reader sees everything").to_string();
    assert!(said.contains("ALTER ROLE logbook_reader NOSUPERUSER NOBYPASSRLS;"), "{said}");
    // The lines that it prints are enough.
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| line.ends_with(';')).collect();
    execute(&lines.join("\n"));
    migrate(&modest).expect("it migrates");
    migrate(&modest).expect("nothing is left to do");

    // A server without the roles does not start, and says why.
    execute("REVOKE logbook_appender FROM app");
    let db = Db::open(&modest, 1).expect("the database");
    let said = roles::check(&mut db.conn().expect("a connection")).expect_err("no appender").to_string();
    assert!(said.contains("docs/POSTGRES.md") && said.contains("logbook_appender"), "{said}");
    // A statement that is refused right after BEGIN leaves no transaction behind.
    let conn = &mut *db.conn().expect("a connection");
    assert!(roles::as_appender(conn, |_| Ok::<_, Error>(())).is_err());
    assert_eq!(is(conn), ["app".to_owned(), String::new()]);
    assert!(roles::as_reader(conn, 7, |conn| Ok::<_, Error>(is(conn))).is_ok());
    cluster.stop();
}

#[test]
fn a_user_without_special_rights_runs_the_whole_server() {
    let server = TestServer::postgres();
    let rights = names(
        &mut sign_in(&server),
        "SELECT rolname::text AS name FROM pg_roles WHERE rolname = current_user AND NOT rolsuper
            AND NOT rolbypassrls AND NOT rolcreaterole AND NOT rolcreatedb",
    );
    assert_eq!(rights, ["logbook_server"]);
    server.workspace("clinic");
    let admin = server.admin();
    let path = "/workspaces/clinic/logs/access";
    // Also in a month that has no partition yet.
    let mut events: Vec<_> = (0..1200).map(|n| sample("access", n)).collect();
    events.push(json!({"event_type": "logout", "occurred_at": "2021-02-03T04:05:06Z"}));
    let sent = admin.post(path, events.into()).expect(201);
    admin.wait_for_index();
    assert_eq!(pagination::feed(&admin, "clinic", "0".into(), 1000).len(), 1201);
    assert_eq!(admin.get(&format!("{path}?q=asha&limit=1000")).expect(200).data().len(), 1000);
    assert_eq!(admin.get(&format!("{path}?user_id=700")).expect(200).data().len(), 1);
    assert_eq!(admin.get(&format!("{path}/metrics")).expect(200).json["total"], 1201);
    let id = sent.json["results"][1200]["id"].as_str().expect("an id");
    assert_eq!(admin.get(&format!("{path}/{id}")).expect(200).json["event_type"], "logout");
    server.nobody().get("/readyz").expect(200);
    let conn = &mut superuser(&server);
    let owner =
        "SELECT pg_get_userbyid(relowner)::text AS name FROM pg_class WHERE relname = 'events_2021_02'";
    assert_eq!(names(conn, owner), ["logbook_server"]);
}

#[test]
fn messages_are_english_also_where_the_database_has_another_setting() {
    let url = postgres::new_database();
    let admin = Db::open(&postgres::as_superuser(&url), 1).expect("the database");
    let (base, name) = url.rsplit_once('/').expect("a URL with a database");
    admin
        .conn()
        .expect("a connection")
        .batch_execute(&format!("ALTER DATABASE {name} SET lc_messages = 'POSIX'; CREATE ROLE {name} LOGIN"))
        .expect("other settings");
    let (scheme, host) = base.split_once("//").expect("a URL");
    let stranger = format!("{scheme}//{name}@{}/{name}", host.rsplit('@').next().expect("a host"));
    for (url, expected) in [(&postgres::as_superuser(&url), "C"), (&url, "C"), (&stranger, "POSIX")] {
        let db = Db::open(url, 1).expect("the database");
        let conn = &mut *db.conn().expect("a connection");
        let Conn::Pg(pg) = conn else { panic!("not PostgreSQL") };
        assert_eq!(names(pg, "SELECT current_setting('lc_messages') AS name"), [expected], "{url}");
        dialect::check_messages(conn).expect("POSIX is English too");
    }
    admin.conn().expect("a connection").batch_execute(&format!("DROP ROLE {name}")).expect("it goes");
}

/// What docker-compose.yml does with an empty volume.
#[test]
fn the_containers_log_in_as_a_role_without_special_rights() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = bare_cluster(&folder);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/prepare-database");
    let status = std::process::Command::new(script)
        .env("LOGBOOK_DATABASE_PASSWORD", "it's a secret")
        .env("POSTGRES_USER", "logbook")
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", cluster.port.to_string())
        .status();
    assert!(status.expect("the script runs").success());
    let url = format!("{}/logbook", cluster.url.replace("//logbook@", "//logbook_server@"));
    let db = Db::open(&url, 1).expect("the database");
    let conn = &mut *db.conn().expect("a connection");
    db::migrations::run(conn).expect("it migrates");
    roles::check(conn).expect("its roles are there");
    let special = "SELECT count(*) AS n FROM pg_roles WHERE rolname = current_user \
                   AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)";
    let Conn::Pg(conn) = conn else { panic!("not PostgreSQL") };
    assert_eq!(number(conn, special), 0);
    // It does what docs/POSTGRES.md says, and sets a password.
    let script = std::fs::read_to_string(script).expect("a text");
    for line in postgres::preparation().lines().filter(|line| !line.contains("logbook_server LOGIN")) {
        assert!(script.contains(line), "{line}");
    }
    drop(db);
    cluster.stop();
}
