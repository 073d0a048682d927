//! Many requests of two workspaces at once, over a pool of two connections: none gets a row of the other workspace.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use logbook::accounts::role::Role;
use logbook_tests::{Client, on_both};
use serde_json::{Value, json};

const REQUESTS: usize = 10_000;
const EVENTS: usize = 40;

fn event(slug: &str, n: usize) -> Value {
    json!({
        "action": "update", "model": format!("{slug}-model"), "record_id": format!("{slug}-{n}"),
        "actor": {"type": "user", "id": format!("{slug}-user"), "name": slug},
        "changes": [{"field": format!("{slug}-field"), "old": n, "new": n + 1}],
        "metadata": {"of": slug}
    })
}

/// One of several questions to a workspace. No answer may have a word of the other workspace.
fn ask(client: &Client, slug: &str, id: &str, n: usize) -> String {
    let log = format!("/workspaces/{slug}/logs/application");
    let answer = match n % 8 {
        0 => client.query(&log, &[("limit", "5")]),
        1 => client.query(&log, &[("q", "model"), ("limit", "3")]),
        2 => client.query(&format!("{log}/metrics"), &[]),
        3 => client.query(&format!("{log}/facets"), &[]),
        4 => client.query(&format!("/workspaces/{slug}/logs/feed"), &[("limit", "7")]),
        5 => client.get(&format!("{log}/{id}")),
        6 => client.get(&format!("/workspaces/{slug}")),
        _ => client.query(&log, &[("actor_id", &format!("{slug}-user")), ("limit", "2")]),
    };
    answer.expect(200).text
}

on_both!(
    ten_thousand_interleaved_requests_get_no_row_of_another_workspace,
    |config| {
        config.database_connections = 2;
    },
    |server| {
        // Words that no other answer has.
        let slugs = ["clinic", "bakery"];
        let clients = slugs.map(|slug| {
            let workspace = server.workspace(slug);
            let events: Vec<_> = (0..EVENTS).map(|n| event(slug, n)).collect();
            let path = format!("/workspaces/{slug}/logs/application");
            let made = server.member(&workspace, Role::Admin).post(&path, events.into()).expect(201);
            let id = made.json["results"][0]["id"].as_str().expect("an id").to_owned();
            (slug, server.member(&workspace, Role::Admin), id)
        });
        let turn = AtomicUsize::new(0);
        let own = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    loop {
                        let n = turn.fetch_add(1, Ordering::Relaxed);
                        if n >= REQUESTS {
                            return;
                        }
                        let (slug, client, id) = &clients[n % 2];
                        let (other, other_client, _) = &clients[(n + 1) % 2];
                        // Some requests write, and some ask for another's events.
                        if n.is_multiple_of(100) {
                            let path = format!("/workspaces/{slug}/logs/application");
                            client.post(&path, json!([event(slug, EVENTS + n)])).expect(201);
                        } else if n % 50 == 1 {
                            let path = format!("/workspaces/{slug}/logs/application");
                            let text = other_client.get(&path).expect(404).text;
                            assert!(!text.contains(&format!("{slug}-")), "{text}");
                        } else {
                            let text = ask(client, slug, id, n / 2);
                            assert!(!text.contains(other), "{slug} was answered {text}");
                            own.fetch_add(usize::from(text.contains(slug)), Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        // The answers did have rows: all but the metrics have words of their own workspace.
        assert!(own.load(Ordering::Relaxed) > REQUESTS * 8 / 10, "{own:?}");
        for (slug, client, _) in &clients {
            let metrics = client.get(&format!("/workspaces/{slug}/logs/application/metrics")).expect(200);
            let written = if *slug == "clinic" { REQUESTS / 100 } else { 0 };
            assert_eq!(metrics.json["total"], EVENTS + written);
        }
    }
);
