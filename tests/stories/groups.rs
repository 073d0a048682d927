//! Events grouped by one or two fields, and over time.

use logbook_tests::{Client, on_both, server::sample};
use serde_json::{Value, json};

const ACCESS: &str = "/workspaces/clinic/logs/access";
const USERS: [&str; 4] = ["asha", "ben", "asha", "carl"];

/// The values of each group and its count.
fn counts(answer: &Value) -> Vec<(Vec<&str>, u64)> {
    let groups = answer["data"].as_array().expect("groups");
    let group = |group: &Value| -> u64 { group["count"].as_u64().expect("a count") };
    let values = |group: &'_ Value| -> usize { group["values"].as_array().expect("values").len() };
    groups
        .iter()
        .map(|one| {
            let texts = (0..values(one)).map(|n| one["values"][n]["value"].as_str().expect("a text"));
            (texts.collect(), group(one))
        })
        .collect()
}

fn ask(client: &Client, parameters: &[(&str, &str)]) -> Value {
    client.query(&format!("{ACCESS}/groups"), parameters).expect(200).json
}

/// Sign-ins of three users, two in three of which fail, one every ten minutes.
fn sign_ins(n: usize) -> Vec<Value> {
    (0..n)
        .map(|n| {
            let mut event = sample("access", n as i64);
            event["occurred_at"] = format!("2026-10-01T{:02}:{:02}:00Z", n / 6, n % 6 * 10).into();
            event["user"] = json!({"id": USERS[n % 4], "name": format!("Name {n}")});
            event["status"] = if n % 3 == 0 { "success" } else { "failure" }.into();
            event["ip_address"] = format!("10.0.0.{}", n % 2).into();
            event["role"] = json!(if n % 5 == 0 { None } else { Some("Nurse") });
            event
        })
        .collect()
}

on_both!(events_are_grouped_by_one_or_two_fields_and_over_time, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    admin.post(ACCESS, sign_ins(24).into()).expect(201);

    let users = ask(&admin, &[("field", "user_id"), ("status", "failure"), ("points", "4")]);
    assert_eq!(counts(&users), [(vec!["asha"], 8), (vec!["ben"], 4), (vec!["carl"], 4)]);
    assert_eq!(
        (&users["exact"], &users["counted"], &users["since"]),
        (&json!(true), &json!(16), &Value::Null)
    );
    assert_eq!(users["data"][0]["values"][0]["name"], "Name 22", "the newest");
    assert_eq!(
        users["starts"],
        json!([
            "2026-10-01T00:00:00.000000Z",
            "2026-10-01T01:00:00.000000Z",
            "2026-10-01T02:00:00.000000Z",
            "2026-10-01T03:00:00.000000Z"
        ])
    );
    assert_eq!(users["data"][0]["series"], json!([2, 2, 2, 2]));

    let both = ask(&admin, &[("field", "user_id"), ("field", "ip_address"), ("limit", "2")]);
    assert_eq!(counts(&both), [(vec!["asha", "10.0.0.0"], 12), (vec!["ben", "10.0.0.1"], 6)]);
    // Events without a value are in no group, and counted.
    let roles = ask(&admin, &[("field", "status"), ("field", "role")]);
    assert_eq!(counts(&roles), [(vec!["failure", "Nurse"], 13), (vec!["success", "Nurse"], 6)]);
    assert_eq!(roles["counted"], 24);
    assert!(
        ask(&admin, &[("field", "user_id"), ("user_id", "dora")])["data"]
            .as_array()
            .expect("groups")
            .is_empty()
    );
});

on_both!(kept_counts_and_a_scan_give_the_same_groups, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    admin.post(ACCESS, sign_ins(120).into()).expect(201);
    // Matches everything, and has no rollup.
    let scanned = ("not_user_id", "nobody");
    for range in [
        &[][..],
        &[("since", "2026-10-01T03:07:00Z"), ("until", "2026-10-01T17:31:00Z")],
        &[("since", "2026-09-20T00:00:00Z"), ("until", "2026-10-20T05:00:00Z"), ("points", "7")],
        &[("since", "2025-10-01"), ("until", "2026-10-20"), ("status", "failure"), ("not_role", "Nurse")],
    ] {
        for fields in [&["status"][..], &["status", "role"], &["role", "event_type"], &["source"]] {
            let mut parameters: Vec<_> = fields.iter().map(|field| ("field", *field)).collect();
            parameters.extend(range);
            let kept = ask(&admin, &parameters);
            parameters.push(scanned);
            let scan = ask(&admin, &parameters);
            // An open range ends with the last quarter hour of events, or with the last event.
            assert_eq!(kept, scan, "{parameters:?}");
            for group in kept["data"].as_array().expect("groups") {
                let series = group["series"].as_array().expect("a series");
                assert_eq!(series.len(), kept["starts"].as_array().expect("starts").len());
                assert_eq!(
                    series.iter().filter_map(Value::as_u64).sum::<u64>(),
                    group["count"].as_u64().expect("a count")
                );
            }
        }
    }
});

on_both!(groups_are_checked_and_bounded, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let path = format!("{ACCESS}/groups");
    for (parameters, place) in [
        (&[][..], "field"),
        (&[("field", "status"), ("field", "status")], "field"),
        (&[("field", "status"), ("field", "role"), ("field", "source")], "field"),
        (&[("field", "model")], "field"),
        (&[("field", "status"), ("points", "61")], "points"),
        (&[("field", "status"), ("points", "0")], "points"),
        (&[("field", "status"), ("limit", "101")], "limit"),
        (&[("field", "status"), ("by", "status")], "by"),
    ] {
        assert_eq!(admin.query(&path, parameters).expect(400).places(), [place]);
    }
    let many: Vec<Value> = (0..1100).map(|n| sample("access", n)).collect();
    admin.post(ACCESS, many.into()).expect(201);
    let newest = ask(&admin, &[("field", "user_id")]);
    assert_eq!((&newest["exact"], &newest["counted"]), (&json!(false), &json!(1000)));
    assert!(newest["since"].is_string());
});
