//! Which values, and which of their combinations, are counted by themselves.
//!
//! A producer may send any action, role or target type. So each log of a workspace has at most [`MOST_VALUES`] counted
//! values in a dimension, and [`MOST_KEYS`] combinations of them: those that came first. They are registered in
//! `count_keys`, by the appender's transaction, and stay registered. All others count as [`OTHER`]:
//!
//! | event | counts as |
//! |---|---|
//! | a value that is not registered | the same key with `(other)` for that value |
//! | values that are, in a combination that is not | its action and outcome, with `(other)` for the rest |
//!
//! What an event counts as so does not depend on when that is asked: an event whose key is not registered came when the
//! registry was full, and it stays full. Deltas, compaction and a recount of the events agree.
//!
//! The registry has hashes: a producer who made two values with the same 64 bits would have both counted.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use foldhash::fast::RandomState;
use sha2::{Digest as _, Sha256};

use super::{packed::Key, sql};
use crate::{
    db::{
        Conn,
        dialect::{self, AnyOf},
        roles,
        rows::{CountKeyRow, EventRow},
        schema::{count_keys, workspace_sequences},
    },
    error::Result,
    event::{Log, Outcome},
    filter::{Accepted, Dimension, Filter},
};

/// Stands for all values that are not counted by themselves.
pub const OTHER: &str = "(other)";
/// Counted values of a log in a dimension.
pub const MOST_VALUES: usize = 1000;
/// Counted combinations of a log's values. An app with 40 models, 12 roles and four keys has 11,000.
pub const MOST_KEYS: usize = 20_000;
/// Hashes that an appender remembers, some 10 MB.
const MOST_REMEMBERED: usize = 500_000;

/// What is registered: combinations, and the values of each dimension that producers choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Key = 0,
    Action = 1,
    Role = 2,
    TargetType = 3,
    Source = 4,
}

const KINDS: [Kind; 5] = [Kind::Key, Kind::Action, Kind::Role, Kind::TargetType, Kind::Source];

impl Kind {
    fn most(self) -> usize {
        if self == Self::Key { MOST_KEYS } else { MOST_VALUES }
    }

    fn hash_of(self, text: &str) -> i64 {
        hash([Some(text), Some(""), None, None, None], self as u8)
    }
}

/// A hash of a key's parts, or of one value; part of the format of `count_keys`.
fn hash(parts: [Option<&str>; 5], tag: u8) -> i64 {
    let mut digest = Sha256::new().chain_update([tag]);
    for part in parts {
        digest.update(part.map_or(u32::MAX, |part| part.len() as u32).to_be_bytes());
        digest.update(part.unwrap_or_default());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&digest.finalize()[..8]);
    i64::from_be_bytes(first)
}

fn hash_of_key(key: &Key<'_>) -> i64 {
    let Key { action, outcome, role, target_type, source } = *key;
    hash([Some(action), Some(outcome.as_str()), role, target_type, Some(source)], Kind::Key as u8)
}

/// The key with nothing but action and outcome.
fn reduced<'a>(key: &Key<'a>) -> Key<'a> {
    Key { role: Some(OTHER), target_type: Some(OTHER), source: OTHER, ..*key }
}

/// Whether a value may be missing from the key although it is registered.
pub fn is_reduced(key: &Key<'_>) -> bool {
    reduced(key) == *key
}

/// The registered hashes of a log, by [`Kind`].
#[derive(Clone, Debug, Default)]
pub struct Registry {
    hashes: [HashSet<i64, RandomState>; KINDS.len()],
}

impl Registry {
    /// What is registered for a log.
    ///
    /// # Errors
    /// The database's.
    pub fn load(conn: &mut Conn, workspace_id: i32, log: Log) -> Result<Self> {
        let rows: Vec<(i16, i64)> = count_keys::table
            .filter(count_keys::workspace_id.eq(workspace_id))
            .filter(count_keys::log.eq(log.number()))
            .select((count_keys::kind, count_keys::hash))
            .load(conn)?;
        let mut registry = Self::default();
        for (kind, hash) in rows {
            if let Some(hashes) = usize::try_from(kind).ok().and_then(|kind| registry.hashes.get_mut(kind)) {
                hashes.insert(hash);
            }
        }
        Ok(registry)
    }

    /// Of what is registered for a log, the values that some filters name.
    ///
    /// # Errors
    /// The database's.
    pub fn load_named(conn: &mut Conn, workspace_id: i32, log: Log, filters: &[&Filter]) -> Result<Self> {
        let named = filters.iter().flat_map(|filter| named(filter));
        let mut named: Vec<(Kind, i64)> = named.map(|(_, kind, text)| (kind, kind.hash_of(text))).collect();
        named.sort_unstable();
        named.dedup();
        let mut registry = Self::default();
        for of_kind in named.chunk_by(|one, other| one.0 == other.0) {
            let (kind, hashes) = (of_kind[0].0, of_kind.iter().map(|(_, hash)| *hash).collect::<Vec<_>>());
            let found: Vec<i64> = count_keys::table
                .filter(count_keys::workspace_id.eq(workspace_id))
                .filter(count_keys::log.eq(log.number()))
                .filter(count_keys::kind.eq(kind as i16))
                .filter(AnyOf::new(count_keys::hash, &hashes))
                .select(count_keys::hash)
                .load(conn)?;
            registry.hashes[kind as usize].extend(found);
        }
        Ok(registry)
    }

    /// What is registered, by log.
    ///
    /// # Errors
    /// The database's.
    pub fn load_all(conn: &mut Conn, workspace_id: i32) -> Result<BTreeMap<i16, Self>> {
        let load = |log: &Log| Ok((log.number(), Self::load(conn, workspace_id, *log)?));
        Log::ALL.iter().map(load).collect()
    }

    fn len(&self) -> usize {
        self.hashes.iter().map(HashSet::len).sum()
    }

    /// Whether this is registered. Where it is not and there is room, `admit` decides.
    fn has(&mut self, kind: Kind, hash: i64, admit: &mut impl FnMut(Kind, i64) -> bool) -> bool {
        let hashes = &mut self.hashes[kind as usize];
        if hashes.contains(&hash) {
            return true;
        }
        let admitted = hashes.len() < kind.most() && admit(kind, hash);
        if admitted {
            hashes.insert(hash);
        }
        admitted
    }

    fn resolve<'a>(&mut self, key: Key<'a>, admit: &mut impl FnMut(Kind, i64) -> bool) -> Key<'a> {
        let texts = [Some(key.action), key.role, key.target_type, Some(key.source)];
        // What is registered has registered values.
        if !texts.contains(&Some(OTHER)) && self.hashes[Kind::Key as usize].contains(&hash_of_key(&key)) {
            return key;
        }
        let mut value = |kind: Kind, text: &'a str| {
            if text != OTHER && self.has(kind, kind.hash_of(text), admit) { text } else { OTHER }
        };
        let key = Key {
            action: value(Kind::Action, key.action),
            outcome: key.outcome,
            role: key.role.map(|role| value(Kind::Role, role)),
            target_type: key.target_type.map(|kind| value(Kind::TargetType, kind)),
            source: value(Kind::Source, key.source),
        };
        if is_reduced(&key) || self.has(Kind::Key, hash_of_key(&key), admit) { key } else { reduced(&key) }
    }

    /// What the events of a key count as.
    pub fn counted<'a>(&mut self, key: Key<'a>) -> Key<'a> {
        self.resolve(key, &mut |_, _| false)
    }

    /// As [`Registry::counted`]; what is not registered is noted, and registered where there is room.
    fn register<'a>(&mut self, key: Key<'a>, new: &mut Vec<(Kind, i64)>) -> Key<'a> {
        self.resolve(key, &mut |kind, hash| {
            new.push((kind, hash));
            true
        })
    }

    /// False when something of the key is not registered although there is room for it.
    fn covers(&mut self, key: Key<'_>) -> bool {
        let mut covers = true;
        self.resolve(key, &mut |_, _| {
            covers = false;
            false
        });
        covers
    }

    /// The dimensions in which the filter names a value that is not counted by itself.
    pub fn unregistered_in(&self, filter: &Filter) -> Vec<Dimension> {
        let missing = |kind: Kind, text: &str| {
            text == OTHER || !self.hashes[kind as usize].contains(&kind.hash_of(text))
        };
        let mut found: Vec<Dimension> = Vec::new();
        for (dimension, kind, text) in named(filter) {
            if !found.contains(&dimension) && missing(kind, text) {
                found.push(dimension);
            }
        }
        found
    }
}

/// The values that a filter names, of the dimensions whose values are registered.
fn named(filter: &Filter) -> impl Iterator<Item = (Dimension, Kind, &str)> {
    fn texts(accepted: &Accepted<String>) -> Vec<&str> {
        accepted.values().map(String::as_str).collect()
    }
    let Filter { actions, roles, targets, sources, .. } = filter;
    let of = [
        (Dimension::Action, Kind::Action, texts(actions)),
        (Dimension::Role, Kind::Role, texts(roles)),
        (Dimension::TargetType, Kind::TargetType, targets.values().map(|(kind, _)| kind.as_str()).collect()),
        (Dimension::Source, Kind::Source, texts(sources)),
    ];
    of.into_iter()
        .flat_map(|(dimension, kind, texts)| texts.into_iter().map(move |text| (dimension, kind, text)))
}

/// What the events of a log's key count as.
pub fn counted<'a>(registries: &mut BTreeMap<i16, Registry>, log: Log, key: Key<'a>) -> Key<'a> {
    registries.entry(log.number()).or_default().counted(key)
}

fn key_of(row: &EventRow) -> Result<Key<'_>> {
    Ok(Key {
        action: &row.action,
        outcome: Outcome::from_number(row.outcome)?,
        role: row.role.as_deref(),
        target_type: row.target_type.as_deref(),
        source: &row.source,
    })
}

/// What an appender remembers of the registry. It is never wrong: nothing is unregistered.
#[derive(Debug, Default)]
pub struct KnownKeys {
    logs: HashMap<(i32, i16), Registry, RandomState>,
}

impl KnownKeys {
    /// Makes the next call ask the database again: what was registered may have been rolled back.
    pub fn forget(&mut self) {
        self.logs.clear();
    }

    /// What each event counts as. Registers what is new, in the order of the events. The transaction has locked the
    /// workspace's sequence.
    ///
    /// # Errors
    /// The database's.
    pub fn count<'a>(
        &mut self,
        conn: &mut Conn,
        workspace_id: i32,
        rows: &[&'a EventRow],
    ) -> Result<Vec<Key<'a>>> {
        if self.logs.values().map(Registry::len).sum::<usize>() > MOST_REMEMBERED {
            self.logs.clear();
        }
        let mut resolved: HashMap<(i16, Key<'a>), Key<'a>, RandomState> = HashMap::default();
        let mut fresh: HashSet<i16> = HashSet::new();
        let mut new = Vec::new();
        let mut counted = Vec::with_capacity(rows.len());
        for row in rows {
            let key = key_of(row)?;
            if let Some(known) = resolved.get(&(row.log, key)) {
                counted.push(*known);
                continue;
            }
            let registry = self.logs.entry((workspace_id, row.log)).or_default();
            // Another process may have registered it.
            if !registry.covers(key) && fresh.insert(row.log) {
                *registry = Registry::load(conn, workspace_id, Log::from_number(row.log)?)?;
            }
            let mut added = Vec::new();
            let as_counted = registry.register(key, &mut added);
            new.extend(added.into_iter().map(|added| (row.log, added)));
            resolved.insert((row.log, key), as_counted);
            counted.push(as_counted);
        }
        insert(conn, workspace_id, &new)?;
        Ok(counted)
    }
}

fn insert(conn: &mut Conn, workspace_id: i32, new: &[(i16, (Kind, i64))]) -> Result<()> {
    let rows: Vec<CountKeyRow> = new
        .iter()
        .map(|(log, (kind, hash))| CountKeyRow { workspace_id, log: *log, kind: *kind as i16, hash: *hash })
        .collect();
    dialect::insert_count_keys(conn, &rows)?;
    Ok(())
}

/// Looks for what is not registered although there is room, by log: how many values and combinations. `repair` registers
/// them, in the order of their events.
///
/// # Errors
/// The database's.
pub fn check(conn: &mut Conn, workspace_id: i32, repair: bool) -> Result<Vec<(Log, usize)>> {
    let found = roles::as_reader(conn, workspace_id, |conn| missing(conn, workspace_id, false))?;
    if repair && !found.is_empty() {
        conn.transaction(|conn| {
            lock(conn, workspace_id)?;
            missing(conn, workspace_id, true)
        })?;
    }
    Ok(found)
}

/// Locks the workspace's sequence, as the appender does.
fn lock(conn: &mut Conn, workspace_id: i32) -> Result<()> {
    dialect::lock_for_writing(conn)?;
    diesel::update(workspace_sequences::table.find(workspace_id))
        .set(workspace_sequences::last_seq.eq(workspace_sequences::last_seq))
        .execute(conn)?;
    Ok(())
}

fn missing(conn: &mut Conn, workspace_id: i32, write: bool) -> Result<Vec<(Log, usize)>> {
    let last: Option<i64> = workspace_sequences::table
        .find(workspace_id)
        .select(workspace_sequences::last_seq)
        .first(conn)
        .optional()?;
    let mut found = Vec::new();
    for &log in Log::ALL {
        let mut registry = Registry::load(conn, workspace_id, log)?;
        let mut new = Vec::new();
        sql::keys(conn, workspace_id, log, last.unwrap_or_default(), |key| {
            registry.register(key, &mut new);
        })?;
        if !new.is_empty() {
            found.push((log, new.len()));
        }
        if write {
            let new: Vec<_> = new.into_iter().map(|new| (log.number(), new)).collect();
            insert(conn, workspace_id, &new)?;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
