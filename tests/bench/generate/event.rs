//! Events as a producer sends them to `…/logs/ingest`.

use std::borrow::Cow;

use serde::Serialize;

#[derive(Serialize)]
#[serde(tag = "log", rename_all = "snake_case")]
pub enum Event<'a> {
    Access(Access<'a>),
    Application(Application<'a>),
    Framework(Framework<'a>),
}

#[derive(Serialize)]
pub struct Access<'a> {
    pub occurred_at: &'a str,
    pub event_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<&'static str>,
    pub user: User<'a>,
    pub username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    pub ip_address: &'a str,
    pub user_agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<&'a str>,
}

#[derive(Serialize)]
pub struct Application<'a> {
    pub occurred_at: &'a str,
    pub action: &'static str,
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
}

#[derive(Serialize)]
pub struct Framework<'a> {
    pub occurred_at: &'a str,
    pub action: &'static str,
    pub component: Component<'a>,
    pub actor: Actor<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    pub correlation_id: &'a str,
    pub metadata: Metadata,
}

#[derive(Serialize)]
pub struct User<'a> {
    pub id: &'a str,
    pub name: &'a str,
}

#[derive(Serialize)]
pub struct Actor<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
}

#[derive(Serialize)]
pub struct Component<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub id: &'a str,
    pub name: &'a str,
}

#[derive(Serialize)]
pub struct Metadata {
    pub duration_ms: u32,
    pub host: &'static str,
}

#[derive(Serialize)]
pub struct Change {
    pub field: &'static str,
    pub old: Value,
    pub new: Value,
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Value {
    Null,
    Flag(bool),
    Number(i64),
    Money(f64),
    Text(Cow<'static, str>),
}

impl Value {
    /// The number of characters that a search covers.
    #[cfg(test)]
    pub fn characters(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Flag(flag) => flag.to_string().len(),
            Self::Number(number) => number.to_string().len(),
            Self::Money(amount) => amount.to_string().len(),
            Self::Text(text) => text.chars().count(),
        }
    }
}
