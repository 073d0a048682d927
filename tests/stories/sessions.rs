//! Sessions of an app's users: from a sign-in to its end, with what happened in between.

use logbook_tests::{Client, on_both, pagination::pages, server::sample};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/sessions";

fn at(minutes: i64) -> Value {
    format!("2026-10-01T{:02}:{:02}:00Z", minutes / 60, minutes % 60).into()
}

/// An access event of a user at a minute of the first of October.
fn access(minutes: i64, event_type: &str, user: &str, session: Option<&str>) -> Value {
    json!({
        "occurred_at": at(minutes), "event_type": event_type, "user": {"id": user, "name": user}, "role": "Nurse",
        "session_id": session, "ip_address": "198.51.100.4",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    })
}

fn change(minutes: i64, action: &str, user: &str, session: Option<&str>) -> Value {
    let mut event = sample("application", minutes);
    event["occurred_at"] = at(minutes);
    event["action"] = action.into();
    event["actor"] = json!({"type": "user", "id": user});
    event["session_id"] = json!(session);
    event
}

fn post(client: &Client, log: &str, events: Vec<Value>) {
    client.post(&format!("/workspaces/clinic/logs/{log}"), events.into()).expect(201);
}

/// Session, whether it is inferred, how it ended, events and changes of each.
fn told(sessions: &[Value]) -> Vec<(Value, bool, Value, u64, u64)> {
    let of = |session: &Value| {
        let number = |name: &str| session[name].as_u64().expect("a number");
        (
            session["session_id"].clone(),
            session["is_inferred"].as_bool().expect("a flag"),
            session["ended_by"].clone(),
            number("events"),
            number("changes"),
        )
    };
    sessions.iter().map(of).collect()
}

on_both!(a_session_is_told_from_its_sign_in_to_its_end, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    post(
        &admin,
        "access",
        vec![
            access(0, "login", "asha", Some("s-1")),
            access(5, "login", "ben", None),
            access(6, "login_failed", "ben", None),
            access(30, "logout", "asha", Some("s-1")),
            // Without an id: the next sign-in ends the one before.
            access(40, "login", "ben", None),
            access(60, "session_expired", "ben", None),
            access(70, "login", "carl", Some("s-3")),
        ],
    );
    post(
        &admin,
        "application",
        vec![
            change(1, "update", "asha", Some("s-1")),
            change(2, "read", "asha", Some("s-1")),
            // Names no session: of her last sign-in.
            change(3, "create", "asha", None),
            change(10, "update", "ben", None),
            change(45, "update", "ben", None),
            // Of nobody's session.
            change(46, "update", "dora", None),
            change(47, "update", "ben", Some("s-unknown")),
            change(61, "update", "ben", None),
        ],
    );
    let sessions = admin.get(PATH).expect(200);
    assert_eq!(
        told(sessions.data()),
        [
            (json!("s-3"), true, json!("inactivity"), 1, 0),
            (Value::Null, true, json!("session_expired"), 3, 1),
            (Value::Null, true, json!("next_login"), 3, 1),
            (json!("s-1"), true, json!("logout"), 5, 2),
        ]
    );
    let first = &sessions.data()[3];
    assert_eq!(
        (&first["started_at"], &first["ended_at"]),
        (&json!("2026-10-01T00:00:00.000000Z"), &json!("2026-10-01T00:30:00.000000Z"))
    );
    assert_eq!(
        (&first["duration_seconds"], &first["is_complete"], &first["failures"]),
        (&json!(1800), &json!(true), &json!(0))
    );
    assert_eq!(sessions.data()[2]["failures"], 1);
    assert_eq!(first["device"], json!({"browser": "Firefox 140", "os": "Linux"}));
    let login = first["login_event_id"].as_str().expect("an id");
    let login = admin.get(&format!("/workspaces/clinic/logs/access/{login}")).expect(200);
    assert_eq!(login.json["session_id"], "s-1");

    // The same, page by page; and narrowed.
    let all = sessions.data().to_vec();
    assert_eq!(pages(&admin, PATH, &[("limit", "1")]), all);
    let oldest_first: Vec<Value> = all.iter().rev().cloned().collect();
    for limit in ["1", "3", "50"] {
        assert_eq!(
            pages(&admin, PATH, &[("limit", limit), ("order", "asc")]),
            oldest_first,
            "{limit} at once"
        );
    }
    let only = |parameters: &[(&str, &str)]| told(admin.query(PATH, parameters).expect(200).data());
    assert_eq!(only(&[("user_id", "ben")]), told(&all[1..3]));
    assert_eq!(only(&[("session_id", "s-1")]), told(&all[3..]));
    assert_eq!(
        only(&[("ip_address", "198.51.100.0/24"), ("until", "2026-10-01T00:05:00Z")]),
        told(&all[3..])
    );
    assert!(only(&[("ip_address", "10.0.0.1")]).is_empty());
    for parameter in ["ip_address", "limit", "cursor", "order"] {
        assert_eq!(admin.query(PATH, &[(parameter, "x")]).expect(400).places(), [parameter]);
    }
});

on_both!(a_session_that_goes_on_has_no_end, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let mut login = access(0, "login", "asha", Some("s-1"));
    login.as_object_mut().expect("an object").remove("occurred_at");
    post(&admin, "access", vec![login]);
    let sessions = admin.get(PATH).expect(200);
    let session = &sessions.data()[0];
    assert_eq!(
        (&session["ended_at"], &session["ended_by"], &session["is_inferred"]),
        (&Value::Null, &Value::Null, &json!(false))
    );
});

on_both!(sessions_with_more_events_than_are_read_say_so_and_none_is_left_out, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    post(
        &admin,
        "access",
        vec![access(0, "login", "asha", Some("s-1")), access(90, "login", "asha", Some("s-2"))],
    );
    let busy: Vec<Value> = (0..1200).map(|n| change(1 + n % 60, "update", "asha", Some("s-1"))).collect();
    post(&admin, "application", busy);
    post(&admin, "application", vec![change(91, "update", "asha", Some("s-2"))]);
    let sessions = pages(&admin, PATH, &[]);
    assert_eq!(
        told(&sessions).iter().map(|session| session.0.clone()).collect::<Vec<_>>(),
        [json!("s-2"), json!("s-1")]
    );
    assert_eq!((&sessions[0]["events"], &sessions[0]["is_complete"]), (&json!(2), &json!(true)));
    assert_eq!(sessions[1]["is_complete"], false);
    assert!((900..=1001).contains(&sessions[1]["events"].as_u64().expect("a number")), "{}", sessions[1]);
    let oldest_first = pages(&admin, PATH, &[("order", "asc")]);
    assert_eq!(oldest_first[1], sessions[0]);
    assert_eq!(
        (&oldest_first[0]["session_id"], &oldest_first[0]["is_complete"]),
        (&json!("s-1"), &json!(false))
    );
});

on_both!(a_session_without_an_id_is_told_the_same_whatever_else_its_page_has, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let on_day = |day: u32, mut event: Value| {
        event["occurred_at"] = format!("2026-10-{day:02}T08:00:00Z").into();
        event
    };
    let logins = [1, 3, 6].map(|day| on_day(day, access(0, "login", "ben", None)));
    post(&admin, "access", logins.to_vec());
    // Hardly a day later each, and so longer than a day after the sign-in.
    let mut changes = vec![change(0, "update", "ben", None); 3];
    for (change, at) in
        changes.iter_mut().zip(["2026-10-02T07:00:00Z", "2026-10-03T06:00:00Z", "2026-10-05T07:00:00Z"])
    {
        change["occurred_at"] = at.into();
    }
    post(&admin, "application", changes);
    let sessions = admin.get(PATH).expect(200).data().to_vec();
    let expected = json!("inactivity");
    assert_eq!(
        told(&sessions).iter().map(|session| (session.2.clone(), session.3)).collect::<Vec<_>>(),
        [(expected.clone(), 1), (expected.clone(), 1), (expected, 2)]
    );
    for order in ["desc", "asc"] {
        let mut alone = pages(&admin, PATH, &[("limit", "1"), ("order", order)]);
        alone.sort_by_key(|session| std::cmp::Reverse(session["started_at"].to_string()));
        assert_eq!(alone, sessions, "{order}");
    }
});
