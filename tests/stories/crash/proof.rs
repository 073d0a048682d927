//! What must hold after the last kill.

use logbook::{accounts::workspaces, config::DataConfig};
use logbook_engine::{
    counts::{build, calendar, compact},
    db::{Conn, Db},
    index::{directory::LARGE, store},
};

use super::{
    SLUG,
    reader::Reader,
    writer::{Place, Writer},
};
use crate::list_oracle::{LOGS, borrowed, check_facets, check_histogram, check_metrics, check_pages};

use logbook_tests::{
    Client,
    oracle::{Query, Sent},
    postgres,
    process::{self, Process},
    random::{self, SOURCES},
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use serde_json::Value;

/// Random questions to each log.
const QUESTIONS: usize = 5;

fn connect(data: &DataConfig) -> (Db, i32) {
    let db = Db::open(&postgres::as_superuser(&data.database_url), 1).expect("the database");
    let found = workspaces::find(&mut db.conn().expect("a connection"), SLUG).expect("an answer");
    (db, found.expect("the workspace").id)
}

pub(super) fn large_segments(data: &DataConfig) -> usize {
    let (db, id) = connect(data);
    let segments = store::segments(&mut db.conn().expect("a connection"), id).expect("segments");
    segments.iter().filter(|segment| segment.level >= LARGE).count()
}

/// Checks that every acknowledged event is there once, and that lists, index and counts are those of these events.
pub(super) fn prove(server: &Process, data: &DataConfig, reader: &Reader, writers: &[Writer]) {
    let admin = server.admin();
    let mut again = Reader::default();
    again.catch_up(&admin);
    assert_eq!(again.events, reader.events, "what was read before a crash is there after it");

    let logs = acknowledged(reader, writers);
    let questions = questions();
    for (sent, (log, questions)) in logs.iter().zip(LOGS.into_iter().zip(&questions)) {
        for question in questions {
            check_pages(&admin, SLUG, log, sent, question);
        }
        // A marker that only one event has.
        for one in [sent.first(), sent.get(sent.len() / 2), sent.last()].into_iter().flatten() {
            let marker = one.event["correlation_id"].as_str().map(str::to_owned);
            check_pages(&admin, SLUG, log, sent, &Query { log, q: marker, limit: 1000, ..Query::default() });
        }
    }
    let checked = process::run(data, &["check"]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "{said}{}", String::from_utf8_lossy(&checked.stderr));
    assert!(said.contains("the index matches the events"), "{said}");

    check_counts(&admin, &logs, &questions);
    let (db, id) = connect(data);
    let conn = &mut *db.conn().expect("a connection");
    compact::compact_all(conn, id).expect("it compacts");
    check_counts(&admin, &logs, &questions);
    rebuild_counts(conn, id, &logs);
    check_counts(&admin, &logs, &questions);
}

/// The events of each log, with their ids and seqs, which are the same in the feed and in the answers.
fn acknowledged(reader: &Reader, writers: &[Writer]) -> [Vec<Sent>; 3] {
    let mut logs = [Vec::new(), Vec::new(), Vec::new()];
    for stored in writers.iter().flat_map(|writer| &writer.stored) {
        for (place, made) in stored.batch.events.iter().enumerate() {
            let seq = *reader.seqs.get(&made.marker).unwrap_or_else(|| panic!("{} is lost", made.marker));
            let seen = &reader.events[seq as usize - 1];
            assert_eq!(seen.log, made.log);
            if let Some(results) = &stored.results {
                assert_eq!(
                    results[place],
                    Place { id: seen.id.clone(), seq },
                    "{} is where it was said to be",
                    made.marker
                );
            }
            let log = LOGS.iter().position(|log| *log == made.log).expect("a log");
            logs[log].push(Sent {
                event: made.event.clone(),
                source: SOURCES[0],
                id: seen.id.clone(),
                seq,
                at: made.at,
            });
        }
    }
    let all: usize = logs.iter().map(Vec::len).sum();
    assert_eq!(all, reader.events.len(), "nothing is there that nobody sent");
    logs
}

fn questions() -> [Vec<Query>; 3] {
    let mut runner = TestRunner::deterministic();
    LOGS.map(|log| {
        let mut questions = vec![Query { log, limit: 1000, ..Query::default() }];
        for _ in 0..QUESTIONS {
            let question = random::query(log).new_tree(&mut runner).expect("a question").current();
            // Pages of a few events would be thousands of requests.
            questions.push(Query { limit: 1000, ..question });
        }
        questions
    })
}

/// Checks the counts that are kept; others may be lower bounds.
fn check_counts(admin: &Client, logs: &[Vec<Sent>; 3], questions: &[Vec<Query>; 3]) {
    for (sent, questions) in logs.iter().zip(questions) {
        for question in questions.iter().filter(|question| is_kept(question)) {
            let parameters = question.parameters();
            let ask = |what: &str| -> Value {
                let path = format!("/workspaces/{SLUG}/logs/{}/{what}", question.log);
                admin.query(&path, &borrowed(&parameters)).expect(200).json
            };
            check_metrics(question, sent, &ask("metrics"));
            check_facets(question, sent, &ask("facets"));
            check_histogram(question, sent, &ask("histogram"));
        }
    }
}

fn is_kept(question: &Query) -> bool {
    let kept = |(name, values): (&&str, &Vec<String>)| match *name {
        "action" | "event_type" | "status" | "role" | "model" => true,
        "component" => values.iter().all(|value| !value.contains(':')),
        _ => false,
    };
    question.q.is_none() && question.filters.iter().all(kept)
}

/// Builds the counts of every month again from the events.
fn rebuild_counts(conn: &mut Conn, workspace_id: i32, logs: &[Vec<Sent>; 3]) {
    let month = |sent: &Sent| {
        calendar::month_of(calendar::day_of(calendar::quarter_of(logbook_engine::db::timestamp::Timestamp(
            sent.at,
        ))))
    };
    let mut months: Vec<i32> = logs.iter().flatten().map(month).collect();
    months.sort_unstable();
    months.dedup();
    for month in months {
        build::rebuild(conn, workspace_id, month).expect("a rebuilt month");
    }
}
