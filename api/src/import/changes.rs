//! Parses the `changes` column of django-auditlog, which describes each changed field, into [`Change`]s.
//!
//! ```json
//! {"name": ["Doctor", "Physician"], "auth_config": ["null", "{\"enforce_sso\": false}"],
//!  "policies": {"type": "m2m", "operation": "add", "objects": ["OpsAccess"]}}
//! ```
//!
//! Values are texts, whatever the field's type: `"None"` stands for null. A JSON field's value is its JSON as text,
//! `"null"` included. It is parsed here, so that masking sees the field names inside it, and readers the
//! differences. The column does not say which fields are JSON; a field counts as JSON if both of its values are JSON
//! and one of them is `null`, an object or an array.
//!
//! With its setting `AUDITLOG_STORE_JSON_CHANGES` the values are JSON: `{"price": [null, 10], "name": ["None", "x"]}`. Entries do
//! not say so either; one that has a value other than a text is read like that as a whole, and in it `"None"` is a name.

use logbook_engine::event::Change;
use serde_json::{Map, Value};

use super::row::{MAX_DEPTH, Reason, exact, is_exact, quoted};

/// The changes, sorted by field name; PostgreSQL's order has no meaning.
pub(super) fn changes(text: &str) -> Result<Vec<Change>, Reason> {
    let parsed: Value = serde_json::from_str(text)
        .map_err(|error| format!("changes is not JSON: {error}: {}", quoted(text)))?;
    let mut fields: Vec<(String, Value)> = match parsed {
        Value::Null => Vec::new(),
        Value::Object(fields) => fields.into_iter().collect(),
        _ => return Err("changes is not an object".into()),
    };
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let is_typed =
        fields.iter().filter_map(|(_, value)| value.as_array()).flatten().any(|value| !value.is_string());
    fields.into_iter().map(|(field, value)| change(field, value, is_typed)).collect()
}

fn change(field: String, value: Value, is_typed: bool) -> Result<Change, Reason> {
    match value {
        Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
            Ok([old, new]) if is_typed => Ok(Change::value(field, exact(old), exact(new))),
            Ok([old, new]) => {
                let (old, new) = values(old, new);
                Ok(Change::value(field, old, new))
            }
            Err(pair) => Err(format!("the change of {} has {} values, not 2", quoted(&field), pair.len())),
        },
        Value::Object(set) => set_change(field, set),
        _ => Err(format!("the change of {} is neither a pair nor a set", quoted(&field))),
    }
}

fn set_change(field: String, mut set: Map<String, Value>) -> Result<Change, Reason> {
    let kind = set.get("type").and_then(Value::as_str);
    if kind != Some("m2m") {
        return Err(format!("the change of {} is of an unknown type: {}", quoted(&field), or_none(kind)));
    }
    let Some(Value::Array(objects)) = set.remove("objects") else {
        return Err(format!("the change of {} names no objects", quoted(&field)));
    };
    match set.get("operation").and_then(Value::as_str) {
        Some("add") => Ok(Change::set(field, objects, Vec::new())),
        Some("delete") => Ok(Change::set(field, Vec::new(), objects)),
        operation => {
            let operation = or_none(operation);
            Err(format!("the change of {} has an unknown operation: {operation}", quoted(&field)))
        }
    }
}

fn or_none(text: Option<&str>) -> String {
    text.map_or_else(|| "none".into(), quoted)
}

fn values(old: Value, new: Value) -> (Value, Value) {
    let json = is_json_field(&old, &new);
    (value(old, json), value(new, json))
}

fn value(value: Value, json: bool) -> Value {
    match value {
        Value::String(text) if text == "None" => Value::Null,
        Value::String(text) if json => opened(&text).unwrap_or(Value::String(text)),
        other => other,
    }
}

fn is_json_field(old: &Value, new: &Value) -> bool {
    let mut telling = false;
    for side in [old, new] {
        match side {
            Value::String(text) if text == "None" => {}
            Value::String(text) => match opened(text) {
                Some(Value::Null | Value::Object(_) | Value::Array(_)) => telling = true,
                Some(_) => {}
                None => return false,
            },
            _ => return false,
        }
    }
    telling
}

/// JSON in a text, if all of it can be kept exactly.
fn opened(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(|value| is_kept(value, 0))
}

fn is_kept(value: &Value, depth: usize) -> bool {
    match value {
        _ if depth > MAX_DEPTH => false,
        Value::Number(number) => is_exact(number),
        Value::Array(items) => items.iter().all(|item| is_kept(item, depth + 1)),
        Value::Object(map) => map.values().all(|item| is_kept(item, depth + 1)),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(text: &str) -> Change {
        changes(text).expect("readable").pop().expect("one change")
    }

    #[test]
    fn none_is_null() {
        assert_eq!(one(r#"{"a": ["None", "x"]}"#), Change::value("a", Value::Null, json!("x")));
        assert_eq!(one(r#"{"a": ["x", "None"]}"#), Change::value("a", json!("x"), Value::Null));
        assert_eq!(one(r#"{"a": ["None", ""]}"#), Change::value("a", Value::Null, json!("")));
        assert_eq!(
            one(r#"{"a": ["None of it", "none"]}"#),
            Change::value("a", json!("None of it"), json!("none"))
        );
    }

    #[test]
    fn json_fields_are_opened() {
        let created = one(r#"{"c": ["null", "{\"sso\": false}"]}"#);
        assert_eq!(created, Change::value("c", Value::Null, json!({"sso": false})));
        let changed = one(r#"{"c": ["{\"a\": [1]}", "{}"]}"#);
        assert_eq!(changed, Change::value("c", json!({"a": [1]}), json!({})));
        assert_eq!(one(r#"{"c": ["[1]", "null"]}"#), Change::value("c", json!([1]), Value::Null));
        assert_eq!(one(r#"{"c": ["None", "{\"a\": 1}"]}"#), Change::value("c", Value::Null, json!({"a": 1})));
    }

    #[test]
    fn text_that_looks_a_little_like_json_stays_text() {
        for (old, new) in [("null", "a note"), ("1", "2"), ("true", "false"), ("{", "{}"), ("", "[]")] {
            let text = json!({"a": [old, new]}).to_string();
            assert_eq!(one(&text), Change::value("a", json!(old), json!(new)), "{old} {new}");
        }
        let large = r#"{"n": 12345678901234567890}"#;
        assert_eq!(
            one(&json!({"a": ["None", large]}).to_string()),
            Change::value("a", Value::Null, json!(large))
        );
    }

    #[test]
    fn typed_values_stay_as_they_are() {
        let typed =
            changes(r#"{"name": ["x", "None"], "price": [null, 10.5], "big": [1, 1152921504606846976]}"#);
        let expected = [
            Change::value("big", json!(1), json!("1152921504606846976")),
            Change::value("name", json!("x"), json!("None")),
            Change::value("price", Value::Null, json!(10.5)),
        ];
        assert_eq!(typed.expect("readable"), expected);
    }

    #[test]
    fn sets() {
        let add = r#"{"policies": {"type": "m2m", "objects": ["OpsAccess"], "operation": "add"}}"#;
        assert_eq!(one(add), Change::set("policies", vec![json!("OpsAccess")], vec![]));
        let delete = r#"{"policies": {"type": "m2m", "objects": ["A", "B"], "operation": "delete"}}"#;
        assert_eq!(one(delete), Change::set("policies", vec![], vec![json!("A"), json!("B")]));
    }

    #[test]
    fn in_order_of_field_and_empty() {
        let fields: Vec<_> = changes(r#"{"b": ["1", "2"], "a": ["1", "2"]}"#).expect("readable");
        assert_eq!(fields.iter().map(Change::field).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(changes("null"), Ok(vec![]));
        assert_eq!(changes("{}"), Ok(vec![]));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (text, reason) in [
            ("{", "changes is not JSON"),
            ("[]", "changes is not an object"),
            (r#"{"a": ["1"]}"#, "the change of \"a\" has 1 values, not 2"),
            (r#"{"a": "1"}"#, "the change of \"a\" is neither a pair nor a set"),
            (r#"{"a": {"type": "m2m", "operation": "set", "objects": []}}"#, "unknown operation: \"set\""),
            (r#"{"a": {"type": "x", "operation": "add", "objects": []}}"#, "unknown type: \"x\""),
            (r#"{"a": {"type": "m2m", "operation": "add"}}"#, "names no objects"),
        ] {
            let error = changes(text).expect_err(text);
            assert!(error.contains(reason), "{error}");
        }
    }
}
