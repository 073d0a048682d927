//! Which events match: time range, accepted values, changed fields and search.
//!
//! A [`Filter`] is built once from a request and serves list, counts, facets and histogram. It has two forms: SQL for
//! what a database can compare ([`Filter::to_sql`]), and [`Filter::matches`], which decides.

mod accepted;
pub mod changed;
pub mod metadata;
mod network;
pub mod rows;
pub mod search;
mod sql;

use sha2::{Digest as _, Sha256};

use crate::{
    db::timestamp::Timestamp,
    event::{Actor, ActorType, Common, Event, Log, Outcome, Target},
    filter::search::Search,
};
pub use accepted::Accepted;
pub use metadata::MetadataFilter;
pub use network::Network;
pub use sql::Condition;

/// A field by which kept counts can be filtered and grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    Action,
    Outcome,
    Role,
    TargetType,
    Source,
}

/// How the events of a filter are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessPath {
    /// By the primary key: at most one event matches.
    Key,
    /// In the order of a database index: a whole log, or the history of one record.
    Order,
    /// Through the signature index.
    Index,
}

/// A type of target, or one target.
pub type TypeAndId = (String, Option<String>);

/// Conditions on events, which must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub workspace_id: i32,
    pub log: Log,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub search: Option<Search>,
    pub actions: Accepted<String>,
    pub outcomes: Accepted<Outcome>,
    pub roles: Accepted<String>,
    pub sources: Accepted<String>,
    pub actor_types: Accepted<ActorType>,
    pub actor_ids: Accepted<String>,
    /// Ids of the people for whom the actor acted.
    pub on_behalf_of: Accepted<String>,
    /// The first target.
    pub targets: Accepted<TypeAndId>,
    /// The first target's id.
    pub target_ids: Accepted<String>,
    /// The first target, besides what the two before say: a type, or one record.
    pub records: Accepted<TypeAndId>,
    /// Any of the targets: its type, or type, colon and id.
    pub any_targets: Accepted<String>,
    pub ip_addresses: Accepted<Network>,
    pub session_ids: Accepted<String>,
    pub correlation_ids: Accepted<String>,
    /// Names of changed fields.
    pub fields: Accepted<String>,
    /// Changed fields, each with a colon and its new value ([`changed`]).
    pub changed: Accepted<String>,
    pub metadata: Vec<MetadataFilter>,
}

impl Filter {
    pub fn all(workspace_id: i32, log: Log) -> Self {
        Self {
            workspace_id,
            log,
            since: None,
            until: None,
            search: None,
            actions: Accepted::default(),
            outcomes: Accepted::default(),
            roles: Accepted::default(),
            sources: Accepted::default(),
            actor_types: Accepted::default(),
            actor_ids: Accepted::default(),
            on_behalf_of: Accepted::default(),
            targets: Accepted::default(),
            target_ids: Accepted::default(),
            records: Accepted::default(),
            any_targets: Accepted::default(),
            ip_addresses: Accepted::default(),
            session_ids: Accepted::default(),
            correlation_ids: Accepted::default(),
            fields: Accepted::default(),
            changed: Accepted::default(),
            metadata: Vec::new(),
        }
    }

    /// Whether it has no other conditions than times.
    pub fn is_of_times_only(&self) -> bool {
        let Self { workspace_id, log, since, until, .. } = *self;
        *self == Self { since, until, ..Self::all(workspace_id, log) }
    }

    /// The filter without its condition on one dimension: what a facet counts.
    pub fn without(&self, dimension: Dimension) -> Self {
        let mut filter = self.clone();
        match dimension {
            Dimension::Action => filter.actions = Accepted::default(),
            Dimension::Outcome => filter.outcomes = Accepted::default(),
            Dimension::Role => filter.roles = Accepted::default(),
            Dimension::TargetType => filter.targets = Accepted::default(),
            Dimension::Source => filter.sources = Accepted::default(),
        }
        filter
    }

    /// How the events are best found.
    pub fn plan(&self) -> AccessPath {
        let Self {
            workspace_id: _,
            log: _,
            since: _,
            until: _,
            search,
            actions,
            outcomes,
            roles,
            sources,
            actor_types,
            actor_ids,
            on_behalf_of,
            targets,
            target_ids,
            records,
            any_targets,
            ip_addresses,
            session_ids,
            correlation_ids,
            fields,
            changed,
            metadata,
        } = self;
        if search.as_ref().and_then(Search::id).is_some() {
            return AccessPath::Key;
        }
        let texts = [
            actions,
            roles,
            sources,
            actor_ids,
            on_behalf_of,
            any_targets,
            session_ids,
            correlation_ids,
            fields,
            changed,
        ];
        let others = texts.iter().any(|accepted| !accepted.is_all())
            || !outcomes.is_all()
            || !actor_types.is_all()
            || !ip_addresses.is_all()
            || !metadata.is_empty();
        let one_record = targets.not.is_empty()
            && target_ids.not.is_empty()
            && records.not.is_empty()
            && matches!(
                (targets.only.as_slice(), target_ids.only.as_slice(), records.only.as_slice()),
                ([], [], [] | [(_, Some(_))]) | ([(_, None)], [_], []) | ([(_, Some(_))], [], [])
            );
        if search.is_none() && !others && one_record { AccessPath::Order } else { AccessPath::Index }
    }

    /// True when SQL alone cannot decide, and each row must be read.
    pub fn needs_rows(&self) -> bool {
        self.search.is_some()
            || !self.fields.is_all()
            || !self.changed.is_all()
            || !self.any_targets.is_all()
            || !self.metadata.is_empty()
            || self.ip_addresses.values().any(|network| network.address().is_none())
    }

    /// A hash of the filter, which binds a cursor to it.
    pub fn hash(&self) -> [u8; 8] {
        // The order of the values does not matter.
        let mut sorted = self.clone();
        sorted.actions.sort();
        sorted.outcomes.sort();
        sorted.roles.sort();
        sorted.sources.sort();
        sorted.actor_types.sort();
        sorted.actor_ids.sort();
        sorted.on_behalf_of.sort();
        sorted.targets.sort();
        sorted.target_ids.sort();
        sorted.records.sort();
        sorted.any_targets.sort();
        sorted.ip_addresses.sort();
        sorted.session_ids.sort();
        sorted.correlation_ids.sort();
        sorted.fields.sort();
        sorted.changed.sort();
        sorted.metadata.iter_mut().for_each(|filter| filter.values.sort());
        sorted.metadata.sort();
        let digest = Sha256::digest(format!("{sorted:?}"));
        let mut hash = [0; 8];
        hash.copy_from_slice(&digest[..8]);
        hash
    }

    /// Whether an event matches, with the same answer on every database.
    pub fn matches(&self, event: &Event) -> bool {
        let Self {
            workspace_id,
            log,
            since,
            until,
            // These are in `matches_content`.
            search: _,
            fields: _,
            changed: _,
            metadata: _,
            actions,
            outcomes,
            roles,
            sources,
            actor_types,
            actor_ids,
            on_behalf_of,
            targets,
            target_ids,
            records,
            any_targets,
            ip_addresses,
            session_ids,
            correlation_ids,
        } = self;
        let Common { actor, on_behalf_of: for_whom, target, action, outcome, role, .. } = &event.common;
        let Common { ip_address, session_id, correlation_id, .. } = &event.common;
        event.workspace_id == *workspace_id
            && event.common.log == *log
            && since.is_none_or(|since| event.occurred_at >= since)
            && until.is_none_or(|until| event.occurred_at < until)
            && actions.accepts_text(Some(action))
            && outcomes.accepts(|wanted| wanted == outcome)
            && roles.accepts_text(role.as_deref())
            && sources.accepts_text(Some(&event.source))
            && actor_types.accepts(|wanted| actor.as_ref().is_some_and(|actor| actor.kind == *wanted))
            && actor_ids.accepts_text(actor_id(actor.as_ref()))
            && on_behalf_of.accepts_text(actor_id(for_whom.as_ref()))
            && targets.accepts(|wanted| is_of(target, wanted))
            && target_ids.accepts_text(target.id.as_deref())
            && records.accepts(|wanted| is_of(target, wanted))
            && any_targets.accepts(|wanted| event.common.all_targets().any(|target| is(target, wanted)))
            && ip_addresses.accepts(|network| ip_address.as_ref().is_some_and(|have| network.contains(have)))
            && session_ids.accepts_text(session_id.as_deref())
            && correlation_ids.accepts_text(correlation_id.as_deref())
            && self.matches_content(event)
    }

    /// The part of [`Filter::matches`] that reads JSON.
    fn matches_content(&self, event: &Event) -> bool {
        let Self { search, fields, changed, metadata, .. } = self;
        if search.is_none() && fields.is_all() && changed.is_all() && metadata.is_empty() {
            return true;
        }
        if search.as_ref().is_some_and(|search| !search.may_match(event)) {
            return false;
        }
        if !metadata.is_empty() {
            let values = event.parse_metadata();
            if !metadata.iter().all(|filter| filter.accepts(&values)) {
                return false;
            }
        }
        let changes = event.parse_changes();
        if !fields.accepts(|wanted| changes.iter().any(|change| change.field() == wanted)) {
            return false;
        }
        if !changed.accepts(|wanted| changes.iter().any(|change| changed::is(change, wanted))) {
            return false;
        }
        search.as_ref().is_none_or(|search| search.matches(event, &changes))
    }
}

fn actor_id(actor: Option<&Actor>) -> Option<&str> {
    actor.and_then(|actor| actor.id.as_deref())
}

fn is_of(target: &Target, (kind, id): &TypeAndId) -> bool {
    target.kind.as_deref() == Some(kind) && (id.is_none() || id.as_deref() == target.id.as_deref())
}

/// Whether a target has this type, or this type, a colon and this id.
fn is(target: &Target, wanted: &str) -> bool {
    let Some(rest) = target.kind.as_deref().and_then(|kind| wanted.strip_prefix(kind)) else { return false };
    rest.is_empty() || target.id.as_deref().is_some_and(|id| rest.strip_prefix(':') == Some(id))
}
