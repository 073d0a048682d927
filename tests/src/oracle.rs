//! What a list should show, said as simply as possible and without the server's own code: filter the events that were
//! sent, then sort them.

use std::collections::BTreeMap;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

/// An event as it was sent, and what the server answered for it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub event: Value,
    /// Who sent it, by their name.
    pub source: &'static str,
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
            && self.filters.iter().all(|(name, wanted)| match name.strip_prefix("not_") {
                Some(name) => !wanted.iter().any(|value| has(self.log, sent, name, value)),
                None => wanted.iter().any(|value| has(self.log, sent, name, value)),
            })
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

/// The value of a filter or of a counted dimension in an event of the log.
pub fn value_of(log: &str, sent: &Sent, name: &str) -> Option<String> {
    let pointer = match (log, name) {
        ("access", "event_type") => "/event_type",
        ("access", "user_id") => "/user/id",
        ("access", "user_type") => {
            let user = &sent.event["user"];
            return user.is_object().then(|| user["type"].as_str().unwrap_or("user").to_owned());
        }
        (_, "source") => return Some(sent.source.into()),
        (_, "status") => return Some(value(sent, "/status").unwrap_or("success").to_owned()),
        (_, "on_behalf_of") => "/on_behalf_of/id",
        (_, "role") => "/role",
        (_, "session_id") => "/session_id",
        (_, "correlation_id") => "/correlation_id",
        (_, "action") => "/action",
        (_, "model") => "/model",
        (_, "record_id") => "/record_id",
        (_, "actor_id") => "/actor/id",
        (_, "actor_type") => "/actor/type",
        (_, "component") => "/component/type",
        _ => panic!("no filter {name} in {log}"),
    };
    value(sent, pointer).map(str::to_owned)
}

pub fn value<'a>(sent: &'a Sent, pointer: &str) -> Option<&'a str> {
    sent.event.pointer(pointer).and_then(Value::as_str)
}

fn has(log: &str, sent: &Sent, name: &str, wanted: &str) -> bool {
    match name {
        "field" => changes(&sent.event).iter().any(|change| change["field"] == wanted),
        "changed" => changes(&sent.event).iter().any(|change| {
            let mut texts = Vec::new();
            let added = change["added"].as_array().into_iter().flatten();
            let is_set = change.get("added").is_some() || change.get("removed").is_some();
            let new = (!is_set).then(|| &change["new"]);
            for value in added.chain(new) {
                match value {
                    Value::Array(_) | Value::Object(_) => {}
                    Value::String(text) => texts.push(text.clone()),
                    other => texts.push(other.to_string()),
                }
            }
            leaves(&change["new_label"], &mut texts);
            texts
                .iter()
                .any(|text| format!("{}:{text}", change["field"].as_str().unwrap_or_default()) == wanted)
        }),
        "component" => match wanted.split_once(':') {
            Some((kind, id)) => {
                value(sent, "/component/type") == Some(kind) && value(sent, "/component/id") == Some(id)
            }
            None => value(sent, "/component/type") == Some(wanted),
        },
        "record" => {
            let part = |pointer| value(sent, pointer).unwrap_or_default();
            wanted == format!("{}:{}", part("/model"), part("/record_id"))
        }
        "target" => targets(log, sent).iter().any(|(kind, id)| {
            wanted == kind || id.as_ref().is_some_and(|id| wanted == format!("{kind}:{id}"))
        }),
        "ip_address" => address(sent).is_some_and(|have| match wanted {
            // The networks that are asked for.
            "10.0.0.0/8" => have.starts_with("10."),
            "10.1.0.0/16" => have.starts_with("10.1."),
            "2001:db8::/32" => have.starts_with("2001:db8:"),
            "0.0.0.0/0" => have.contains('.'),
            _ => canonical(wanted) == have,
        }),
        _ => match name.strip_prefix("metadata.") {
            Some(path) => at_path("", &sent.event["metadata"], path).iter().any(|text| text == wanted),
            None => value_of(log, sent, name).as_deref() == Some(wanted),
        },
    }
}

fn canonical(address: &str) -> String {
    address.parse::<std::net::IpAddr>().expect("an address").to_canonical().to_string()
}

fn address(sent: &Sent) -> Option<String> {
    value(sent, "/ip_address").map(canonical)
}

/// Type and id of every target.
fn targets(log: &str, sent: &Sent) -> Vec<(String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let event = &sent.event;
    let first = match log {
        "access" => (None, None),
        "application" => (text(&event["model"]), text(&event["record_id"])),
        _ => (text(&event["component"]["type"]), text(&event["component"]["id"])),
    };
    let further = event["targets"].as_array().into_iter().flatten();
    let all = further.map(|target| (text(&target["type"]), text(&target["id"])));
    std::iter::once(first).chain(all).filter_map(|(kind, id)| Some((kind?, id))).collect()
}

/// The texts at a path of the metadata: joins the keys on the way down.
fn at_path(so_far: &str, value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| {
                let dot = if so_far.is_empty() { "" } else { "." };
                at_path(&format!("{so_far}{dot}{key}"), value, path)
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(|item| at_path(so_far, item, path)).collect(),
        _ if so_far != path => Vec::new(),
        _ => {
            let mut texts = Vec::new();
            leaves(value, &mut texts);
            texts
        }
    }
}

fn changes(event: &Value) -> &[Value] {
    event["changes"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn texts(log: &str, sent: &Sent) -> Vec<String> {
    let pointers: &[&str] = match log {
        "access" => &["/user/id", "/user/name", "/username", "/event_type", "/status_reason"],
        "application" => {
            &["/actor/id", "/actor/name", "/model", "/record_id", "/record_name", "/action", "/status_reason"]
        }
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
    let shared = [
        "/role",
        "/user_agent",
        "/session_id",
        "/correlation_id",
        "/purpose",
        "/on_behalf_of/id",
        "/on_behalf_of/name",
    ];
    let mut texts = vec![sent.id.clone(), sent.source.to_owned()];
    texts.extend(address(sent));
    texts.extend(pointers.iter().chain(&shared).filter_map(|p| value(sent, p)).map(str::to_owned));
    for change in changes(&sent.event) {
        texts.extend(change["field"].as_str().map(str::to_owned));
        for part in ["old", "new", "added", "removed", "label", "old_label", "new_label"] {
            leaves(&change[part], &mut texts);
        }
    }
    for target in sent.event["targets"].as_array().into_iter().flatten() {
        for part in ["type", "id", "name"] {
            leaves(&target[part], &mut texts);
        }
    }
    leaves(&sent.event["metadata"], &mut texts);
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
