//! Canonical JSON (RFC 8785), so that the bytes of a stored event never change.
//!
//! Most events have only integers and keys of ASCII, in sorted maps. Of those serde_json already writes canonical JSON, in
//! a third of the time.

use serde::Serialize;
use serde_json::{Map, Value};

pub(crate) fn canonical_json<T: Serialize>(value: &T) -> String {
    // It fails for numbers that are not finite and for keys that are not texts; JSON values have neither.
    serde_json_canonicalizer::to_string(value).unwrap_or_else(|_| "null".into())
}

/// Canonical JSON of a value whose members are sorted. `is_plain` says whether all values inside are ([`is_plain`]).
pub(crate) fn of_sorted<T: Serialize>(value: &T, is_plain: bool) -> String {
    if !is_plain {
        return canonical_json(value);
    }
    serde_json::to_string(value).unwrap_or_else(|_| "null".into())
}

/// True when serde_json writes the value as RFC 8785 wants it: numbers are integers that a double holds, and keys are
/// ASCII, where the order of bytes is that of UTF-16.
pub(crate) fn is_plain(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => {
            const MAX_EXACT: u64 = 1 << 53;
            number.as_i64().is_some_and(|number| number.unsigned_abs() <= MAX_EXACT)
        }
        Value::Array(items) => items.iter().all(is_plain),
        Value::Object(map) => is_plain_map(map),
    }
}

pub(crate) fn is_plain_map(map: &Map<String, Value>) -> bool {
    // serde_json's maps are sorted unless some crate of the build switches on `preserve_order`.
    map.keys().is_sorted() && map.iter().all(|(key, value)| key.is_ascii() && is_plain(value))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::event::{
        Change, Labels,
        limits::{Changes, Metadata},
    };

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-(1_i64 << 53)..=1 << 53).prop_map(Value::from),
            any::<f32>()
                .prop_filter("within the limits", |n| n.abs() < 9e15)
                .prop_map(|n| Value::from(f64::from(n))),
            "[\\PC\\x01-\\x1f\"\\\\\u{2028}\u{7f}]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..3).prop_map(Value::from),
                vec(("[a-zB\u{e9}\u{ff5e}\u{1d11e}]{0,2}", inner), 0..3)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_stored_is_canonical(old in value(), new in value(), set in vec(value(), 0..3), label: Option<String>) {
            let labels = Labels { label: label.clone(), old_label: None, new_label: label };
            let changes: Changes = vec![
                Change::value("field", old.clone(), new.clone()).labelled(labels.clone()),
                Change::set("roles", set, vec![new.clone()]).labelled(labels),
            ]
            .try_into()
            .expect("within the limits");
            prop_assert_eq!(changes.to_stored(), Some(canonical_json(&changes)));
            let metadata: Map<String, Value> = [("b".to_owned(), old), ("a".to_owned(), new)].into_iter().collect();
            let metadata: Metadata = metadata.try_into().expect("within the limits");
            prop_assert_eq!(metadata.to_stored(), Some(canonical_json(&metadata)));
        }
    }
}
