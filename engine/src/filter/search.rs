//! What is searched for, and in which texts of an event.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    event::{Change, Common, Event, id::EventId},
    text::Needle,
};

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    needle: Needle,
    /// Set when the text is the id of an event of this workspace, whole: then that event is meant, and found by its key.
    id: Option<EventId>,
}

impl Search {
    pub fn new(text: &str, workspace_id: i32) -> Self {
        // Any other UUID is a text like others: the workspace's number tells ours apart.
        let id = EventId::parse(text).filter(|id| id.workspace_id == workspace_id);
        Self { needle: Needle::new(text), id }
    }

    /// The text as it is compared.
    pub fn normalized(&self) -> &str {
        self.needle.normalized()
    }

    /// The one event that is meant, when its id was given.
    pub fn id(&self) -> Option<EventId> {
        self.id
    }

    /// False only when nothing is found in the event; costs less than parsing its changes.
    pub fn may_match(&self, event: &Event) -> bool {
        if self.id.is_some() {
            return true;
        }
        // Where JSON escapes nothing, a text stands in it as it is.
        let plain = !self.normalized().contains(|c: char| c.is_control() || c == '"' || c == '\\');
        let may = |json: &String| !plain || json.contains('\\') || self.needle.is_in(json);
        event.changes.as_ref().is_some_and(may) || self.matches(event, &[])
    }

    /// Whether the text is in the event or in these changes of it.
    pub fn matches(&self, event: &Event, changes: &[Change]) -> bool {
        if let Some(id) = self.id {
            return event.id() == id;
        }
        let mut found = false;
        searched_texts(event, changes, &mut |text| found = found || self.needle.is_in(text));
        found
    }
}

/// Every text of an event that search looks into.
pub fn searched_texts(event: &Event, changes: &[Change], look: &mut impl FnMut(&str)) {
    look(event.id().to_uuid().hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    let Common {
        log: _,
        actor,
        role,
        action,
        outcome: _,
        outcome_reason,
        target,
        ip_address,
        user_agent,
        session_id,
        correlation_id,
    } = &event.common;
    let texts = [
        actor.as_ref().and_then(|actor| actor.id.as_deref()),
        actor.as_ref().and_then(|actor| actor.name.as_deref()),
        target.kind.as_deref(),
        target.id.as_deref(),
        target.name.as_deref(),
        Some(&**action),
        role.as_deref(),
        outcome_reason.as_deref(),
        ip_address.as_deref(),
        user_agent.as_deref(),
        session_id.as_deref(),
        correlation_id.as_deref(),
    ];
    texts.into_iter().flatten().for_each(&mut *look);
    for change in changes {
        look(change.field());
        change.each_value().for_each(|value| texts_of_value(value, look));
    }
}

/// Strings as they are; numbers and booleans as JSON writes them; null is no text. Nested values and their keys too.
fn texts_of_value(value: &Value, look: &mut impl FnMut(&str)) {
    match value {
        Value::Null => {}
        Value::String(text) => look(text),
        Value::Bool(_) | Value::Number(_) => look(&value.to_string()),
        Value::Array(items) => items.iter().for_each(|item| texts_of_value(item, look)),
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            look(key);
            texts_of_value(item, look);
        }),
    }
}
