//! Cursors as property tests, and ids that were never given out.

use logbook::http::page::Cursor;
use logbook_engine::{
    db::timestamp::Timestamp,
    event::id::{EventId, MAX_SEQ},
    order::{Order, Position},
};
use logbook_tests::on_both;
use proptest::prelude::*;
use serde_json::json;

const YEAR_9999: i64 = 253_402_300_799_999_999;

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::Asc), Just(Order::Desc)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cursor_comes_back(order in order(), at in 0..=YEAR_9999, seq in 0..MAX_SEQ, filter_hash in any::<[u8; 8]>()) {
        let position = Position { occurred_at: Timestamp(at), seq };
        let text = Cursor { order, position, filter_hash }.encode();
        prop_assert_eq!(Cursor::decode(&text, order, filter_hash).expect("ours"), position);
        let turned = if order == Order::Asc { Order::Desc } else { Order::Asc };
        prop_assert_eq!(Cursor::decode(&text, turned, filter_hash).expect_err("another order").code.name(), "cursor_mismatch");
        let mut other = filter_hash;
        other[7] ^= 1;
        prop_assert_eq!(Cursor::decode(&text, order, other).expect_err("other filters").code.name(), "cursor_mismatch");
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "safe in an address");
    }

    #[test]
    fn no_text_makes_reading_a_cursor_panic(text in prop_oneof![".{0,60}", "[A-Za-z0-9_-]{35}"], order in order()) {
        if let Err(problem) = Cursor::decode(&text, order, [0; 8]) {
            prop_assert!(problem.code.name().starts_with("cursor_"));
        }
    }
}

on_both!(an_id_that_was_never_given_out_is_nowhere, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event = json!([{"event_type": "login", "occurred_at": "2026-10-01T00:00:00Z"}]);
    let answer = admin.post("/workspaces/clinic/logs/access", event).expect(201);
    let id = EventId::parse(answer.json["results"][0]["id"].as_str().expect("an id")).expect("ours");
    let path = |id: &str| format!("/workspaces/clinic/logs/access/{id}");
    admin.get(&path(&id.to_string())).expect(200);
    let near = [
        EventId { seq: 2, ..id },
        EventId { seq: 0, ..id },
        EventId { millis: id.millis + 1, ..id },
        EventId { workspace_id: id.workspace_id + 1, ..id },
        EventId { workspace_id: 0, ..id },
        EventId { seq: MAX_SEQ - 1, ..id },
    ];
    for id in near {
        assert_eq!(admin.get(&path(&id.to_string())).expect(404).code(), "not_found");
    }
    let plain = id.to_uuid().simple().to_string();
    for text in [
        "1",
        "0",
        "x",
        "%00",
        "%FF",
        "..",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "ffffffff-ffff-8fff-bfff-ffffffffffff",
        &plain,
    ] {
        // What is no path in its normal form is refused before anything is looked for.
        let expected = if ["%00", "%FF", ".."].contains(&text) { "invalid_path" } else { "not_found" };
        assert_eq!(admin.get(&path(text)).code(), expected, "{text}");
    }
    admin.get(&format!("/workspaces/clinic/logs/application/{id}")).expect(404);
});
