//! Which events match: time range, accepted values, changed fields and search.
//!
//! A [`Filter`] is built once from a request and serves list, counts, facets and histogram. It has two forms: SQL for
//! what a database can compare ([`Filter::to_sql`]), and [`Filter::matches`], which decides.

pub mod rows;
pub mod search;

use diesel::{prelude::*, sql_types::Bool, sql_types::Nullable};
use sha2::{Digest as _, Sha256};

use crate::{
    db::{Backend, schema::events, timestamp::Timestamp},
    event::{ActorType, Common, Event, Log, Outcome},
    filter::search::Search,
};

/// A WHERE clause over `events`. Nullable, since a comparison with NULL is NULL, which does not match.
pub type Condition<'a> = Box<dyn BoxableExpression<events::table, Backend, SqlType = Nullable<Bool>> + 'a>;

/// A field by which kept counts can be filtered and grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    Action,
    Outcome,
    Role,
    TargetType,
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

/// Conditions on events, which must all hold. An empty list accepts every value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub workspace_id: i32,
    pub log: Log,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub search: Option<Search>,
    pub actions: Vec<String>,
    pub outcomes: Vec<Outcome>,
    pub roles: Vec<String>,
    pub actor_types: Vec<ActorType>,
    pub actor_ids: Vec<String>,
    /// A type, or a type and an id.
    pub targets: Vec<(String, Option<String>)>,
    pub target_ids: Vec<String>,
    pub ip_addresses: Vec<String>,
    pub session_ids: Vec<String>,
    /// Names of changed fields.
    pub fields: Vec<String>,
}

impl Filter {
    pub fn all(workspace_id: i32, log: Log) -> Self {
        Self {
            workspace_id,
            log,
            since: None,
            until: None,
            search: None,
            actions: Vec::new(),
            outcomes: Vec::new(),
            roles: Vec::new(),
            actor_types: Vec::new(),
            actor_ids: Vec::new(),
            targets: Vec::new(),
            target_ids: Vec::new(),
            ip_addresses: Vec::new(),
            session_ids: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// The filter without its condition on one dimension: what a facet counts.
    pub fn without(&self, dimension: Dimension) -> Self {
        let mut filter = self.clone();
        match dimension {
            Dimension::Action => filter.actions.clear(),
            Dimension::Outcome => filter.outcomes.clear(),
            Dimension::Role => filter.roles.clear(),
            Dimension::TargetType => filter.targets.clear(),
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
            actor_types,
            actor_ids,
            targets,
            target_ids,
            ip_addresses,
            session_ids,
            fields,
        } = self;
        if search.as_ref().and_then(Search::id).is_some() {
            return AccessPath::Key;
        }
        let others = actions.len()
            + outcomes.len()
            + roles.len()
            + actor_types.len()
            + actor_ids.len()
            + ip_addresses.len()
            + session_ids.len()
            + fields.len();
        let one_record = matches!(
            (targets.as_slice(), target_ids.as_slice()),
            ([], []) | ([(_, None)], [_]) | ([(_, Some(_))], [])
        );
        if search.is_none() && others == 0 && one_record { AccessPath::Order } else { AccessPath::Index }
    }

    /// True when SQL alone cannot decide, and each row must be read.
    pub fn needs_rows(&self) -> bool {
        self.search.is_some() || !self.fields.is_empty()
    }

    /// A hash of the filter, which binds a cursor to it.
    pub fn hash(&self) -> [u8; 8] {
        // The order of the values does not matter.
        let mut sorted = self.clone();
        sorted.actions.sort();
        sorted.outcomes.sort();
        sorted.roles.sort();
        sorted.actor_types.sort();
        sorted.actor_ids.sort();
        sorted.targets.sort();
        sorted.target_ids.sort();
        sorted.ip_addresses.sort();
        sorted.session_ids.sort();
        sorted.fields.sort();
        let digest = Sha256::digest(format!("{sorted:?}"));
        let mut hash = [0; 8];
        hash.copy_from_slice(&digest[..8]);
        hash
    }

    /// The part of the filter that SQL can decide. [`Filter::matches`] decides the rest.
    pub fn to_sql<'a>(&'a self) -> Condition<'a> {
        let Self {
            workspace_id,
            log,
            since,
            until,
            search,
            actions,
            outcomes,
            roles,
            actor_types,
            actor_ids,
            targets,
            target_ids,
            ip_addresses,
            session_ids,
            fields: _,
        } = self;
        let own = events::workspace_id.eq(*workspace_id).and(events::log.eq(log.number()));
        let mut parts: Vec<Condition<'a>> = Vec::new();
        let mut and = |part: Condition<'a>| parts.push(part);
        if let Some(since) = since {
            and(Box::new(events::occurred_at.ge(*since).nullable()));
        }
        if let Some(until) = until {
            and(Box::new(events::occurred_at.lt(*until).nullable()));
        }
        if let Some(id) = search.as_ref().and_then(Search::id) {
            let (first, last) = id.times();
            // `matches` implies it; it selects the partition.
            let own = events::seq.eq(id.seq).and(events::occurred_at.between(first, last));
            and(Box::new(own.nullable()));
        }
        if !actions.is_empty() {
            and(Box::new(events::action.eq_any(actions).nullable()));
        }
        if !outcomes.is_empty() {
            let numbers = outcomes.iter().map(|outcome| outcome.number());
            and(Box::new(events::outcome.eq_any(numbers).nullable()));
        }
        if !actor_types.is_empty() {
            let numbers = actor_types.iter().map(|kind| kind.number());
            and(Box::new(events::actor_type.eq_any(numbers)));
        }
        if let Some(targets) = any_target(targets) {
            and(targets);
        }
        type OneOf<'a> = fn(&'a Vec<String>) -> Condition<'a>;
        let texts: [(&'a Vec<String>, OneOf<'a>); 5] = [
            (roles, |texts| Box::new(events::role.eq_any(texts))),
            (actor_ids, |texts| Box::new(events::actor_id.eq_any(texts))),
            (target_ids, |texts| match texts.as_slice() {
                // PostgreSQL reads an index in its order after `=`, not after `= ANY`.
                [one] => Box::new(events::target_id.eq(one)),
                some => Box::new(events::target_id.eq_any(some)),
            }),
            (ip_addresses, |texts| Box::new(events::ip_address.eq_any(texts))),
            (session_ids, |texts| Box::new(events::session_id.eq_any(texts))),
        ];
        for (texts, one_of) in texts {
            if !texts.is_empty() {
                and(one_of(texts));
            }
        }
        let own: Condition<'a> = Box::new(own.nullable());
        parts.into_iter().fold(own, |all, part| Box::new(all.and(part)))
    }

    /// Whether an event matches, with the same answer on every database.
    pub fn matches(&self, event: &Event) -> bool {
        let Self {
            workspace_id,
            log,
            since,
            until,
            // Both are in `matches_content`.
            search: _,
            fields: _,
            actions,
            outcomes,
            roles,
            actor_types,
            actor_ids,
            targets,
            target_ids,
            ip_addresses,
            session_ids,
        } = self;
        let Common { actor, target, .. } = &event.common;
        event.workspace_id == *workspace_id
            && event.common.log == *log
            && since.is_none_or(|since| event.occurred_at >= since)
            && until.is_none_or(|until| event.occurred_at < until)
            && one_of(actions, Some(&event.common.action))
            && (outcomes.is_empty() || outcomes.contains(&event.common.outcome))
            && one_of(roles, event.common.role.as_deref())
            && (actor_types.is_empty()
                || actor.as_ref().is_some_and(|actor| actor_types.contains(&actor.kind)))
            && one_of(actor_ids, actor.as_ref().and_then(|actor| actor.id.as_deref()))
            && (targets.is_empty()
                || targets.iter().any(|(kind, id)| {
                    target.kind.as_deref() == Some(kind)
                        && (id.is_none() || id.as_deref() == target.id.as_deref())
                }))
            && one_of(target_ids, target.id.as_deref())
            && one_of(ip_addresses, event.common.ip_address.as_deref())
            && one_of(session_ids, event.common.session_id.as_deref())
            && self.matches_content(event)
    }

    /// The part of [`Filter::matches`] that [`Filter::to_sql`] does not decide.
    fn matches_content(&self, event: &Event) -> bool {
        if !self.needs_rows() {
            return true;
        }
        if self.search.as_ref().is_some_and(|search| !search.may_match(event)) {
            return false;
        }
        let changes = event.parse_changes();
        if !self.fields.is_empty()
            && !changes.iter().any(|change| self.fields.iter().any(|f| f == change.field()))
        {
            return false;
        }
        self.search.as_ref().is_none_or(|search| search.matches(event, &changes))
    }
}

/// An empty list accepts every value; any other list accepts no absent value.
fn one_of(wanted: &[String], have: Option<&str>) -> bool {
    wanted.is_empty() || have.is_some_and(|have| wanted.iter().any(|wanted| wanted == have))
}

/// Types first, then pairs: prepared statements are cached by their text, so there should be few texts.
fn any_target(targets: &[(String, Option<String>)]) -> Option<Condition<'_>> {
    let types: Vec<&String> = targets.iter().filter(|(_, id)| id.is_none()).map(|(kind, _)| kind).collect();
    let types: Option<Condition<'_>> = match types.as_slice() {
        [] => None,
        [one] => Some(Box::new(events::target_type.eq(*one))),
        _ => Some(Box::new(events::target_type.eq_any(types))),
    };
    let pairs = targets.iter().filter_map(|(kind, id)| {
        let id = id.as_ref()?;
        let pair: Condition<'_> = Box::new(events::target_type.eq(kind).and(events::target_id.eq(id)));
        Some(pair)
    });
    types.into_iter().chain(pairs).reduce(|either, or| Box::new(either.or(or)))
}
