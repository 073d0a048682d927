//! Filtering by the value that a field was changed to: `status:closed`.
//!
//! The value is compared as text: strings as they are, numbers, booleans and null as JSON writes them, each value that was
//! added to a set, and the name beside the new value. Fields and values may contain colons, so a text may name several
//! pairs; it matches any of them.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    event::{
        Change,
        change::{SetChange, ValueChange},
        limits::MAX_FIELD,
    },
    text::{NEVER_CUT, Needle},
};

/// Longer names of fields are in no event.
const MAX_FIELD_BYTES: usize = 4 * MAX_FIELD;
/// Null has no text that is searched.
const NULL: &str = "null";

/// Whether a change is one of this field to this value.
pub fn is(change: &Change, wanted: &str) -> bool {
    let value = wanted.strip_prefix(change.field()).and_then(|rest| rest.strip_prefix(':'));
    let Some(value) = value else { return false };
    change.labels().new_label.as_deref() == Some(value)
        || match change {
            Change::Value(ValueChange { field: _, old: _, new, labels: _ }) => reads(new, value),
            Change::Set(SetChange { field: _, added, removed: _, labels: _ }) => {
                added.iter().any(|added| reads(added, value))
            }
        }
}

/// Whether a value that contains no others reads like this.
fn reads(value: &Value, text: &str) -> bool {
    let own: Cow<'_, str> = match value {
        Value::String(own) => own.into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string().into(),
        Value::Array(_) | Value::Object(_) => return false,
    };
    own == text
}

/// The fields that a text may name.
pub fn fields(wanted: &str) -> impl Iterator<Item = &str> {
    colons(wanted).map(|at| &wanted[..at])
}

fn colons(wanted: &str) -> impl Iterator<Item = usize> {
    let colons = wanted.match_indices(':').map(|(at, _)| at);
    colons.filter(|at| *at > 0).take_while(|at| *at <= MAX_FIELD_BYTES)
}

/// What is found in every event that matches, if something is: as a search for it would find it.
pub fn searched(wanted: &str) -> Option<Needle> {
    // Every value that may be meant ends with the shortest.
    let value = &wanted[colons(wanted).last()? + 1..];
    let is_searched = value != NULL && wanted.len() <= NEVER_CUT;
    // Of a longer one, the index may have a part only.
    (is_searched && Needle::new(wanted).normalized().len() <= NEVER_CUT).then(|| Needle::new(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::change::Labels;

    #[test]
    fn a_value_is_compared_as_text() {
        let to = |new: Value| Change::value("a", json!("old"), new);
        for (new, text) in [
            (json!("closed"), "closed"),
            (json!(""), ""),
            (json!("x:y"), "x:y"),
            (json!(1.5), "1.5"),
            (json!(-7), "-7"),
            (json!(true), "true"),
            (json!(null), "null"),
            (json!("null"), "null"),
        ] {
            assert!(is(&to(new.clone()), &format!("a:{text}")), "{new}");
            assert!(!is(&to(new.clone()), &format!("A:{text}")) && !is(&to(new), &format!("a:{text}x")));
        }
        for new in [json!([]), json!(["closed"]), json!({"closed": 1})] {
            let text = new.to_string();
            assert!(!is(&to(new.clone()), "a:closed") && !is(&to(new), &format!("a:{text}")));
        }
        assert!(
            !is(&to(json!("new")), "a:old") && !is(&to(json!("new")), "a") && !is(&to(json!("new")), "new")
        );
        let set = Change::set("a", vec![json!("in"), json!(2)], vec![json!("out")]);
        assert!(is(&set, "a:in") && is(&set, "a:2") && !is(&set, "a:out"));
        let labels = Labels { new_label: Some("Ben Kim".into()), ..Labels::default() };
        let labelled = to(json!(9)).labelled(labels);
        assert!(is(&labelled, "a:9") && is(&labelled, "a:Ben Kim") && !is(&labelled, "a:Ben"));
    }

    #[test]
    fn colons_may_be_anywhere() {
        let change = Change::value("a:b", Value::Null, json!("c:d"));
        assert!(is(&change, "a:b:c:d") && !is(&change, "a:b") && !is(&change, "a:b:c"));
        assert_eq!(fields("a:b:c:d").collect::<Vec<_>>(), ["a", "a:b", "a:b:c"]);
        assert_eq!(fields(":x").count() + fields("x").count(), 0);
        assert_eq!(fields(&":".repeat(100_000)).count(), MAX_FIELD_BYTES);
        let text = |wanted: &str| searched(wanted).map(|needle| needle.normalized().to_owned());
        assert_eq!(text("a:b:C:D").as_deref(), Some("d"));
        assert_eq!(text("status:李雷").as_deref(), Some("李雷"));
        assert_eq!((text("a:null"), text("a:b:null"), text("a")), (None, None, None));
        // Longer in its normal form than what is surely indexed.
        assert_eq!(text(&format!("a:{}", "\u{fdfa}".repeat(50))), None);
    }
}
