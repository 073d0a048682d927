//! The search index: events are indexed soon, by one process or by several, and damage is found and repaired.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use diesel::prelude::*;
use logbook_engine::{
    db::{Conn, schema::index_pieces},
    index::{
        build::{self, Advanced, IngestRate},
        check as index_check,
        directory::LARGE,
        run::Segment,
        store, write,
    },
};
use logbook_tests::{
    Client, TestServer, on_both, pagination,
    process::{self, Process},
    server::sample,
    wait::PATIENCE,
};
use serde_json::{Value, json};

use crate::list_oracle::make_run;

const PATH: &str = "/workspaces/clinic/logs/access";

fn segments(conn: &mut Conn, id: i32) -> Vec<Segment> {
    store::segments(conn, id).expect("segments")
}

/// First and last seq of each segment.
fn spans(segments: &[Segment]) -> Vec<(i64, i64)> {
    segments.iter().map(|segment| (segment.first_seq(), segment.last_seq())).collect()
}

/// The first and last seq of each segment in which the index differs from the events.
fn check(conn: &mut Conn, id: i32) -> Vec<(i64, i64)> {
    let damaged = index_check::check(conn, id, |_, _| {}).expect("an answer");
    damaged.into_iter().map(|seqs| (*seqs.start(), *seqs.end())).collect()
}

/// The numbers of pieces that belong to no run and no segment, or are being merged or removed.
pub(crate) fn strays(conn: &mut Conn, id: i32) -> Vec<i64> {
    let segments = segments(conn, id);
    let runs = segments.iter().flat_map(|segment| segment.runs.iter().map(|run| run.number));
    let known: BTreeSet<i32> = runs.chain(segments.iter().map(|segment| segment.number)).collect();
    let pieces: Vec<i64> = index_pieces::table.select(index_pieces::piece).load(conn).expect("pieces");
    pieces.into_iter().filter(|piece| !known.contains(&((piece >> 32) as i32))).collect()
}

fn append_samples(admin: &Client, count: i64) {
    let events: Vec<Value> = (0..count).map(|n| sample("access", n)).collect();
    for events in events.chunks(1000) {
        admin.post(PATH, events.into()).expect(201);
    }
}

/// The seqs of the events that a question finds.
fn found(admin: &Client, path: &str, parameters: &[(&str, &str)]) -> Vec<i64> {
    pagination::seqs(&pagination::pages(admin, path, parameters))
}

on_both!(events_are_indexed_soon, |server| {
    let id = server.workspace("clinic").id;
    let admin = server.admin();
    append_samples(&admin, 1500);
    admin.wait_for_index();
    let mut conn = server.own_connection();
    let spans_of = |conn: &mut Conn| spans(&segments(conn, id));
    assert_eq!(spans_of(&mut conn), [(1, 1024), (1025, 1500)]);
    // A few events wait for more, but not for long if none come.
    admin.post(PATH, json!([{"event_type": "logout"}, {"event_type": "logout"}])).expect(201);
    assert_eq!(found(&admin, PATH, &[("event_type", "logout")]), [1502, 1501], "found at once all the same");
    admin.wait_for_index();
    assert_eq!(spans_of(&mut conn), [(1, 1024), (1025, 1502)], "the growing one has grown");
    assert_eq!(check(&mut conn, id), []);
    assert_eq!(found(&admin, PATH, &[("event_type", "logout")]), [1502, 1501]);
});

on_both!(
    nothing_is_indexed_without_background_jobs,
    |config| { config.no_background_jobs = true },
    |server| {
        let id = server.workspace("clinic").id;
        let admin = server.admin();
        append_samples(&admin, 200);
        thread::sleep(Duration::from_secs(2));
        assert_eq!(admin.index_lag(), 200);
        assert_eq!(segments(&mut server.own_connection(), id), []);
    }
);

on_both!(small_segments_become_a_large_one, |config| { config.no_background_jobs = true }, |server| {
    let id = server.workspace("clinic").id;
    let admin = server.admin();
    let conn = &mut server.own_connection();
    let index = |conn: &mut Conn| {
        while build::advance(conn, id, IngestRate::Quiet).expect("a step") == Advanced::Segment {}
    };
    append_samples(&admin, 1500);
    index(conn);
    assert_eq!(spans(&segments(conn, id)), [(1, 1024), (1025, 1500)]);
    let asked = |admin: &Client| {
        let sought =
            ["1", "1023", "1024", "1025", "1499"].map(|user| found(admin, PATH, &[("user_id", user)]));
        // All events, so that none is missed where one step ends and the next begins.
        let all = found(admin, PATH, &[("q", "asha rao"), ("limit", "1000"), ("order", "asc")]);
        (sought, all)
    };
    let expected = ([vec![2], vec![1024], vec![1025], vec![1026], vec![1500]], (1..=1500).collect());
    assert_eq!(asked(&admin), expected);

    // A segment that was made for an index which was removed meanwhile is too late.
    let state = store::state(conn, id).expect("a state");
    let made = make_run(conn, id, (state.next_segment, LARGE), (1, 1500));
    write::invalidate(conn, id).expect("an empty index");
    assert!(!write::swap_runs(conn, id, state, &[], (LARGE, made), 4096).expect("an answer"));
    index(conn);
    assert_eq!(spans(&segments(conn, id)), [(1, 1024), (1025, 1500)]);
    assert_eq!(asked(&admin), expected);

    // The background job does so with 65,536 events; the unit tests of `build` test which ones it takes.
    let state = store::state(conn, id).expect("a state");
    let old: Vec<i32> = segments(conn, id).iter().map(|segment| segment.number).collect();
    let made = make_run(conn, id, (state.next_segment, LARGE), (1, 1500));
    let pieces = made.1.len() as i64;
    assert!(write::swap_runs(conn, id, state, &old, (LARGE, made), 4096).expect("an index"));
    assert_eq!(spans(&segments(conn, id)), [(1, 1500)]);
    index(conn);
    let stored: i64 = index_pieces::table.count().get_result(conn).expect("a count");
    assert_eq!(stored, pieces, "nothing is left of the small ones");
    assert_eq!(check(conn, id), []);
    assert_eq!(asked(&admin), expected, "who knew the small ones sees the large one");

    append_samples(&admin, 30);
    index(conn);
    assert_eq!(spans(&segments(conn, id)), [(1, 1500), (1501, 1530)]);
    assert_eq!(check(conn, id), []);
    assert_eq!(found(&admin, PATH, &[("user_id", "1")]), [1502, 2], "of both");
});

/// `logbook check` or `logbook repair index` as a process: whether it succeeded, and its output.
fn run(server: &TestServer, command: &[&str]) -> (bool, String) {
    let output = process::run(&server.data, &[command, &["--workspace", "clinic"]].concat());
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// Changes one bit of a stored piece.
fn flip_a_bit(conn: &mut Conn) {
    let (workspace_id, piece, mut bits) =
        index_pieces::table.order(index_pieces::piece).first::<(i32, i64, Vec<u8>)>(conn).expect("a piece");
    let middle = bits.len() / 2;
    bits[middle] ^= 1;
    diesel::update(index_pieces::table.find((workspace_id, piece)))
        .set(index_pieces::bits.eq(bits))
        .execute(conn)
        .expect("a change");
}

on_both!(
    each_damage_is_found_and_a_rebuild_repairs_it,
    |config| { config.no_background_jobs = true },
    |server| {
        let id = server.workspace("clinic").id;
        let admin = server.admin();
        append_samples(&admin, 2100);
        let (done, said) = run(&server, &["repair", "index"]);
        assert!(done, "{said}");
        assert_eq!(admin.index_lag(), 0);
        let whole = segments(&mut server.own_connection(), id);
        assert_eq!(spans(&whole), [(1, 1024), (1025, 2048), (2049, 2100)]);
        let (right, said) = run(&server, &["check"]);
        assert!(right && said.contains("clinic: the index matches the events."), "{said}");

        let first = "DELETE FROM index_runs WHERE first_seq = 1";
        let last = "DELETE FROM index_runs WHERE first_seq = 2049";
        let twice = "UPDATE index_runs SET first_seq = 1000 WHERE first_seq = 1025";
        let time = "UPDATE index_runs SET last_time = first_time WHERE first_seq = 1025";
        let cases: [(&str, &dyn Fn(), &str); 6] = [
            ("a bit", &|| flip_a_bit(&mut server.own_connection()), "seq 1 to 1024 differ"),
            ("all pieces", &|| server.sql("DELETE FROM index_pieces"), "seq 2049 to 2100 differ"),
            ("the first segment", &|| server.sql(first), "seq 1 to 1024 differ"),
            ("the last segment", &|| server.sql(last), "seq 2049 to 2100 differ"),
            ("segments that overlap", &|| server.sql(twice), "seq 1000 to 1024 differ"),
            ("a time", &|| server.sql(time), "seq 1025 to 2048 differ"),
        ];
        for (what, damage, expected) in cases {
            damage();
            let (right, said) = run(&server, &["check"]);
            assert!(!right && said.contains(expected), "{what}: {said}");
            assert!(!run(&server, &["repair", "index"]).0, "{what}: it may be evidence");
            let (done, said) = run(&server, &["repair", "index", "--discard-evidence"]);
            assert!(done, "{what}: {said}");
            let (right, said) = run(&server, &["check"]);
            assert!(right, "{what}: {said}");
            assert_eq!(spans(&segments(&mut server.own_connection(), id)), spans(&whole));
            assert_eq!(
                found(&admin, PATH, &[("user_id", "77")]),
                [78],
                "{what}: the server sees the new one"
            );
        }
    }
);

on_both!(several_processes_leave_one_right_index, |server| {
    let id = server.workspace("clinic").id;
    let other = server.beside();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        // Two threads that ignore the lease, beside the two servers' own.
        for server in [&server, &other] {
            let stop = &stop;
            scope.spawn(move || {
                let mut conn = server.own_connection();
                while !stop.load(Ordering::Relaxed) {
                    build::advance(&mut conn, id, IngestRate::Quiet).expect("a step");
                }
            });
        }
        let writers: Vec<_> = [&server, &other]
            .into_iter()
            .map(|server| {
                scope.spawn(move || {
                    for n in 0..30 {
                        let events: Vec<_> = (0..50).map(|k| sample("access", n * 50 + k)).collect();
                        server.admin().post(PATH, events.into()).expect(201);
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().expect("a writer");
        }
        stop.store(true, Ordering::Relaxed);
    });
    let admin = server.admin();
    admin.wait_for_index();
    let conn = &mut server.own_connection();
    assert_eq!(check(conn, id), []);
    let segments = segments(conn, id);
    assert_eq!(segments.last().map(Segment::last_seq), Some(3000));
    assert_eq!(strays(conn, id), [0; 0], "nothing is left of those that were replaced");
    for server in [&server, &other] {
        assert_eq!(found(&server.admin(), PATH, &[("user_id", "700")]).len(), 2);
    }
});

on_both!(
    a_process_that_was_killed_need_not_wait_for_its_own_lease,
    |config| { config.no_background_jobs = true },
    |server| {
        server.workspace("clinic");
        let first = Process::start(&server.data, &[]);
        append_samples(&first.admin(), 200);
        first.admin().wait_for_index();
        first.kill();
        // Longer than anybody waits: the next process works under the name of the killed one, or not at all.
        server.shift("job_leases", "held_until", 2 * PATIENCE.as_secs() as i64);
        let second = Process::start(&server.data, &[]);
        append_samples(&second.admin(), 200);
        second.admin().wait_for_index();

        // Another process on the same data folder does not take the name of the one that runs.
        let third = Process::start(&server.data, &[]);
        second.kill();
        append_samples(&third.admin(), 200);
        thread::sleep(Duration::from_secs(2));
        assert_eq!(third.admin().index_lag(), 200, "the lease is the second one's");
        server.shift("job_leases", "held_until", -3 * PATIENCE.as_secs() as i64);
        third.admin().wait_for_index();
    }
);

/// An event that is found by one changed value.
fn with_value(value: impl Into<Value>) -> Value {
    let changes = json!([{"field": "note", "old": null, "new": value.into()}]);
    json!({"action": "update", "model": "m", "record_id": "r", "changes": changes})
}

on_both!(short_long_and_large_texts_are_found_by_the_index, |server| {
    let path = "/workspaces/clinic/logs/application";
    server.workspace("clinic");
    let admin = server.admin();
    // So that the words are rare, and in different segments and blocks.
    let filler = || -> Value { (0..700).map(|n| with_value(format!("filler {n}"))).collect() };
    admin.post(path, filler()).expect(201);

    let long: String = (0..50).map(|n| format!("ab{n:02}")).collect();
    let words = [
        "ж",
        "жд",
        "ждя",
        "李",
        "李雷",
        "李雷韩",
        "🦉",
        "🦉🦉",
        "a🦉b",
        "👩‍👩‍👧",
        "%",
        "\\",
        "Ünïcödé",
        long.as_str(),
    ];
    let words: Vec<Value> = words.iter().map(|word| with_value(format!("before {word} after"))).collect();
    admin.post(path, words.into()).expect(201);
    // As large as an event may be: 256 KiB, with the words at the very ends.
    let big = "0123456789".repeat(6_300);
    let parts = [format!("bigbegin {big}"), big.clone(), big.clone(), format!("{big} bigend")];
    let changes: Vec<Value> =
        parts.iter().enumerate().map(|(n, text)| json!({"field": format!("part{n}"), "new": text})).collect();
    let large = json!({"action": "update", "model": "m", "record_id": "large", "changes": changes});
    assert!((240..=256).contains(&(large.to_string().len() / 1024)), "{}", large.to_string().len());
    // As many changed fields as an event may have, and a set with thousands of members.
    let mut changes: Vec<Value> = (0..999)
        .map(|n| json!({"field": format!("field_{n:04}"), "old": n, "new": format!("value_{n:04}")}))
        .collect();
    let added: Vec<String> = (0..4000).map(|n| format!("member_{n:04}")).collect();
    changes.push(json!({"field": "members", "added": added, "removed": []}));
    let many = json!({"action": "update", "model": "m", "record_id": "many", "changes": changes});
    let answer = admin.post(path, json!([large, many])).expect(201);
    let (large, many) = (&answer.json["results"][0]["seq"], &answer.json["results"][1]["seq"]);
    let (large, many) = (large.as_i64().expect("a seq"), many.as_i64().expect("a seq"));
    admin.post(path, filler()).expect(201);
    admin.wait_for_index();

    let sought: [(&str, &[i64]); 24] = [
        ("ж", &[703, 702, 701]),
        ("ЖД", &[703, 702]),
        ("ждя", &[703]),
        ("李", &[706, 705, 704]),
        ("李雷", &[706, 705]),
        ("李雷韩", &[706]),
        ("🦉", &[709, 708, 707]),
        ("🦉🦉", &[708]),
        ("🦉b", &[709]),
        ("👩‍👩‍👧", &[710]),
        ("%", &[711]),
        ("\\", &[712]),
        ("ünïcödé", &[713]),
        (long.as_str(), &[714]),
        (&long[1..], &[714]),
        ("bigbegin", &[large]),
        ("9 bigend", &[large]),
        ("field_0000", &[many]),
        ("value_0500", &[many]),
        ("member_3999", &[many]),
        ("r_3999", &[many]),
        ("members", &[many]),
        ("bigmiddle", &[]),
        ("🦉🦉🦉", &[]),
    ];
    assert_eq!(long.chars().count(), 200, "the longest search");
    for (q, expected) in sought {
        assert_eq!(found(&admin, path, &[("q", q)]), expected, "{q}");
    }
    for (field, seq) in [("part3", large), ("field_0998", many), ("field_0500", many), ("members", many)] {
        assert_eq!(found(&admin, path, &[("field", field)]), [seq], "{field}");
    }
    assert_eq!(found(&admin, path, &[("q", "value_0001"), ("field", "part0")]), [0; 0]);
});
