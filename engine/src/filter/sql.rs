//! The part of a filter that a database can decide.

use diesel::{
    prelude::*,
    sql_types::{Bool, Nullable},
};

use super::{Accepted, Filter, Network, TypeAndId, search::Search};
use crate::db::{Backend, schema::events};

/// A WHERE clause over `events`. Nullable, since a comparison with NULL is NULL, which does not match.
pub type Condition<'a> = Box<dyn BoxableExpression<events::table, Backend, SqlType = Nullable<Bool>> + 'a>;

/// Adds what a column accepts. Nothing is lost where it is NULL: `only` asks for a value, `not` accepts none.
macro_rules! accept {
    ($parts:ident, $column:path, $accepted:expr) => {
        let Accepted { only, not } = $accepted;
        if !only.is_empty() {
            $parts.push(Box::new($column.eq_any(only.clone()).nullable()));
        }
        if !not.is_empty() {
            $parts.push(Box::new($column.is_null().or($column.ne_all(not.clone())).nullable()));
        }
    };
}

impl Filter {
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
            sources,
            actor_types,
            actor_ids,
            on_behalf_of,
            targets,
            target_ids,
            records,
            any_targets: _,
            ip_addresses,
            session_ids,
            correlation_ids,
            fields: _,
            changed: _,
            metadata: _,
        } = self;
        let own = events::workspace_id.eq(*workspace_id).and(events::log.eq(log.number()));
        let mut parts: Vec<Condition<'a>> = Vec::new();
        if let Some(since) = since {
            parts.push(Box::new(events::occurred_at.ge(*since).nullable()));
        }
        if let Some(until) = until {
            parts.push(Box::new(events::occurred_at.lt(*until).nullable()));
        }
        if let Some(id) = search.as_ref().and_then(Search::id) {
            let (first, last) = id.times();
            // `matches` implies it; it selects the partition.
            let own = events::seq.eq(id.seq).and(events::occurred_at.between(first, last));
            parts.push(Box::new(own.nullable()));
        }
        accept!(parts, events::action, actions);
        accept!(parts, events::outcome, &numbers(outcomes, |outcome| outcome.number()));
        accept!(parts, events::role, roles);
        accept!(parts, events::source, sources);
        accept!(parts, events::actor_type, &numbers(actor_types, |kind| kind.number()));
        accept!(parts, events::actor_id, actor_ids);
        accept!(parts, events::on_behalf_of_id, on_behalf_of);
        parts.extend(one_of_targets(&targets.only));
        parts.extend(targets.not.iter().map(is_not_target));
        match target_ids {
            // PostgreSQL reads an index in its order after `=`, not after `= ANY`.
            Accepted { only, not } if only.len() == 1 && not.is_empty() => {
                parts.push(Box::new(events::target_id.eq(&only[0])));
            }
            _ => {
                accept!(parts, events::target_id, target_ids);
            }
        }
        parts.extend(one_of_targets(&records.only));
        parts.extend(records.not.iter().map(is_not_target));
        if let Some(addresses) = addresses(ip_addresses) {
            accept!(parts, events::ip_address, &addresses);
        }
        accept!(parts, events::session_id, session_ids);
        accept!(parts, events::correlation_id, correlation_ids);
        let own: Condition<'a> = Box::new(own.nullable());
        parts.into_iter().fold(own, |all, part| Box::new(all.and(part)))
    }
}

fn numbers<T: Copy>(accepted: &Accepted<T>, number: impl Fn(T) -> i16) -> Accepted<i16> {
    let numbers = |values: &[T]| values.iter().map(|value| number(*value)).collect();
    Accepted { only: numbers(&accepted.only), not: numbers(&accepted.not) }
}

/// The addresses, when they are no larger networks: a database cannot compare those.
fn addresses(accepted: &Accepted<Network>) -> Option<Accepted<String>> {
    let texts = |networks: &[Network]| networks.iter().map(Network::address).collect::<Option<Vec<_>>>();
    Some(Accepted { only: texts(&accepted.only)?, not: texts(&accepted.not)? })
}

/// Types first, then pairs: prepared statements are cached by their text, so there should be few texts.
fn one_of_targets(targets: &[TypeAndId]) -> Option<Condition<'_>> {
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

/// Another target, or none.
fn is_not_target((kind, id): &TypeAndId) -> Condition<'_> {
    let other_type = events::target_type.is_null().or(events::target_type.ne(kind));
    match id {
        None => Box::new(other_type.nullable()),
        Some(id) => {
            Box::new(other_type.or(events::target_id.is_null()).or(events::target_id.ne(id)).nullable())
        }
    }
}
