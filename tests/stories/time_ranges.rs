//! Time ranges: with their start and without their end, to the microsecond; dates begin at midnight in their zone.

use logbook_tests::{Client, on_both};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/logs/access";

fn given(admin: &Client, times: &[&str]) {
    let events: Vec<_> =
        times.iter().map(|at| json!({"event_type": "login", "occurred_at": at, "username": at})).collect();
    admin.post(PATH, events.into()).expect(201);
}

#[track_caller]
fn shown(admin: &Client, query: &str) -> Vec<String> {
    let page = admin.get(&format!("{PATH}?order=asc&{query}")).expect(200);
    page.data().iter().map(|event| event["username"].as_str().expect("a name").to_owned()).collect()
}

on_both!(ranges_are_exact_to_the_microsecond, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let times = ["2026-10-01T12:00:00.000000Z", "2026-10-01T12:00:00.000001Z", "2026-10-01T12:00:00.000002Z"];
    given(&admin, &times);
    assert_eq!(shown(&admin, "since=2026-10-01T12:00:00.000001Z"), times[1..]);
    assert_eq!(shown(&admin, "until=2026-10-01T12:00:00.000001Z"), times[..1]);
    assert_eq!(
        shown(&admin, "since=2026-10-01T12:00:00.000001Z&until=2026-10-01T12:00:00.000002Z"),
        times[1..2]
    );
    assert!(shown(&admin, "since=2026-10-01T12:00:00Z&until=2026-10-01T12:00:00Z").is_empty());
    assert_eq!(shown(&admin, "since=2026-10-01T12:00:00Z"), times);
    // The same moment with other offsets; a plus sign in a URL is often not escaped.
    for at in [
        "2026-10-01T17:30:00.000001%2B05:30",
        "2026-10-01T17:30:00.000001+05:30",
        "2026-10-01T04:30:00.000001-07:30",
    ] {
        assert_eq!(shown(&admin, &format!("since={at}")), times[1..], "{at}");
    }
    for what in ["metrics", "facets", "histogram"] {
        let text = admin.get(&format!(
            "{PATH}/{what}?since=2026-10-01T12:00:00.000001Z&until=2026-10-01T12:00:00.000002Z"
        ));
        let json = text.expect(200).json;
        let total = match what {
            "metrics" => json["total"].clone(),
            "facets" => json["data"][0]["values"][0]["count"].clone(),
            _ => json["data"][0]["total"].clone(),
        };
        assert_eq!(total, 1, "{what}");
    }
});

on_both!(a_date_is_a_day_of_the_workspaces_zone_or_of_the_one_named, |server| {
    server.workspace_in("clinic", "Asia/Kolkata");
    let admin = server.admin();
    // 23:59:30 on the 1st and 00:00:00 on the 2nd in India, and just before the 1st.
    let times = ["2026-09-30T18:29:59.999999Z", "2026-10-01T18:29:30Z", "2026-10-01T18:30:00Z"];
    given(&admin, &times);
    assert_eq!(shown(&admin, "since=2026-10-01&until=2026-10-02"), times[1..2]);
    assert_eq!(shown(&admin, "since=2026-10-02"), times[2..]);
    assert_eq!(shown(&admin, "since=2026-10-01&until=2026-10-02&tz=UTC"), times[1..]);
    assert_eq!(shown(&admin, "since=2026-10-01&until=2026-10-02&tz=America/New_York"), times[1..]);
    assert_eq!(shown(&admin, "until=2026-10-01&tz=Asia/Tokyo"), [""; 0]);
    assert_eq!(
        shown(&admin, "since=2026-10-01T18:30:00Z&until=2026-10-03&tz=Asia/Tokyo"),
        times[2..],
        "a time needs no zone"
    );
});

on_both!(days_on_which_clocks_change_begin_and_end_at_midnight, |server| {
    server.workspace_in("clinic", "America/New_York");
    let admin = server.admin();
    // In New York 8 March 2026 has 23 hours, and 2 November 2025 has 25.
    given(
        &admin,
        &["2026-03-08T04:59:59Z", "2026-03-08T05:00:00Z", "2026-03-09T03:59:30Z", "2026-03-09T04:00:00Z"],
    );
    assert_eq!(
        shown(&admin, "since=2026-03-08&until=2026-03-09"),
        ["2026-03-08T05:00:00Z", "2026-03-09T03:59:30Z"]
    );
    given(
        &admin,
        &["2025-11-02T03:59:59Z", "2025-11-02T04:00:00Z", "2025-11-03T04:59:30Z", "2025-11-03T05:00:00Z"],
    );
    assert_eq!(
        shown(&admin, "since=2025-11-02&until=2025-11-03"),
        ["2025-11-02T04:00:00Z", "2025-11-03T04:59:30Z"]
    );
    // In Santiago 7 September 2025 begins at one o'clock: midnight does not exist.
    given(&admin, &["2025-09-07T03:59:59Z", "2025-09-07T04:00:00Z"]);
    assert_eq!(
        shown(&admin, "since=2025-09-07&until=2025-09-08&tz=America/Santiago"),
        ["2025-09-07T04:00:00Z"]
    );
    // In Cairo the clocks of 31 October 2024 went back at midnight: the hour before it came twice.
    given(&admin, &["2024-10-31T20:59:59Z", "2024-10-31T21:30:00Z", "2024-10-31T22:00:00Z"]);
    assert_eq!(shown(&admin, "since=2024-11-01&until=2024-11-02&tz=Africa/Cairo"), ["2024-10-31T22:00:00Z"]);
});

on_both!(the_ends_of_the_calendar_are_valid, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    given(&admin, &["1970-01-01T00:00:00Z", "2026-10-01T00:00:00Z"]);
    for query in [
        "since=0001-01-02",
        "until=9999-12-31",
        "since=0001-01-02&until=9999-12-31&tz=Pacific/Kiritimati",
        "until=9999-12-31T23:59:59Z",
    ] {
        assert_eq!(shown(&admin, query).len(), 2, "{query}");
    }
    for at in [
        "0000-01-01",
        "9999-12-31T23:59:59-01:00",
        "%2B10000-01-01",
        "-0001-01-01",
        "%2B262142-12-31",
        "2026-10-01T25:00:00Z",
    ] {
        assert_eq!(admin.get(&format!("{PATH}?since={at}")).expect(400).places(), ["since"], "{at}");
    }
    let found: Value =
        admin.get(&format!("{PATH}?until=1970-01-02")).expect(200).json["data"][0]["occurred_at"].clone();
    assert_eq!(found, "1970-01-01T00:00:00.000000Z");
});
