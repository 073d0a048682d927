//! Property tests of small parts: ids, cursors, and text as search compares it.

use logbook::http::page::Cursor;
use logbook_engine::{
    db::timestamp::Timestamp,
    event::id::{EventId, MAX_SEQ},
    order::{Order, Position},
    text::{Needle, normalize},
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
    fn an_id_says_where_its_event_is(workspace in 1..=i32::MAX, seq in 1..MAX_SEQ, at in 0..=YEAR_9999) {
        let id = EventId::new(workspace, seq, Timestamp(at));
        let text = id.to_string();
        prop_assert_eq!(EventId::parse(&text), Some(id));
        prop_assert_eq!(EventId::parse(&text.to_uppercase()), Some(id));
        prop_assert_eq!((id.workspace_id, id.seq, id.millis), (workspace, seq, at as u64 / 1000));
        prop_assert_eq!(text.len(), 36);
        prop_assert_eq!(&text[14..15], "8", "the version of RFC 9562 that is free in its contents");
        prop_assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "the variant");
    }

    #[test]
    fn ids_sort_by_time_as_texts_and_as_numbers(a in 0..=YEAR_9999, b in 0..=YEAR_9999, seq in 1..MAX_SEQ, other in 1..MAX_SEQ) {
        prop_assume!(a / 1000 != b / 1000);
        let (first, second) = (EventId::new(1, seq, Timestamp(a)), EventId::new(i32::MAX, other, Timestamp(b)));
        prop_assert_eq!(first.to_string() < second.to_string(), a < b);
        prop_assert_eq!(first.to_uuid() < second.to_uuid(), a < b);
        let (first, second) = (EventId::new(1, seq.min(other), Timestamp(a)), EventId::new(1, seq.max(other), Timestamp(a)));
        prop_assert!(first.to_uuid() <= second.to_uuid(), "of one moment, by seq");
    }

    #[test]
    fn what_is_read_as_an_id_is_that_id_and_nothing_panics(text in prop_oneof![".{0,40}", "[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"]) {
        if let Some(id) = EventId::parse(&text) {
            prop_assert_eq!(id.to_string(), text.to_lowercase());
        }
    }

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

    #[test]
    fn any_text_is_found_in_itself_and_in_what_contains_it(before in "[a-z ]{0,5}", text in any::<String>(), after in "[a-z ]{0,5}") {
        let needle = Needle::new(&text);
        prop_assert!(needle.is_in(&text));
        prop_assert!(needle.is_in(&format!("{before} {text} {after}")) || text.chars().any(is_combining), "{:?}", text);
        prop_assert!(Needle::new("").is_in(&text));
    }

    #[test]
    fn ascii_is_found_in_any_case(text in "[ -~]{0,12}", before in "[ -~]{0,4}", after in "[ -~]{0,4}") {
        let whole = format!("{before}{text}{after}");
        prop_assert!(Needle::new(&text.to_uppercase()).is_in(&whole));
        prop_assert!(Needle::new(&text.to_lowercase()).is_in(&whole.to_uppercase()));
        prop_assert_eq!(normalize(&whole), whole.to_lowercase());
    }

    #[test]
    fn the_parts_of_a_text_without_combining_signs_are_found(text in any::<String>(), from in 0..20usize, n in 1..20usize) {
        let text: String = text.chars().filter(|c| !is_combining(*c)).collect();
        let part: String = text.chars().skip(from).take(n).collect();
        prop_assert!(Needle::new(&part).is_in(&text), "{:?} in {:?}", part, text);
    }
}

/// Characters that combine with the one before them, so that a part of the text is another character. The properties do not
/// hold for them.
fn is_combining(c: char) -> bool {
    use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
    let composes_with_the_one_before = ('\u{1100}'..='\u{11ff}').contains(&c);
    let folded: Vec<char> = normalize(&c.to_string()).chars().collect();
    composes_with_the_one_before
        || folded.iter().any(|c| is_combining_mark(*c) || canonical_combining_class(*c) != 0)
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
        let answer = admin.get(&path(text)).expect(404);
        assert_eq!(answer.code(), "not_found", "{text}");
    }
    admin.get(&format!("/workspaces/clinic/logs/application/{id}")).expect(404);
});
