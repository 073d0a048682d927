//! The timeline: several logs in one order, around somebody or something.

use logbook::accounts::{role::Role, workspaces};
use logbook_tests::{
    Client,
    audit_events::store_activity,
    on_both,
    pagination::{feed, pages, seqs},
    random::{self, BASE, SOURCES},
    server::sample,
};
use proptest::{collection::vec, option, prelude::*, sample::Index};
use serde_json::{Value, json};

use crate::export::{check_csv, ndjson};
use crate::list_oracle::{LOGS, borrowed, for_all, index_in_tiers, next_slug, send_to};

const PATH: &str = "/workspaces/clinic/timeline";

/// A question whose values are those of events that are there.
#[derive(Clone, Debug)]
struct Question {
    actor: Option<Index>,
    on_behalf_of: Option<Index>,
    session_id: Option<Index>,
    correlation_id: Option<Index>,
    ip_address: Option<Index>,
    record: Option<Index>,
    around: Option<(Index, i64)>,
    since: Option<i64>,
    until: Option<i64>,
    ascending: bool,
    limit: usize,
}

fn question() -> impl Strategy<Value = Question> {
    let one = || option::weighted(0.25, any::<Index>());
    let conditions = (option::weighted(0.5, any::<Index>()), one(), one(), one(), one(), one());
    let around = option::weighted(0.2, (any::<Index>(), 1..1440i64));
    let range = (option::weighted(0.3, random::moment()), option::weighted(0.3, random::moment()));
    (conditions, around, range, any::<bool>(), 1..9usize).prop_map(
        |(
            (actor, on_behalf_of, session_id, correlation_id, ip_address, record),
            around,
            (a, b),
            ascending,
            limit,
        )| {
            let (since, until) = match (a, b) {
                (Some(a), Some(b)) => (Some(a.min(b)), Some(a.max(b))),
                range => range,
            };
            Question {
                actor,
                on_behalf_of,
                session_id,
                correlation_id,
                ip_address,
                record,
                around,
                since,
                until,
                ascending,
                limit,
            }
        },
    )
}

fn micros(event: &Value) -> i64 {
    let at = event["occurred_at"].clone();
    serde_json::from_value::<logbook_engine::db::timestamp::Timestamp>(at).expect("a time").0
}

fn rfc3339(micros: i64) -> String {
    logbook_engine::db::timestamp::Timestamp(micros).to_string()
}

/// Type and id of an actor or a target.
fn name(value: &Value) -> Option<String> {
    Some(format!("{}:{}", value["type"].as_str()?, value["id"].as_str()?))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn targets(event: &Value) -> Vec<String> {
    let further = event["targets"].as_array().into_iter().flatten();
    further.chain([&event["target"]]).filter_map(name).collect()
}

/// A text of an event of the feed.
type TextOf = fn(&Value) -> Option<String>;

/// A condition: the parameter, its value, and whether an event fulfils it.
type Condition = (&'static str, String, Box<dyn Fn(&Value) -> bool>);

impl Question {
    /// The conditions that have a value in the event that they were drawn from.
    fn conditions(&self, all: &[Value]) -> Vec<Condition> {
        let mut conditions: Vec<Condition> = Vec::new();
        let of = |index: &Option<Index>, value: TextOf| {
            value(&all[index.as_ref()?.index(all.len())])
                .filter(|value| !value.is_empty() && !value.ends_with(':'))
        };
        if let Some(wanted) = of(&self.actor, |event| name(&event["actor"])) {
            let own = wanted.clone();
            let fulfils = move |event: &Value| {
                [&event["actor"], &event["on_behalf_of"]]
                    .iter()
                    .any(|actor| name(actor).as_ref() == Some(&own))
            };
            conditions.push(("actor", wanted, Box::new(fulfils)));
        }
        let plain: [(&'static str, &Option<Index>, TextOf); 4] = [
            ("on_behalf_of", &self.on_behalf_of, |event| text(&event["on_behalf_of"]["id"])),
            ("session_id", &self.session_id, |event| text(&event["session_id"])),
            ("correlation_id", &self.correlation_id, |event| text(&event["correlation_id"])),
            ("ip_address", &self.ip_address, |event| text(&event["ip_address"])),
        ];
        for (parameter, index, value) in plain {
            if let Some(wanted) = of(index, value) {
                let own = wanted.clone();
                conditions.push((
                    parameter,
                    wanted,
                    Box::new(move |event: &Value| value(event).as_ref() == Some(&own)),
                ));
            }
        }
        if let Some(wanted) = of(&self.record, |event| targets(event).pop()) {
            let own = wanted.clone();
            conditions.push(("record", wanted, Box::new(move |event: &Value| targets(event).contains(&own))));
        }
        if let Some((index, minutes)) = &self.around {
            let middle = &all[index.index(all.len())];
            let (at, within) = (micros(middle), minutes * 60_000_000);
            conditions.push(("minutes", minutes.to_string(), Box::new(|_: &Value| true)));
            let fulfils = move |event: &Value| (micros(event) - at).abs() <= within;
            conditions.push(("around", text(&middle["id"]).expect("an id"), Box::new(fulfils)));
        }
        if let Some(since) = self.since {
            conditions.push(("since", rfc3339(since), Box::new(move |event: &Value| micros(event) >= since)));
        }
        if let Some(until) = self.until {
            conditions.push(("until", rfc3339(until), Box::new(move |event: &Value| micros(event) < until)));
        }
        if conditions.is_empty() {
            conditions.push(("since", rfc3339(0), Box::new(|_: &Value| true)));
        }
        conditions
    }

    /// Compares the exports with all pages.
    fn check_exports(
        &self,
        client: &Client,
        slug: &str,
        parameters: &[(&'static str, String)],
        listed: &[Value],
    ) {
        let own: Vec<_> = parameters.iter().filter(|(name, _)| *name != "limit").cloned().collect();
        let export = |format: &str, more: &[(&'static str, &str)]| {
            let parameters = [borrowed(&own), more.to_vec()].concat();
            let path = format!("/workspaces/{slug}/timeline/export.{format}");
            client.query(&path, &parameters).expect(200).text
        };
        assert_eq!(ndjson(&export("ndjson", &[])), listed, "{parameters:?}");
        check_csv(&export("csv", &[]), listed);
        if let Some(middle) = listed.get(listed.len() / 2) {
            let id = middle["id"].as_str().expect("an id");
            assert_eq!(ndjson(&export("ndjson", &[("after", id)])), listed[listed.len() / 2 + 1..]);
        }
    }

    /// Compares all pages with a full scan of the feed, filtered and sorted.
    fn check(&self, client: &Client, slug: &str, all: &[Value]) {
        let conditions = self.conditions(all);
        let mut expected: Vec<&Value> =
            all.iter().filter(|event| conditions.iter().all(|(.., fulfils)| fulfils(event))).collect();
        expected.sort_by_key(|event| (micros(event), event["seq"].as_i64()));
        if !self.ascending {
            expected.reverse();
        }
        let mut parameters: Vec<(&'static str, String)> =
            conditions.iter().map(|(name, value, _)| (*name, value.clone())).collect();
        parameters.push(("order", if self.ascending { "asc" } else { "desc" }.into()));
        parameters.push(("limit", self.limit.to_string()));
        let found = pages(client, &format!("/workspaces/{slug}/timeline"), &borrowed(&parameters));
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{parameters:?}");
        self.check_exports(client, slug, &parameters, &found);
    }
}

on_both!(
    a_timeline_is_the_feed_filtered_and_sorted,
    |config| { config.no_background_jobs = true },
    |server| {
        let clients = [server.admin(), server.admin_called(SOURCES[1])];
        let logs = LOGS.map(|log| vec(random::event(log), 1..25));
        for_all(8, (logs, vec(question(), 8), 1..40usize), |(logs, questions, steps)| {
            let slug = next_slug();
            let workspace = server.workspace(&slug);
            for (log, events) in LOGS.into_iter().zip(logs) {
                send_to([&clients[0], &clients[1]], &slug, log, events);
            }
            store_activity(&server, &workspace, 2);
            let all = feed(&clients[0], &slug, "0".into(), 1000);
            let check = || questions.iter().for_each(|question| question.check(&clients[0], &slug, &all));
            check();
            // Some of them indexed.
            let conn = &mut server.own_connection();
            let id = workspaces::find(conn, &slug).expect("an answer").expect("the workspace").id;
            index_in_tiers(conn, id, steps);
            check();
        });
    }
);

on_both!(what_somebody_did_and_what_was_done_on_their_behalf_is_one_timeline, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let post = |log: &str, event: Value| {
        admin.post(&format!("/workspaces/clinic/logs/{log}"), json!([event])).expect(201);
    };
    let with = |log: &str, n: i64, more: Value| {
        let mut event = sample(log, n);
        event.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        event
    };
    let asha = json!({"type": "user", "id": "7", "name": "Asha Rao"});
    post("access", with("access", 1, json!({"user": asha})));
    post("application", with("application", 2, json!({"actor": asha, "session_id": "s-1"})));
    let agent = json!({"type": "agent", "id": "triage"});
    post("application", with("application", 3, json!({"actor": agent, "on_behalf_of": asha})));
    // Herself on her own behalf: once.
    post("framework", with("framework", 4, json!({"actor": asha, "on_behalf_of": asha})));
    // Another one with her id.
    let service = json!({"type": "service", "id": "7"});
    post("framework", with("framework", 5, json!({"actor": service})));
    post("application", with("application", 6, json!({"actor": agent, "on_behalf_of": service})));
    let ask = |parameters: &[(&str, &str)]| seqs(&pages(&admin, PATH, parameters));
    assert_eq!(ask(&[("actor", "user:7")]), [4, 3, 2, 1]);
    assert_eq!(ask(&[("actor", "user:7"), ("limit", "1"), ("order", "asc")]), [1, 2, 3, 4]);
    assert_eq!(ask(&[("actor", "service:7")]), [6, 5]);
    assert_eq!(ask(&[("actor", "user:7"), ("on_behalf_of", "7")]), [4, 3]);
    assert_eq!(ask(&[("actor", "user:7"), ("on_behalf_of", "8")]), [0; 0]);
    assert_eq!(ask(&[("on_behalf_of", "7")]), [6, 4, 3]);
    assert_eq!(ask(&[("session_id", "s-1")]), [2]);
    assert_eq!(ask(&[("record", "patient:3")]), [3]);
    assert_eq!(ask(&[("actor", "user:7"), ("q", "CLOSED")]), [3, 2]);
    let page = admin.query(PATH, &[("actor", "user:7"), ("limit", "2")]).expect(200);
    assert_eq!(page.data()[0]["log"], "framework", "in the feed's words");
    let cursor = page.json["next_cursor"].as_str().expect("more");
    let other = admin.query(PATH, &[("actor", "user:8"), ("cursor", cursor)]).expect(400);
    assert_eq!(other.code(), "cursor_mismatch");
});

on_both!(a_timeline_around_an_event_has_its_neighbours_of_every_log_that_one_may_read, |server| {
    let clinic = server.workspace("clinic");
    let admin = server.admin();
    for (log, minute) in
        [("access", 0), ("application", 4), ("framework", 5), ("access", 6), ("application", 11)]
    {
        admin.post(&format!("/workspaces/clinic/logs/{log}"), json!([sample(log, minute)])).expect(201);
    }
    let all = feed(&admin, "clinic", "0".into(), 10);
    let middle = all[2]["id"].as_str().expect("an id");
    let ask = |client: &Client, parameters: &[(&str, &str)]| seqs(&pages(client, PATH, parameters));
    assert_eq!(ask(&admin, &[("around", middle)]), [4, 3, 2, 1]);
    assert_eq!(ask(&admin, &[("around", middle), ("minutes", "1")]), [4, 3, 2]);
    assert_eq!(ask(&admin, &[("around", middle), ("minutes", "1440"), ("order", "asc")]), [1, 2, 3, 4, 5]);
    assert_eq!(ask(&admin, &[("around", middle), ("since", "2026-10-01T00:06:00Z")]), [4]);

    let activity = store_activity(&server, &clinic, 1);
    let [viewer, auditor] = [Role::Viewer, Role::Auditor].map(|role| server.member(&clinic, role));
    assert_eq!(ask(&auditor, &[("since", "2026-01-01"), ("order", "asc")]), [1, 2, 3, 4, 5, 6]);
    assert_eq!(ask(&viewer, &[("since", "2026-01-01"), ("order", "asc")]), [1, 2, 3, 4, 5]);
    assert_eq!(ask(&auditor, &[("around", &activity)]), [6]);
    // One that may not be seen looks like one that is not there.
    let answers = [&activity, "01935fb2-8e31-8000-8000-040000000029", "x"]
        .map(|id| viewer.query(PATH, &[("around", id)]).expect(400));
    for answer in &answers {
        assert_eq!((answer.places(), &answer.json["detail"]), (vec!["around"], &answers[0].json["detail"]));
    }
});

on_both!(a_timeline_of_nothing_and_conditions_that_are_none_are_refused, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    for (parameter, value, place) in [
        ("q", "x", "since"),
        ("limit", "5", "since"),
        ("actor", "7", "actor"),
        ("actor", "nobody:7", "actor"),
        ("actor", "user:", "actor"),
        ("actor", "", "actor"),
        ("record", "patient", "record"),
        ("record", ":92", "record"),
        ("record", "patient:", "record"),
        ("ip_address", "10.0.0.0/40", "ip_address"),
        ("minutes", "5", "minutes"),
        ("minutes", "0", "minutes"),
        ("minutes", "1441", "minutes"),
        ("session", "s-1", "session"),
        ("since", "tomorrow", "since"),
    ] {
        let answer = admin.query(PATH, &[(parameter, value)]).expect(400);
        assert_eq!(answer.places(), [place], "{parameter}={value}: {}", answer.text);
    }
    let twice = admin.get(&format!("{PATH}?actor=user:7&actor=user:8")).expect(400);
    assert_eq!(twice.places(), ["actor"]);
    assert!(admin.query(PATH, &[("actor", "user:none")]).expect(200).data().is_empty());
    assert!(admin.query(PATH, &[("until", &rfc3339(BASE))]).expect(200).data().is_empty());
});

on_both!(a_timeline_is_narrowed_as_a_log_is, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    for log in ["access", "application", "framework"] {
        let events: Vec<Value> = (0..4).map(|n| sample(log, n)).collect();
        admin.post(&format!("/workspaces/clinic/logs/{log}"), events.into()).expect(201);
    }
    admin
        .post(
            "/workspaces/clinic/logs/framework",
            json!([{"action": "app_updated", "component": {"type": "app"}, "status": "failure", "occurred_at": "2026-10-01T09:00:00Z"}]),
        )
        .expect(201);
    let ask = |more: &[(&str, &str)]| {
        let parameters = [&[("since", "2026-01-01")][..], more].concat();
        admin.query(PATH, &parameters).expect(200).data().clone()
    };
    let all = ask(&[]);
    assert_eq!(all.len(), 13);
    let with = |field: &str, values: &[&str]| {
        let is = |event: &&Value| values.iter().any(|value| event[field] == *value);
        all.iter().filter(is).cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        ask(&[("log", "access"), ("log", "framework"), ("log", "access")]),
        with("log", &["access", "framework"])
    );
    assert_eq!(
        ask(&[("outcome", "failure"), ("outcome", "denied")]),
        with("outcome", &["failure", "denied"])
    );
    assert_eq!(ask(&[("action", "app_updated")]), with("action", &["app_updated"]));
    assert_eq!(ask(&[("action", "app_updated"), ("not_action", "app_updated")]), [] as [Value; 0]);
    assert_eq!(ask(&[("source", "nobody")]), [] as [Value; 0]);
    assert_eq!(ask(&[("source", all[0]["source"].as_str().expect("a source"))]), all);
    for (parameter, value) in [("log", "x"), ("outcome", "x"), ("actions", "x")] {
        let parameters = [("since", "2026-01-01"), (parameter, value)];
        assert_eq!(admin.query(PATH, &parameters).expect(400).places(), [parameter]);
    }
    // They are no question by themselves.
    assert_eq!(admin.query(PATH, &[("log", "access")]).expect(400).places(), ["since"]);
});
