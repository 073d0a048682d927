//! One event, as every log stores it. The logs are faces of it: see `access`, `application`, `framework`.

pub mod change;
pub mod id;
pub mod masking;
pub mod pointer;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    db::{rows::EventRow, timestamp::Timestamp},
    error::{Error, Result},
    order::Position,
};
pub use change::{Change, SetChange, ValueChange};
use id::EventId;

macro_rules! stored_enum {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $number:literal $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($variant = $number),* }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$variant),*];

            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }

            pub fn number(self) -> i16 {
                self as i16
            }

            /// # Errors
            /// [`Error::FromNewerVersion`] when this version does not know the number.
            pub fn from_number(number: i16) -> Result<Self> {
                match number {
                    $($number => Ok($name::$variant),)*
                    _ => Err(Error::FromNewerVersion { what: stringify!($name), number }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

stored_enum! {
    /// Which of the three logs.
    Log { Access = 1 "access", Application = 2 "application", Framework = 3 "framework" }
}
stored_enum! {
    /// What kind of actor: a user of the app, an admin of the platform, a service, or the system itself.
    ActorType { User = 1 "user", Admin = 2 "admin", Service = 3 "service", System = 4 "system" }
}
stored_enum! {
    Outcome { Success = 1 "success", Failure = 2 "failure" }
}

/// Who did it: a snapshot of that time, never a reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Actor {
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "user")]
    pub kind: ActorType,
    #[schema(required, example = "17")]
    pub id: Option<String>,
    #[schema(required, example = "Asha Rao")]
    pub name: Option<String>,
}

impl Actor {
    pub fn system() -> Self {
        Self { kind: ActorType::System, id: None, name: None }
    }
}

/// What it was done to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Target {
    #[serde(rename = "type")]
    #[schema(required)]
    pub kind: Option<String>,
    #[schema(required)]
    pub id: Option<String>,
    #[schema(required)]
    pub name: Option<String>,
}

/// An event on its way in: not yet numbered, masked or stored.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    pub log: Log,
    pub occurred_at: Timestamp,
    /// The same key in the same workspace within the window is the same event.
    pub dedupe_key: Option<String>,
    pub actor: Option<Actor>,
    pub role: Option<String>,
    pub action: String,
    pub outcome: Outcome,
    pub outcome_reason: Option<String>,
    pub target: Target,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub session_id: Option<String>,
    pub correlation_id: Option<String>,
    pub changes: Vec<Change>,
    pub metadata: Map<String, Value>,
}

impl NewEvent {
    /// An event with nothing but what every event has.
    pub fn new(log: Log, action: impl Into<String>, occurred_at: Timestamp) -> Self {
        Self {
            log,
            occurred_at,
            dedupe_key: None,
            actor: None,
            role: None,
            action: action.into(),
            outcome: Outcome::Success,
            outcome_reason: None,
            target: Target::default(),
            ip_address: None,
            user_agent: None,
            session_id: None,
            correlation_id: None,
            changes: Vec::new(),
            metadata: Map::new(),
        }
    }
}

/// A stored event. `changes`, `metadata` and `masked` are the canonical JSON text that was stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub workspace_id: i32,
    pub seq: i64,
    pub log: Log,
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    pub actor: Option<Actor>,
    pub role: Option<String>,
    pub action: String,
    pub outcome: Outcome,
    pub outcome_reason: Option<String>,
    pub target: Target,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub session_id: Option<String>,
    pub correlation_id: Option<String>,
    pub changes: Option<String>,
    pub metadata: Option<String>,
    pub masked: Option<String>,
}

impl Event {
    pub fn id(&self) -> EventId {
        EventId::new(self.workspace_id, self.seq, self.occurred_at)
    }

    /// Its place in the order of a screen.
    pub fn position(&self) -> Position {
        Position { occurred_at: self.occurred_at, seq: self.seq }
    }

    /// About how many bytes of memory its texts take.
    pub fn bytes(&self) -> usize {
        let texts =
            [&self.changes, &self.metadata, &self.outcome_reason, &self.user_agent, &self.target.name];
        texts.iter().filter_map(|text| text.as_ref()).map(String::len).sum::<usize>() + 512
    }

    /// The changed fields. Stored text is our own, so it parses; what does not counts as no change.
    pub fn parse_changes(&self) -> Vec<Change> {
        self.changes.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

impl TryFrom<EventRow> for Event {
    type Error = Error;

    /// # Errors
    /// [`Error::FromNewerVersion`].
    fn try_from(row: EventRow) -> Result<Self> {
        let EventRow {
            workspace_id,
            seq,
            log,
            occurred_at,
            received_at,
            actor_type,
            actor_id,
            actor_name,
            role,
            action,
            outcome,
            outcome_reason,
            target_type,
            target_id,
            target_name,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
            changes,
            metadata,
            masked,
        } = row;
        let actor_type = actor_type.map(ActorType::from_number).transpose()?;
        Ok(Self {
            workspace_id,
            seq,
            log: Log::from_number(log)?,
            occurred_at,
            received_at,
            actor: actor_type.map(|kind| Actor { kind, id: actor_id, name: actor_name }),
            role,
            action,
            outcome: Outcome::from_number(outcome)?,
            outcome_reason,
            target: Target { kind: target_type, id: target_id, name: target_name },
            ip_address,
            user_agent,
            session_id,
            correlation_id,
            changes,
            metadata,
            masked,
        })
    }
}

impl From<Event> for EventRow {
    fn from(event: Event) -> Self {
        let Event {
            workspace_id,
            seq,
            log,
            occurred_at,
            received_at,
            actor,
            role,
            action,
            outcome,
            outcome_reason,
            target,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
            changes,
            metadata,
            masked,
        } = event;
        let (actor_type, actor_id, actor_name) = match actor {
            Some(Actor { kind, id, name }) => (Some(kind.number()), id, name),
            None => (None, None, None),
        };
        Self {
            workspace_id,
            seq,
            log: log.number(),
            occurred_at,
            received_at,
            actor_type,
            actor_id,
            actor_name,
            role,
            action,
            outcome: outcome.number(),
            outcome_reason,
            target_type: target.kind,
            target_id: target.id,
            target_name: target.name,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
            changes,
            metadata,
            masked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_a_newer_version_is_an_error() {
        assert!(Log::ALL.iter().all(|log| Log::from_number(log.number()).is_ok_and(|found| found == *log)));
        let error = Log::from_number(9).expect_err("there is no such log").to_string();
        assert!(error.starts_with("an event has the unknown Log 9: a newer version"), "{error}");
    }
}
