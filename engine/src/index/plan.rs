//! What a filter asks of the index.

use super::{
    directory::Kind,
    lists::{self, LISTED},
    signature::{InWord, TextMarks},
    values::{self, Field},
};
use crate::{
    event::Log,
    filter::{Accepted, Filter, MetadataFilter, Network, changed, search::Search},
    order::{Order, Position},
    text::Needle,
};

/// A condition with more values is not checked by the index, only on the rows.
const MOST_VALUES: usize = 64;
/// Types and ids of targets have no more bytes: 255 characters.
const MOST_TARGET_BYTES: usize = 4 * 255;
/// Keys of each directory that are looked up before the others.
const FIRST_KEYS: usize = 2;

/// Keys of values that an event has all of.
pub type AllOf = Vec<u64>;

/// Conditions that every event which matches the filter fulfils.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub log: Log,
    /// First and last time of the events that are looked for.
    pub times: (i64, i64),
    /// Those on values, without the following.
    values: Conditions,
    /// Values of fields with lists that an event does not have.
    excluded: Vec<Excluded>,
    /// It has these marks.
    pub text: Option<TextMarks>,
}

/// Several values of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excluded {
    /// The field's place in [`LISTED`].
    nth: usize,
    values: Vec<String>,
    /// Those of the conditions that exclude them.
    terms: Vec<AllOf>,
}

/// Conditions on an event's values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// In each of these groups it fulfils at least one.
    pub any: Vec<Vec<AllOf>>,
    /// It fulfils none of these.
    pub none: Vec<AllOf>,
}

impl Conditions {
    /// Adds the condition that a field has accepted values. `terms` are what an event with a value fulfils one of, and
    /// no other event; None when the index cannot tell.
    fn accept<T>(&mut self, accepted: &Accepted<T>, terms: impl Fn(&T) -> Option<Vec<AllOf>>) {
        if !accepted.only.is_empty()
            && let Some(only) = accepted.only.iter().map(&terms).collect::<Option<Vec<_>>>()
        {
            self.any.push(only.concat());
        }
        self.none.extend(accepted.not.iter().filter_map(terms).flatten());
    }

    /// Only networks with some lengths of prefixes have keys. To accept another one, that around it suffices; to exclude
    /// it does not.
    fn accept_networks(&mut self, log: Log, accepted: &Accepted<Network>) {
        let term = |network: Vec<u8>| vec![vec![values::key(log, Field::Network, [&network, b""])]];
        let only = Accepted { only: accepted.only.clone(), not: Vec::new() };
        self.accept(&only, |network| values::network_around(network.net()).map(|(around, _)| term(around)));
        let not = Accepted { only: Vec::new(), not: accepted.not.clone() };
        self.accept(&not, |network| {
            values::network_around(network.net()).filter(|(_, is_it)| *is_it).map(|(around, _)| term(around))
        });
    }

    /// All keys that are looked up.
    pub fn keys(&self) -> Vec<u64> {
        let mut keys: Vec<u64> = self.any.iter().flatten().chain(&self.none).flatten().copied().collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

impl Plan {
    /// With the events after a position.
    pub fn new(filter: &Filter, (order, after): (Order, Option<Position>)) -> Self {
        let Filter {
            workspace_id: _,
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
            any_targets,
            ip_addresses,
            session_ids,
            correlation_ids,
            fields,
            changed,
            metadata,
        } = filter;
        let mut first = since.map_or(i64::MIN, |since| since.0);
        let mut last = until.map_or(i64::MAX, |until| until.0 - 1);
        if let Some(Position { occurred_at, seq: _ }) = after {
            match order {
                Order::Desc => last = last.min(occurred_at.0),
                Order::Asc => first = first.max(occurred_at.0),
            }
        }
        let mut conditions = Conditions::default();
        let key = |field: Field, value: &str| values::key(*log, field, [value.as_bytes(), b""]);
        let texts = [
            (Field::Action, actions),
            (Field::Role, roles),
            (Field::Source, sources),
            (Field::ActorId, actor_ids),
            (Field::OnBehalfOf, on_behalf_of),
            (Field::TargetId, target_ids),
            (Field::SessionId, session_ids),
            (Field::CorrelationId, correlation_ids),
            (Field::ChangedField, fields),
        ];
        for (field, accepted) in texts {
            conditions.accept(accepted, |value| Some(vec![vec![key(field, value)]]));
        }
        conditions.accept(outcomes, |outcome| Some(vec![vec![key(Field::Outcome, outcome.as_str())]]));
        conditions.accept(actor_types, |kind| Some(vec![vec![key(Field::ActorType, kind.as_str())]]));
        for accepted in [targets, records] {
            conditions.accept(accepted, |(kind, id)| {
                let id = id.as_ref().map(|id| key(Field::TargetId, id));
                Some(vec![[key(Field::TargetType, kind)].into_iter().chain(id).collect()])
            });
        }
        conditions.accept(any_targets, |wanted| {
            // The first target is stored as type and id, and both may contain colons.
            let mut terms =
                vec![vec![key(Field::FurtherTarget, wanted)], vec![key(Field::TargetType, wanted)]];
            for (at, _) in wanted.match_indices(':') {
                let (kind, id) = (&wanted[..at], &wanted[at + 1..]);
                if kind.len().max(id.len()) > MOST_TARGET_BYTES {
                    continue;
                }
                terms.push(vec![key(Field::TargetType, kind), key(Field::TargetId, id)]);
            }
            Some(terms)
        });
        // Which value it was changed to the row decides.
        let changed_fields: Vec<AllOf> = changed
            .only
            .iter()
            .flat_map(|wanted| changed::fields(wanted))
            .map(|field| vec![key(Field::ChangedField, field)])
            .collect();
        if !changed_fields.is_empty() {
            conditions.any.push(changed_fields);
        }
        conditions.accept_networks(*log, ip_addresses);
        for MetadataFilter { path, values: accepted } in metadata {
            let value = |value: &String| {
                vec![values::key(*log, Field::Metadata, [path.as_bytes(), value.as_bytes()])]
            };
            if !accepted.only.is_empty() {
                let mut terms: Vec<AllOf> = accepted.only.iter().map(value).collect();
                terms.push(vec![key(Field::MoreMetadata, "")]);
                conditions.any.push(terms);
            }
            // An event with more values may have these too; then the row decides.
            conditions.none.extend(accepted.not.iter().map(value));
        }
        conditions.any.retain(|terms| terms.len() <= MOST_VALUES);
        conditions.none.truncate(MOST_VALUES);
        let changed_to = match changed.only.as_slice() {
            [wanted] => changed::searched(wanted),
            _ => None,
        };
        let text = search.as_ref().map(Search::normalized).or(changed_to.as_ref().map(Needle::normalized));
        let text = text.map(|text| TextMarks::new(*log, text.as_bytes()));
        let outcomes: Vec<String> = outcomes.not.iter().map(|outcome| outcome.as_str().into()).collect();
        let types = targets.not.iter().filter(|(_, id)| id.is_none()).map(|(kind, _)| kind.clone()).collect();
        let excluded = [actions.not.clone(), outcomes, roles.not.clone(), sources.not.clone(), types];
        let excluded = excluded.into_iter().enumerate().filter(|(_, values)| values.len() > 1);
        let excluded = excluded.map(|(nth, values)| {
            let terms = values.iter().map(|value| vec![key(LISTED[nth], value)]).collect();
            Excluded { nth, values, terms }
        });
        let excluded = excluded.collect();
        Self { log: *log, times: (first, last), values: conditions, excluded, text }
    }

    /// Whether some of the events that are looked for may be between two times.
    pub fn reaches(&self, (first, last): (i64, i64)) -> bool {
        first <= self.times.1 && last >= self.times.0
    }

    /// The lists that a segment's conditions depend on, by their places in [`LISTED`].
    pub fn lists(&self) -> impl Iterator<Item = usize> {
        self.excluded.iter().map(|excluded| excluded.nth)
    }

    /// The conditions on the values of a segment's events. `list` has the lines of a list. Where few values are left of
    /// a field, an event has one of these instead of none of the others.
    pub fn conditions<'a, L: Iterator<Item = &'a [u8]>>(&self, list: impl Fn(usize) -> L) -> Conditions {
        let mut conditions = self.values.clone();
        for Excluded { nth, values, terms } in &self.excluded {
            let Some(left) = lists::left(list(*nth), (self.log, LISTED[*nth]), values) else { continue };
            if left.len() < values.len() {
                conditions.none.retain(|none| !terms.contains(none));
                conditions.any.push(left.into_iter().map(|key| vec![key]).collect());
            }
        }
        let has_text =
            self.text.as_ref().is_some_and(|text| !text.blocks.is_empty() || !text.wide.is_empty());
        // Every other key implies the log.
        if conditions.any.is_empty() && !has_text {
            conditions.any.push(vec![vec![values::key(self.log, Field::Log, [b"", b""])]]);
        }
        conditions
    }

    /// The parts of the text that a dictionary answers.
    pub fn words(&self) -> &[InWord] {
        self.text.as_ref().map_or(&[], |text| &text.words)
    }

    /// The keys of texts that are looked up, each with its directory. The first ones usually suffice for a text that
    /// occurs nowhere.
    pub fn texts(&self, only_first: bool) -> impl Iterator<Item = (Kind, u32)> {
        let most = if only_first { FIRST_KEYS } else { usize::MAX };
        [Kind::Blocks, Kind::WideBlocks].into_iter().flat_map(move |kind| {
            let keys = self.text.as_ref().map_or(&[][..], |text| text.keys(kind));
            keys.iter().take(most).map(move |key| (kind, *key))
        })
    }
}
