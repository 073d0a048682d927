//! The tail: new events as they are stored, each once, whoever stores them and however often the reader is cut.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use logbook::accounts::{claims::Claims, members, role::Role, script_tokens};
use logbook_tests::{
    Client, TestServer,
    audit_events::{audit_events, store_activity},
    messages::Messages,
    on_both,
    pagination::{feed, seqs},
    process::Process,
    server::sample,
    wait::wait_until,
};
use serde_json::json;

const PATH: &str = "/workspaces/clinic/logs/access";
const TAIL: &str = "/workspaces/clinic/logs/access/tail";
const TIMELINE: &str = "/workspaces/clinic/timeline";
const TIMELINE_TAIL: &str = "/workspaces/clinic/timeline/tail";
const WRITERS: usize = 8;
const REQUESTS: usize = 25;

/// Follows, and waits while a place that was given up is not free yet.
fn follow(client: &Client, parameters: &[(&str, &str)], last_event_id: Option<&str>) -> Messages {
    follow_at(TAIL, client, parameters, last_event_id)
}

fn follow_at(
    path: &str,
    client: &Client,
    parameters: &[(&str, &str)],
    last_event_id: Option<&str>,
) -> Messages {
    let mut found = None;
    wait_until("a place is free", || {
        found = client.follow(path, parameters, last_event_id).ok();
        found.is_some()
    });
    found.expect("a tail")
}

/// The seq of the newest access event.
fn newest_access(admin: &Client) -> i64 {
    let mut all = feed(admin, "clinic", "0".into(), 1000);
    all.retain(|event| event["log"] == "access");
    seqs(&all).pop().unwrap_or_default()
}

on_both!(a_tail_that_is_cut_at_random_has_every_event_once_and_in_order_while_eight_write, |server| {
    server.workspace("clinic");
    let beside = server.is_postgres().then(|| server.beside_with_keys());
    let writing = AtomicUsize::new(WRITERS);
    let followed = thread::scope(|scope| {
        for writer in 0..WRITERS {
            // Where the database allows it, half of them write through another server.
            let writes_beside = writer % 2 == 1;
            let (server, beside, writing) = (&server, &beside, &writing);
            scope.spawn(move || {
                let admin = match beside {
                    Some(beside) if writes_beside => beside.admin(),
                    _ => server.admin(),
                };
                for n in 0..REQUESTS {
                    let log = ["access", "application", "access", "framework"][(writer + n) % 4];
                    let minute = if n % 5 == 0 { 0 } else { n as i64 / 2 };
                    let events = vec![sample(log, minute); 1 + (writer * n) % 7];
                    admin.post(&format!("/workspaces/clinic/logs/{log}"), events.into()).expect(201);
                }
                writing.fetch_sub(1, Ordering::SeqCst);
            });
        }
        let reader = scope.spawn(|| {
            let admin = server.admin();
            let (mut last, mut seqs, mut random) = ("0".to_owned(), Vec::new(), 12345_u32);
            let mut newest = None;
            loop {
                let tail = follow(&admin, &[], Some(&last));
                random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
                for message in tail.take((random >> 16) as usize % 9) {
                    let message = message.expect("the stream goes on");
                    last = message.id.unwrap_or(last);
                    if let Some(event) = message.data {
                        assert_eq!(event["seq"].to_string(), last);
                        seqs.push(event["seq"].as_i64().expect("a seq"));
                    }
                    if writing.load(Ordering::SeqCst) == 0 {
                        newest = newest.or_else(|| Some(newest_access(&admin)));
                        if seqs.last() == newest.as_ref() {
                            return seqs;
                        }
                    }
                }
            }
        });
        reader.join().expect("the reader")
    });
    let mut all = feed(&server.admin(), "clinic", "0".into(), 500);
    all.retain(|event| event["log"] == "access");
    assert_eq!(followed, seqs(&all));
});

on_both!(a_tail_begins_with_what_is_new_and_has_the_filters_of_the_list, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event = |kind: &str| json!({"event_type": kind, "user": {"id": "17", "name": "Asha Rao"}});
    admin.post(PATH, json!([event("login")])).expect(201);
    let mut tail = follow(&admin, &[("event_type", "logout"), ("q", "ASHA")], None);
    let first = tail.next().expect("a message").expect("the stream goes on");
    assert_eq!((first.id.as_deref(), first.data), (Some("1"), None), "it says where it begins");
    admin.post(PATH, json!([event("login"), event("logout"), {"event_type": "logout"}])).expect(201);
    admin.post("/workspaces/clinic/logs/application", json!([sample("application", 1)])).expect(201);
    admin.post(PATH, json!([event("logout")])).expect(201);
    let events = [tail.next_event(), tail.next_event()];
    assert_eq!(seqs(&events), [3, 6]);
    let listed = admin.query(PATH, &[("event_type", "logout"), ("q", "asha")]).expect(200);
    assert_eq!([&events[1], &events[0]], [&listed.data()[0], &listed.data()[1]], "as the list returns them");
    // Behind an event that the client has.
    let mut again = follow(&admin, &[("event_type", "logout")], Some("3"));
    assert_eq!([again.next_event()["seq"].clone(), again.next_event()["seq"].clone()], [4, 6]);
    for id in ["x", "-1", "1.5", "99999999999999", ""] {
        let refused = admin.follow(TAIL, &[], Some(id)).err().expect("no id");
        assert_eq!((refused.status, refused.places()), (400, vec!["Last-Event-ID"]), "{id}");
    }
    for parameters in [("limit", "5"), ("order", "asc"), ("cursor", "x"), ("status", "no")] {
        let refused = admin.follow(TAIL, &[parameters], None).err().expect("no such parameter");
        assert_eq!((refused.status, refused.places()), (400, vec![parameters.0]));
    }
    let answer = admin.with_header("accept-encoding", "gzip").get(TAIL).expect(200);
    assert_eq!(answer.headers.get("content-encoding").map_or("identity", String::as_str), "identity");
    assert_eq!(answer.headers["cache-control"], "no-store");
});

on_both!(a_workspace_has_eight_tails_a_caller_half_of_them_and_who_goes_away_makes_room, |server| {
    let [clinic, shop] = [server.workspace("clinic"), server.workspace("shop")];
    let [viewer, second, third] =
        ["a", "b", "c"].map(|name| server.member_called(name, &clinic, Role::Viewer));
    let refused = |client: &Client, why: &str| {
        let refused = client.follow(TAIL, &[], None).err().expect("no place");
        assert_eq!((refused.status, refused.code()), (503, "busy"));
        assert!(refused.headers.contains_key("retry-after"));
        let detail = refused.json["detail"].as_str().expect("a detail");
        assert!(detail.starts_with(why), "{detail}");
    };
    let mut tails: Vec<Messages> = (0..4).map(|_| follow(&viewer, &[], None)).collect();
    refused(&viewer, "one caller may have 4 of");
    tails.extend((0..4).map(|_| follow(&second, &[], None)));
    refused(&third, "the workspace has 8");
    let other = server.member(&shop, Role::Viewer);
    assert!(other.follow("/workspaces/shop/logs/access/tail", &[], None).is_ok());
    tails.pop();
    // Long before the next heartbeat.
    tails.push(follow(&third, &[], None));
    server.admin().post(PATH, json!([sample("access", 1)])).expect(201);
    for tail in &mut tails {
        assert_eq!(tail.next_event()["seq"], 1);
    }
});

/// Reads a tail to its end, which is a clean one.
fn end(tail: Messages) -> usize {
    tail.map(|message| message.expect("a clean end")).filter(|message| message.data.is_some()).count()
}

on_both!(a_tail_ends_with_the_right_to_read, |server| {
    let clinic = server.workspace("clinic");
    let mut claims = Claims::new("token:tail".into(), "tail".into(), 3600);
    claims.roles.insert(clinic.id, Role::Viewer);
    // One whose token is revoked, and one whose token expires.
    let revoked = server.known(&claims);
    let expiring = server.known(&Claims { exp: claims.iat + 5, ..claims });
    let tails = [&revoked, &expiring].map(|claims| follow(&server.client(claims), &[], None));
    server.admin().post(PATH, json!([sample("access", 1)])).expect(201);
    let mut conn = server.db.conn().expect("a connection");
    let [mut first, second] = tails;
    assert_eq!(first.next_event()["seq"], 1);
    script_tokens::revoke(&mut conn, revoked.jti.as_deref().expect("an id")).expect("revoked");
    drop(conn);
    assert_eq!((end(first), end(second)), (0, 1));
});

on_both!(what_a_tail_shows_is_on_record, |config| { config.audit = true }, |server| {
    let clinic = server.workspace("clinic");
    let mut claims = Claims::new("token:watcher".into(), "watcher".into(), 3600);
    claims.roles.insert(clinic.id, Role::Viewer);
    let mut tail = follow(&server.client(&claims), &[], None);
    let read = || {
        server.audit.record_counted(true);
        let mut events = audit_events(&server, "clinic");
        events.retain(|event| event["action"] == "log_read" && event["actor"]["id"] == "token:watcher");
        let sum =
            |name: &str| events.iter().filter_map(|event| event["metadata"][name].as_u64()).sum::<u64>();
        (sum("requests"), sum("events"))
    };
    assert_eq!(read(), (1, 0), "while it runs");
    server.admin().post(PATH, json!([sample("access", 1), sample("access", 2)])).expect(201);
    tail.next_event();
    tail.next_event();
    wait_until("they are on record", || read() == (1, 2));
});

on_both!(the_tail_of_a_timeline_shows_several_logs_around_somebody, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let asha = json!({"type": "user", "id": "7", "name": "Asha Rao"});
    let agent = json!({"type": "agent", "id": "triage"});
    let post = |log: &str, key: &str, more: serde_json::Value| {
        let mut event = sample(log, 1);
        event[key] = more;
        admin.post(&format!("/workspaces/clinic/logs/{log}"), json!([event])).expect(201);
    };
    post("access", "user", asha.clone());
    let conditions = [("actor", "user:7"), ("q", "ASHA")];
    let mut tail = follow_at(TIMELINE_TAIL, &admin, &conditions, None);
    assert_eq!(tail.next().expect("a message").expect("the stream goes on").id.as_deref(), Some("1"));
    post("application", "actor", agent);
    post("application", "on_behalf_of", asha.clone());
    post("framework", "actor", asha.clone());
    post("access", "user", asha);
    let events = [tail.next_event(), tail.next_event(), tail.next_event()];
    assert_eq!(seqs(&events), [3, 4, 5]);
    let listed =
        admin.query(TIMELINE, &[("actor", "user:7"), ("since", "2026-01-01"), ("q", "asha")]).expect(200);
    for event in &events {
        assert!(listed.data().contains(event), "as the timeline returns them: {event}");
    }
    let mut again = follow_at(TIMELINE_TAIL, &admin, &conditions, Some("3"));
    assert_eq!([again.next_event()["seq"].clone(), again.next_event()["seq"].clone()], [4, 5]);
    for (parameter, value, place) in
        [("limit", "5", "limit"), ("actor", "7", "actor"), ("q", "x", "since"), ("around", "x", "around")]
    {
        let refused = admin.follow(TIMELINE_TAIL, &[(parameter, value)], None).err().expect("refused");
        assert_eq!((refused.status, refused.places()), (400, vec![place]), "{parameter}={value}");
    }
});

on_both!(the_tail_of_a_timeline_ends_with_the_right_to_read_the_activity_log, |server| {
    let clinic = server.workspace("clinic");
    let asha = server.user("asha@clinic.test");
    let admin = server.admin();
    let mut conn = server.db.conn().expect("a connection");
    members::set(&mut conn, clinic.id, 1, Role::Auditor).expect("a member");
    let conditions = [("since", "2026-01-01")];
    let mut tail = follow_at(TIMELINE_TAIL, &asha, &conditions, Some("0"));
    store_activity(&server, &clinic, 1);
    assert_eq!(tail.next_event()["log"], "activity");
    admin.put("/workspaces/clinic/members/1", json!({"role": "viewer"})).expect(200);
    end(tail);
    // A viewer's has everything else.
    let mut tail = follow_at(TIMELINE_TAIL, &asha, &conditions, Some("0"));
    store_activity(&server, &clinic, 1);
    admin.post(PATH, json!([sample("access", 1)])).expect(201);
    assert_eq!(tail.next_event()["log"], "access");
});

#[test]
fn a_server_that_stops_ends_its_tails_and_is_gone_soon() {
    let server = TestServer::sqlite();
    server.workspace("clinic");
    let mut process = Process::start(&server.data, &[]);
    let admin = process.admin();
    let mut tail = follow(&admin, &[], None);
    admin.post(PATH, json!([sample("access", 1)])).expect(201);
    assert_eq!(tail.next_event()["seq"], 1);
    let start = Instant::now();
    process.terminate();
    assert_eq!(end(tail), 0);
    wait_until("the server is gone", || process.has_ended());
    // For so long it waits for requests that run.
    assert!(start.elapsed() < Duration::from_secs(10), "nothing kept it");
}
