//! Histograms: buckets begin where people in the time zone expect them, and none is missing.

use logbook_tests::{Answer, Client, on_both};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/logs/access";

fn given(admin: &Client, times: &[&str]) {
    let events: Vec<_> = times.iter().map(|at| json!({"event_type": "login", "occurred_at": at})).collect();
    admin.post(PATH, events.into()).expect(201);
}

fn ask(admin: &Client, query: &str) -> Answer {
    admin.get(&format!("{PATH}/histogram?{query}"))
}

/// Each bucket's start, without seconds, and total.
#[track_caller]
fn buckets(admin: &Client, query: &str) -> Vec<(String, u64)> {
    let answer = ask(admin, query).expect(200).json;
    let data = answer["data"].as_array().expect("buckets");
    assert!(data.windows(2).all(|pair| pair[0]["end"] == pair[1]["start"]));
    let start = |bucket: &Value| bucket["start"].as_str().expect("a time")[..16].to_owned();
    data.iter().map(|bucket| (start(bucket), bucket["total"].as_u64().expect("a count"))).collect()
}

fn expected(buckets: &[(&str, u64)]) -> Vec<(String, u64)> {
    buckets.iter().map(|(start, n)| ((*start).to_owned(), *n)).collect()
}

on_both!(days_begin_at_midnight_in_the_zone_and_empty_ones_are_shown, |server| {
    server.workspace_in("clinic", "Asia/Kolkata");
    let admin = server.admin();
    given(&admin, &["2026-10-01T18:29:59Z", "2026-10-01T18:30:00Z", "2026-10-04T00:00:00Z"]);
    assert_eq!(
        buckets(&admin, "interval=1d"),
        expected(&[
            ("2026-09-30T18:30", 1),
            ("2026-10-01T18:30", 1),
            ("2026-10-02T18:30", 0),
            ("2026-10-03T18:30", 1)
        ])
    );
    assert_eq!(
        buckets(&admin, "interval=1d&tz=UTC"),
        expected(&[
            ("2026-10-01T00:00", 2),
            ("2026-10-02T00:00", 0),
            ("2026-10-03T00:00", 0),
            ("2026-10-04T00:00", 1)
        ])
    );
    assert_eq!(
        buckets(&admin, "interval=1h&since=2026-10-01T18:00:00Z&until=2026-10-01T19:00:00Z"),
        expected(&[("2026-10-01T17:30", 1), ("2026-10-01T18:30", 1)]),
        "hours begin at the zone's full hour"
    );
    assert_eq!(
        buckets(&admin, "interval=6h&since=2026-10-02&until=2026-10-03"),
        expected(&[
            ("2026-10-01T18:30", 1),
            ("2026-10-02T00:30", 0),
            ("2026-10-02T06:30", 0),
            ("2026-10-02T12:30", 0)
        ])
    );
    let answer = ask(&admin, "interval=1d").expect(200).json;
    assert_eq!(
        (&answer["timezone"], &answer["interval"], &answer["by"]),
        (&json!("Asia/Kolkata"), &json!("1d"), &json!("status"))
    );
    assert_eq!(answer["since"], "2026-09-30T18:30:00.000000Z");
    assert_eq!(answer["until"], "2026-10-04T18:30:00.000000Z");
    assert_eq!(answer["data"][0]["counts"], json!({"success": 1}));
    assert_eq!(answer["data"][2]["counts"], json!({}));
});

on_both!(days_have_twenty_three_or_twenty_five_hours_where_clocks_change, |server| {
    server.workspace_in("clinic", "America/New_York");
    let admin = server.admin();
    given(
        &admin,
        &["2026-03-08T04:59:59Z", "2026-03-08T05:00:00Z", "2026-03-09T03:59:59Z", "2026-03-09T04:00:00Z"],
    );
    assert_eq!(
        buckets(&admin, "interval=1d"),
        expected(&[("2026-03-07T05:00", 1), ("2026-03-08T05:00", 2), ("2026-03-09T04:00", 1)])
    );
    assert_eq!(buckets(&admin, "interval=1h&since=2026-03-08&until=2026-03-09").len(), 23);
    assert_eq!(buckets(&admin, "interval=1h&since=2025-11-02&until=2025-11-03").len(), 25);
    assert_eq!(buckets(&admin, "interval=15m&since=2025-11-02&until=2025-11-03").len(), 100);
    assert_eq!(
        buckets(&admin, "interval=6h&since=2026-03-08&until=2026-03-09"),
        expected(&[
            ("2026-03-08T05:00", 1),
            ("2026-03-08T10:00", 0),
            ("2026-03-08T16:00", 0),
            ("2026-03-08T22:00", 1)
        ])
    );
    // Where midnight does not exist, the day begins with the first moment that does.
    assert_eq!(
        buckets(&admin, "interval=1d&tz=America/Santiago&since=2025-09-06&until=2025-09-09"),
        expected(&[("2025-09-06T04:00", 0), ("2025-09-07T04:00", 0), ("2025-09-08T03:00", 0)])
    );
});

on_both!(weeks_begin_on_monday_and_months_on_their_first, |server| {
    server.workspace_in("clinic", "Europe/Berlin");
    let admin = server.admin();
    // A Sunday evening, Berlin's Monday, and the last moment of October there.
    given(
        &admin,
        &["2026-10-11T21:59:59Z", "2026-10-11T22:00:00Z", "2026-10-31T22:59:59Z", "2026-10-31T23:00:00Z"],
    );
    assert_eq!(
        buckets(&admin, "interval=1w&until=2026-10-19"),
        expected(&[("2026-10-04T22:00", 1), ("2026-10-11T22:00", 1)])
    );
    assert_eq!(
        buckets(&admin, "interval=1mo"),
        expected(&[("2026-09-30T22:00", 3), ("2026-10-31T23:00", 1)])
    );
    assert_eq!(
        buckets(&admin, "interval=1mo&since=2026-01-15&until=2026-03-01"),
        expected(&[("2025-12-31T23:00", 0), ("2026-01-31T23:00", 0)])
    );
});

on_both!(a_range_without_events_is_zeroes_and_an_empty_log_is_empty, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let answer = ask(&admin, "").expect(200).json;
    assert_eq!(
        (&answer["data"], &answer["since"], &answer["until"]),
        (&json!([]), &json!(null), &json!(null))
    );
    assert_eq!(ask(&admin, "since=2026-10-01").expect(200).json["data"], json!([]));
    assert_eq!(buckets(&admin, "interval=1d&since=2026-10-01&until=2026-10-03").len(), 2);
    assert!(buckets(&admin, "since=2026-10-01&until=2026-10-01").is_empty());
    let metrics = admin.get(&format!("{PATH}/metrics")).expect(200).json;
    assert_eq!(metrics, json!({"total": 0, "failed": 0, "denied": 0, "by_event_type": {}, "exact": true}));
    let facets = admin.get(&format!("{PATH}/facets")).expect(200).json;
    assert!(facets["data"].as_array().expect("facets").iter().all(|facet| facet["values"] == json!([])));
    let metrics = admin.get("/workspaces/clinic/logs/application/metrics").expect(200).json;
    assert_eq!(
        metrics,
        json!({"total": 0, "created": 0, "updated": 0, "deleted": 0, "failed": 0, "denied": 0, "by_action": {}, "exact": true})
    );
});

on_both!(a_thousand_buckets_are_drawn_and_no_more, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    given(&admin, &["2026-01-01T00:00:00Z"]);
    let range = |hours: i64| {
        let end = logbook_engine::db::timestamp::Timestamp(1_767_225_600_000_000).plus_seconds(hours * 3600);
        format!("since=2026-01-01&until={end}")
    };
    assert_eq!(buckets(&admin, &format!("interval=1h&{}", range(1000))).len(), 1000);
    let answer = ask(&admin, &format!("interval=1h&{}", range(1001))).expect(400);
    assert_eq!(answer.places(), ["interval"]);
    ask(&admin, "interval=15m&since=0001-01-02").expect(400);
    let any = ask(&admin, "since=1970-01-01&until=2030-01-01").expect(200);
    assert_eq!(any.json["interval"], "1mo", "auto finds an interval that fits");
    for (hours, interval) in
        [(1, "15m"), (24, "15m"), (25, "1h"), (24 * 7, "6h"), (24 * 90, "1d"), (24 * 365, "1w")]
    {
        assert_eq!(ask(&admin, &range(hours)).expect(200).json["interval"], interval, "{hours} hours");
    }
});

on_both!(each_log_is_counted_by_each_of_its_own_dimensions, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let at = "2026-10-01T00:00:00Z";
    let body = json!([
        {"log": "access", "event_type": "login", "role": "Nurse", "occurred_at": at},
        {"log": "access", "event_type": "login_failed", "occurred_at": at},
        {"log": "application", "action": "create", "model": "patient", "record_id": "1", "occurred_at": at},
        {"log": "application", "action": "create", "model": "doctor", "record_id": "1", "occurred_at": at},
        {"log": "framework", "action": "policy_synced", "component": {"type": "policy"}, "error": "x", "occurred_at": at},
    ]);
    admin.post("/workspaces/clinic/logs/ingest", body).expect(201);
    for (log, by, expected) in [
        ("access", "", json!({"success": 1, "failure": 1})),
        ("access", "event_type", json!({"login": 1, "login_failed": 1})),
        ("access", "role", json!({"Nurse": 1})),
        ("application", "", json!({"create": 2})),
        ("application", "model", json!({"patient": 1, "doctor": 1})),
        ("framework", "", json!({"failure": 1})),
        ("framework", "action", json!({"policy_synced": 1})),
        ("framework", "component", json!({"policy": 1})),
    ] {
        let query = if by.is_empty() { String::new() } else { format!("?by={by}") };
        let answer = admin.get(&format!("/workspaces/clinic/logs/{log}/histogram{query}")).expect(200).json;
        assert_eq!(answer["data"][0]["counts"], expected, "{log} by {by}");
    }
});
