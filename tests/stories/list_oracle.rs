//! Random events and random questions: the pages of a list are the events that were sent, filtered and sorted as the oracle
//! says, and counts are a recount of them.

use std::collections::BTreeMap;

use logbook::accounts::workspaces;
use logbook_engine::{
    db::Conn,
    index::{
        self,
        build::{self, Advanced, IngestRate, Making, Sizes},
        building::Made,
        directory::{LARGE, Level, MEDIUM, SMALL},
        store, write,
    },
};
use logbook_tests::{
    Client, TestServer, on_both,
    oracle::{self, Query, Sent},
    pagination::{pages, seqs},
    random::{self, Event, SOURCES},
};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::Value;

pub(crate) const LOGS: [&str; 3] = ["access", "application", "framework"];

/// Checks random cases, the same in every run: what fails here fails everywhere. More `cases` find more.
pub(crate) fn for_all<T: std::fmt::Debug>(cases: u32, of: impl Strategy<Value = T>, check: impl Fn(T)) {
    let config = Config {
        cases,
        max_shrink_iters: 200,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&of, |case| {
        check(case);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Events, and questions about them.
fn case(log: &'static str) -> impl Strategy<Value = (Vec<Event>, Vec<Query>)> {
    (vec(random::event(log), 0..60), vec(random::query(log), 6))
}

/// Sends the events in several requests to a workspace of their own.
fn send(server: &TestServer, admin: &Client, slug: &str, log: &str, events: Vec<Event>) -> Vec<Sent> {
    server.workspace(slug);
    send_to([admin, &server.admin_called(SOURCES[1])], slug, log, events)
}

/// Sends the events in several requests, of two clients whose names are [`SOURCES`].
pub(crate) fn send_to(clients: [&Client; 2], slug: &str, log: &str, events: Vec<Event>) -> Vec<Sent> {
    let mut sent = Vec::new();
    for (n, events) in events.chunks(25).enumerate() {
        let body: Vec<Value> = events.iter().map(|event| event.body.clone()).collect();
        let answer = clients[n % 2].post(&format!("/workspaces/{slug}/logs/{log}"), body.into()).expect(201);
        for (event, result) in events.iter().zip(answer.json["results"].as_array().expect("results")) {
            let (id, seq) = (result["id"].as_str().expect("an id"), result["seq"].as_i64().expect("a seq"));
            let source = SOURCES[n % 2];
            sent.push(Sent { event: event.body.clone(), source, id: id.into(), seq, at: event.at });
        }
    }
    sent
}

pub(crate) fn borrowed<'a>(parameters: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    parameters.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

pub(crate) fn next_slug() -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
    format!("w{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}

on_both!(lists_agree_with_the_oracle, |server| {
    let admin = server.admin();
    for log in LOGS {
        for_all(10, case(log), |(events, questions)| {
            let slug = next_slug();
            let sent = send(&server, &admin, &slug, log, events);
            for question in questions {
                check_pages(&admin, &slug, log, &sent, &question);
            }
        });
    }
});

/// Builds a run of these events.
pub(crate) fn make_run(conn: &mut Conn, id: i32, run: (i32, Level), seqs: (i64, i64)) -> Made {
    match build::make(conn, id, run, seqs).expect("a run") {
        Making::Done(made) => made,
        Making::TooLarge { most } => panic!("only {most} events fit"),
    }
}

/// Indexes all events, with sizes so small that there are segments of every level, and returns their levels. Stops after
/// so many steps: in the middle of a merge, or before.
pub(crate) fn index_in_tiers(conn: &mut Conn, id: i32, steps: usize) -> Vec<Level> {
    let sizes = Sizes { small: 3, medium: 5, large: 9, merged: 2, written: 1000 };
    for _ in 0..steps {
        if build::advance_by(conn, id, IngestRate::Quiet, &sizes).expect("a step") != Advanced::Segment {
            break;
        }
    }
    store::segments(conn, id).expect("segments").iter().map(|segment| segment.level).collect()
}

/// Indexes the next events in segments of these lengths, however short. The rest is not indexed.
fn index(server: &TestServer, slug: &str, lengths: &[usize]) {
    let conn = &mut server.own_connection();
    let id = workspaces::find(conn, slug).expect("an answer").expect("the workspace").id;
    build::begin(conn, id).expect("a beginning");
    for length in lengths {
        let state = store::state(conn, id).expect("a state");
        let (first, last) = (state.indexed_seq + 1, state.indexed_seq + *length as i64);
        if last > state.last_seq {
            break;
        }
        // Runs of different levels are stored differently.
        let level = [SMALL, MEDIUM, LARGE][(*length / 10).min(2)];
        let made = make_run(conn, id, (state.next_segment, level), (first, last));
        let stored = write::swap_runs(conn, id, state, &[], (level, made), 4096).expect("an index");
        assert!(stored, "nobody else is there");
    }
}

pub(crate) fn check_pages(admin: &Client, slug: &str, log: &str, sent: &[Sent], question: &Query) {
    let parameters = question.page_parameters();
    let found = pages(admin, &format!("/workspaces/{slug}/logs/{log}"), &borrowed(&parameters));
    let expected: Vec<i64> = question.expected(sent).iter().map(|sent| sent.seq).collect();
    assert_eq!(seqs(&found), expected, "{question:?}");
}

on_both!(
    lists_agree_with_the_oracle_on_small_segments,
    |config| { config.no_background_jobs = true },
    |server| {
        let admin = server.admin();
        for log in LOGS {
            let lengths = vec(1..30usize, 0..6);
            for_all(12, (case(log), lengths), |((events, questions), lengths)| {
                let slug = next_slug();
                let sent = send(&server, &admin, &slug, log, events);
                index(&server, &slug, &lengths);
                for question in questions {
                    check_pages(&admin, &slug, log, &sent, &question);
                }
            });
        }
    }
);

on_both!(
    lists_agree_with_the_oracle_at_every_stage_of_merging,
    |config| { config.no_background_jobs = true },
    |server| {
        let admin = server.admin();
        for log in LOGS {
            for_all(6, (case(log), 1..60usize), |((events, questions), steps)| {
                let slug = next_slug();
                let sent = send(&server, &admin, &slug, log, events);
                let conn = &mut server.own_connection();
                let id = workspaces::find(conn, &slug).expect("an answer").expect("the workspace").id;
                // In the middle, and when nothing is left to do.
                for steps in [steps, usize::MAX] {
                    index_in_tiers(conn, id, steps);
                    for question in &questions {
                        check_pages(&admin, &slug, log, &sent, question);
                    }
                }
                assert_eq!(index::check::check(conn, id, |_, _| {}).expect("an answer"), []);
            });
        }
    }
);

on_both!(
    lists_agree_with_the_oracle_on_large_segments,
    |config| { config.no_background_jobs = true },
    |server| {
        let admin = server.admin();
        let (many, questions) =
            (vec(random::event("application"), 1400), vec(random::query("application"), 40));
        for_all(1, (many, questions), |(events, questions)| {
            let slug = next_slug();
            let sent = send(&server, &admin, &slug, "application", events);
            index(&server, &slug, &[1200, 40, 100]);
            for question in questions {
                // Pages of one event would be a thousand requests.
                let question = Query { limit: question.limit.max(50), ..question };
                check_pages(&admin, &slug, "application", &sent, &question);
            }
        });
    }
);

on_both!(
    lists_agree_with_the_oracle_on_a_long_tail,
    |config| { config.no_background_jobs = true },
    |server| {
        let admin = server.admin();
        let (many, questions) = (vec(random::event("access"), 2600), vec(random::query("access"), 12));
        for_all(1, (many, questions), |(events, questions)| {
            let slug = next_slug();
            let sent = send(&server, &admin, &slug, "access", events);
            index(&server, &slug, &[300]);
            for question in questions {
                let question = Query { limit: question.limit.max(100), ..question };
                check_pages(&admin, &slug, "access", &sent, &question);
            }
        });
    }
);

/// How often each value of a filter or dimension occurs.
fn recount<'a>(log: &str, events: impl IntoIterator<Item = &'a Sent>, name: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for value in events.into_iter().filter_map(|sent| oracle::value_of(log, sent, name)) {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

fn map(value: &Value) -> BTreeMap<String, u64> {
    let map = value.as_object().expect("an object");
    map.iter().map(|(name, n)| (name.clone(), n.as_u64().expect("a count"))).collect()
}

on_both!(metrics_facets_and_histograms_agree_with_the_oracle, |server| {
    let admin = server.admin();
    for log in LOGS {
        for_all(8, case(log), |(events, questions)| {
            let slug = next_slug();
            let sent = send(&server, &admin, &slug, log, events);
            for question in questions {
                let ask = |what: &str, more: &[(&'static str, &str)]| {
                    let parameters = question.parameters();
                    let parameters = [borrowed(&parameters), more.to_vec()].concat();
                    admin
                        .query(&format!("/workspaces/{slug}/logs/{log}/{what}"), &parameters)
                        .expect(200)
                        .json
                };
                check_metrics(&question, &sent, &ask("metrics", &[]));
                check_facets(&question, &sent, &ask("facets", &[]));
                for (interval, by) in [("auto", None), ("1mo", Some(dimensions(log)[1])), ("1w", None)] {
                    let by: Vec<_> = by.map(|by| ("by", by)).into_iter().collect();
                    let answer = ask(
                        "histogram",
                        &[&[("interval", interval), ("tz", "Asia/Kathmandu")], by.as_slice()].concat(),
                    );
                    check_histogram(&question, &sent, &answer);
                }
            }
        });
    }
});

pub(crate) fn dimensions(log: &str) -> &'static [&'static str] {
    match log {
        "access" => &["status", "event_type", "role", "source"],
        "application" => &["action", "model", "status", "role", "source"],
        _ => &["status", "action", "component", "role", "source"],
    }
}

pub(crate) fn check_metrics(question: &Query, sent: &[Sent], answer: &Value) {
    let meant = question.expected(sent);
    let count = |name: &str, value: &str| {
        meant.iter().filter(|s| oracle::value_of(question.log, s, name).as_deref() == Some(value)).count()
    };
    let (by, action) =
        if question.log == "access" { ("by_event_type", "event_type") } else { ("by_action", "action") };
    assert_eq!(answer["total"], meant.len(), "{question:?}");
    assert_eq!(map(&answer[by]), recount(question.log, meant.iter().copied(), action), "{question:?}");
    assert_eq!(answer["exact"], true);
    if question.log == "application" {
        for (name, value) in [("created", "create"), ("updated", "update"), ("deleted", "delete")] {
            assert_eq!(answer[name], count("action", value), "{name} of {question:?}");
        }
    }
    assert_eq!(answer["failed"], count("status", "failure"), "{question:?}");
    assert_eq!(answer["denied"], count("status", "denied"), "{question:?}");
}

pub(crate) fn check_facets(question: &Query, sent: &[Sent], answer: &Value) {
    let fields: Vec<_> =
        answer["data"].as_array().expect("facets").iter().map(|facet| &facet["field"]).collect();
    assert_eq!(fields, dimensions(question.log));
    for facet in answer["data"].as_array().expect("facets") {
        let field = facet["field"].as_str().expect("a name");
        // A facet is counted with all filters but its own.
        let mut others = question.clone();
        others.filters.retain(|name, _| name.strip_prefix("not_").unwrap_or(name) != field);
        let expected = recount(question.log, others.expected(sent), field);
        let values = facet["values"].as_array().expect("values");
        let found: Vec<(String, u64)> = values
            .iter()
            .map(|value| {
                (value["value"].as_str().expect("a value").into(), value["count"].as_u64().expect("a count"))
            })
            .collect();
        assert!(found.is_sorted_by_key(|(_, n)| std::cmp::Reverse(*n)), "most first: {found:?}");
        assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), expected, "{field} of {question:?}");
    }
}

pub(crate) fn check_histogram(question: &Query, sent: &[Sent], answer: &Value) {
    let micros = |value: &Value| {
        serde_json::from_value::<logbook_engine::db::timestamp::Timestamp>(value.clone()).expect("a time").0
    };
    let meant = question.expected(sent);
    let buckets = answer["data"].as_array().expect("buckets");
    let total: u64 = buckets.iter().map(|bucket| bucket["total"].as_u64().expect("a count")).sum();
    assert_eq!(total, meant.len() as u64, "{question:?}");
    let by = answer["by"].as_str().expect("a name");
    for pair in buckets.windows(2) {
        assert_eq!(pair[0]["end"], pair[1]["start"], "no gap between buckets");
    }
    for bucket in buckets {
        let (start, end) = (micros(&bucket["start"]), micros(&bucket["end"]));
        assert!(start < end);
        let inside: Vec<&Sent> =
            meant.iter().copied().filter(|sent| (start..end).contains(&sent.at)).collect();
        assert_eq!(bucket["total"], inside.len(), "{bucket} of {question:?}");
        assert_eq!(map(&bucket["counts"]), recount(question.log, inside, by), "{bucket} of {question:?}");
    }
    match (buckets.first(), buckets.last()) {
        (Some(first), Some(last)) => {
            assert_eq!((&answer["since"], &answer["until"]), (&first["start"], &last["end"]));
        }
        _ => assert!(answer["since"].is_null() && answer["until"].is_null()),
    }
}
