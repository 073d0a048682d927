//! A row of a table as the source returns it: a text or nothing per column, with parsers for the types of Django's columns.

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;
use logbook_engine::{
    db::timestamp::Timestamp,
    event::{
        Actor, ActorType,
        limits::{Invalid, IpAddress, Text},
    },
};
use serde_json::{Map, Value};

/// Why a row cannot become an event; goes to the rejects file.
pub(super) type Reason = String;

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub id: i64,
    /// The row's place in the file, if the source is one: 1 is the first after the header.
    pub record: Option<u64>,
    /// The number that was read before, in a lane of numbers that grow.
    pub told: i64,
    columns: Arc<[String]>,
    /// Empty text is nothing: a CSV cannot tell the two apart.
    values: Vec<Option<String>>,
}

impl Row {
    /// `columns` and `values` have the same length.
    pub(super) fn new(
        id: i64,
        record: Option<u64>,
        columns: Arc<[String]>,
        values: Vec<Option<String>>,
    ) -> Self {
        let values = values.into_iter().map(|value| value.filter(|text| !text.is_empty())).collect();
        Self { id, record, told: 0, columns, values }
    }

    /// The column's text; None when it is null, empty, or not in this source.
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        let place = self.columns.iter().position(|name| name == column)?;
        self.values.get(place)?.as_deref()
    }

    pub(super) fn owned(&self, column: &str) -> Option<String> {
        self.text(column).map(str::to_owned)
    }

    pub(super) fn required(&self, column: &str) -> Result<&str, Reason> {
        self.text(column).ok_or_else(|| format!("{column} is missing"))
    }

    pub(super) fn integer(&self, column: &str) -> Result<Option<i64>, Reason> {
        let parse = |text: &str| {
            text.parse().map_err(|_| format!("{column} is not a whole number: {}", quoted(text)))
        };
        self.text(column).map(parse).transpose()
    }

    /// `t`, `true`, `1`, `f`, `false`, `0` in any case, as PostgreSQL, SQLite and others write them.
    pub(super) fn boolean(&self, column: &str) -> Result<bool, Reason> {
        let text = self.required(column)?;
        match text.to_ascii_lowercase().as_str() {
            "t" | "true" | "1" => Ok(true),
            "f" | "false" | "0" => Ok(false),
            _ => Err(format!("{column} is neither true nor false: {}", quoted(text))),
        }
    }

    pub(super) fn instant(&self, column: &str) -> Result<Timestamp, Reason> {
        let text = self.required(column)?;
        instant(text).ok_or_else(|| format!("{column} is not a time with an offset: {}", quoted(text)))
    }

    /// As [`Row::instant`]; a time without an offset is of this zone, or the earlier one where a clock was set back.
    pub(super) fn instant_in(&self, column: &str, zone: Tz) -> Result<Timestamp, Reason> {
        let text = self.required(column)?;
        instant(text)
            .or_else(|| local_instant(text, zone))
            .ok_or_else(|| format!("{column} is not a time: {}", quoted(text)))
    }

    /// The column's JSON, as it can be kept. None when there is none.
    pub(super) fn json(&self, column: &str) -> Result<Option<Value>, Reason> {
        let parse =
            |text: &str| serde_json::from_str(text).map_err(|error| format!("{column} is not JSON: {error}"));
        self.text(column).map(parse).transpose().map(|value| value.map(exact))
    }

    /// An `inet` without its mask, which PostgreSQL writes as `/32` when it is cast to text.
    pub(super) fn address(&self, column: &str) -> Result<Option<IpAddress>, Reason> {
        let Some(text) = self.text(column) else { return Ok(None) };
        let address = text.split_once('/').map_or(text, |(address, _)| address);
        match IpAddress::try_from(address.to_owned()) {
            Ok(address) => Ok(Some(address)),
            Err(_) => Err(format!("{column} is not an address: {}", quoted(text))),
        }
    }

    /// The column's text within an event's limits; None when there is none.
    pub(super) fn limited<const MIN: usize, const MAX: usize>(
        &self,
        column: &str,
    ) -> Result<Option<Text<MIN, MAX>>, Reason> {
        self.text(column).map(|text| limited(column, text)).transpose()
    }

    /// The row as an object, for the rejects file.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        let value = |value: &Option<String>| value.clone().map_or(Value::Null, Value::String);
        self.columns.iter().cloned().zip(self.values.iter().map(value)).collect()
    }
}

/// `2026-11-22 20:48:58.323338+00`, `2026-11-22T20:48:58Z` and what lies between, to the microsecond.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp(time.timestamp_micros()));
    }
    let text = text.trim().replacen('T', " ", 1);
    // `%#z` takes offsets without minutes, as PostgreSQL writes them.
    let time = DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f%#z").ok()?;
    Some(Timestamp(time.timestamp_micros()))
}

/// `2026-11-22 20:48:58.323338` in this zone.
fn local_instant(text: &str, zone: Tz) -> Option<Timestamp> {
    let text = text.trim().replacen('T', " ", 1);
    let time = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    Some(Timestamp(time.and_local_timezone(zone).earliest()?.timestamp_micros()))
}

/// The value, with a text in place of what canonical JSON cannot hold: integers past 2^53, and what is nested too deeply for
/// an event.
pub(super) fn exact(value: Value) -> Value {
    fn kept(value: Value, depth: usize) -> Value {
        match value {
            Value::Number(number) if !is_exact(&number) => Value::String(number.to_string()),
            Value::Array(_) | Value::Object(_) if depth > MAX_DEPTH => Value::String(value.to_string()),
            Value::Array(items) => items.into_iter().map(|item| kept(item, depth + 1)).collect(),
            Value::Object(map) => map.into_iter().map(|(key, item)| (key, kept(item, depth + 1))).collect(),
            other => other,
        }
    }
    kept(value, 0)
}

/// Events have no values nested deeper than 32 levels; two are those of the metadata around them.
pub(super) const MAX_DEPTH: usize = 29;

/// Whether canonical JSON, whose numbers are doubles, can hold it.
pub(super) fn is_exact(number: &serde_json::Number) -> bool {
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    number.as_f64().is_some_and(|number| number.abs() < MAX_EXACT)
}

/// A value within an event's limits. `what` names it in the reason.
pub(super) fn limited<T, V>(what: &str, value: V) -> Result<T, Reason>
where
    T: TryFrom<V, Error = Invalid>,
{
    T::try_from(value).map_err(|Invalid { pointer, code: _, detail }| format!("{what}{pointer} {detail}"))
}

/// A person, by their id in the source.
pub(super) fn person(kind: ActorType, id: i64, name: Option<String>) -> Result<Actor, Reason> {
    let name = name.map(|name| limited("actor name", name)).transpose()?;
    Ok(Actor { kind, id: Some(Text::truncated(&id.to_string())), name })
}

/// Text of a source inside a message: never long, never more than one line.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{dots}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: &[&str], values: &[&str]) -> Row {
        let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
        Row::new(1, None, columns.into(), values.iter().map(|value| Some((*value).to_owned())).collect())
    }

    #[test]
    fn times_of_every_form() {
        let expected = Some(Timestamp(1_795_380_538_323_338));
        for text in [
            "2026-11-22 20:48:58.323338+00",
            "2026-11-22T20:48:58.323338+00:00",
            "2026-11-22T20:48:58.323338Z",
            "2026-11-23 02:18:58.323338+05:30",
            "2026-11-23 02:18:58.323338+0530",
            "2026-11-22 15:48:58.323338-05",
        ] {
            assert_eq!(instant(text), expected, "{text}");
        }
        assert_eq!(instant("2026-11-22 20:48:58+00"), Some(Timestamp(1_795_380_538_000_000)));
        for text in ["", "soon", "infinity", "2026-11-22", "2026-13-22 20:48:58+00", "2026-11-22 20:48:58"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn times_of_a_zone() {
        let instant =
            |text: &str, zone: &str| row(&["t"], &[text]).instant_in("t", zone.parse().expect("a zone"));
        assert_eq!(instant("2026-11-22 20:48:58.323338", "UTC"), Ok(Timestamp(1_795_380_538_323_338)));
        assert_eq!(
            instant("2026-11-23T02:18:58.323338", "Asia/Kolkata"),
            Ok(Timestamp(1_795_380_538_323_338))
        );
        assert_eq!(
            instant("2026-11-22 20:48:58.323338+00", "Asia/Kolkata"),
            Ok(Timestamp(1_795_380_538_323_338))
        );
        // The hour that there was twice, and the one that there was not.
        assert_eq!(instant("2026-10-25 02:30:00", "Europe/Oslo"), instant("2026-10-25 00:30:00", "UTC"));
        assert!(instant("2026-03-29 02:30:00", "Europe/Oslo").is_err() && instant("soon", "UTC").is_err());
    }

    #[test]
    fn what_json_cannot_hold_becomes_text() {
        let value = exact(serde_json::json!({"large": 1_u64 << 60, "small": -5, "half": 0.5}));
        assert_eq!(value, serde_json::json!({"large": "1152921504606846976", "small": -5, "half": 0.5}));
        let deep = format!("{}{}", "[".repeat(60), "]".repeat(60));
        let kept = exact(serde_json::from_str(&deep).expect("JSON"));
        let metadata = Map::from_iter([("a".to_owned(), kept)]);
        assert!(logbook_engine::event::limits::Metadata::try_from(metadata).is_ok());
    }

    #[test]
    fn columns_by_type() {
        let row = row(&["a", "b", "c", "d"], &["t", "127.0.0.1/32", "", "x"]);
        assert_eq!(row.boolean("a"), Ok(true));
        assert_eq!(row.address("b").expect("readable").as_deref(), Some("127.0.0.1"));
        assert_eq!(row.text("c"), None);
        assert_eq!(row.integer("c"), Ok(None));
        assert_eq!(row.boolean("d"), Err("d is neither true nor false: \"x\"".into()));
        assert_eq!((row.instant_in("d", Tz::UTC).is_err(), row.json("d").is_err()), (true, true));
        assert!(row.address("d").is_err() && row.integer("d").is_err() && row.instant("c").is_err());
        assert_eq!(row.text("no such column"), None);
    }
}
