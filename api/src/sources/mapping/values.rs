//! Values on their way from JSON into expressions and back.

use std::sync::Arc;

use cel::objects::{Key, Map, Value as Cel};
use serde_json::Value;

/// Elements of a list, and members of an object, that expressions see: the first ones.
const MOST_MEMBERS: usize = 1000;
/// Bytes of a text that expressions see.
const LONGEST_TEXT: usize = 20_000;
/// What one expression gives at most, as about so many bytes of JSON.
const MOST_BYTES: usize = 256 * 1024;
/// Characters of an error that are told.
const LONGEST_ERROR: usize = 300;

/// A JSON value as expressions see it.
pub(super) fn to_cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(is) => Cel::Bool(*is),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Cel::Int(number),
            (None, Some(number)) => Cel::UInt(number),
            (None, None) => Cel::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Cel::String(Arc::new(cut(text, LONGEST_TEXT).to_owned())),
        Value::Array(list) => Cel::List(Arc::new(list.iter().take(MOST_MEMBERS).map(to_cel).collect())),
        Value::Object(object) => object_to_cel(object),
    }
}

/// An object as expressions see it.
pub(super) fn object_to_cel(object: &serde_json::Map<String, Value>) -> Cel {
    let member = |(name, value): (&String, &Value)| (Key::String(Arc::new(name.clone())), to_cel(value));
    Cel::Map(Map { map: Arc::new(object.iter().take(MOST_MEMBERS).map(member).collect()) })
}

/// What an expression gives that is the name of this value.
///
/// # Errors
/// When it is larger than an event may be.
pub(super) fn named(value: &Value) -> Result<Value, String> {
    match value {
        Value::String(text) => Ok(cut(text, LONGEST_TEXT).into()),
        Value::Array(_) | Value::Object(_) => to_json(&to_cel(value)),
        _ => Ok(value.clone()),
    }
}

/// What an expression gave, as JSON.
///
/// # Errors
/// When it is larger than an event may be, or no value of JSON.
pub(super) fn to_json(value: &Cel) -> Result<Value, String> {
    let mut left = MOST_BYTES;
    json(value, &mut left)
}

fn json(value: &Cel, left: &mut usize) -> Result<Value, String> {
    let size = match value {
        Cel::String(text) => text.len() + 3,
        _ => 8,
    };
    *left = left.checked_sub(size).ok_or("what it gives is too large")?;
    Ok(match value {
        Cel::Null => Value::Null,
        Cel::Bool(is) => (*is).into(),
        Cel::Int(number) => (*number).into(),
        Cel::UInt(number) => (*number).into(),
        Cel::Float(number) => serde_json::Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Cel::String(text) => text.as_str().into(),
        Cel::List(list) => {
            Value::Array(list.iter().map(|value| json(value, left)).collect::<Result<_, _>>()?)
        }
        Cel::Map(map) => {
            let mut members = serde_json::Map::new();
            for (key, value) in map.map.iter() {
                let name = key.to_string();
                *left = left.checked_sub(name.len()).ok_or("what it gives is too large")?;
                members.insert(name, json(value, left)?);
            }
            Value::Object(members)
        }
        _ => return Err("it gives something that JSON does not have".to_owned()),
    })
}

/// The beginning of a text, of at most so many bytes.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    &text[..end]
}

/// An error of an expression, which may repeat a large value.
pub(super) fn shortened(error: &str) -> String {
    let short = cut(error, LONGEST_ERROR);
    if short.len() < error.len() { format!("{short} …") } else { short.to_owned() }
}
