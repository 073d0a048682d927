//! Filtering by a value inside the metadata.
//!
//! A path is the keys from the top to a value, joined by dots: `request.region`. A key that contains dots itself counts
//! like several; the items of an array have the array's path. Strings are compared as they are, numbers and booleans as
//! JSON writes them; null is no value.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Accepted;

/// Longest path that can be asked for, in bytes. Values that lie deeper are only searched.
pub const MAX_PATH_BYTES: usize = 255;

/// Which values at one path are accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetadataFilter {
    pub path: String,
    pub values: Accepted<String>,
}

impl MetadataFilter {
    /// Whether an event with this metadata is accepted.
    pub fn accepts(&self, metadata: &Map<String, Value>) -> bool {
        let mut found: Vec<Cow<'_, str>> = Vec::new();
        collect(metadata, &self.path, &mut found);
        self.values.accepts(|wanted| found.iter().any(|text| text == wanted))
    }
}

/// Adds the texts of all values at the path.
fn collect<'a>(map: &'a Map<String, Value>, path: &str, found: &mut Vec<Cow<'a, str>>) {
    for (key, value) in map {
        let Some(rest) = path.strip_prefix(key.as_str()) else { continue };
        if rest.is_empty() {
            each_item(value, &mut |item| found.extend(leaf(item)));
        } else if let Some(rest) = rest.strip_prefix('.') {
            each_item(value, &mut |item| {
                if let Value::Object(map) = item {
                    collect(map, rest, found);
                }
            });
        }
    }
}

/// The value, or the items of an array, however deep.
fn each_item<'a>(value: &'a Value, visit: &mut impl FnMut(&'a Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_item(item, visit)),
        _ => visit(value),
    }
}

/// The text of a value that contains no others.
fn leaf(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Passes each value that can be asked for, with its path, to `visit`.
pub fn each_leaf(metadata: &Map<String, Value>, visit: &mut impl FnMut(&str, &str)) {
    let mut path = String::new();
    walk(metadata, "", &mut path, visit);
}

/// `dot` stands between the path and the next key; nothing stands before the first one.
fn walk(map: &Map<String, Value>, dot: &str, path: &mut String, visit: &mut impl FnMut(&str, &str)) {
    for (key, value) in map {
        let length = path.len();
        if length + dot.len() + key.len() > MAX_PATH_BYTES {
            continue;
        }
        path.push_str(dot);
        path.push_str(key);
        each_item(value, &mut |item| match item {
            Value::Object(map) => walk(map, ".", path, visit),
            _ => {
                if let Some(text) = leaf(item) {
                    visit(path, &text);
                }
            }
        });
        path.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_to_every_value_that_has_it() {
        let metadata = json!({
            "a": {"b": [1, "x", [{"c": true}]], "n": null}, "a.b": "y", "z": 1.5, "": {"": "e"},
        });
        let metadata = metadata.as_object().expect("an object");
        let mut all: Vec<(String, String)> = Vec::new();
        each_leaf(metadata, &mut |path, text| all.push((path.into(), text.into())));
        let at = |path: &str| {
            let mut found = Vec::new();
            collect(metadata, path, &mut found);
            found.sort();
            let mut walked: Vec<&str> =
                all.iter().filter(|(found, _)| found == path).map(|(_, text)| text.as_str()).collect();
            walked.sort_unstable();
            assert_eq!(found, walked, "both agree on {path}");
            found.into_iter().map(Cow::into_owned).collect::<Vec<_>>()
        };
        assert_eq!(at("a.b"), ["1", "x", "y"]);
        assert_eq!(at("a.b.c"), ["true"]);
        assert_eq!(at("a.n"), Vec::<String>::new());
        assert_eq!(at("a"), Vec::<String>::new());
        assert_eq!(at("z"), ["1.5"]);
        assert_eq!(at("."), ["e"]);
        let filter = |values| MetadataFilter { path: "a.b".into(), values };
        assert!(filter(Accepted::only(["x"])).accepts(metadata));
        assert!(!filter(Accepted::not(["x"])).accepts(metadata));
        assert!(!filter(Accepted::only(["x"])).accepts(&Map::new()));
        assert!(filter(Accepted::not(["x"])).accepts(&Map::new()));
    }

    /// A long key above many values must not cost their product.
    #[test]
    fn what_lies_too_deep_is_left_out() {
        let metadata = json!({"k".repeat(300): vec![1; 1000], "short": 1});
        let mut count = 0;
        each_leaf(metadata.as_object().expect("an object"), &mut |_, _| count += 1);
        assert_eq!(count, 1);
    }
}
