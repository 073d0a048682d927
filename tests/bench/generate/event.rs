//! Events as a producer sends them to `…/logs/ingest`.

use std::borrow::Cow;

use serde::Serialize;

#[derive(Serialize)]
#[serde(tag = "log", rename_all = "snake_case")]
pub(super) enum Event<'a> {
    Access(Access<'a>),
    Application(Application<'a>),
    Framework(Framework<'a>),
}

#[derive(Serialize)]
pub(super) struct Access<'a> {
    pub occurred_at: &'a str,
    pub event_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<&'static str>,
    pub user: Actor<'a>,
    pub username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    pub ip_address: &'a str,
    pub user_agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<&'a str>,
    #[serde(flatten)]
    pub extra: Extra<'a>,
}

#[derive(Serialize)]
pub(super) struct Application<'a> {
    pub occurred_at: &'a str,
    pub action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<&'static str>,
    pub actor: Actor<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    pub model: &'static str,
    pub record_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_name: Option<&'a str>,
    pub changes: &'a [Change],
    pub ip_address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<&'a str>,
    pub session_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<&'a str>,
    #[serde(flatten)]
    pub extra: Extra<'a>,
}

#[derive(Serialize)]
pub(super) struct Framework<'a> {
    pub occurred_at: &'a str,
    pub action: &'static str,
    pub component: Component<'a>,
    pub actor: Actor<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    pub correlation_id: &'a str,
    #[serde(flatten)]
    pub extra: Extra<'a>,
}

/// What few events of any log have.
#[derive(Serialize)]
pub(super) struct Extra<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Actor<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

#[derive(Serialize)]
pub(super) struct Target {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct Actor<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Component<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub id: &'a str,
    pub name: &'a str,
}

#[derive(Default, Serialize)]
pub(super) struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Request {
    pub region: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Change {
    pub field: &'static str,
    pub old: Value,
    pub new: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_label: Option<String>,
}

impl Change {
    pub(super) fn new(field: &'static str, old: Value, new: Value) -> Self {
        Self { field, old, new, label: None, old_label: None, new_label: None }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Value {
    Null,
    Flag(bool),
    Number(i64),
    Money(f64),
    Text(Cow<'static, str>),
}

impl Value {
    /// The number of characters that a search covers.
    #[cfg(test)]
    pub(super) fn characters(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Flag(flag) => flag.to_string().len(),
            Self::Number(number) => number.to_string().len(),
            Self::Money(amount) => amount.to_string().len(),
            Self::Text(text) => text.chars().count(),
        }
    }
}
