//! Who and what was seen in the logs, by a part of their name or id.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use serde::Serialize;
use utoipa::ToSchema;

use super::{Part, list};
use crate::{
    db::Conn,
    error::Result,
    event::{Actor, Event, Log, Target},
    filter::{Filter, metadata::each_leaf, search::Search},
    index::Index,
    order::Order,
    text::{Needle, normalize},
};

/// Events that are read, newest first: some, which mostly suffice, and then the others at once, since finding them costs
/// more than reading them.
const STEPS: [usize; 2] = [30, 90];
/// Paths that are kept, and characters of a value beside one.
const MOST_PATHS: usize = 1000;
const MOST_CHARACTERS: usize = 100;
/// How long they are looked for: somebody is typing.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who or what is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Actors, and those on whose behalf they acted.
    Actor,
    /// The first targets that have an id.
    Record,
    /// The first targets, with or without an id.
    Component,
    /// All targets that have an id.
    Target,
    /// Paths in the metadata, with their newest value as the name.
    Metadata,
}

/// Somebody or something that was seen in a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suggestion {
    /// Null for a component of which only the type is known.
    #[schema(required, example = "17")]
    pub id: Option<String>,
    /// The newest name.
    #[schema(required, example = "Asha Rao")]
    pub name: Option<String>,
    #[serde(rename = "type")]
    #[schema(example = "user")]
    pub kind: String,
}

/// What was seen last in these logs and has `text` in its name or id, each once: first what begins with it, then the
/// newest. An empty text is in everything.
///
/// # Errors
/// As [`list`].
pub fn suggest(
    conn: &mut Conn,
    index: &Index,
    (workspace_id, logs): (i32, &[Log]),
    field: Field,
    text: &str,
    limit: usize,
) -> Result<Vec<Suggestion>> {
    // The index finds the values of metadata, and not their paths.
    let search = (!text.is_empty() && field != Field::Metadata).then(|| Search::new(text, workspace_id));
    let part = |log: &Log| Part::new(Filter { search: search.clone(), ..Filter::all(workspace_id, *log) });
    let parts: Vec<Part> = logs.iter().map(part).collect();
    let deadline = Instant::now() + PATIENCE;
    let mut seen = Seen::new(text);
    let mut after = None;
    for step in STEPS {
        let patience = deadline.saturating_duration_since(Instant::now());
        let found = list(conn, index, &parts, (Order::Desc, after), step, patience)?;
        found.events.iter().for_each(|event| seen.add(event, field));
        after = found.next;
        if after.is_none() || seen.beginning() >= limit || Instant::now() >= deadline {
            break;
        }
    }
    Ok(seen.best(limit))
}

/// What was seen, newest first.
struct Seen {
    needle: Needle,
    found: Vec<Suggestion>,
    places: HashMap<(String, Option<String>), usize>,
}

impl Seen {
    fn new(text: &str) -> Self {
        Self { needle: Needle::new(text), found: Vec::new(), places: HashMap::new() }
    }

    fn add(&mut self, event: &Event, field: Field) {
        let common = &event.common;
        match field {
            Field::Actor => {
                for Actor { kind, id, name } in common.actor.iter().chain(&common.on_behalf_of) {
                    if id.is_some() {
                        self.add_one(kind.as_str(), id.as_deref(), name.as_deref());
                    }
                }
            }
            Field::Record => self.add_target(&common.target, true),
            Field::Component => self.add_target(&common.target, false),
            Field::Metadata => each_leaf(&event.parse_metadata(), &mut |path, value| {
                if self.needle.is_in(path) && self.found.len() < MOST_PATHS {
                    let value: String = value.chars().take(MOST_CHARACTERS).collect();
                    self.add_one("metadata", Some(path), Some(&value));
                }
            }),
            Field::Target => common.all_targets().for_each(|target| self.add_target(target, true)),
        }
    }

    fn add_target(&mut self, Target { kind, id, name }: &Target, needs_id: bool) {
        if let Some(kind) = kind
            && (id.is_some() || !needs_id)
        {
            self.add_one(kind, id.as_deref(), name.as_deref());
        }
    }

    fn add_one(&mut self, kind: &str, id: Option<&str>, name: Option<&str>) {
        // A component without an id is known by its type.
        let id_or_type = id.unwrap_or(kind);
        if ![Some(id_or_type), name].into_iter().flatten().any(|text| self.needle.is_in(text)) {
            return;
        }
        let key = (kind.to_owned(), id.map(str::to_owned));
        if let Some(place) = self.places.get(&key) {
            let known = &mut self.found[*place].name;
            if known.is_none() {
                *known = name.map(str::to_owned);
            }
            return;
        }
        self.places.insert(key, self.found.len());
        let (id, name) = (id.map(str::to_owned), name.map(str::to_owned));
        self.found.push(Suggestion { id, name, kind: kind.to_owned() });
    }

    fn begins(&self, Suggestion { id, name, .. }: &Suggestion) -> bool {
        let begins = |text: &String| normalize(text).starts_with(self.needle.normalized());
        id.iter().chain(name).any(begins)
    }

    /// How many begin with the text. Nothing that is found later comes before them.
    fn beginning(&self) -> usize {
        self.found.iter().filter(|found| self.begins(found)).count()
    }

    fn best(mut self, limit: usize) -> Vec<Suggestion> {
        let found = std::mem::take(&mut self.found);
        // The newest stay first.
        let (mut best, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| self.begins(found));
        best.extend(others);
        best.truncate(limit);
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_the_text_comes_first_and_each_once() {
        let mut seen = Seen::new("AS");
        for (id, name) in [
            ("1", Some("Thomas")),
            ("2", None),
            ("3", Some("Asha Rao")),
            ("as-4", None),
            ("as-4", Some("Ben Kim")),
            ("3", Some("Asha")),
        ] {
            seen.add_one("user", Some(id), name);
        }
        seen.add_one("service", Some("3"), Some("nasa"));
        let found = |kind: &str, id: &str, name: &str| Suggestion {
            id: Some(id.into()),
            name: Some(name.into()),
            kind: kind.into(),
        };
        assert_eq!(
            seen.best(4),
            [
                found("user", "3", "Asha Rao"),
                found("user", "as-4", "Ben Kim"),
                found("user", "1", "Thomas"),
                found("service", "3", "nasa"),
            ]
        );
    }
}
