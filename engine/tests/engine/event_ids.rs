//! Public ids: a round trip, their order, and what is no id.

use logbook_engine::{
    db::timestamp::Timestamp,
    event::id::{EventId, MAX_SEQ},
};
use proptest::prelude::*;

const YEAR_9999: i64 = 253_402_300_799_999_999;

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
}
