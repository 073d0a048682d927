//! The search text, and the texts of an event that it is compared with.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    event::{Actor, Change, Common, Event, Target, id::EventId},
    text::Needle,
};

/// A search text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    needle: Needle,
    /// Set when the whole text is the id of an event of this workspace. Then only that event matches, and it is found
    /// by its key.
    id: Option<EventId>,
}

impl Search {
    pub fn new(text: &str, workspace_id: i32) -> Self {
        // Any other UUID is an ordinary text. An event id contains the workspace's number.
        let id = EventId::parse(text).filter(|id| id.workspace_id == workspace_id);
        Self { needle: Needle::new(text), id }
    }

    /// The normalized text, which is what is compared.
    pub fn normalized(&self) -> &str {
        self.needle.normalized()
    }

    /// The id of the only event that matches, when the text is an event id.
    pub fn id(&self) -> Option<EventId> {
        self.id
    }

    /// False only when the event cannot match. Costs less than [`Search::matches`], since the changes need not be
    /// parsed.
    pub fn may_match(&self, event: &Event) -> bool {
        if self.id.is_some() {
            return true;
        }
        event.changes.as_ref().is_some_and(|json| self.may_be_in(json)) || self.matches(event, &[])
    }

    /// False only when the text is in no key and no value of a JSON text.
    fn may_be_in(&self, json: &str) -> bool {
        // Where JSON escapes nothing, it contains a text verbatim.
        let plain = !self.normalized().contains(|c: char| c.is_control() || c == '"' || c == '\\');
        !plain || json.contains('\\') || self.needle.may_be_inside(json)
    }

    /// Whether the text is in the event or in these changes of it.
    pub fn matches(&self, event: &Event, changes: &[Change]) -> bool {
        if let Some(id) = self.id {
            return event.id() == id;
        }
        let mut found = false;
        let mut visit = |text: &str| found = found || self.needle.is_in(text);
        searched_texts(event, changes, &mut visit);
        if !found && event.metadata.as_ref().is_some_and(|json| self.may_be_in(json)) {
            metadata_texts(&event.parse_metadata(), &mut |text| found = found || self.needle.is_in(text));
        }
        found
    }
}

/// Passes every text of an event that is searched, except those of its metadata, to `visit`.
pub fn searched_texts(event: &Event, changes: &[Change], visit: &mut impl FnMut(&str)) {
    visit(event.id().to_uuid().hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    let Common {
        log: _,
        actor,
        on_behalf_of,
        role,
        action,
        outcome: _,
        outcome_reason,
        purpose,
        target: _,
        targets: _,
        ip_address,
        user_agent,
        session_id,
        correlation_id,
        epoch: _,
        sequence: _,
    } = &event.common;
    for Actor { kind: _, id, name } in [actor, on_behalf_of].into_iter().flatten() {
        [id.as_deref(), name.as_deref()].into_iter().flatten().for_each(&mut *visit);
    }
    for Target { kind, id, name } in event.common.all_targets() {
        [kind.as_deref(), id.as_deref(), name.as_deref()].into_iter().flatten().for_each(&mut *visit);
    }
    let texts = [
        Some(&**action),
        Some(&*event.source),
        role.as_deref(),
        outcome_reason.as_deref(),
        purpose.as_deref(),
        ip_address.as_deref(),
        user_agent.as_deref(),
        session_id.as_deref(),
        correlation_id.as_deref(),
    ];
    texts.into_iter().flatten().for_each(&mut *visit);
    for change in changes {
        visit(change.field());
        change.labels().texts().into_iter().filter_map(|(_, text)| text).for_each(&mut *visit);
        change.each_value().for_each(|value| texts_of_value(value, visit));
    }
}

/// Passes the keys and values of an event's metadata to `visit`.
pub fn metadata_texts(metadata: &Map<String, Value>, visit: &mut impl FnMut(&str)) {
    for (key, value) in metadata {
        visit(key);
        texts_of_value(value, visit);
    }
}

/// Strings as they are, numbers and booleans as JSON writes them, nested values and their keys. Null has no text.
fn texts_of_value(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::Null => {}
        Value::String(text) => visit(text),
        Value::Bool(_) | Value::Number(_) => visit(&value.to_string()),
        Value::Array(items) => items.iter().for_each(|item| texts_of_value(item, visit)),
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            visit(key);
            texts_of_value(item, visit);
        }),
    }
}
