//! Elements that already are events of Logbook.

use std::fmt;

use logbook_engine::event::Log;
use serde::{
    Deserializer as _,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::formats::Name;

/// Whether an object is one: it says in which log it belongs, and what happened. It is read only until that is certain, since both
/// usually stand at the beginning.
pub(super) fn is_own(value: &RawValue) -> bool {
    let mut said = Said::default();
    // What is left is an error, too.
    drop(serde_json::Deserializer::from_str(value.get()).deserialize_map(&mut said));
    said.log && said.action
}

#[derive(Default)]
struct Said {
    log: bool,
    action: bool,
}

impl<'de> Visitor<'de> for &mut Said {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while !(self.log && self.action)
            && let Some(Name(name)) = object.next_key()?
        {
            match &*name {
                "log" => {
                    let log: Value = object.next_value()?;
                    self.log = Log::OF_PRODUCERS.iter().any(|known| log == known.as_str());
                }
                "event_type" | "action" => {
                    self.action |= object.next_value::<Option<IgnoredAny>>()?.is_some()
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_in_which_log_it_belongs_and_what_happened() {
        for (text, expected) in [
            (r#"{"log":"access","event_type":"login"}"#, true),
            (r#"{"model":"a","action":"b","log":"application","more":[1]}"#, true),
            (r#"{"log":"framework","action":null}"#, false),
            (r#"{"log":"activity","action":"a"}"#, false),
            (r#"{"log":7,"action":"a"}"#, false),
            (r#"{"log":"access"}"#, false),
            (r#"{"action":"a"}"#, false),
            (r#""log""#, false),
            ("[]", false),
        ] {
            let value = serde_json::from_str(text).expect("JSON");
            assert_eq!(is_own(value), expected, "{text}");
        }
    }
}
