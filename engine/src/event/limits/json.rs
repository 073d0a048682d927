//! The limits of what a producer sends as JSON: changed fields and metadata.

use std::ops::Deref;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::Invalid;
use crate::event::{canonical_json, change::Change, pointer::escape_pointer};

/// Longest text of one changed value or of the metadata, as JSON, in bytes.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// Most changed fields in one event.
pub const MAX_CHANGES: usize = 1000;
/// Longest name of a changed field, in characters.
pub const MAX_FIELD: usize = 255;
/// Longest label of a changed field or value, in characters.
const MAX_LABEL: usize = 1000;
/// JSON numbers are doubles in RFC 8785: larger integers would silently change.
const MAX_EXACT: u64 = 1 << 53;
/// Deepest nesting of a value.
const MAX_DEPTH: usize = 32;

/// The changed fields of an event.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Changes(Vec<Change>);

impl Changes {
    /// Canonical JSON. None when there are none.
    pub(crate) fn to_stored(&self) -> Option<String> {
        let is_plain = || self.iter().all(|change| change.each_value().all(canonical_json::is_plain));
        (!self.is_empty()).then(|| canonical_json::of_sorted(self, is_plain()))
    }

    pub(crate) fn as_mut(&mut self) -> &mut [Change] {
        &mut self.0
    }
}

impl TryFrom<Vec<Change>> for Changes {
    type Error = Invalid;

    fn try_from(changes: Vec<Change>) -> Result<Self, Invalid> {
        if changes.len() > MAX_CHANGES {
            let detail = format!("must have at most {MAX_CHANGES} changed fields");
            return Err(Invalid::new("too_many", detail));
        }
        for (i, change) in changes.iter().enumerate() {
            let field = change.field();
            if field.is_empty() || field.chars().count() > MAX_FIELD {
                let invalid = Invalid::new("length", format!("must have 1 to {MAX_FIELD} characters"));
                return Err(invalid.below(&format!("/{i}/field")));
            }
            for (place, label) in change.labels().texts() {
                if label.is_some_and(|label| label.chars().count() > MAX_LABEL) {
                    let invalid = Invalid::new("length", format!("must have at most {MAX_LABEL} characters"));
                    return Err(invalid.below(&format!("/{i}{place}")));
                }
            }
            for (place, value) in change.values() {
                check_value(value).map_err(|invalid| invalid.below(&format!("/{i}{place}")))?;
            }
        }
        Ok(Self(changes))
    }
}

impl Deref for Changes {
    type Target = [Change];

    fn deref(&self) -> &[Change] {
        &self.0
    }
}

/// Any other data of the producer: a JSON object.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// Adds or replaces one value.
    ///
    /// # Errors
    /// When the object would exceed a limit; then it is not changed.
    pub fn insert(&mut self, key: &str, value: Value) -> Result<(), Invalid> {
        let mut metadata = self.0.clone();
        metadata.insert(key.to_owned(), value);
        *self = metadata.try_into()?;
        Ok(())
    }

    /// Canonical JSON. None when it is empty.
    pub(crate) fn to_stored(&self) -> Option<String> {
        (!self.is_empty()).then(|| canonical_json::of_sorted(self, canonical_json::is_plain_map(self)))
    }

    pub(crate) fn as_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }
}

impl TryFrom<Map<String, Value>> for Metadata {
    type Error = Invalid;

    fn try_from(metadata: Map<String, Value>) -> Result<Self, Invalid> {
        let mut size = 0;
        for (key, value) in &metadata {
            size += key.len() + 4;
            size +=
                measure(value, 1).map_err(|invalid| invalid.below(&format!("/{}", escape_pointer(key))))?;
        }
        check_size(size)?;
        Ok(Self(metadata))
    }
}

impl Deref for Metadata {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Map<String, Value> {
        &self.0
    }
}

fn check_value(value: &Value) -> Result<(), Invalid> {
    check_size(measure(value, 0)?)
}

fn check_size(bytes: usize) -> Result<(), Invalid> {
    if bytes > MAX_VALUE_BYTES {
        return Err(Invalid::new("too_long", format!("must have at most {MAX_VALUE_BYTES} bytes as JSON")));
    }
    Ok(())
}

/// Compared as integers: as doubles, 2^53 and 2^53 + 1 are equal.
fn is_exact(number: &Number) -> bool {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(number), ..) => number.unsigned_abs() <= MAX_EXACT,
        (None, Some(number), _) => number <= MAX_EXACT,
        (None, None, number) => number.is_some_and(|number| number.abs() <= MAX_EXACT as f64),
    }
}

/// About how many bytes the value takes as JSON. Fails when its depth or a number is invalid.
fn measure(value: &Value, depth: usize) -> Result<usize, Invalid> {
    if depth > MAX_DEPTH {
        return Err(Invalid::new("too_deep", format!("must not nest deeper than {MAX_DEPTH} levels")));
    }
    Ok(match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(number) => {
            if !is_exact(number) {
                let detail = "numbers beyond 2^53 cannot be kept exactly; send it as a string";
                return Err(Invalid::new("number_out_of_range", detail));
            }
            8
        }
        Value::String(text) => text.len() + 2,
        Value::Array(items) => {
            items.iter().try_fold(2, |sum, item| Ok::<_, Invalid>(sum + 1 + measure(item, depth + 1)?))?
        }
        Value::Object(map) => map.iter().try_fold(2, |sum, (key, item)| {
            Ok::<_, Invalid>(sum + key.len() + 4 + measure(item, depth + 1)?)
        })?,
    })
}
