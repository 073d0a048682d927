//! What a filter asks of the index.

use super::{
    directory::Kind,
    signature::TextMarks,
    values::{self, Field},
};
use crate::{event::Log, filter::Filter};

/// A condition with more values is not checked by the index, only on the rows.
const MOST_VALUES: usize = 32;

/// Keys of each directory that are looked up before the others.
const FIRST_KEYS: usize = 2;

/// Keys of values that an event has all of.
pub type AllOf = Vec<u64>;

/// Conditions that every event which matches the filter fulfils.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In each of these groups it fulfils at least one.
    pub any: Vec<Vec<AllOf>>,
    /// It fulfils none of these.
    pub none: Vec<AllOf>,
    /// It has these marks.
    pub text: Option<TextMarks>,
}

impl Plan {
    pub fn new(filter: &Filter) -> Self {
        let Filter {
            workspace_id: _,
            log,
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
        } = filter;
        let key = |field: Field, value: &str| values::key(*log, field, value);
        let outcomes = outcomes.iter().map(|outcome| vec![key(Field::Outcome, outcome.as_str())]).collect();
        let types = actor_types.iter().map(|kind| vec![key(Field::ActorType, kind.as_str())]).collect();
        let targets = targets.iter().map(|(kind, id)| {
            let id = id.as_ref().map(|id| key(Field::TargetId, id));
            [key(Field::TargetType, kind)].into_iter().chain(id).collect()
        });
        let mut any: Vec<Vec<AllOf>> = vec![outcomes, types, targets.collect()];
        let texts = [
            (Field::Action, actions),
            (Field::Role, roles),
            (Field::ActorId, actor_ids),
            (Field::TargetId, target_ids),
            (Field::IpAddress, ip_addresses),
            (Field::SessionId, session_ids),
            (Field::ChangedField, fields),
        ];
        any.extend(texts.map(|(field, texts)| texts.iter().map(|text| vec![key(field, text)]).collect()));
        any.retain(|group| !group.is_empty() && group.len() <= MOST_VALUES);
        let text = search.as_ref().map(|search| TextMarks::new(*log, search.normalized().as_bytes()));
        Self { any, none: Vec::new(), text }.within(*log)
    }

    /// Every other key implies the log.
    fn within(mut self, log: Log) -> Self {
        if self.any.is_empty() && self.text.as_ref().is_none_or(|text| text.blocks.is_empty() && text.groups.is_empty()) {
            self.any.push(vec![vec![values::key(log, Field::Log, "")]]);
        }
        self
    }

    /// All keys of values that are looked up.
    pub fn values(&self) -> Vec<u64> {
        let mut keys: Vec<u64> = self.any.iter().flatten().chain(&self.none).flatten().copied().collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The keys of texts that are looked up, each with its directory. The first ones usually suffice for a text that
    /// occurs nowhere.
    pub fn texts(&self, only_first: bool) -> impl Iterator<Item = (Kind, u32)> {
        let most = if only_first { FIRST_KEYS } else { usize::MAX };
        [Kind::Blocks, Kind::Groups].into_iter().flat_map(move |kind| {
            let keys = self.text.as_ref().map_or(&[][..], |text| text.keys(kind));
            keys.iter().take(most).map(move |key| (kind, *key))
        })
    }
}
