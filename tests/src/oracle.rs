//! What a list should show, said as simply as possible and without the server's own code: filter the events that were
//! sent, then sort them.

use std::collections::BTreeMap;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

/// An event as it was sent, and what the server answered for it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub event: Value,
    pub id: String,
    pub seq: i64,
    /// Microseconds since 1970.
    pub at: i64,
}

/// A list's parameters.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub log: &'static str,
    pub since: Option<i64>,
    pub until: Option<i64>,
    pub q: Option<String>,
    pub filters: BTreeMap<&'static str, Vec<String>>,
    pub ascending: bool,
    pub limit: usize,
}

impl Query {
    /// All parameters but those of paging.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        parameters.extend(self.since.map(|at| ("since", rfc3339(at))));
        parameters.extend(self.until.map(|at| ("until", rfc3339(at))));
        parameters.extend(self.q.clone().map(|q| ("q", q)));
        for (name, values) in &self.filters {
            parameters.extend(values.iter().map(|value| (*name, value.clone())));
        }
        parameters
    }

    /// The parameters of a page.
    pub fn page_parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = self.parameters();
        parameters.push(("order", if self.ascending { "asc" } else { "desc" }.into()));
        parameters.push(("limit", self.limit.to_string()));
        parameters
    }

    pub fn matches(&self, sent: &Sent) -> bool {
        self.since.is_none_or(|since| sent.at >= since)
            && self.until.is_none_or(|until| sent.at < until)
            && self
                .filters
                .iter()
                .all(|(name, wanted)| wanted.iter().any(|value| has(self.log, sent, name, value)))
            && self.q.as_ref().is_none_or(|q| {
                let q = folded(q);
                texts(self.log, sent).iter().any(|text| folded(text).contains(&q))
            })
    }

    /// The events of the list, in order.
    pub fn expected<'a>(&self, sent: &'a [Sent]) -> Vec<&'a Sent> {
        let mut found: Vec<&Sent> = sent.iter().filter(|sent| self.matches(sent)).collect();
        found.sort_by_key(|sent| (sent.at, sent.seq));
        if !self.ascending {
            found.reverse();
        }
        found
    }
}

pub fn rfc3339(micros: i64) -> String {
    logbook_engine::db::timestamp::Timestamp(micros).to_string()
}

fn folded(text: &str) -> String {
    let lower: String = text.nfkc().collect::<String>().chars().flat_map(char::to_lowercase).collect();
    lower.nfkc().collect()
}

/// Where in an event of the log the value of a filter or of a counted dimension is.
pub fn pointer(log: &str, name: &str) -> &'static str {
    match (log, name) {
        ("access", "event_type") => "/event_type",
        ("access", "user_id") => "/user/id",
        (_, "status") => "/status",
        (_, "role") => "/role",
        (_, "ip_address") => "/ip_address",
        (_, "session_id") => "/session_id",
        (_, "action") => "/action",
        (_, "model") => "/model",
        (_, "record_id") => "/record_id",
        (_, "actor_id") => "/actor/id",
        (_, "actor_type") => "/actor/type",
        (_, "component") => "/component/type",
        _ => panic!("no filter {name} in {log}"),
    }
}

pub fn value<'a>(sent: &'a Sent, pointer: &str) -> Option<&'a str> {
    sent.event.pointer(pointer).and_then(Value::as_str)
}

fn has(log: &str, sent: &Sent, name: &str, wanted: &str) -> bool {
    match name {
        "field" => changes(&sent.event).iter().any(|change| change["field"] == wanted),
        "component" => match wanted.split_once(':') {
            Some((kind, id)) => {
                value(sent, "/component/type") == Some(kind) && value(sent, "/component/id") == Some(id)
            }
            None => value(sent, "/component/type") == Some(wanted),
        },
        _ => value(sent, pointer(log, name)) == Some(wanted),
    }
}

fn changes(event: &Value) -> &[Value] {
    event["changes"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn texts(log: &str, sent: &Sent) -> Vec<String> {
    let pointers: &[&str] = match log {
        "access" => &["/user/id", "/user/name", "/username", "/event_type", "/status_reason"],
        "application" => &["/actor/id", "/actor/name", "/model", "/record_id", "/record_name", "/action"],
        _ => &[
            "/actor/id",
            "/actor/name",
            "/component/type",
            "/component/id",
            "/component/name",
            "/action",
            "/error",
        ],
    };
    let shared = ["/role", "/ip_address", "/user_agent", "/session_id", "/correlation_id"];
    let mut texts = vec![sent.id.clone()];
    texts.extend(pointers.iter().chain(&shared).filter_map(|p| value(sent, p)).map(str::to_owned));
    for change in changes(&sent.event) {
        texts.extend(change["field"].as_str().map(str::to_owned));
        for part in ["old", "new", "added", "removed"] {
            leaves(&change[part], &mut texts);
        }
    }
    texts
}

fn leaves(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::String(text) => texts.push(text.clone()),
        Value::Bool(_) | Value::Number(_) => texts.push(value.to_string()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            texts.push(key.clone());
            leaves(item, texts);
        }),
    }
}
