//! A full queue and a database that is away: the answer is an error, at once or soon, and never a 2xx.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use diesel::{Connection as _, PgConnection, connection::SimpleConnection as _};
use logbook_tests::{Client, TestServer, on_both, pagination, postgres, server::sample, wait::wait_until};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/logs/access";

fn waiting(admin: &Client) -> u64 {
    admin.metric("logbook_appender_events_waiting")
}

/// Holds what every append needs first: SQLite's write lock, or the row of the workspace's sequence.
fn hold_the_lock(server: &TestServer) -> logbook_engine::db::Conn {
    let mut conn = server.own_connection();
    let sql = if server.is_postgres() {
        // Of the first workspace: Citus locks rows of one only.
        "BEGIN; SELECT * FROM workspace_sequences WHERE workspace_id = 1 FOR UPDATE"
    } else {
        "BEGIN IMMEDIATE"
    };
    conn.batch_execute(sql).expect("the lock");
    conn
}

on_both!(
    a_full_queue_is_refused_at_once_and_stores_nothing,
    |config| {
        config.queue_events = 3;
    },
    |server| {
        server.workspace("clinic");
        let admin = server.admin();
        // So that the server has the workspace in memory, and no request has to read it while the lock is held.
        admin.post(PATH, json!([])).expect(201);
        let mut lock = hold_the_lock(&server);
        thread::scope(|scope| {
            let first = scope.spawn(|| admin.post(PATH, json!([sample("access", 1), sample("access", 2)])));
            wait_until("the first request waits", || waiting(&admin) == 2);
            let refused = admin.post(PATH, json!([sample("access", 3), sample("access", 4)])).expect(503);
            assert_eq!(refused.code(), "queue_full");
            assert!(refused.headers["retry-after"].parse::<u32>().is_ok_and(|seconds| seconds > 0));
            let second = scope.spawn(|| admin.post(PATH, json!([sample("access", 5)])));
            wait_until("what fits waits too", || waiting(&admin) == 3);
            lock.batch_execute("ROLLBACK").expect("released");
            first.join().expect("a thread").expect(201);
            second.join().expect("a thread").expect(201);
        });
        wait_until("the queue is empty", || waiting(&admin) == 0);
        let users: Vec<_> = pagination::feed(&admin, "clinic", "0".into(), 10)
            .iter()
            .map(|e| e["actor"]["id"].clone())
            .collect();
        assert_eq!(users, ["1", "2", "5"]);
        // One request is always let in, however small the queue.
        admin.post(PATH, vec![sample("access", 6); 100].into()).expect(201);
    }
);

on_both!(
    a_queue_that_is_full_of_bytes_is_refused_too,
    |config| {
        config.queue_mib = 1;
    },
    |server| {
        server.workspace("clinic");
        let admin = server.admin();
        admin.post(PATH, json!([])).expect(201);
        let large = json!({"event_type": "login", "metadata": {"text": "x".repeat(60_000)}});
        let mut lock = hold_the_lock(&server);
        thread::scope(|scope| {
            let first = scope.spawn(|| admin.post(PATH, vec![large.clone(); 15].into()));
            wait_until("the first request waits", || waiting(&admin) == 15);
            assert_eq!(admin.post(PATH, vec![large.clone(); 5].into()).expect(503).code(), "queue_full");
            lock.batch_execute("ROLLBACK").expect("released");
            first.join().expect("a thread").expect(201);
        });
    }
);

#[test]
fn a_lock_that_is_held_for_long_is_an_error_and_then_forgotten() {
    let server = TestServer::sqlite();
    server.workspace("clinic");
    let admin = server.admin();
    let mut lock = hold_the_lock(&server);
    let answer = admin.post(PATH, json!([sample("access", 1)])).expect(503);
    assert_eq!(answer.code(), "unavailable");
    assert!(answer.headers.contains_key("retry-after"));
    assert!(admin.get(PATH).expect(200).data().is_empty(), "readers read on");
    lock.batch_execute("ROLLBACK").expect("released");
    admin.post(PATH, json!([sample("access", 2)])).expect(201);
    assert_eq!(pagination::seqs(&pagination::feed(&admin, "clinic", "0".into(), 10)), [1]);
}

/// A connection to another database of the cluster, and the name of the server's.
fn cluster(server: &TestServer) -> (PgConnection, String) {
    let url = postgres::as_superuser(&server.data.database_url);
    let (base, name) = url.rsplit_once('/').expect("a URL");
    (PgConnection::establish(&format!("{base}/postgres")).expect("a connection"), name.to_owned())
}

fn terminate(conn: &mut PgConnection, database: &str) {
    let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
    conn.batch_execute(&sql).expect("the backends end");
}

#[test]
fn connections_that_broke_while_idle_are_replaced_unnoticed() {
    let server = TestServer::postgres();
    server.workspace("clinic");
    let admin = server.admin();
    admin.post(PATH, json!([sample("access", 1)])).expect(201);
    let (mut conn, database) = cluster(&server);
    for _ in 0..3 {
        // So that several are open at once.
        let open: Vec<_> = (0..4).map(|_| server.db.conn().expect("a connection")).collect();
        drop(open);
        terminate(&mut conn, &database);
        for path in [PATH, "/workspaces/clinic/logs/feed", "/workspaces/clinic/logs/access/metrics"] {
            admin.get(path).expect(200);
        }
        terminate(&mut conn, &database);
        for path in ["/workspaces", "/workspaces/clinic/members", PATH] {
            admin.get(path).expect(200);
        }
    }
}

#[test]
fn a_database_that_was_away_is_used_again_without_a_restart() {
    let server = TestServer::postgres();
    server.workspace("clinic");
    let admin = server.admin();
    admin.post(PATH, json!([sample("access", 1)])).expect(201);
    let (mut conn, database) = cluster(&server);
    conn.batch_execute(&format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false")).expect("closed");
    terminate(&mut conn, &database);
    thread::scope(|scope| {
        for path in [PATH, "/workspaces/clinic/logs/feed", "/workspaces", "/readyz"] {
            let admin = &admin;
            scope.spawn(move || {
                let answer = admin.get(path).expect(503);
                assert_eq!(answer.code(), "unavailable", "{path}");
                assert!(answer.headers.contains_key("retry-after"));
            });
        }
        scope.spawn(|| {
            assert_eq!(admin.post(PATH, json!([sample("access", 2)])).expect(503).code(), "unavailable")
        });
        scope.spawn(|| server.nobody().get("/healthz").expect(200));
    });
    conn.batch_execute(&format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true")).expect("open");
    admin.post(PATH, json!([sample("access", 3)])).expect(201);
    server.nobody().get("/readyz").expect(200);
    assert_eq!(admin.get(PATH).expect(200).data().len(), 2);
}

#[test]
fn connections_cut_under_load_lose_nothing_that_was_acknowledged() {
    let server = TestServer::postgres();
    server.workspace("clinic");
    let (mut conn, database) = cluster(&server);
    let stop = AtomicBool::new(false);
    let acknowledged: Vec<Value> = thread::scope(|scope| {
        let writers: Vec<_> = (0..6)
            .map(|writer| {
                let (admin, stop) = (server.admin(), &stop);
                scope.spawn(move || {
                    let mut acknowledged = Vec::new();
                    for n in 0.. {
                        let key = format!("{writer}-{n}");
                        let answer = admin
                            .post(PATH, json!([{"event_type": "login", "username": key, "dedupe_key": key}]));
                        match answer.status {
                            201 => acknowledged.push(json!(key)),
                            503 => assert!(answer.headers.contains_key("retry-after"), "{}", answer.text),
                            _ => panic!("neither stored nor away: {}", answer.text),
                        }
                        let page = admin.get(PATH);
                        assert!([200, 503].contains(&page.status), "{}", page.text);
                        if stop.load(Ordering::Relaxed) && n > 20 {
                            return acknowledged;
                        }
                    }
                    acknowledged
                })
            })
            .collect();
        let admin = server.admin();
        for round in 1..=5 {
            let seen = || {
                admin.get("/workspaces/clinic/logs/access/metrics").json["total"].as_u64().unwrap_or_default()
            };
            wait_until("events arrive between the cuts", || seen() > round * 10);
            terminate(&mut conn, &database);
        }
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().flat_map(|writer| writer.join().expect("a writer")).collect()
    });
    let admin = server.admin();
    admin.post(PATH, json!([{"event_type": "login", "username": "after all"}])).expect(201);
    let feed = pagination::feed(&admin, "clinic", "0".into(), 500);
    assert_eq!(pagination::seqs(&feed), (1..=feed.len() as i64).collect::<Vec<_>>(), "seq has no gaps");
    let stored: Vec<_> = feed.iter().map(|event| event["target"]["name"].clone()).collect();
    for key in &acknowledged {
        assert_eq!(stored.iter().filter(|stored| *stored == key).count(), 1, "{key} was acknowledged");
    }
}
