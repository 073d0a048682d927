//! The feed: every event once, in commit order, whatever is written meanwhile.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use logbook::accounts::role::Role;
use logbook_tests::{audit_events::store_activity, on_both, pagination, server::sample};
use serde_json::{Value, json};

const WRITERS: usize = 8;
const REQUESTS: usize = 25;

on_both!(a_reader_misses_nothing_and_sees_nothing_twice_while_eight_write, |server| {
    server.workspace("clinic");
    let writing = AtomicUsize::new(WRITERS);
    let (pulled, sent) = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (admin, writing) = (server.admin(), &writing);
                scope.spawn(move || {
                    let mut sent = 0;
                    for n in 0..REQUESTS {
                        let log = ["access", "application", "framework"][(writer + n) % 3];
                        // All writers have the same times, some of them late, and batches of different sizes.
                        let minute = if n % 5 == 0 { 0 } else { n as i64 / 2 };
                        let events = vec![sample(log, minute); 1 + (writer * n) % 7];
                        sent += events.len();
                        admin.post(&format!("/workspaces/clinic/logs/{log}"), events.into()).expect(201);
                    }
                    writing.fetch_sub(1, Ordering::SeqCst);
                    sent
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let admin = server.admin();
            let (mut after, mut pulled) = ("0".to_owned(), Vec::new());
            loop {
                let done = writing.load(Ordering::SeqCst) == 0;
                let page =
                    admin.get(&format!("/workspaces/clinic/logs/feed?after={after}&limit=13")).expect(200);
                pulled.extend(pagination::seqs(page.data()));
                after = page.json["next_cursor"].as_str().expect("never null").to_owned();
                if done && page.json["has_more"] == false {
                    return pulled;
                }
            }
        });
        let sent: usize = writers.into_iter().map(|writer| writer.join().expect("a writer")).sum();
        (reader.join().expect("the reader"), sent as i64)
    });
    assert_eq!(pulled, (1..=sent).collect::<Vec<_>>());
});

on_both!(the_feed_is_empty_where_there_is_nothing_more, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let feed = |query: &str| admin.get(&format!("/workspaces/clinic/logs/feed{query}")).expect(200).json;
    assert_eq!(feed(""), json!({"data": [], "next_cursor": "0", "has_more": false}));
    let events: Vec<Value> = (0..3).map(|n| sample("framework", n)).collect();
    admin.post("/workspaces/clinic/logs/framework", events.into()).expect(201);
    let whole = feed("?limit=3");
    assert_eq!((&whole["next_cursor"], &whole["has_more"]), (&json!("3"), &json!(false)));
    let part = feed("?limit=2&after=0");
    assert_eq!((&part["next_cursor"], &part["has_more"]), (&json!("2"), &json!(true)));
    assert_eq!(feed("?after=3"), json!({"data": [], "next_cursor": "3", "has_more": false}));
    assert_eq!(feed("?after=1000000"), json!({"data": [], "next_cursor": "1000000", "has_more": false}));
    assert_eq!(feed("?after=2")["data"], json!([whole["data"][2]]), "an event never changes");
});

on_both!(each_workspace_numbers_its_own_events, |server| {
    let admin = server.admin();
    for slug in ["clinic", "shop"] {
        server.workspace(slug);
    }
    for n in 0..3 {
        for slug in ["clinic", "shop"] {
            admin.post(&format!("/workspaces/{slug}/logs/access"), json!([sample("access", n)])).expect(201);
        }
    }
    for slug in ["clinic", "shop"] {
        assert_eq!(pagination::seqs(&pagination::feed(&admin, slug, "0".into(), 2)), [1, 2, 3]);
    }
});

on_both!(whoever_may_not_read_the_activity_log_passes_its_events_over, |server| {
    let clinic = server.workspace("clinic");
    let post = |n: i64| {
        server.admin().post("/workspaces/clinic/logs/access", json!([sample("access", n)])).expect(201);
    };
    post(0);
    store_activity(&server, &clinic, 3);
    post(1);
    store_activity(&server, &clinic, 2);
    for (role, limit, expected) in [
        (Role::Admin, 2, vec![1, 2, 3, 4, 5, 6, 7]),
        (Role::Auditor, 3, vec![1, 2, 3, 4, 5, 6, 7]),
        (Role::Viewer, 1, vec![1, 5]),
        (Role::Viewer, 100, vec![1, 5]),
    ] {
        let member = server.member(&clinic, role);
        assert_eq!(
            pagination::seqs(&pagination::feed(&member, "clinic", "0".into(), limit)),
            expected,
            "{role:?}"
        );
    }
    // The cursor moves past what is not shown, so that it is not read again.
    let page = server.member(&clinic, Role::Viewer).get("/workspaces/clinic/logs/feed?after=5").expect(200);
    assert_eq!(page.json, json!({"data": [], "next_cursor": "7", "has_more": false}));
});
