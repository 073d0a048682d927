//! The number of events of each key, and which keys a filter matches.

use std::sync::Arc;

use super::{
    keys::{OTHER, is_reduced},
    packed::{Key, Tables},
};
use crate::filter::{Dimension, Filter};

impl<'a> Key<'a> {
    /// The value in a dimension; None where the events have none.
    pub fn value(&self, dimension: Dimension) -> Option<&'a str> {
        match dimension {
            Dimension::Action => Some(self.action),
            Dimension::Outcome => Some(self.outcome.as_str()),
            Dimension::Role => self.role,
            Dimension::TargetType => self.target_type,
            Dimension::Source => Some(self.source),
        }
    }
}

/// True when rollups can answer the filter: its only conditions are a time range and the fields of a [`Key`].
pub fn has_rollup(filter: &Filter) -> bool {
    let Filter {
        workspace_id: _,
        log: _,
        since: _,
        until: _,
        search,
        actions: _,
        outcomes: _,
        roles: _,
        sources: _,
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
    } = filter;
    let others =
        [actor_ids, on_behalf_of, target_ids, any_targets, session_ids, correlation_ids, fields, changed];
    search.is_none()
        && metadata.is_empty()
        && actor_types.is_all()
        && ip_addresses.is_all()
        && targets.values().all(|(_, id)| id.is_none())
        && records.is_all()
        && others.iter().all(|accepted| accepted.is_all())
}

/// Whether a filter that has a rollup ([`has_rollup`]) matches the events of a key, apart from its time range.
pub fn matches_key(filter: &Filter, key: &Key<'_>) -> bool {
    let Key { action, outcome, role, target_type, source } = key;
    let Filter { actions, outcomes, roles, targets, sources, .. } = filter;
    actions.accepts_text(Some(action))
        && outcomes.accepts(|wanted| wanted == outcome)
        && roles.accepts_text(*role)
        && (targets.only.is_empty() || targets.only.iter().any(|(wanted, _)| *target_type == Some(wanted)))
        // A sample's events were filtered by the ids, which a key does not have.
        && !targets.not.iter().any(|(wanted, id)| id.is_none() && *target_type == Some(wanted))
        && sources.accepts_text(Some(source))
}

/// Whether the filter has a condition on a dimension whose values may not be counted by themselves.
pub fn is_limited(filter: &Filter) -> bool {
    let Filter { actions, roles, targets, sources, .. } = filter;
    !(actions.is_all() && roles.is_all() && targets.is_all() && sources.is_all())
}

/// Whether some events of a key may match the filter and others not, as they are not counted by themselves.
/// `unregistered`: the dimensions in which the filter names values that are not.
pub fn is_doubtful(filter: &Filter, unregistered: &[Dimension], key: &Key<'_>) -> bool {
    let Filter { actions, outcomes, roles, targets, sources, .. } = filter;
    let target_type = &targets.only;
    let target_type_accepted = (target_type.is_empty()
        || target_type.iter().any(|(wanted, _)| key.target_type == Some(wanted)))
        && !targets.not.iter().any(|(wanted, _)| key.target_type == Some(wanted));
    let conditions = [
        (Dimension::Action, actions.is_all(), actions.accepts_text(Some(key.action))),
        (Dimension::Role, roles.is_all(), roles.accepts_text(key.role)),
        (Dimension::TargetType, targets.is_all(), target_type_accepted),
        (Dimension::Source, sources.is_all(), sources.accepts_text(Some(key.source))),
    ];
    let is_reduced = is_reduced(key);
    let mut doubtful = false;
    for (dimension, is_all, accepted) in conditions {
        let open = !is_all
            && key.value(dimension) == Some(OTHER)
            && (unregistered.contains(&dimension) || is_reduced && dimension != Dimension::Action);
        if !open && !is_all && !accepted {
            return false;
        }
        doubtful |= open;
    }
    doubtful && outcomes.accepts(|wanted| *wanted == key.outcome)
}

/// The number of events of each key.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    /// Shared: each facet has other numbers of the same keys.
    pub(super) tables: Arc<Tables>,
    /// By index of the key.
    pub(super) events: Vec<u64>,
    /// False when the counts are lower bounds.
    pub exact: bool,
}

impl Cells {
    fn sums(&self) -> impl Iterator<Item = (Key<'_>, u64)> {
        self.tables.keys().zip(self.events.iter().copied()).filter(|(_, events)| *events > 0)
    }

    pub fn add(&mut self, key: Key<'_>, events: u64) {
        let place = Arc::make_mut(&mut self.tables).key(key) as usize;
        self.events.resize(self.events.len().max(place + 1), 0);
        self.events[place] += events;
    }

    /// The cells that the filter matches.
    pub(super) fn of(&self, filter: &Filter) -> Self {
        let events = self
            .tables
            .keys()
            .zip(&self.events)
            .map(|(key, n)| if matches_key(filter, &key) { *n } else { 0 });
        Self { events: events.collect(), tables: self.tables.clone(), exact: self.exact }
    }

    /// Whether the number of events that the filter matches cannot be told.
    pub(super) fn is_doubtful(&self, filter: &Filter, unregistered: &[Dimension]) -> bool {
        self.sums().any(|(key, _)| is_doubtful(filter, unregistered, &key))
    }

    pub fn total(&self) -> u64 {
        self.events.iter().sum()
    }

    /// The number of events with each value of a dimension, most frequent first.
    pub fn by(&self, dimension: Dimension) -> Vec<(String, u64)> {
        let mut sums: Vec<(&str, u64)> = Vec::new();
        let cells = self.tables.keys().zip(self.tables.values(dimension)).zip(&self.events);
        for ((key, number), n) in cells.filter(|(_, n)| **n > 0) {
            if let Some(value) = key.value(dimension) {
                if sums.len() <= number {
                    sums.resize(number + 1, ("", 0));
                }
                sums[number].0 = value;
                sums[number].1 += n;
            }
        }
        let found = sums.into_iter().filter(|(_, n)| *n > 0);
        let mut sums: Vec<_> = found.map(|(value, n)| (value.to_owned(), n)).collect();
        sums.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        sums
    }

    /// The number of events with this value of a dimension.
    pub fn with(&self, dimension: Dimension, value: &str) -> u64 {
        self.sums().filter(|(key, _)| key.value(dimension) == Some(value)).map(|(_, n)| n).sum()
    }
}
