//! Kept counts: whatever is compacted and when, by one process or by several, they equal a recount of the events.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use logbook_engine::{
    counts::{compact, sample::SCAN_LIMIT},
    db::timestamp::Timestamp,
};

use crate::list_oracle::{
    LOGS, borrowed, check_facets, check_histogram, check_metrics, dimensions, for_all, next_slug, send_to,
};

use logbook_tests::{
    Client, TestServer, on_both,
    oracle::Query,
    random::{self, Event, SOURCES},
    server::sample,
    wait::SetOnDrop,
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/logs/access";
/// Zones whose days begin within a UTC day, at half and quarter hours, and whose clocks change, one by half an hour.
const ZONES: [&str; 6] =
    ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"];

/// What happens to a workspace: events of a log arrive, then counts are compacted so many times.
#[derive(Clone, Debug)]
struct Step {
    log: usize,
    events: Vec<Event>,
    compactions: u8,
}

fn step() -> impl Strategy<Value = Step> {
    (0..3usize)
        .prop_flat_map(|log| (Just(log), vec(random::event(LOGS[log]), 1..25), 0..3u8))
        .prop_map(|(log, events, compactions)| Step { log, events, compactions })
}

fn questions() -> impl Strategy<Value = Vec<(Query, &'static str)>> {
    let of = |log: &'static str| vec((random::query(log), select(&ZONES[..])), 2..4);
    (of(LOGS[0]), of(LOGS[1]), of(LOGS[2])).prop_map(|(a, b, c)| [a, b, c].concat())
}

fn ask(admin: &Client, slug: &str, question: &Query, what: &str, more: &[(&'static str, &str)]) -> Value {
    let parameters = question.parameters();
    let parameters = [borrowed(&parameters), more.to_vec()].concat();
    admin.query(&format!("/workspaces/{slug}/logs/{}/{what}", question.log), &parameters).expect(200).json
}

on_both!(counts_equal_a_recount_whatever_was_compacted, |server| {
    let (admin, pump) = (server.admin(), server.admin_called(SOURCES[1]));
    for_all(12, (vec(step(), 1..6), questions()), |(steps, questions)| {
        let slug = next_slug();
        let workspace = server.workspace(&slug);
        let mut sent = [Vec::new(), Vec::new(), Vec::new()];
        for Step { log, events, compactions } in steps {
            sent[log].extend(send_to([&admin, &pump], &slug, LOGS[log], events));
            for _ in 0..compactions {
                let mut conn = server.own_connection();
                compact::compact(&mut conn, workspace.id).expect("it compacts");
            }
        }
        for (question, zone) in &questions {
            let place = LOGS.iter().position(|log| *log == question.log).expect("a log");
            check_metrics(question, &sent[place], &ask(&admin, &slug, question, "metrics", &[]));
            check_facets(question, &sent[place], &ask(&admin, &slug, question, "facets", &[]));
            for interval in ["auto", "1d", "1w", "1mo"] {
                let by = dimensions(question.log)[1];
                let more = [("interval", interval), ("tz", *zone), ("by", by)];
                check_histogram(question, &sent[place], &ask(&admin, &slug, question, "histogram", &more));
            }
        }
    });
});

fn total(admin: &Client) -> u64 {
    admin.get(&format!("{PATH}/metrics")).expect(200).json["total"].as_u64().expect("a count")
}

/// The number of rows of a table.
fn rows(server: &TestServer, table: &str) -> i64 {
    use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::BigInt};
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let query = sql_query(format!("SELECT count(*) AS n FROM {table}"));
    query.get_result::<Row>(&mut server.own_connection()).expect("a count").n
}

on_both!(two_processes_that_append_and_compact_stay_exact, |server| {
    let workspace = server.workspace("clinic");
    let other = server.beside();
    // Their tokens are stored before the database is busy.
    let _ = (server.admin(), other.admin());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = [&server, &server, &other, &other]
            .into_iter()
            .enumerate()
            .map(|(writer, server)| {
                scope.spawn(move || {
                    for n in 0..25 {
                        // Spread over weeks, so that compacting touches several rows.
                        let events: Vec<_> =
                            (0..7).map(|k| sample("access", writer as i64 * 9000 + n * 60 + k)).collect();
                        server.admin().post(PATH, events.into()).expect(201);
                    }
                })
            })
            .collect();
        let folders: Vec<_> = [&server, &other]
            .into_iter()
            .map(|server| {
                let stop = &stop;
                scope.spawn(move || {
                    let mut conn = server.own_connection();
                    while !stop.load(Ordering::Relaxed) {
                        compact::compact(&mut conn, workspace.id).expect("it compacts");
                    }
                })
            })
            .collect();
        let stopping = SetOnDrop(&stop);
        let mut before = 0;
        let admins = [server.admin(), other.admin()];
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            for admin in &admins {
                let now = total(admin);
                assert!(now >= before, "no event is ever missed by a reader: {now} after {before}");
                assert_eq!(now % 7, 0, "a request is counted whole or not at all");
                before = now;
            }
        }
        drop(stopping);
        folders.into_iter().for_each(|folder| folder.join().expect("a folder"));
    });
    assert_eq!((total(&server.admin()), total(&other.admin())), (700, 700));
    compact::compact_all(&mut server.own_connection(), workspace.id).expect("it compacts");
    assert_eq!(rows(&server, "count_deltas"), 0);
    assert_eq!((total(&server.admin()), total(&other.admin())), (700, 700));
});

on_both!(
    counts_that_are_not_built_yet_are_counted_by_sql_and_then_built,
    |config| { config.no_background_jobs = true },
    |server| {
        let workspace = server.workspace("clinic");
        let admin = server.admin();
        let post = |from: i64| {
            // Over three months, with one of nothing between.
            let events: Vec<_> = (from..from + 10)
                .map(|n| json!({"event_type": "login", "occurred_at": format!("2025-0{}-1{}T00:00:00Z", 1 + n % 2 * 3, n % 10)}))
                .collect();
            admin.post(PATH, events.into()).expect(201);
        };
        post(0);
        // As after a repair that begins from nothing.
        let epoch = if server.is_postgres() { "'1970-01-01T00:00:00Z'" } else { "0" };
        server.sql(&format!(
            "DELETE FROM count_deltas; DELETE FROM event_counts; DELETE FROM count_states;
             INSERT INTO count_states (workspace_id, revision, compacted_seq, unbuilt_from) VALUES ({}, 0, 0, {epoch})",
            workspace.id
        ));
        assert_eq!(total(&admin), 10, "not built yet: counted by SQL");
        post(10);
        assert_eq!(total(&admin), 20);
        let due = compact::due(&mut server.own_connection(), Timestamp::now()).expect("an answer");
        assert_eq!(due, [workspace.id]);
        let mut conn = server.own_connection();
        while compact::compact(&mut conn, workspace.id).expect("it builds") {
            post(20);
            assert_eq!(total(&admin) % 10, 0);
        }
        assert_eq!(rows(&server, "count_deltas"), 0);
        assert_eq!(total(&admin) as i64, rows(&server, "events"));
        assert!(compact::due(&mut conn, Timestamp::now()).expect("an answer").is_empty());
    }
);

on_both!(
    compacting_waits_for_enough_to_do_but_not_for_ever,
    |config| { config.no_background_jobs = true },
    |server| {
        let workspace = server.workspace("clinic");
        let admin = server.admin();
        let mut conn = server.own_connection();
        // What waits is due ten minutes after it came, whenever that is asked.
        let before = Timestamp::now();
        let mut due_at =
            |time: Timestamp| compact::due(&mut conn, time).expect("an answer") == [workspace.id];
        admin.post(PATH, json!([sample("access", 1)])).expect(201);
        assert!(
            !due_at(before)
                && !due_at(before.plus_seconds(599))
                && due_at(Timestamp::now().plus_seconds(601))
        );
        let mut due = || due_at(before);
        let many: Vec<_> = (0..10_000)
            .map(|n| json!({"event_type": format!("e{}", n % 100), "role": format!("r{}", n / 100)}))
            .collect();
        admin.post(PATH, many.clone().into()).expect(201);
        admin.post(PATH, many.into()).expect(201);
        assert!(due(), "more than 20,000 cells wait");
        compact::compact_all(&mut server.own_connection(), workspace.id).expect("it compacts");
        assert!(!due());
        for n in 0..501 {
            assert!(!due(), "after {n}");
            admin.post(PATH, json!([sample("access", n)])).expect(201);
        }
        assert!(due(), "more than 500 transactions wait");
        assert_eq!(total(&admin), 20_502);
    }
);

on_both!(without_kept_counts_events_are_counted_up_to_a_bound, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event = |n: usize| {
        json!({"event_type": "login", "user": {"id": "17"}, "role": if n < 5 { "first" } else { "later" },
        "occurred_at": format!("2026-10-01T00:00:00.{n:06}Z")})
    };
    let events: Vec<_> = (0..SCAN_LIMIT).map(event).collect();
    admin.post(PATH, events.into()).expect(201);
    let ask = |what: &str| admin.get(&format!("{PATH}/{what}user_id=17")).expect(200).json;
    let counted = |answer: &Value| (answer["total"].clone(), answer["exact"].clone());
    assert_eq!(counted(&ask("metrics?")), (SCAN_LIMIT.into(), true.into()));
    admin.post(PATH, json!([event(SCAN_LIMIT)])).expect(201);
    assert_eq!(counted(&ask("metrics?")), (SCAN_LIMIT.into(), false.into()));
    let facets = ask("facets?role=first&");
    assert_eq!(facets["exact"], false);
    assert_eq!(
        facets["data"][1]["values"],
        json!([{"value": "login", "count": 4}]),
        "the newest events are counted"
    );
    let histogram = ask("histogram?interval=1d&");
    assert_eq!((&histogram["data"][0]["total"], &histogram["exact"]), (&SCAN_LIMIT.into(), &false.into()));
    // Without such a filter there is no bound.
    let all = admin.get(&format!("{PATH}/metrics")).expect(200).json;
    assert_eq!(counted(&all), ((SCAN_LIMIT + 1).into(), true.into()));
});
