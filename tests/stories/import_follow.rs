//! `logbook import … --follow` keeps up with a database that nobody may touch: each row becomes its event once, in whatever
//! order transactions commit, whatever is away for a while, and however often the importer is killed.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use diesel::{Connection as _, PgConnection, RunQueryDsl as _, connection::SimpleConnection as _, sql_query};
use logbook::import::{
    ImportArgs, ImportError, Stop, Summary,
    zango::{ZangoImport, follow, run},
};
use logbook_tests::{
    TestServer, on_both, postgres,
    process::Background,
    source_database::{ZANGO_FIXTURE, execute, ids, imported, set_open, zango_database},
    wait::{SetOnDrop, wait_until},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

/// Events of the fixture.
pub(crate) const BEFORE: usize = 380;

fn args(from: &str) -> ZangoImport {
    let import = ImportArgs { follow: true, every: 1, ..ImportArgs::new(from, "peerapp") };
    ZangoImport { schema: "peerapp".into(), import }
}

/// Runs `story` beside a follower, and returns what the follower did.
pub(crate) fn following(server: &TestServer, from: &str, story: impl FnOnce()) -> Summary {
    let stop = Stop::default();
    thread::scope(|scope| {
        let follower = scope.spawn(|| follow(&server.db, &server.data.data_dir, &args(from), &stop));
        let stopped = StopOnDrop(stop.clone());
        story();
        drop(stopped);
        follower.join().expect("no panic").expect("it ends well")
    })
}

/// A follower as a process of its own, whose output tells what it notices.
fn spawn(server: &TestServer, from: &str) -> Background {
    let words =
        ["import", "zango", "--schema", "peerapp", "--workspace", "peerapp", "--follow", "--every", "1"];
    Background::spawn(&server.data, &output(server), &[&words[..], &["--from", from]].concat())
}

fn output(server: &TestServer) -> PathBuf {
    server.data.data_dir.join("follow.txt")
}

/// A story that fails ends its follower too.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// The events after those of the fixture, in the order in which they were stored.
fn new_events(server: &TestServer) -> Vec<Value> {
    imported(server, "peerapp").into_iter().skip(BEFORE).collect()
}

pub(crate) fn wait_for(server: &TestServer, count: usize) {
    wait_until("the events are there", || {
        // The workspace is created by the follower.
        server.admin().get("/workspaces/peerapp").status == 200 && imported(server, "peerapp").len() >= count
    });
}

fn source_row(event: &Value) -> (String, i64) {
    let origin = &event["metadata"]["zango"];
    let table = origin["table"].as_str().expect("a table").to_owned();
    (table, origin["id"].as_i64().expect("an id"))
}

pub(crate) const ENTRY: &str = "INSERT INTO peerapp.auditlogs_logentry (object_pk, object_repr, action, changes_text, changes, \
                     \"timestamp\", content_type_id, tenant_actor_id) VALUES ('7', 'late', 1, '', \
                     '{\"note\": [\"None\", \"a\"]}', now(), 45, 1) RETURNING id::bigint AS id";
const LOGIN: &str = "INSERT INTO peerapp.accesslogs_appaccesslog (user_agent, http_accept, path_info, attempt_time, \
                     attempt_type, is_login_successful, user_id) VALUES ('Firefox', '*/*', '/login/', now(), 'login', \
                     true, 1) RETURNING id::bigint AS id";

/// The fixture's rows came with their ids: the sequences have not counted.
pub(crate) fn database() -> String {
    let url = zango_database();
    for table in ["auditlogs_logentry", "accesslogs_appaccesslog"] {
        ids(
            &url,
            &format!("SELECT setval('peerapp.{table}_id_seq', (SELECT max(id) FROM peerapp.{table})) AS id"),
        );
    }
    url
}

on_both!(a_transaction_that_commits_late_is_not_lost, |server| {
    let source = database();
    let mut late = PgConnection::establish(&source).expect("a connection");
    let summary = following(&server, &source, || {
        wait_for(&server, BEFORE);
        late.batch_execute(&format!("BEGIN; {ENTRY}")).expect("a low id");
        let low = ids(&source, "SELECT last_value AS id FROM peerapp.auditlogs_logentry_id_seq")[0];
        // One that is rolled back: its id never comes.
        execute(&source, "SELECT nextval('peerapp.auditlogs_logentry_id_seq')");
        let high = ids(&source, ENTRY)[0];
        assert_eq!(high, low + 2);
        wait_for(&server, BEFORE + 1);
        assert_eq!(source_row(&new_events(&server)[0]).1, high);
        // Far above it, so that no window around the last row has the late one.
        execute(
            &source,
            &ENTRY.replace("(object_pk", "(id, object_pk").replace("VALUES (", "VALUES (5000000, "),
        );
        wait_for(&server, BEFORE + 2);
        late.batch_execute("COMMIT").expect("a late commit");
        wait_for(&server, BEFORE + 3);
        assert_eq!(source_row(&new_events(&server)[2]).1, low);
    });
    assert_eq!((summary.events(), summary.rejected), (383, 0));
    // Nothing is left for another import, and nothing comes twice.
    let again = ZangoImport { import: ImportArgs::new(&source, "peerapp"), ..args(&source) };
    let again = run(&server.db, &server.data.data_dir, &again, false).expect("an import");
    assert_eq!(again.events(), 0);
});

on_both!(an_update_of_an_imported_row_becomes_its_event, |server| {
    let source = database();
    let table = "peerapp.accesslogs_appaccesslog";
    following(&server, &source, || {
        wait_for(&server, BEFORE);
        // The role is saved a moment after the login, in a transaction of its own: one event.
        let both = format!(
            "BEGIN; {LOGIN}; COMMIT; SELECT pg_sleep(0.1); UPDATE {table} SET role_id = 3 WHERE id = lastval()"
        );
        PgConnection::establish(&source).expect("a connection").batch_execute(&both).expect("a login");
        let with_role = ids(&source, &format!("SELECT max(id)::bigint AS id FROM {table}"))[0];
        wait_for(&server, BEFORE + 1);
        let login = &new_events(&server)[0];
        assert_eq!((&login["action"], source_row(login).1), (&json!("login"), with_role));
        assert_eq!(login["role"], "Nurse");

        // Long after it, also in an old row.
        let without = ids(&source, LOGIN)[0];
        wait_for(&server, BEFORE + 2);
        assert_eq!(new_events(&server)[1]["role"], Value::Null);
        execute(&source, &format!("UPDATE {table} SET role_id = 3 WHERE id = {without}"));
        wait_for(&server, BEFORE + 3);
        execute(
            &source,
            &format!("UPDATE {table} SET session_expired_at = now() WHERE id IN ({with_role}, 13)"),
        );
        wait_for(&server, BEFORE + 5);
        let events = new_events(&server);
        let selected = &events[2];
        assert_eq!((&selected["action"], &selected["role"]), (&json!("role_selected"), &json!("Nurse")));
        assert_eq!(selected["session_id"], format!("zango-{without}"));
        let mut ended: Vec<_> = events[3..].iter().map(source_row).map(|(_, id)| id).collect();
        ended.sort_unstable();
        assert_eq!(ended, [13, with_role]);
        assert!(events[3..].iter().all(|event| event["action"] == "session_expired"));

        // A name that was changed is the new one, from the next pass over everything on.
        execute(&source, "UPDATE peerapp.appauth_appusermodel SET name = 'Asha Rao-Lie' WHERE id = 1");
        let mut count = BEFORE + 5;
        wait_until("the name is the new one", || {
            execute(&source, ENTRY);
            count += 1;
            wait_for(&server, count);
            new_events(&server).last().is_some_and(|last| last["actor"]["name"] == "Asha Rao-Lie")
        });
    });
});

on_both!(a_source_that_is_away_is_waited_for, |server| {
    let source = database();
    let follower = spawn(&server, &source);
    wait_for(&server, BEFORE);
    execute(&source, ENTRY);
    wait_for(&server, BEFORE + 1);
    set_open(&source, false);
    wait_until("it notices", || follower.printed().contains("trying again"));
    set_open(&source, true);
    execute(&source, ENTRY);
    wait_for(&server, BEFORE + 2);
    wait_until("it is content", || follower.printed().contains("back after"));
    // A table that is made anew, as when a dump is restored.
    let table = "peerapp.auditlogs_logentry";
    execute(&source, &format!("ALTER TABLE {table} RENAME TO away"));
    wait_until("it misses the table", || {
        follower.printed().contains("there is no table peerapp.auditlogs_logentry; trying again")
    });
    execute(&source, "ALTER TABLE peerapp.away RENAME TO auditlogs_logentry");
    execute(&source, ENTRY);
    wait_for(&server, BEFORE + 3);
    follower.signal("TERM");
    assert!(follower.wait());
    assert_eq!(imported(&server, "peerapp").len(), BEFORE + 3);
});

#[test]
fn logbooks_own_database_may_be_away() {
    let server = TestServer::postgres_with(|_| {});
    let source = database();
    let own = postgres::as_superuser(&server.data.database_url);
    let follower = spawn(&server, &source);
    wait_for(&server, BEFORE);
    set_open(&own, false);
    execute(&source, ENTRY);
    execute(&source, LOGIN);
    wait_until("it notices", || follower.printed().contains("trying again"));
    set_open(&own, true);
    wait_until("the server is back", || server.admin().get("/workspaces/peerapp").status == 200);
    wait_for(&server, BEFORE + 2);
    follower.signal("TERM");
    assert!(follower.wait());
    assert_eq!(imported(&server, "peerapp").len(), BEFORE + 2);
}

on_both!(a_column_that_is_added_is_read, |server| {
    let source = database();
    execute(&source, "ALTER TABLE peerapp.auditlogs_logentry DROP COLUMN additional_data");
    following(&server, &source, || {
        wait_for(&server, BEFORE);
        execute(&source, "ALTER TABLE peerapp.auditlogs_logentry ADD COLUMN additional_data jsonb");
        let mut count = BEFORE;
        wait_until("the column is read", || {
            execute(
                &source,
                &ENTRY
                    .replace("(object_pk", "(additional_data, object_pk")
                    .replace("VALUES (", "VALUES ('{\"new\": 1}', "),
            );
            count += 1;
            wait_for(&server, count);
            new_events(&server).last().is_some_and(|last| last["metadata"]["additional_data"]["new"] == 1)
        });
    });
});

on_both!(a_follower_ends_when_it_is_told_to, |server| {
    let source = database();
    let ends = ["381 new events in workspace peerapp (new):", "1 new event in workspace peerapp:"];
    for (signal, row, end) in [("TERM", 1, ends[0]), ("INT", 2, ends[1])] {
        let follower = spawn(&server, &source);
        wait_for(&server, BEFORE + row - 1);
        execute(&source, ENTRY);
        wait_for(&server, BEFORE + row);
        // One line for the round in which something was new, and none for the others.
        let rounds = |printed: &str| {
            printed.lines().filter(|line| line.ends_with("Z 1 new event: 1 application")).count()
        };
        wait_until("it says so", || rounds(&follower.printed()) == row);
        follower.signal(signal);
        assert!(follower.wait());
        let printed = std::fs::read_to_string(output(&server)).expect("a text");
        assert_eq!((rounds(&printed), printed.matches(&source).count()), (row, 0), "{printed}");
        assert!(printed.lines().last().is_some_and(|last| last.starts_with(end)), "{printed}");
    }
});

#[test]
fn a_folder_is_not_followed() {
    let server = TestServer::sqlite();
    let followed = follow(&server.db, &server.data.data_dir, &args(ZANGO_FIXTURE), &Stop::default());
    assert!(matches!(followed, Err(ImportError::Follow { .. })), "{followed:?}");
}

on_both!(two_followers_store_each_row_once, |server| {
    let source = database();
    following(&server, &source, || {
        wait_for(&server, BEFORE);
        following(&server, &source, || {
            for n in 1..=30 {
                execute(&source, ENTRY);
                if n % 10 == 0 {
                    wait_for(&server, BEFORE + n);
                }
            }
        });
    });
    assert_eq!(imported(&server, "peerapp").len(), BEFORE + 30);
});

/// How often the importer is killed.
const KILLS: u32 = 20;

on_both!(a_killed_follower_stores_each_row_once, |server| {
    let source = database();
    let start = || spawn(&server, &source);
    let seed = std::process::id().into();
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let done = AtomicBool::new(false);
    let mut lives = 0;
    thread::scope(|scope| {
        let _done = SetOnDrop(&done);
        for writer in 0..3 {
            let (source, done) = (&source, &done);
            scope.spawn(move || write(source, seed + writer, done));
        }
        let mut follower = start();
        let mut stored = 0;
        for _ in 0..KILLS {
            // One in four dies whatever it has come to, the others while they work.
            if rng.random_range(0..4) > 0 {
                wait_until("something is stored", || has_events(&server, stored));
            }
            thread::sleep(Duration::from_millis(rng.random_range(0..1200)));
            follower.kill();
            lives += u32::from(has_events(&server, stored));
            stored = imported_count(&server);
            follower = start();
        }
        done.store(true, Ordering::Relaxed);
        let before = imported(&server, "peerapp").len();
        execute(&source, ENTRY);
        wait_until("the last one works", || imported(&server, "peerapp").len() > before);
        follower.signal("TERM");
        assert!(follower.wait());
    });
    // The last one ended while rows were written: one pass more has the rest.
    let last = ZangoImport { import: ImportArgs::new(&source, "peerapp"), ..args(&source) };
    let last = run(&server.db, &server.data.data_dir, &last, false).expect("an import");
    assert_eq!(last.rejected, 0);

    let mut counts: BTreeMap<(String, i64, String), usize> = BTreeMap::new();
    for event in imported(&server, "peerapp") {
        let (table, id) = source_row(&event);
        let what = match event["action"].as_str().expect("an action") {
            "session_expired" => "session_expired",
            _ if table.starts_with("access") => "login",
            _ => "entry",
        };
        let what = what.to_owned();
        *counts.entry((table, id, what)).or_default() += 1;
    }
    assert!(counts.values().all(|count| *count == 1), "{:?}", counts.iter().find(|(_, count)| **count > 1));
    let stored = |table: &str, what: &str| -> Vec<i64> {
        counts.keys().filter(|key| key.0 == table && key.2 == what).map(|key| key.1).collect()
    };
    let there =
        |query: &str| ids(&source, &format!("SELECT id::bigint AS id FROM peerapp.{query} ORDER BY id"));
    let (access, audit) = ("accesslogs_appaccesslog", "auditlogs_logentry");
    assert_eq!(stored(audit, "entry"), there(audit));
    assert_eq!(stored(access, "login"), there(access));
    let ended = format!("{access} WHERE is_login_successful AND session_expired_at IS NOT NULL");
    assert_eq!(stored(access, "session_expired"), there(&ended));
    println!(
        "{KILLS} kills, {lives} after something was stored, {} rows, seed {seed}",
        counts.len() - BEFORE
    );
});

/// Whether the workspace is there and has more events than so many.
fn has_events(server: &TestServer, more_than: usize) -> bool {
    let answer = server.admin().get(&format!("/workspaces/peerapp/logs/feed?after={more_than}&limit=1"));
    answer.status == 200 && answer.json["data"].as_array().is_some_and(|events| !events.is_empty())
}

fn imported_count(server: &TestServer) -> usize {
    if has_events(server, 0) { imported(server, "peerapp").len() } else { 0 }
}

/// Writes rows until it is told to stop: several in a transaction, some of which wait before they commit, and some of which
/// are rolled back.
fn write(source: &str, seed: u64, done: &AtomicBool) {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut conn = PgConnection::establish(source).expect("a connection");
    while !done.load(Ordering::Relaxed) {
        conn.batch_execute("BEGIN").expect("a transaction");
        for _ in 0..rng.random_range(1..6) {
            let statement = match rng.random_range(0..4) {
                0 => LOGIN.to_owned(),
                // The end of a session that has none, as Zango stamps it.
                1 => "UPDATE peerapp.accesslogs_appaccesslog SET session_expired_at = now() WHERE id = (SELECT id FROM \
                      peerapp.accesslogs_appaccesslog WHERE session_expired_at IS NULL ORDER BY id DESC LIMIT 1 FOR \
                      UPDATE SKIP LOCKED)"
                    .to_owned(),
                _ => ENTRY.to_owned(),
            };
            sql_query(statement).execute(&mut conn).expect("a row");
        }
        if rng.random_range(0..4) == 0 {
            thread::sleep(Duration::from_millis(rng.random_range(0..1500)));
        }
        let end = if rng.random_range(0..5) == 0 { "ROLLBACK" } else { "COMMIT" };
        conn.batch_execute(end).expect("its end");
        thread::sleep(Duration::from_millis(rng.random_range(0..40)));
    }
}
