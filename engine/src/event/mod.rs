//! An event: on its way in ([`NewEvent`]) and as it is stored ([`Event`]), whatever its log.

pub mod change;
pub mod id;
pub mod limits;
pub mod masking;
pub mod pointer;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    db::{rows::EventRow, timestamp::Timestamp},
    error::{Error, Result},
    order::Position,
};
pub use change::{Change, SetChange, ValueChange};
use id::EventId;
use limits::{
    Action, ActorName, Changes, DedupeKey, Id, IpAddress, Metadata, OccurredAt, Reason, RoleName, TargetName,
    TargetType, Text, UserAgent,
};

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
    #[schema(required, value_type = Option<String>, example = "17")]
    pub id: Option<Id>,
    #[schema(required, value_type = Option<String>, example = "Asha Rao")]
    pub name: Option<ActorName>,
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
    #[schema(required, value_type = Option<String>)]
    pub kind: Option<TargetType>,
    #[schema(required, value_type = Option<String>)]
    pub id: Option<Id>,
    #[schema(required, value_type = Option<String>)]
    pub name: Option<TargetName>,
}

/// The fields that new and stored events share, in one list.
#[derive(Clone, Debug, PartialEq)]
pub struct Common {
    pub log: Log,
    pub actor: Option<Actor>,
    pub role: Option<RoleName>,
    pub action: Action,
    pub outcome: Outcome,
    pub outcome_reason: Option<Reason>,
    pub target: Target,
    pub ip_address: Option<IpAddress>,
    pub user_agent: Option<UserAgent>,
    pub session_id: Option<Id>,
    pub correlation_id: Option<Id>,
}

impl Common {
    /// With only the fields that every event has.
    pub fn new(log: Log, action: Action) -> Self {
        Self {
            log,
            actor: None,
            role: None,
            action,
            outcome: Outcome::Success,
            outcome_reason: None,
            target: Target::default(),
            ip_address: None,
            user_agent: None,
            session_id: None,
            correlation_id: None,
        }
    }
}

/// An event on its way in: checked, since its parts are, but not yet masked, numbered or stored.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    pub occurred_at: OccurredAt,
    /// Events with the same key in the same workspace within the dedupe window are the same event.
    pub dedupe_key: Option<DedupeKey>,
    pub common: Common,
    pub changes: Changes,
    pub metadata: Metadata,
}

impl NewEvent {
    /// An event with only the fields that every event has.
    pub fn new(log: Log, action: Action, occurred_at: OccurredAt) -> Self {
        Self {
            occurred_at,
            dedupe_key: None,
            common: Common::new(log, action),
            changes: Changes::default(),
            metadata: Metadata::default(),
        }
    }
}

/// A stored event. `changes`, `metadata` and `masked` are the canonical JSON text that was stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub workspace_id: i32,
    pub seq: i64,
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    pub common: Common,
    pub changes: Option<String>,
    pub metadata: Option<String>,
    pub masked: Option<String>,
}

impl Event {
    pub fn id(&self) -> EventId {
        EventId::new(self.workspace_id, self.seq, self.occurred_at)
    }

    /// Its position in the order of a page.
    pub fn position(&self) -> Position {
        Position { occurred_at: self.occurred_at, seq: self.seq }
    }

    /// Estimated bytes of memory of its texts.
    pub fn bytes(&self) -> usize {
        let Common { outcome_reason, user_agent, target, .. } = &self.common;
        let texts = [
            self.changes.as_deref(),
            self.metadata.as_deref(),
            outcome_reason.as_deref(),
            user_agent.as_deref(),
            target.name.as_deref(),
        ];
        texts.iter().flatten().map(|text| text.len()).sum::<usize>() + 512
    }

    /// The changed fields. Logbook wrote the stored text, so it parses; text that does not parse counts as no change.
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
        let common = Common {
            log: Log::from_number(log)?,
            actor: actor_type.map(|kind| Actor {
                kind,
                id: actor_id.map(Text::stored),
                name: actor_name.map(Text::stored),
            }),
            role: role.map(Text::stored),
            action: Action::stored(action),
            outcome: Outcome::from_number(outcome)?,
            outcome_reason: outcome_reason.map(Text::stored),
            target: Target {
                kind: target_type.map(Text::stored),
                id: target_id.map(Text::stored),
                name: target_name.map(Text::stored),
            },
            ip_address: ip_address.map(IpAddress::stored),
            user_agent: user_agent.map(Text::stored),
            session_id: session_id.map(Text::stored),
            correlation_id: correlation_id.map(Text::stored),
        };
        Ok(Self { workspace_id, seq, occurred_at, received_at, common, changes, metadata, masked })
    }
}

impl From<Event> for EventRow {
    fn from(event: Event) -> Self {
        let Event { workspace_id, seq, occurred_at, received_at, common, changes, metadata, masked } = event;
        let Common {
            log,
            actor,
            role,
            action,
            outcome,
            outcome_reason,
            target: Target { kind: target_type, id: target_id, name: target_name },
            ip_address,
            user_agent,
            session_id,
            correlation_id,
        } = common;
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
            actor_id: actor_id.map(Text::into_string),
            actor_name: actor_name.map(Text::into_string),
            role: role.map(Text::into_string),
            action: action.into_string(),
            outcome: outcome.number(),
            outcome_reason: outcome_reason.map(Text::into_string),
            target_type: target_type.map(Text::into_string),
            target_id: target_id.map(Text::into_string),
            target_name: target_name.map(Text::into_string),
            ip_address: ip_address.map(IpAddress::into_string),
            user_agent: user_agent.map(Text::into_string),
            session_id: session_id.map(Text::into_string),
            correlation_id: correlation_id.map(Text::into_string),
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
