//! One changed field of an event, and how it is parsed.

use std::marker::PhantomData;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
    ser::SerializeMap as _,
};
use serde_json::Value;
use utoipa::ToSchema;

/// One changed field. Of a value: what it was and what it is. Of a set: what came and what went.
#[derive(Clone, Debug, PartialEq, ToSchema)]
#[serde(untagged)]
pub enum Change {
    Value(ValueChange),
    Set(SetChange),
}

/// Names beside what only a program understands: of the field, of the old value, of the new one. Of a set: of what was
/// removed and what was added.
#[derive(Clone, Debug, Default, PartialEq, Eq, ToSchema)]
pub struct Labels {
    #[schema(max_length = 1000, example = "Doctor", nullable = false)]
    pub label: Option<String>,
    #[schema(max_length = 1000, example = "Asha Rao", nullable = false)]
    pub old_label: Option<String>,
    #[schema(max_length = 1000, example = "Ben Kim", nullable = false)]
    pub new_label: Option<String>,
}

impl Labels {
    /// Each label, with its JSON pointer inside the change.
    pub fn texts(&self) -> [(&'static str, Option<&str>); 3] {
        let Self { label, old_label, new_label } = self;
        [
            ("/label", label.as_deref()),
            ("/old_label", old_label.as_deref()),
            ("/new_label", new_label.as_deref()),
        ]
    }

    /// As [`Labels::texts`], mutable.
    pub fn texts_mut(&mut self) -> [(&'static str, Option<&mut String>); 3] {
        let Self { label, old_label, new_label } = self;
        [("/label", label.as_mut()), ("/old_label", old_label.as_mut()), ("/new_label", new_label.as_mut())]
    }
}

#[derive(Clone, Debug, PartialEq, ToSchema)]
pub struct ValueChange {
    #[schema(example = "status")]
    pub field: String,
    /// Any JSON value; null where there was none.
    #[schema(required)]
    pub old: Value,
    /// Any JSON value; null where there is none now.
    #[schema(required)]
    pub new: Value,
    #[serde(flatten)]
    pub labels: Labels,
}

#[derive(Clone, Debug, PartialEq, ToSchema)]
pub struct SetChange {
    #[schema(example = "roles")]
    pub field: String,
    pub added: Vec<Value>,
    pub removed: Vec<Value>,
    #[serde(flatten)]
    pub labels: Labels,
}

/// With the members in the order of canonical JSON, so that it need not be sorted again; labels that are absent are not
/// there.
impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Labels { label, old_label, new_label } = self.labels();
        let mut map = serializer.serialize_map(None)?;
        let text = |map: &mut S::SerializeMap, name: &'static str, text: &Option<String>| match text {
            Some(text) => map.serialize_entry(name, text),
            None => Ok(()),
        };
        match self {
            Self::Value(ValueChange { field, old, new, labels: _ }) => {
                map.serialize_entry("field", field)?;
                text(&mut map, "label", label)?;
                map.serialize_entry("new", new)?;
                text(&mut map, "new_label", new_label)?;
                map.serialize_entry("old", old)?;
                text(&mut map, "old_label", old_label)?;
            }
            Self::Set(SetChange { field, added, removed, labels: _ }) => {
                map.serialize_entry("added", added)?;
                map.serialize_entry("field", field)?;
                text(&mut map, "label", label)?;
                text(&mut map, "new_label", new_label)?;
                text(&mut map, "old_label", old_label)?;
                map.serialize_entry("removed", removed)?;
            }
        }
        map.end()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeParts {
    field: String,
    #[serde(default)]
    old: Option<Value>,
    #[serde(default)]
    new: Option<Value>,
    #[serde(default)]
    added: Option<Vec<Value>>,
    #[serde(default)]
    removed: Option<Vec<Value>>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    old_label: Option<String>,
    #[serde(default)]
    new_label: Option<String>,
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts: ChangeParts = object(deserializer)?;
        parts.try_into().map_err(serde::de::Error::custom)
    }
}

/// Deserializes an object and nothing else. serde's derive would also accept an array, with its items in the order of
/// the fields.
///
/// # Errors
/// The deserializer's.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Objects<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Objects<T> {
        type Value = T;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Objects(PhantomData))
}

impl TryFrom<ChangeParts> for Change {
    type Error = &'static str;

    fn try_from(parts: ChangeParts) -> Result<Self, Self::Error> {
        let ChangeParts { field, old, new, added, removed, label, old_label, new_label } = parts;
        let labels = Labels { label, old_label, new_label };
        if added.is_none() && removed.is_none() {
            let (old, new) = (old.unwrap_or(Value::Null), new.unwrap_or(Value::Null));
            return Ok(Self::Value(ValueChange { field, old, new, labels }));
        }
        if old.is_some() || new.is_some() {
            return Err("a change has old and new, or added and removed, not both");
        }
        let (added, removed) = (added.unwrap_or_default(), removed.unwrap_or_default());
        Ok(Self::Set(SetChange { field, added, removed, labels }))
    }
}

impl Change {
    pub fn value(field: impl Into<String>, old: Value, new: Value) -> Self {
        Self::Value(ValueChange { field: field.into(), old, new, labels: Labels::default() })
    }

    pub fn set(field: impl Into<String>, added: Vec<Value>, removed: Vec<Value>) -> Self {
        Self::Set(SetChange { field: field.into(), added, removed, labels: Labels::default() })
    }

    pub fn field(&self) -> &str {
        match self {
            Self::Value(change) => &change.field,
            Self::Set(change) => &change.field,
        }
    }

    pub fn labels(&self) -> &Labels {
        match self {
            Self::Value(change) => &change.labels,
            Self::Set(change) => &change.labels,
        }
    }

    pub fn labels_mut(&mut self) -> &mut Labels {
        match self {
            Self::Value(change) => &mut change.labels,
            Self::Set(change) => &mut change.labels,
        }
    }

    /// The same change with names beside its values.
    pub fn labelled(mut self, labels: Labels) -> Self {
        *self.labels_mut() = labels;
        self
    }

    /// Old and new, or everything that was added and removed, without pointers.
    pub fn each_value(&self) -> impl Iterator<Item = &Value> {
        let (pair, added, removed) = match self {
            Self::Value(ValueChange { field: _, old, new, labels: _ }) => {
                (Some([old, new]), [].iter(), [].iter())
            }
            Self::Set(SetChange { field: _, added, removed, labels: _ }) => {
                (None, added.iter(), removed.iter())
            }
        };
        pair.into_iter().flatten().chain(added).chain(removed)
    }

    /// Old and new, or everything that was added and removed, with the JSON pointer of each inside the change.
    pub fn values(&self) -> Vec<(String, &Value)> {
        match self {
            Self::Value(ValueChange { field: _, old, new, labels: _ }) => {
                vec![("/old".into(), old), ("/new".into(), new)]
            }
            Self::Set(SetChange { field: _, added, removed, labels: _ }) => {
                let added = added.iter().enumerate().map(|(i, value)| (format!("/added/{i}"), value));
                let removed = removed.iter().enumerate().map(|(i, value)| (format!("/removed/{i}"), value));
                added.chain(removed).collect()
            }
        }
    }
}
