//! An index in another format, as another version of Logbook leaves it, is not read and is built again.

use diesel::prelude::*;
use logbook_engine::{
    db::schema::index_states,
    index::{
        build::{self, Advanced, IngestRate},
        check,
        run::FORMAT,
        store,
    },
};
use logbook_tests::{Client, TestServer, on_both, pagination, server::sample, wait::wait_until};
use serde_json::Value;

use crate::index::strays;

const PATH: &str = "/workspaces/clinic/logs/access";

fn append_samples(admin: &Client, count: i64) {
    let events: Vec<Value> = (0..count).map(|n| sample("access", n)).collect();
    for events in events.chunks(1000) {
        admin.post(PATH, events.into()).expect(201);
    }
}

/// Makes the index one in a format that this version cannot read.
fn make_foreign(server: &TestServer) {
    let garbage = server.garbage();
    server.sql(&format!("UPDATE index_pieces SET bits = {garbage}"));
    server.sql("UPDATE index_runs SET last_time = first_time");
    // Pieces that no segment has in this format, and more than one transaction removes.
    server.sql(&format!(
        "INSERT INTO index_pieces (workspace_id, piece, bits) WITH RECURSIVE n(i) AS
         (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) SELECT 1, 60000000000000 + i, {garbage} FROM n"
    ));
    server.sql(&format!("UPDATE index_states SET format = {}", FORMAT + 1));
}

/// What some questions find, by seq: one event, all of them, none.
fn answers(admin: &Client) -> [Vec<i64>; 3] {
    let found = |parameters: &[(&str, &str)]| {
        let mut seqs = pagination::seqs(&pagination::pages(admin, PATH, parameters));
        seqs.sort_unstable();
        seqs
    };
    [
        found(&[("user_id", "1234")]),
        found(&[("q", "asha"), ("limit", "1000")]),
        found(&[("q", "nobody has this")]),
    ]
}

fn expected(count: i64) -> [Vec<i64>; 3] {
    [vec![1235], (1..=count).collect(), vec![]]
}

on_both!(
    an_index_in_another_format_is_not_read_and_is_built_again,
    |config| { config.no_background_jobs = true },
    |server| {
        let id = server.workspace("clinic").id;
        let admin = server.admin();
        let conn = &mut server.own_connection();
        // A short tail without an index is read as it is, a long one in order of time.
        for (count, more) in [(1500, 1500), (2500, 1000)] {
            append_samples(&admin, more);
            while build::advance(conn, id, IngestRate::Quiet).expect("a step") == Advanced::Segment {}
            assert_eq!(admin.index_lag(), 0);
            assert_eq!(answers(&admin), expected(count));
            make_foreign(&server);
            assert_eq!(admin.index_lag(), count as u64);
            let before = store::state(conn, id).expect("a state");
            let mut steps = 0;
            loop {
                assert_eq!(answers(&admin), expected(count));
                if build::advance(conn, id, IngestRate::Quiet).expect("a step") != Advanced::Segment {
                    break;
                }
                steps += 1;
            }
            assert!(steps > 4, "removed in parts, then built: {steps}");
            let after = store::state(conn, id).expect("a state");
            assert!(after.next_segment > before.next_segment, "no number is given twice");
            assert_eq!(check::check(conn, id, |_, _| {}).expect("an answer"), []);
            assert_eq!(strays(conn, id), [0; 0], "nothing is left of the other format");
        }
    }
);

on_both!(the_background_job_builds_an_index_in_another_format_again, |server| {
    let id = server.workspace("clinic").id;
    let admin = server.admin();
    append_samples(&admin, 1500);
    admin.wait_for_index();
    assert_eq!(answers(&admin), expected(1500));
    make_foreign(&server);
    assert_eq!(answers(&admin), expected(1500));
    let conn = &mut server.own_connection();
    wait_until("it is built again", || {
        let format: i32 = index_states::table.select(index_states::format).first(conn).expect("a state");
        format == FORMAT && admin.index_lag() == 0
    });
    assert_eq!(answers(&admin), expected(1500));
    assert_eq!(check::check(conn, id, |_, _| {}).expect("an answer"), []);
});
