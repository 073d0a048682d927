//! Pages and cursors: a cursor belongs to one question, and pages are exact whatever the times are.

use logbook_tests::{on_both, pagination, server::sample};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/logs/access";

on_both!(a_thousand_events_of_one_time_are_paged_by_seq, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event = json!({"event_type": "login", "occurred_at": "2026-10-01T12:00:00.123456Z"});
    admin.post(PATH, vec![event; 1000].into()).expect(201);
    let down = pagination::pages(&admin, PATH, &[("limit", "7")]);
    assert_eq!(pagination::seqs(&down), (1..=1000).rev().collect::<Vec<_>>());
    let up = pagination::pages(&admin, PATH, &[("limit", "7"), ("order", "asc")]);
    assert_eq!(pagination::seqs(&up), (1..=1000).collect::<Vec<_>>());
});

on_both!(a_page_has_fifty_events_unless_asked_for_others, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    admin.post(PATH, (0..1001).map(|n| sample("access", n)).collect::<Vec<_>>().into()).expect(201);
    for (query, n, more) in [("", 50, true), ("?limit=1", 1, true), ("?limit=1000", 1000, true)] {
        let page = admin.get(&format!("{PATH}{query}")).expect(200);
        assert_eq!((page.data().len(), &page.json["has_more"]), (n, &json!(more)), "{query}");
    }
    let all = admin.get(&format!("{PATH}?limit=1000&since=2026-10-01T00:01:00Z")).expect(200);
    assert_eq!(
        (all.data().len(), &all.json["has_more"], &all.json["next_cursor"]),
        (1000, &json!(false), &Value::Null)
    );
});

on_both!(the_link_header_is_the_next_page, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    admin.post(PATH, (0..6).map(|n| sample("access", n)).collect::<Vec<_>>().into()).expect(201);
    let query =
        "limit=2&event_type=login&event_type=logout&since=2026-10-01T05:30:00+05:30&q=asha%20RAO&order=asc";
    let mut path = format!("{PATH}?{query}");
    let mut seqs = Vec::new();
    loop {
        let page = admin.get(&path).expect(200);
        seqs.extend(pagination::seqs(page.data()));
        let Some(link) = page.headers.get("link") else { break };
        let target =
            link.strip_prefix("</api/v1").and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).expect(link);
        assert!(target.contains(page.json["next_cursor"].as_str().expect("a cursor")), "{link}");
        assert_eq!(target.matches("cursor=").count(), 1);
        path = target.to_owned();
    }
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
});

on_both!(a_cursor_is_valid_for_its_own_question_only, |server| {
    server.workspace("clinic");
    server.workspace("shop");
    let admin = server.admin();
    for log in ["access", "framework"] {
        for workspace in ["clinic", "shop"] {
            let events: Vec<_> = (0..5).map(|n| sample(log, n)).collect();
            admin.post(&format!("/workspaces/{workspace}/logs/{log}"), events.into()).expect(201);
        }
    }
    let page = admin.get(&format!("{PATH}?limit=2&event_type=login&event_type=logout")).expect(200);
    let cursor = page.json["next_cursor"].as_str().expect("a cursor");
    let with = |path: &str| admin.get(&format!("/workspaces/{path}&cursor={cursor}"));
    with("clinic/logs/access?event_type=login&event_type=logout").expect(200);
    with("clinic/logs/access?event_type=logout&event_type=login&limit=3&order=desc").expect(200);
    for other in [
        "clinic/logs/access?limit=2",
        "clinic/logs/access?event_type=login",
        "clinic/logs/access?event_type=login&event_type=logout&order=asc",
        "clinic/logs/access?event_type=login&event_type=logout&q=a",
        "clinic/logs/access?event_type=login&event_type=logout&since=2026-10-01",
        "clinic/logs/framework?action=login&action=logout",
        "shop/logs/access?event_type=login&event_type=logout",
    ] {
        assert_eq!(with(other).expect(400).code(), "cursor_mismatch", "{other}");
    }
});

on_both!(a_cursor_that_was_tampered_with_is_refused, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    admin.post(PATH, (0..5).map(|n| sample("access", n)).collect::<Vec<_>>().into()).expect(201);
    let cursor = admin.get(&format!("{PATH}?limit=2")).expect(200).json["next_cursor"]
        .as_str()
        .expect("one")
        .to_owned();
    let tampered = [
        cursor[1..].to_owned(),
        format!("{cursor}A"),
        format!("{cursor}%3D"),
        cursor.to_uppercase(),
        cursor.chars().rev().collect(),
        "A".repeat(cursor.len()),
        "_".repeat(cursor.len()),
        "%F0%9F%92%A9".into(),
        "A".repeat(5000),
    ];
    for cursor in tampered {
        let answer = admin.get(&format!("{PATH}?limit=2&cursor={cursor}")).expect(400);
        assert_eq!(answer.places(), ["cursor"], "{cursor}");
    }
    // With any one character changed it is refused, or is a place in the same list, and never a server error.
    for at in 0..cursor.len() {
        let mut other = cursor.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).expect("ASCII");
        let status = admin.get(&format!("{PATH}?limit=2&cursor={other}")).status;
        assert!([200, 400].contains(&status), "{other}: {status}");
    }
});
