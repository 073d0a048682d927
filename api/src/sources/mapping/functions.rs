//! The functions of mappings beside those of CEL: few, and each takes time in proportion to what it is given.

use std::sync::Arc;

use base16ct::lower::encode_string;
use cel::{
    Context, ExecutionError,
    objects::{Key, Map, Value},
};
use sha2::{Digest as _, Sha256};

use super::values::{to_cel, to_json};

/// Most changes that a function makes.
const MAX_CHANGES: usize = 1000;

/// The functions that an expression may call: CEL's own and these.
const KNOWN: &[&str] = &[
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "string",
    "int",
    "double",
    "bool",
    "has",
    "lower",
    "last",
    "trim_prefix",
    "trim_suffix",
    "json",
    "hash",
    "pairs",
    "diff",
    "without",
];

/// Those that take so little that a macro may call them for each of its elements.
const CHEAP: &[&str] = &["size", "contains", "startsWith", "endsWith", "string", "int", "has"];

pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

pub(super) fn is_cheap(name: &str) -> bool {
    CHEAP.contains(&name)
}

pub(super) fn add(context: &mut Context<'_, '_>) {
    // A name is refused only when CEL has it already, and the tests call each.
    macro_rules! add {
        ($($name:ident)*) => { $(let _ = context.add_function(stringify!($name), $name);)* };
    }
    add!(lower last trim_prefix trim_suffix json hash pairs diff without);
}

type Text = Arc<String>;
type Result<T> = std::result::Result<T, ExecutionError>;

fn failed(function: &str, message: impl Into<String>) -> ExecutionError {
    ExecutionError::FunctionError { function: function.to_owned(), message: message.into() }
}

/// In lower case.
fn lower(text: Text) -> String {
    text.to_lowercase()
}

/// What stands behind the last separator; the whole where there is none.
fn last(text: Text, separator: Text) -> String {
    text.rsplit(separator.as_str()).next().unwrap_or_default().to_owned()
}

/// Without something at the beginning.
fn trim_prefix(text: Text, prefix: Text) -> String {
    text.strip_prefix(prefix.as_str()).unwrap_or(&text).to_owned()
}

/// Without something at the end.
fn trim_suffix(text: Text, suffix: Text) -> String {
    text.strip_suffix(suffix.as_str()).unwrap_or(&text).to_owned()
}

/// The value of a JSON text; null where it is none.
fn json(text: Text) -> Value {
    serde_json::from_str(&text).map_or(Value::Null, |value| to_cel(&value))
}

/// 32 hexadecimal digits of the SHA-256 of a value, for dedupe keys.
fn hash(value: Value) -> Result<Value> {
    let value = to_json(&value).map_err(|error| failed("hash", error))?;
    let canonical =
        serde_json_canonicalizer::to_vec(&value).map_err(|error| failed("hash", error.to_string()))?;
    Ok(Value::String(Arc::new(encode_string(&Sha256::digest(canonical)[..16]))))
}

fn members(function: &str, value: Value) -> Result<Map> {
    match value {
        Value::Map(map) => Ok(map),
        Value::Null => Ok(Map { map: Arc::default() }),
        _ => Err(failed(function, "wants an object")),
    }
}

/// The members of an object by name, in the order of their names.
fn by_name(map: &Map) -> Vec<(&str, &Value)> {
    fn named<'a>((key, value): (&'a Key, &'a Value)) -> Option<(&'a str, &'a Value)> {
        match key {
            Key::String(name) => Some((name.as_str(), value)),
            _ => None,
        }
    }
    let mut members: Vec<_> = map.map.iter().filter_map(named).collect();
    members.sort_by_key(|(name, _)| *name);
    members
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let member = |(name, value): (&str, Value)| (Key::String(Arc::new(name.to_owned())), value);
    Value::Map(Map { map: Arc::new(members.into_iter().map(member).collect()) })
}

fn change(field: &str, old: Value, new: Value) -> Value {
    object([("field", Value::String(Arc::new(field.to_owned()))), ("old", old), ("new", new)])
}

fn changes(changes: Vec<Value>) -> Value {
    // An event without changes has none, and not an empty list of them.
    if changes.is_empty() { Value::Null } else { Value::List(Arc::new(changes)) }
}

/// Changes from pairs of members, such as `permission` and `permission_was`: the names of the old values and of the new ones,
/// with a `*` for the field.
fn pairs(value: Value, old: Text, new: Text) -> Result<Value> {
    let map = members("pairs", value)?;
    let wildcard = |pattern: &Text| -> Result<(String, String)> {
        let (before, after) =
            pattern.split_once('*').ok_or_else(|| failed("pairs", "a name wants a * for the field"))?;
        Ok((before.to_owned(), after.to_owned()))
    };
    let ((old_before, old_after), (new_before, new_after)) = (wildcard(&old)?, wildcard(&new)?);
    let mut found = Vec::new();
    for (name, before) in by_name(&map) {
        let field =
            name.strip_prefix(old_before.as_str()).and_then(|rest| rest.strip_suffix(old_after.as_str()));
        let Some(field) = field.filter(|field| !field.is_empty()) else { continue };
        let after = map.get(&Key::String(Arc::new(format!("{new_before}{field}{new_after}"))));
        if let Some(after) = after
            && found.len() < MAX_CHANGES
        {
            found.push(change(field, before.clone(), after.clone()));
        }
    }
    Ok(changes(found))
}

/// Changes from an object before and after.
fn diff(old: Value, new: Value) -> Result<Value> {
    let (old, new) = (members("diff", old)?, members("diff", new)?);
    let mut found = Vec::new();
    for (name, before) in by_name(&old) {
        let after = new.get(&Key::String(Arc::new(name.to_owned()))).cloned().unwrap_or(Value::Null);
        if *before != after {
            found.push(change(name, before.clone(), after));
        }
    }
    for (name, after) in by_name(&new) {
        if old.get(&Key::String(Arc::new(name.to_owned()))).is_none() {
            found.push(change(name, Value::Null, after.clone()));
        }
    }
    found.truncate(MAX_CHANGES);
    Ok(changes(found))
}

/// An object without some of its members.
fn without(value: Value, names: Value) -> Result<Value> {
    let map = members("without", value)?;
    let Value::List(names) = names else { return Err(failed("without", "wants a list of names")) };
    let left = by_name(&map).into_iter().filter(|(name, _)| {
        !names.iter().take(100).any(|it| matches!(it, Value::String(text) if text.as_str() == *name))
    });
    Ok(object(left.map(|(name, value)| (name, value.clone()))))
}
