//! Append events, then read them by list and by feed, also while others write.

use std::collections::BTreeSet;

use logbook_tests::{on_both, server::sample};
use serde_json::{Value, json};

on_both!(an_appended_event_is_readable_at_once, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    for log in ["access", "application", "framework"] {
        let path = format!("/workspaces/clinic/logs/{log}");
        let appended = admin.post(&path, json!([sample(log, 1)])).expect(201);
        assert_eq!(appended.json["accepted"], 1);
        let id = appended.json["results"][0]["id"].as_str().expect("an id");
        let page = admin.get(&path).expect(200);
        assert_eq!(page.data().len(), 1);
        let one = admin.get(&format!("{path}/{id}")).expect(200);
        assert_eq!(one.json, page.data()[0]);
    }
});

on_both!(paging_never_skips_or_repeats_while_others_write, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let path = "/workspaces/clinic/logs/access";
    let events: Vec<Value> = (0..5000).map(|n| sample("access", n / 3)).collect();
    admin.post(path, events.into()).expect(201);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let admin = server.admin();
                scope.spawn(move || {
                    for n in 0..50 {
                        admin.post(path, json!([sample("access", 5000 + writer * 50 + n)])).expect(201);
                    }
                })
            })
            .collect();
        let mut seen = BTreeSet::new();
        let mut cursor = String::new();
        loop {
            let page = match cursor.as_str() {
                "" => admin.get(&format!("{path}?limit=117")),
                cursor => admin.get(&format!("{path}?limit=117&cursor={cursor}")),
            }
            .expect(200);
            for event in page.data() {
                assert!(seen.insert(event["seq"].as_i64()), "{event} came twice");
            }
            if page.json["has_more"] == false {
                assert!(page.json["next_cursor"].is_null());
                break;
            }
            cursor = page.json["next_cursor"].as_str().expect("a cursor").to_owned();
        }
        assert!((1..=5000).all(|seq| seen.contains(&Some(seq))), "an event was skipped");
        writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
    });
    let mut after = "0".to_owned();
    let mut seqs = Vec::new();
    loop {
        let page = admin.get(&format!("/workspaces/clinic/logs/feed?limit=1000&after={after}")).expect(200);
        seqs.extend(page.data().iter().filter_map(|event| event["seq"].as_i64()));
        after = page.json["next_cursor"].as_str().expect("never null").to_owned();
        if page.json["has_more"] == false {
            break;
        }
    }
    assert_eq!(seqs, (1..=5200).collect::<Vec<_>>());
});
