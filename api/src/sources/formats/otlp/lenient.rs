//! JSON that is read as far as it is what it should be. What has another type counts as absent, so that a wrong attribute costs
//! only itself. Nothing is kept that is not wanted: an attribute takes two texts instead of two objects.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::sources::formats::Name;

/// What is made of an object or a list. Everything else gives the default.
pub(super) trait Lenient<'de>: Default {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

/// Reads something lenient.
pub(super) struct Read<T>(pub T);

impl<'de, T: Lenient<'de>> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(PhantomData)).map(Self)
    }
}

struct Any<T>(PhantomData<T>);

impl<'de, T: Lenient<'de>> Visitor<'de> for Any<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::object(object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(list)
    }
}

/// The value of a member.
pub(super) fn value<'de, A: MapAccess<'de>, T: Lenient<'de>>(object: &mut A) -> Result<T, A::Error> {
    object.next_value::<Read<T>>().map(|read| read.0)
}

/// An `AnyValue` as plain JSON. Nesting is bounded by the parser.
#[derive(Default)]
pub(super) struct Plain(pub Value);

impl<'de> Lenient<'de> for Plain {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let Some(Name(kind)) = object.next_key()? else { return Ok(Self::default()) };
        let plain = match &*kind {
            "intValue" | "int_value" => {
                // Integers of 64 bits are texts, and some send numbers.
                let sent: Value = object.next_value()?;
                match sent.as_str().and_then(|text| text.parse::<i64>().ok()) {
                    Some(number) => number.into(),
                    None => sent,
                }
            }
            "arrayValue" | "array_value" => {
                let Values(Items(values)) = value(&mut object)?;
                Value::Array(values)
            }
            "kvlistValue" | "kvlist_value" => {
                let Values(Pairs(pairs)) = value(&mut object)?;
                Value::Object(pairs)
            }
            // Texts, truth values, doubles, and bytes as base64.
            _ => object.next_value()?,
        };
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self(plain))
    }
}

/// The `values` of an object.
#[derive(Default)]
struct Values<T>(T);

impl<'de, T: Lenient<'de>> Lenient<'de> for Values<T> {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut values = T::default();
        while let Some(Name(name)) = object.next_key()? {
            match &*name {
                "values" => values = value(&mut object)?,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Self(values))
    }
}

#[derive(Default)]
struct Items(Vec<Value>);

impl<'de> Lenient<'de> for Items {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut items = Vec::new();
        while let Some(Read(Plain(item))) = list.next_element()? {
            items.push(item);
        }
        Ok(Self(items))
    }
}

/// A list of `KeyValue` as an object. Of a repeated key the last counts.
#[derive(Default)]
pub(super) struct Pairs(pub Map<String, Value>);

impl<'de> Lenient<'de> for Pairs {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut pairs = Map::new();
        while let Some(Read(Pair { key, value })) = list.next_element()? {
            if let Some(key) = key {
                pairs.insert(key, value);
            }
        }
        Ok(Self(pairs))
    }
}

#[derive(Default)]
struct Pair {
    key: Option<String>,
    value: Value,
}

impl<'de> Lenient<'de> for Pair {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut pair = Self::default();
        while let Some(Name(name)) = object.next_key()? {
            match &*name {
                "key" => {
                    let key: Value = object.next_value()?;
                    pair.key = if let Value::String(key) = key { Some(key) } else { None };
                }
                "value" => pair.value = value::<_, Plain>(&mut object)?.0,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(pair)
    }
}
