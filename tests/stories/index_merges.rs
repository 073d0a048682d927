//! Merges of the search index: killed in the middle, and done by two processes at the same time.

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use diesel::prelude::*;
use logbook_engine::{
    db::{
        Conn,
        schema::{index_merges, index_removals},
    },
    index::{
        build::{self, Advanced, IngestRate, Sizes},
        check, store,
    },
};
use logbook_tests::{
    Client, on_both, pagination,
    server::{connect, sample},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

use crate::index::strays;

const PATH: &str = "/workspaces/clinic/logs/access";
/// So small that a few hundred events have segments of every level.
const SIZES: Sizes = Sizes { small: 2, medium: 4, large: 10, merged: 3, written: 1000 };

fn append_samples(admin: &Client, count: i64) {
    let events: Vec<Value> = (0..count).map(|n| sample("access", n)).collect();
    admin.post(PATH, events.into()).expect(201);
}

fn step(conn: &mut Conn, id: i32) -> Advanced {
    build::advance_by(conn, id, IngestRate::Quiet, &SIZES).expect("a step")
}

/// The seqs of a few questions' events.
fn answers(admin: &Client) -> [Vec<i64>; 4] {
    let found = |parameters: &[(&str, &str)]| {
        pagination::seqs(&pagination::pages(admin, PATH, &[parameters, &[("limit", "1000")]].concat()))
    };
    [
        found(&[("user_id", "123")]),
        found(&[("q", "asha")]),
        found(&[("not_user_id", "7"), ("order", "asc")]),
        found(&[("q", "nobody has this")]),
    ]
}

fn expected(count: i64) -> [Vec<i64>; 4] {
    let all = (1..=count).collect::<Vec<_>>();
    [
        vec![124],
        all.iter().rev().copied().collect(),
        all.into_iter().filter(|seq| *seq != 8).collect(),
        vec![],
    ]
}

fn unfinished(conn: &mut Conn) -> (i64, i64) {
    (
        index_merges::table.count().get_result(conn).expect("a count"),
        index_removals::table.count().get_result(conn).expect("a count"),
    )
}

fn levels(conn: &mut Conn, id: i32) -> Vec<i16> {
    store::segments(conn, id).expect("segments").iter().map(|segment| segment.level).collect()
}

on_both!(
    every_step_of_a_merge_leaves_a_right_index,
    |config| { config.no_background_jobs = true },
    |server| {
        let id = server.workspace("clinic").id;
        let admin = server.admin();
        let conn = &mut server.own_connection();
        append_samples(&admin, 345);
        let mut seen = (0, 0);
        let mut steps = 0;
        while step(conn, id) == Advanced::Segment {
            let (merges, removals) = unfinished(conn);
            seen = (seen.0 + merges, seen.1 + removals);
            steps += 1;
            // After each step that merges or removes, and after some of the others.
            if merges + removals > 0 || steps % 10 == 0 {
                assert_eq!(answers(&admin), expected(345), "after {steps} steps");
            }
        }
        assert!(seen.0 > 5 && seen.1 > 5, "merged and removed in steps: {seen:?}");
        // 34 large runs and 5 events more: three times nine runs in a segment, twice three, and one.
        assert_eq!(levels(conn, id), [4, 4, 4, 3, 3, 2, 1, 0]);
        assert_eq!(unfinished(conn), (0, 0));
        assert_eq!(answers(&admin), expected(345));
        assert_eq!(check::check(conn, id, |_, _| {}).expect("an answer"), []);
        assert_eq!(strays(conn, id), [0; 0], "nothing is left of what was merged");
    }
);

on_both!(
    what_was_merged_does_not_pile_up_in_a_burst,
    |config| { config.no_background_jobs = true },
    |server| {
        let id = server.workspace("clinic").id;
        let admin = server.admin();
        let conn = &mut server.own_connection();
        append_samples(&admin, 345);
        let mut most = 0;
        let step = |conn: &mut Conn| build::advance_by(conn, id, IngestRate::Burst, &SIZES).expect("a step");
        while step(conn) == Advanced::Segment {
            most = most.max(unfinished(conn).1);
        }
        // A merge begins with fewer, and adds as many as it merges.
        assert!((3..6).contains(&most), "{most} segments waited to be removed");
        assert_eq!(answers(&admin), expected(345));
    }
);

on_both!(
    two_processes_that_merge_leave_one_right_index,
    |config| { config.no_background_jobs = true },
    |server| {
        let id = server.workspace("clinic").id;
        let admin = server.admin();
        append_samples(&admin, 345);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let conn = &mut server.own_connection();
                    while step(conn, id) == Advanced::Segment {}
                });
            }
        });
        let conn = &mut server.own_connection();
        assert_eq!(levels(conn, id), [4, 4, 4, 3, 3, 2, 1, 0]);
        assert_eq!(answers(&admin), expected(345));
        assert_eq!(check::check(conn, id, |_, _| {}).expect("an answer"), []);
        assert_eq!((unfinished(conn), strays(conn, id)), ((0, 0), vec![]));
    }
);

/// The database that [`index`] indexes.
const DATABASE: &str = "LOGBOOK_TEST_INDEX_DATABASE";

/// The process that is killed: this program, told to run one test.
#[test]
#[ignore = "a process that another story starts"]
fn indexing_process() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let conn = &mut connect(&url);
    while step(conn, 1) == Advanced::Segment {}
}

fn start_indexing(url: &str) -> Child {
    let program = std::env::current_exe().expect("a path");
    // It ends with this one, however that ends.
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(program)
        .args(["--exact", "index_merges::indexing_process", "--ignored"])
        .env(DATABASE, url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process")
}

on_both!(
    a_process_that_is_killed_in_a_merge_leaves_a_right_index,
    |config| { config.no_background_jobs = true },
    |server| {
        assert_eq!(server.workspace("clinic").id, 1);
        let admin = server.admin();
        append_samples(&admin, 345);
        let conn = &mut server.own_connection();
        // Until one finishes in the time that it has. That grows, so that even a slow machine comes to an end.
        let (mut kills, mut in_merge) = (0, 0);
        let mut patience = Duration::from_millis(20);
        let mut rng = Pcg64Mcg::seed_from_u64(1);
        loop {
            let mut process = start_indexing(server.database_url());
            thread::sleep(patience.mul_f64(rng.random_range(0.2..1.0)));
            patience = patience.mul_f64(1.3);
            let ended = process.try_wait().expect("a state");
            process.kill().expect("it is killed");
            process.wait().expect("it ends");
            assert_eq!(answers(&admin), expected(345), "after {kills} kills");
            if let Some(status) = ended {
                assert!(status.success(), "{status}");
                break;
            }
            kills += 1;
            in_merge += i32::from(unfinished(conn) != (0, 0));
        }
        println!("{kills} kills, {in_merge} of them in a merge");
        assert_eq!(levels(conn, 1), [4, 4, 4, 3, 3, 2, 1, 0]);
        assert_eq!((unfinished(conn), strays(conn, 1)), ((0, 0), vec![]));
        assert_eq!(check::check(conn, 1, |_, _| {}).expect("an answer"), []);
    }
);
