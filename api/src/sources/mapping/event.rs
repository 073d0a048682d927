//! Builds an event from what the expressions of a mapping gave.

use std::collections::BTreeMap;

use chrono::DateTime;
use logbook_engine::{
    db::timestamp::Timestamp,
    event::{
        Actor, ActorType, Change, Common, Log, NewEvent, Outcome, Target,
        limits::{Action, Checks, Invalid, IpAddress, MAX_ACTION, OccurredAt, Text},
    },
};
use serde::Deserialize as _;
use serde_json::{Map, Number, Value};

use super::pointer;
use crate::http::error::FieldError;

/// JSON numbers are doubles in canonical JSON; larger integers become texts.
const MAX_EXACT: u64 = 1 << 53;

type Found = BTreeMap<&'static str, Value>;

/// Takes fields and keeps what is wrong with them.
struct Taker {
    found: Found,
    checks: Checks,
    /// Fields whose event says exactly what was found.
    as_found: Vec<&'static str>,
}

impl Taker {
    fn refuse(&mut self, field: &str, code: &'static str, detail: impl Into<String>) {
        self.checks.refuse(&pointer(field), Invalid::new(code, detail.into()));
    }

    /// A field as a text: numbers and truth values become texts.
    fn text(&mut self, field: &'static str) -> Option<String> {
        match self.found.remove(field)? {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(is) => Some(is.to_string()),
            _ => {
                self.refuse(field, "invalid", "must be a text");
                None
            }
        }
    }

    fn limited<const MIN: usize, const MAX: usize>(&mut self, field: &'static str) -> Option<Text<MIN, MAX>> {
        let text = self.text(field)?;
        self.as_found.push(field);
        self.checks.optional(&pointer(field), Some(text))
    }

    /// A text that is cut where it is too long: what people read, and not what is compared.
    fn cut<const MIN: usize, const MAX: usize>(&mut self, field: &'static str) -> Option<Text<MIN, MAX>> {
        let text = self.text(field)?;
        let cut = Text::truncated(&text);
        self.keep_if(cut.len() == text.len(), field);
        Some(cut)
    }

    /// A field whose event says exactly what was found, if it does.
    fn keep_if(&mut self, is_alike: bool, field: &'static str) {
        if is_alike {
            self.as_found.push(field);
        }
    }

    /// One of a few words, in any case.
    fn word<T: Copy>(&mut self, field: &'static str, all: &[T], name: fn(T) -> &'static str) -> Option<T> {
        let text = self.text(field)?;
        let lower = text.to_lowercase();
        let found = all.iter().copied().find(|one| name(*one) == lower);
        self.keep_if(text == lower, field);
        if found.is_none() {
            let names: Vec<_> = all.iter().map(|one| name(*one)).collect();
            self.refuse(field, "invalid", format!("must be one of {}", names.join(", ")));
        }
        found
    }

    fn actor(&mut self, [kind, id, name]: [&'static str; 3]) -> Option<Actor> {
        let kind = self.word(kind, ActorType::ALL, ActorType::as_str);
        let (id, name) = (self.limited(id), self.cut(name));
        let is_there = id.is_some() || name.is_some() || kind.is_some();
        is_there.then(|| Actor { kind: kind.unwrap_or(ActorType::User), id, name })
    }

    fn action(&mut self) -> Action {
        let Some(text) = self.text("action") else {
            self.refuse("action", "missing", "the mapping finds no action");
            return Action::default();
        };
        let action = snake(&text);
        self.keep_if(action == text, "action");
        self.checks.required("/action", action)
    }

    fn occurred_at(&mut self) -> OccurredAt {
        let time = match self.found.remove("occurred_at") {
            None => return OccurredAt::now(),
            Some(time) => time_of(&time),
        };
        match time {
            Some((time, is_exact)) => {
                self.keep_if(is_exact, "occurred_at");
                self.checks.required("/occurred_at", time)
            }
            None => {
                let detail =
                    "must be a time as RFC 3339, or a number of seconds, or of parts of them, since 1970";
                self.refuse("occurred_at", "invalid", detail);
                OccurredAt::now()
            }
        }
    }

    fn targets(&mut self) -> Vec<Target> {
        let Some(Value::Array(list)) = self.found.remove("targets") else { return Vec::new() };
        let mut targets = Vec::new();
        for (place, value) in list.into_iter().enumerate() {
            let text = |name: &str| match value.get(name) {
                Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                _ => None,
            };
            let at = format!("/targets/{place}");
            targets.push(Target {
                kind: self.checks.optional(&format!("{at}/type"), text("type")),
                id: self.checks.optional(&format!("{at}/id"), text("id")),
                name: text("name").map(|name| Text::truncated(&name)),
            });
        }
        targets
    }

    fn changes(&mut self) -> Vec<Change> {
        let Some(mut value) = self.found.remove("changes") else { return Vec::new() };
        exact(&mut value);
        match Vec::<Change>::deserialize(value) {
            Ok(changes) => changes,
            Err(error) => {
                self.refuse("changes", "invalid", error.to_string());
                Vec::new()
            }
        }
    }

    fn ip_address(&mut self) -> Option<IpAddress> {
        let text = self.text("ip_address")?;
        // Vendors put names of places there too. The metadata has them.
        let address = IpAddress::try_from(text.clone()).ok()?;
        self.keep_if(*address == *text, "ip_address");
        Some(address)
    }

    fn metadata(&mut self, rest: impl FnOnce(&[&'static str]) -> Option<Value>) -> Map<String, Value> {
        match self.found.remove("metadata").or_else(|| rest(&self.as_found)) {
            None => Map::new(),
            Some(mut value @ Value::Object(_)) => {
                exact(&mut value);
                if let Value::Object(members) = value { members } else { Map::new() }
            }
            Some(_) => {
                self.refuse("metadata", "invalid", "must be an object");
                Map::new()
            }
        }
    }
}

/// `rest` gives the metadata where `found` has none. It gets the fields whose event says exactly what was found.
///
/// # Errors
/// What is wrong, by field.
pub(super) fn build(
    found: Found,
    rest: impl FnOnce(&[&'static str]) -> Option<Value>,
) -> Result<NewEvent, Vec<FieldError>> {
    let mut take = Taker { found, checks: Checks::default(), as_found: Vec::new() };
    let is_given = take.found.contains_key("log");
    let log = take.word("log", &Log::OF_PRODUCERS, Log::as_str);
    if !is_given {
        take.refuse("log", "missing", "the mapping does not say in which log it belongs");
    }
    let action = take.action();
    let mut common = Common::new(log.unwrap_or(Log::Framework), action);
    common.outcome = take.word("outcome", Outcome::ALL, Outcome::as_str).unwrap_or(Outcome::Success);
    common.outcome_reason = take.cut("outcome_reason");
    common.actor = take.actor(["actor.type", "actor.id", "actor.name"]);
    common.on_behalf_of = take.actor(["on_behalf_of.type", "on_behalf_of.id", "on_behalf_of.name"]);
    common.role = take.limited("role");
    common.purpose = take.cut("purpose");
    common.target = Target {
        kind: take.limited("target.type"),
        id: take.limited("target.id"),
        name: take.cut("target.name"),
    };
    let (mut targets, first) = (take.targets(), &common.target);
    // Vendors list the first among the others.
    targets.retain(|target| (&target.kind, &target.id) != (&first.kind, &first.id));
    common.targets = take.checks.required("/targets", targets);
    common.ip_address = take.ip_address();
    common.user_agent = take.cut("user_agent");
    common.session_id = take.limited("session_id");
    common.correlation_id = take.limited("correlation_id");
    common.epoch = take.limited("epoch");
    let sequence = take.text("sequence");
    let number = sequence.as_deref().map(str::parse::<i64>);
    match number {
        Some(Ok(number)) => {
            take.as_found.push("sequence");
            common.sequence = take.checks.optional("/sequence", Some(number));
        }
        Some(Err(_)) => take.refuse("sequence", "invalid", "must be a whole number"),
        None => {}
    }
    let occurred_at = take.occurred_at();
    let dedupe_key = take.text("dedupe_key");
    let dedupe_key = take.checks.optional("/dedupe_key", dedupe_key);
    let (changes, metadata) = (take.changes(), take.metadata(rest));
    let event = NewEvent {
        occurred_at,
        dedupe_key,
        common,
        changes: take.checks.required("/changes", changes),
        metadata: take.checks.required("/metadata", metadata),
    };
    take.checks.finish().map_err(FieldError::all)?;
    Ok(event)
}

/// Lower snake case: `user.session.start`, `userLogin` and `USER-UPDATE` become `user_session_start`, `user_login` and
/// `user_update`. Longer ones are cut.
fn snake(text: &str) -> String {
    let mut snake = String::new();
    let mut was_lower = false;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && was_lower {
                snake.push('_');
            }
            was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
            snake.push(c.to_ascii_lowercase());
        } else {
            was_lower = false;
            if !snake.is_empty() && !snake.ends_with('_') {
                snake.push('_');
            }
        }
        if snake.len() >= MAX_ACTION {
            break;
        }
    }
    let snake = snake.trim_matches('_');
    // An action begins with a letter.
    let snake = if snake.starts_with(|first: char| first.is_ascii_digit()) {
        format!("n{snake}")
    } else {
        snake.to_owned()
    };
    snake.chars().take(MAX_ACTION).collect()
}

/// A time as RFC 3339, or as a number: seconds below 10^11 (the year 5138), then milliseconds below 10^14, microseconds below
/// 10^17, and nanoseconds. And whether the timestamp says the same: fractions are rounded, and it has no zone.
pub(super) fn time_of(time: &Value) -> Option<(Timestamp, bool)> {
    let (micros, is_exact) = match time {
        Value::String(text) => match DateTime::parse_from_rfc3339(text.trim()) {
            Ok(time) => {
                let is_exact = time.offset().local_minus_utc() == 0
                    && time.timestamp_subsec_nanos().is_multiple_of(1000);
                (time.timestamp_micros(), is_exact)
            }
            Err(_) => match text.trim().parse::<i64>() {
                Ok(number) => whole(number),
                Err(_) => (fraction(text.trim().parse().ok()?)?, false),
            },
        },
        Value::Number(number) => match number.as_i64() {
            Some(number) => whole(number),
            None => (fraction(number.as_f64()?)?, false),
        },
        _ => return None,
    };
    Some((Timestamp(micros), is_exact))
}

/// In microseconds, and whether nothing is lost.
fn whole(number: i64) -> (i64, bool) {
    match number.unsigned_abs() {
        0..100_000_000_000 => (number * 1_000_000, true),
        100_000_000_000..100_000_000_000_000 => (number * 1000, true),
        100_000_000_000_000..100_000_000_000_000_000 => (number, true),
        _ => (number / 1000, number % 1000 == 0),
    }
}

fn fraction(number: f64) -> Option<i64> {
    if !number.is_finite() {
        return None;
    }
    let micros = match number.abs() {
        size if size < 1e11 => number * 1e6,
        size if size < 1e14 => number * 1e3,
        size if size < 1e17 => number,
        _ => number / 1e3,
    };
    Some(micros.round() as i64)
}

/// Integers beyond 2^53 as texts, since they would silently change.
fn exact(value: &mut Value) {
    match value {
        Value::Number(number) if !is_exact(number) => *value = Value::String(number.to_string()),
        Value::Array(list) => list.iter_mut().for_each(exact),
        Value::Object(members) => members.values_mut().for_each(exact),
        _ => {}
    }
}

fn is_exact(number: &Number) -> bool {
    match (number.as_i64(), number.as_u64()) {
        (Some(number), _) => number.unsigned_abs() <= MAX_EXACT,
        (None, Some(_)) => false,
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn actions_are_lower_snake_case() {
        for (text, action) in [
            ("user.session.start", "user_session_start"),
            ("userLogin", "user_login"),
            ("USER-UPDATE", "user_update"),
            ("LOGIN_ERROR", "login_error"),
            ("  door opened!", "door_opened"),
            ("2fa", "n2fa"),
            ("\u{e9}\u{e9}", ""),
            ("io.acme.Invoice.deleted", "io_acme_invoice_deleted"),
        ] {
            assert_eq!(snake(text), action);
        }
        assert_eq!(snake(&"a".repeat(100)).len(), 64);
    }

    #[test]
    fn a_time_is_exact_unless_something_of_it_is_lost() {
        let is_exact = |time: Value| time_of(&time).map(|(_, is_exact)| is_exact);
        for exact in [json!("2025-11-24T16:00:00.5Z"), json!(1_764_000_000), json!("1764000000500000000")] {
            assert_eq!(is_exact(exact.clone()), Some(true), "{exact}");
        }
        for lossy in [
            json!("2025-11-24T17:00:00+01:00"),
            json!("2025-11-24T16:00:00.000000001Z"),
            json!(1_764_000_000_500_000_001_i64),
            json!(1_764_000_000.5),
        ] {
            assert_eq!(is_exact(lossy.clone()), Some(false), "{lossy}");
        }
    }

    #[test]
    fn times_are_told_by_their_size() {
        let at = 1_764_000_000_500_000;
        for time in [
            json!("2025-11-24T16:00:00.5Z"),
            json!("2025-11-24T17:00:00.5+01:00"),
            json!(1_764_000_000.5),
            json!("1764000000.5"),
            json!(1_764_000_000_500_i64),
            json!("1764000000500"),
            json!(1_764_000_000_500_000_i64),
            json!("1764000000500000000"),
        ] {
            assert_eq!(time_of(&time).map(|(time, _)| time), Some(Timestamp(at)), "{time}");
        }
        for no_time in [json!("yesterday"), json!(true), json!({}), json!("NaN"), json!("")] {
            assert_eq!(time_of(&no_time), None, "{no_time}");
        }
    }
}
