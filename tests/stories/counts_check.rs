//! `logbook counts check` finds and repairs whatever is wrong with the kept counts, beside a running server.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use diesel::prelude::*;
use logbook_engine::{
    counts::{
        check::{self, Checked, Difference},
        compact,
        packed::{CellsBuilder, Key, PackedCells},
    },
    db::{Conn, schema::event_counts},
    event::Outcome,
};
use logbook_tests::{Client, TestServer, on_both, process, server::sample, wait::SetOnDrop};
use serde_json::Value;

const LOGS: [&str; 3] = ["access", "application", "framework"];

/// Two days of two months in each log.
fn append(admin: &Client, slug: &str) {
    for log in LOGS {
        let events: Vec<Value> = (0..12)
            .map(|n| {
                let mut event = sample(log, n);
                event["occurred_at"] = format!("2026-{:02}-1{}T{n:02}:30:00Z", 3 + n % 2, n / 6).into();
                event
            })
            .collect();
        admin.post(&format!("/workspaces/{slug}/logs/{log}"), events.into()).expect(201);
    }
}

/// Metrics, facets and a histogram of each log, over all of it and over a range that begins and ends within a day; each
/// with its status.
fn answers(admin: &Client, slug: &str) -> Vec<(u16, Value)> {
    let mut all = Vec::new();
    for log in LOGS {
        for range in ["", "since=2026-03-10T05:10:00Z&until=2026-04-11T08:20:00Z&"] {
            for what in ["metrics?", "facets?", "histogram?interval=1d&tz=Asia/Kathmandu&"] {
                let answer = admin.get(&format!("/workspaces/{slug}/logs/{log}/{what}{range}"));
                all.push((answer.status, if answer.status == 200 { answer.json } else { Value::Null }));
            }
        }
    }
    all
}

fn total(admin: &Client, slug: &str) -> Value {
    answers(admin, slug)[0].1["total"].clone()
}

/// Runs `logbook check` or `logbook repair counts`. Returns its exit code and what it printed.
fn run(server: &TestServer, command: &[&str]) -> (i32, String) {
    let output = process::run(&server.data, command);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().expect("a code"), String::from_utf8_lossy(&said).into_owned())
}

fn mended(conn: &mut Conn, id: i32) -> Vec<Difference> {
    match check::check(conn, id, true, |_, _| {}).expect("an answer") {
        Checked::Compared(found) => found,
        Checked::Unbuilt => panic!("it is built"),
    }
}

/// Changes the access log's first row of a grain. Its new revision tells a server that what it has in memory is old.
fn change_a_row(
    server: &TestServer,
    id: i32,
    grain: i16,
    change: impl FnOnce(&PackedCells, &mut CellsBuilder),
) {
    let conn = &mut server.own_connection();
    let rows = event_counts::table
        .filter(event_counts::workspace_id.eq(id))
        .filter(event_counts::log.eq(1))
        .filter(event_counts::grain.eq(grain));
    let (bucket, cells): (i32, Vec<u8>) = rows
        .order(event_counts::bucket)
        .select((event_counts::bucket, event_counts::cells))
        .first(conn)
        .expect("a row");
    let packed = PackedCells::parse(cells).expect("cells");
    let mut draft = CellsBuilder::over(packed.clone());
    change(&packed, &mut draft);
    diesel::update(event_counts::table.find((id, 1, grain, bucket)))
        .set((event_counts::cells.eq(draft.pack()), event_counts::revision.eq(event_counts::revision + 1)))
        .execute(conn)
        .expect("a change");
}

/// Counts an event that nobody sent.
fn add_a_cell(server: &TestServer, id: i32, grain: i16) {
    change_a_row(server, id, grain, |packed, draft| {
        draft.add(packed.slots()[0].at, packed.keys().next().expect("a key"), 1);
    });
}

/// Adds a row for a month without events: August 2026.
fn add_a_row(server: &TestServer, id: i32) {
    let mut draft = CellsBuilder::default();
    let key =
        Key { action: "login", outcome: Outcome::Success, role: None, target_type: None, source: "test" };
    draft.add(20_670, key, 7);
    diesel::insert_into(event_counts::table)
        .values((
            event_counts::workspace_id.eq(id),
            event_counts::log.eq(1),
            event_counts::grain.eq(2),
            event_counts::bucket.eq(679),
            event_counts::revision.eq(1),
            event_counts::cells.eq(draft.pack()),
        ))
        .execute(&mut server.own_connection())
        .expect("a row");
}

/// Damage to a workspace's counts.
enum Damage {
    Cell(i16),
    Row,
    Sql(&'static str),
}
use Damage::{Cell, Row, Sql};

impl Damage {
    fn strike(&self, server: &TestServer, id: i32) {
        match self {
            Cell(grain) => add_a_cell(server, id, *grain),
            Row => add_a_row(server, id),
            Sql(sql) => {
                let garbage = server.garbage();
                server.sql(&sql.replace("OWN", &format!("workspace_id = {id}")).replace("GARBAGE", garbage));
            }
        }
    }
}

/// The compacted events have seq 1 to 36, and the deltas that wait 48, 60 and 72. March 2026 is month 674, its tenth day
/// 20,522.
const CASES: [(&str, Damage, &[&str]); 20] = [
    (
        "a cell of a month",
        Cell(2),
        &["access 2026-03: 1 row differs: 6 events, counted as 6 by day and 7 by month"],
    ),
    ("a cell of a day", Cell(1), &["access 2026-03: 1 row differs: 6 events, counted as 7 by day and 6 by month"]),
    (
        "no month",
        Sql("DELETE FROM event_counts WHERE OWN AND grain = 2 AND log = 2 AND bucket = 675"),
        &["application 2026-04: 1 row differs: 6 events, counted as 6 by day and 0 by month"],
    ),
    (
        "no day",
        Sql("DELETE FROM event_counts WHERE OWN AND grain = 1 AND log = 3 AND bucket = 20522"),
        &["framework 2026-03: 1 row differs: 6 events, counted as 3 by day and 6 by month"],
    ),
    (
        "no rows",
        Sql("DELETE FROM event_counts WHERE OWN"),
        &["access 2026-03: 3 rows differ: 6 events, counted as 0 by day and 0 by month", "framework 2026-04"],
    ),
    ("a row of no events", Row, &["access 2026-08: 1 row differs: 0 events, counted as 0 by day and 7 by month"]),
    (
        "rows of another year",
        Sql("UPDATE event_counts SET bucket = bucket + 12 WHERE OWN AND grain = 2 AND log = 1"),
        &["access 2026-03", "access 2026-04", "access 2027-03", "access 2027-04"],
    ),
    (
        "another log's row",
        Sql("UPDATE event_counts SET revision = revision + 1, cells = (SELECT o.cells FROM event_counts o WHERE
            o.OWN AND o.log = 2 AND o.grain = 2 AND o.bucket = 674) WHERE OWN AND log = 1 AND grain = 2 AND bucket = 674"),
        &["access 2026-03: 1 row differs: 6 events, counted as 6 by day and 6 by month"],
    ),
    (
        "a row's bytes",
        Sql("UPDATE event_counts SET cells = GARBAGE, revision = revision + 1 WHERE OWN AND grain = 2 AND log = 1 AND bucket = 674"),
        &["access 2026-03: 1 row differs: 6 events, counted as 6 by day and 0 by month; 1 cannot be read"],
    ),
    (
        "all rows' bytes",
        Sql("UPDATE event_counts SET cells = GARBAGE, revision = revision + 1 WHERE OWN"),
        &["framework 2026-04: 3 rows differ: 6 events, counted as 0 by day and 0 by month; 3 cannot be read"],
    ),
    (
        "no delta",
        Sql("DELETE FROM count_deltas WHERE OWN AND seq = 60"),
        &["seq 49 to 72, yet to be compacted: 24 events, counted as 12"],
    ),
    (
        "no last delta",
        Sql("DELETE FROM count_deltas WHERE OWN AND seq = 72"),
        &["seq 61 to 72, yet to be compacted: 12 events, counted as 0"],
    ),
    (
        "no deltas",
        Sql("DELETE FROM count_deltas WHERE OWN"),
        &["seq 37 to 72, yet to be compacted: 36 events, counted as 0"],
    ),
    (
        "a delta's bytes",
        Sql("UPDATE count_deltas SET cells = GARBAGE WHERE OWN AND seq = 60"),
        &["seq 49 to 60, yet to be compacted: 12 events, what is counted cannot be read"],
    ),
    (
        "another delta's bytes",
        Sql("UPDATE count_deltas SET cells = (SELECT o.cells FROM count_deltas o WHERE o.OWN AND o.seq = 72)
            WHERE OWN AND seq = 60"),
        &["seq 49 to 60, yet to be compacted: 12 events, counted as 12"],
    ),
    (
        "a delta's size",
        Sql("UPDATE count_deltas SET cell_count = 1000000 WHERE OWN AND seq = 60"),
        &["seq 49 to 60, yet to be compacted: 12 events, counted as 12"],
    ),
    (
        "deltas of the past and of the future",
        Sql("INSERT INTO count_deltas (workspace_id, seq, received_at, events, cell_count, cells) SELECT workspace_id,
            CASE seq WHEN 48 THEN 7 ELSE 84 END, received_at, events, cell_count, cells FROM count_deltas WHERE OWN AND seq <= 60"),
        &["seq 7 to 7, yet to be compacted: 0 events, counted as 12", "seq 84 to 84"],
    ),
    (
        "no state",
        Sql("DELETE FROM count_states WHERE OWN"),
        &["seq 1 to 48, yet to be compacted: 48 events, counted as 12", "access 2026-03: 3 rows differ: 0 events"],
    ),
    (
        "a state that is behind",
        Sql("UPDATE count_states SET compacted_seq = 5 WHERE OWN"),
        &["seq 6 to 48, yet to be compacted: 43 events, counted as 12", "access 2026-03"],
    ),
    (
        "a state that is ahead",
        Sql("UPDATE count_states SET compacted_seq = 1000 WHERE OWN"),
        &["compacted up to seq 1000, and the last one is 72", "seq 48 to 48", "access 2026-03: 3 rows differ"],
    ),
];

on_both!(each_damage_is_found_and_repaired, |config| { config.no_background_jobs = true }, |server| {
    let admin = server.admin();
    for (n, (what, damage, expected)) in CASES.into_iter().enumerate() {
        let slug = format!("w{n}");
        let id = server.workspace(&slug).id;
        append(&admin, &slug);
        compact::compact_all(&mut server.own_connection(), id).expect("it compacts");
        append(&admin, &slug);
        let right = answers(&admin, &slug);
        assert_eq!(total(&admin, &slug), 24);
        damage.strike(&server, id);
        let seen = answers(&admin, &slug);
        // Only compacting reads a delta's size and the state.
        if !what.contains("size") && !what.contains("state") {
            assert_ne!(seen, right, "{what}: it can be seen");
        }

        let (code, said) = run(&server, &["check", "--workspace", &slug]);
        assert_eq!(code, 3, "{what}: {said}");
        for expected in expected {
            assert!(said.contains(expected), "{what}: {said}");
        }
        assert_eq!(answers(&admin, &slug), seen, "{what}: nothing was mended");
        let (code, said) = run(&server, &["repair", "counts", "--workspace", &slug]);
        assert_eq!(code, 3, "{what}: {said}");
        assert_eq!(answers(&admin, &slug), seen, "{what}: nothing was mended without being told to");
        let (code, said) = run(&server, &["repair", "counts", "--discard-evidence", "--workspace", &slug]);
        assert_eq!(code, 0, "{what}: {said}");
        for expected in expected {
            assert!(said.contains(expected) || what.contains("ahead"), "{what}: {said}");
        }
        assert!(said.contains("differed and were rebuilt."), "{said}");
        assert_eq!(answers(&admin, &slug), right, "{what}: the running server is right again");
        let (code, said) = run(&server, &["check", "--workspace", &slug]);
        assert_eq!(code, 0, "{what}: {said}");
        assert!(said.contains(&format!("{slug}: the counts match the events.\n")), "{what}: {said}");

        // Compacting goes on from what was repaired.
        append(&admin, &slug);
        compact::compact_all(&mut server.own_connection(), id).expect("it compacts");
        assert_eq!(total(&admin, &slug), 36, "{what}");
        assert_eq!(mended(&mut server.own_connection(), id), [], "{what}");
    }
    let (code, said) = run(&server, &["check"]);
    assert_eq!((code, said.lines().count()), (0, 2 * CASES.len()), "{said}");
});

on_both!(
    a_server_does_not_mistake_its_memory_for_repaired_rows,
    |config| { config.no_background_jobs = true },
    |server| {
        let admin = server.admin();
        for revision in 1..8 {
            let slug = format!("w{revision}");
            let id = server.workspace(&slug).id;
            append(&admin, &slug);
            compact::compact_all(&mut server.own_connection(), id).expect("it compacts");
            server.sql(&format!("UPDATE event_counts SET revision = {revision} WHERE workspace_id = {id}"));
            append(&admin, &slug);
            let right = answers(&admin, &slug);
            // Revisions begin at 1 again, so in one of these workspaces they equal those that the server has in memory.
            server.sql(&format!("DELETE FROM count_states WHERE workspace_id = {id}"));
            assert_ne!(mended(&mut server.own_connection(), id), []);
            compact::compact_all(&mut server.own_connection(), id).expect("it compacts");
            assert_eq!(answers(&admin, &slug), right, "{revision}");
        }
    }
);

on_both!(nothing_differs_beside_servers_that_append_and_compact, |server| {
    let id = server.workspace("clinic").id;
    let other = server.beside();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = [&server, &other]
            .into_iter()
            .map(|server| {
                scope.spawn(move || {
                    for _ in 0..20 {
                        append(&server.admin(), "clinic");
                    }
                })
            })
            .collect();
        let folder = scope.spawn(|| {
            let mut conn = server.own_connection();
            while !stop.load(Ordering::Relaxed) {
                compact::compact(&mut conn, id).expect("it compacts");
                thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        let stopping = SetOnDrop(&stop);
        let mut conn = server.own_connection();
        let (mut checks, mut damages) = (0, 0);
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) || damages < 3 {
            let found = mended(&mut conn, id);
            assert_eq!(found, [], "after {checks} checks");
            checks += 1;
            compact::compact(&mut conn, id).expect("it compacts");
            // Compacting makes such rows again, of what comes now, and the check counts what it adds.
            let months = event_counts::table.filter(event_counts::grain.eq(2));
            if checks % 3 == 0 && diesel::delete(months).execute(&mut conn).expect("rows") > 0 {
                assert_ne!(mended(&mut conn, id), []);
                damages += 1;
            }
        }
        drop(stopping);
        folder.join().expect("a folder");
    });
    assert_eq!(total(&server.admin(), "clinic"), 2 * 20 * 12);
    assert_eq!(total(&other.admin(), "clinic"), 2 * 20 * 12);
    assert_eq!(mended(&mut server.own_connection(), id), []);
});

on_both!(
    counts_that_are_not_built_yet_are_built_first,
    |config| { config.no_background_jobs = true },
    |server| {
        let id = server.workspace("clinic").id;
        let admin = server.admin();
        append(&admin, "clinic");
        // As a migration leaves a database of an older version.
        server.sql("DELETE FROM count_deltas");
        let from = if server.is_postgres() { "'1970-01-01T00:00:00Z'" } else { "0" };
        server.sql(&format!("INSERT INTO count_states (workspace_id, revision, compacted_seq, unbuilt_from) VALUES ({id}, 0, 0, {from})"));
        let (code, said) = run(&server, &["check"]);
        assert_eq!(code, 0, "{said}");
        assert!(
            said.contains("clinic: the counts are still being built; they were not compared.\n"),
            "{said}"
        );
        let (code, said) = run(&server, &["repair", "counts"]);
        assert_eq!((code, said.as_str()), (0, "clinic: the counts match the events.\n"));
        let rows: i64 =
            event_counts::table.count().get_result(&mut server.own_connection()).expect("a count");
        assert_eq!(rows, 3 * 2 * 3, "for each log and month a row, and one for each day");
        assert_eq!(total(&admin, "clinic"), 12);
    }
);
