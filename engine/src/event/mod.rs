//! An event: on its way in ([`NewEvent`]) and as it is stored ([`Event`]), whatever its log.

mod canonical_json;
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
pub(crate) use canonical_json::canonical_json;
pub use change::{Change, Labels, SetChange, ValueChange};
use id::EventId;
use limits::{
    Action, ActorName, Changes, DedupeKey, Epoch, Id, IpAddress, Metadata, OccurredAt, Purpose, Reason,
    RoleName, Sequence, SourceName, TargetName, TargetType, Targets, Text, UserAgent,
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
    /// Which log. The activity log tells what happens in Logbook itself; only Logbook writes it.
    Log { Access = 1 "access", Application = 2 "application", Framework = 3 "framework", Activity = 4 "activity" }
}
stored_enum! {
    /// What kind of actor: a user of the app, an admin of the platform, a service, the system itself, or an agent, which
    /// is a program that decides by itself what it does.
    ActorType { User = 1 "user", Admin = 2 "admin", Service = 3 "service", System = 4 "system", Agent = 5 "agent" }
}
stored_enum! {
    /// How it ended: it was done, it failed, or it was not allowed.
    Outcome { Success = 1 "success", Failure = 2 "failure", Denied = 3 "denied" }
}

impl Log {
    /// The logs that producers write.
    pub const OF_PRODUCERS: [Self; 3] = [Self::Access, Self::Application, Self::Framework];
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

/// What it was done to, or what else it concerned.
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
    /// The person for whom the actor did it: an impersonator, a service or an agent acts on behalf of somebody.
    pub on_behalf_of: Option<Actor>,
    pub role: Option<RoleName>,
    pub action: Action,
    pub outcome: Outcome,
    pub outcome_reason: Option<Reason>,
    /// Why the actor did it, in their words.
    pub purpose: Option<Purpose>,
    pub target: Target,
    /// What else it concerned.
    pub targets: Targets,
    pub ip_address: Option<IpAddress>,
    pub user_agent: Option<UserAgent>,
    pub session_id: Option<Id>,
    pub correlation_id: Option<Id>,
    /// The producer's run in which it counts by `sequence`.
    pub epoch: Option<Epoch>,
    /// The producer's own count of its events.
    pub sequence: Option<Sequence>,
}

impl Common {
    /// Every target: the first, then the further ones.
    pub fn all_targets(&self) -> impl Iterator<Item = &Target> {
        std::iter::once(&self.target).chain(self.targets.iter())
    }

    /// With only the fields that every event has.
    pub fn new(log: Log, action: Action) -> Self {
        Self {
            log,
            actor: None,
            on_behalf_of: None,
            role: None,
            action,
            outcome: Outcome::Success,
            outcome_reason: None,
            purpose: None,
            target: Target::default(),
            targets: Targets::default(),
            ip_address: None,
            user_agent: None,
            session_id: None,
            correlation_id: None,
            epoch: None,
            sequence: None,
        }
    }
}

/// An event on its way in: checked, since its parts are, but not yet masked, numbered or stored.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    pub occurred_at: OccurredAt,
    /// Events of the same source with the same key within the dedupe window are the same event.
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
    /// Who sent it, set by the server: the name of the key, user or import.
    pub source: SourceName,
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

    /// The metadata. Text that does not parse counts as an empty object.
    pub fn parse_metadata(&self) -> serde_json::Map<String, serde_json::Value> {
        self.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
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
            source,
            actor_type,
            actor_id,
            actor_name,
            on_behalf_of_type,
            on_behalf_of_id,
            on_behalf_of_name,
            role,
            action,
            outcome,
            outcome_reason,
            purpose,
            target_type,
            target_id,
            target_name,
            targets,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
            epoch,
            sequence,
            changes,
            metadata,
            masked,
        } = row;
        let common = Common {
            log: Log::from_number(log)?,
            actor: stored_actor(actor_type, actor_id, actor_name)?,
            on_behalf_of: stored_actor(on_behalf_of_type, on_behalf_of_id, on_behalf_of_name)?,
            role: role.map(Text::stored),
            action: Action::stored(action),
            outcome: Outcome::from_number(outcome)?,
            outcome_reason: outcome_reason.map(Text::stored),
            purpose: purpose.map(Text::stored),
            target: Target {
                kind: target_type.map(Text::stored),
                id: target_id.map(Text::stored),
                name: target_name.map(Text::stored),
            },
            targets: targets.as_deref().map(Targets::stored).unwrap_or_default(),
            ip_address: ip_address.map(IpAddress::stored),
            user_agent: user_agent.map(Text::stored),
            session_id: session_id.map(Text::stored),
            correlation_id: correlation_id.map(Text::stored),
            epoch: epoch.map(Text::stored),
            sequence: sequence.map(Sequence::stored),
        };
        let source = Text::stored(source);
        Ok(Self { workspace_id, seq, occurred_at, received_at, source, common, changes, metadata, masked })
    }
}

/// An actor of three columns.
///
/// # Errors
/// [`Error::FromNewerVersion`].
pub(crate) fn stored_actor(
    kind: Option<i16>,
    id: Option<String>,
    name: Option<String>,
) -> Result<Option<Actor>> {
    let kind = kind.map(ActorType::from_number).transpose()?;
    Ok(kind.map(|kind| Actor { kind, id: id.map(Text::stored), name: name.map(Text::stored) }))
}

/// Type, id and name, as columns.
fn actor_columns(actor: Option<Actor>) -> (Option<i16>, Option<String>, Option<String>) {
    match actor {
        Some(Actor { kind, id, name }) => {
            (Some(kind.number()), id.map(Text::into_string), name.map(Text::into_string))
        }
        None => (None, None, None),
    }
}

impl From<Event> for EventRow {
    fn from(event: Event) -> Self {
        let Event { workspace_id, seq, occurred_at, received_at, source, common, changes, metadata, masked } =
            event;
        let Common {
            log,
            actor,
            on_behalf_of,
            role,
            action,
            outcome,
            outcome_reason,
            purpose,
            target: Target { kind: target_type, id: target_id, name: target_name },
            targets,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
            epoch,
            sequence,
        } = common;
        let (actor_type, actor_id, actor_name) = actor_columns(actor);
        let (on_behalf_of_type, on_behalf_of_id, on_behalf_of_name) = actor_columns(on_behalf_of);
        Self {
            workspace_id,
            seq,
            log: log.number(),
            occurred_at,
            received_at,
            source: source.into_string(),
            actor_type,
            actor_id,
            actor_name,
            on_behalf_of_type,
            on_behalf_of_id,
            on_behalf_of_name,
            role: role.map(Text::into_string),
            action: action.into_string(),
            outcome: outcome.number(),
            outcome_reason: outcome_reason.map(Text::into_string),
            purpose: purpose.map(Text::into_string),
            target_type: target_type.map(Text::into_string),
            target_id: target_id.map(Text::into_string),
            target_name: target_name.map(Text::into_string),
            targets: targets.to_stored(),
            ip_address: ip_address.map(IpAddress::into_string),
            user_agent: user_agent.map(Text::into_string),
            session_id: session_id.map(Text::into_string),
            correlation_id: correlation_id.map(Text::into_string),
            epoch: epoch.map(Text::into_string),
            sequence: sequence.map(Sequence::number),
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
