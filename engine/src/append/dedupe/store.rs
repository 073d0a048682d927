//! Dedupe keys in the database, and what an appender remembers of them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use diesel::prelude::*;

use super::{
    Key,
    run::{self, Entry, MERGED, MOST_ENTRIES, Part},
};
use crate::{
    db::{
        Conn, dialect,
        rows::{DedupePartRow, DedupeRunRow},
        schema::{dedupe_parts, dedupe_runs},
        timestamp::Timestamp,
    },
    error::Result,
};

/// Bytes of heads that an appender remembers: those of 16 million keys. What is beyond that is read again by each transaction.
const MOST_BYTES: u64 = 64 << 20;
/// Runs that a thread of it remembers, without their heads.
const MOST_RUNS: usize = 50_000;
/// Runs whose keys expire within so many microseconds of each other are merged: a day.
const EXPIRE_TOGETHER: i64 = 86_400_000_000;
/// Values in a statement.
const CHUNK: usize = 1000;

/// A run of a source, without its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// The lowest seq of its events.
    number: i64,
    entries: usize,
    expires_at: Option<Timestamp>,
}

impl Run {
    fn bits(self) -> u32 {
        run::bits(self.entries)
    }

    /// Runs that are alike in this are merged.
    fn class(self) -> (Option<i64>, u32) {
        (self.expires_at.map(|time| time.0.div_euclid(EXPIRE_TOGETHER)), run::level(self.entries))
    }
}

/// Which part of which run of a workspace. A run that replaces others has more entries than the one whose number it takes.
type PartKey = (i32, i64, usize, i32);

#[derive(Clone)]
struct ByLength;

impl quick_cache::Weighter<PartKey, Arc<[u32]>> for ByLength {
    fn weight(&self, _: &PartKey, heads: &Arc<[u32]>) -> u64 {
        4 * heads.len() as u64 + 96
    }
}

/// The heads of parts that an appender's threads remember together.
#[derive(Clone)]
pub(crate) struct Heads(Arc<quick_cache::sync::Cache<PartKey, Arc<[u32]>, ByLength>>);

impl Heads {
    /// At most so many bytes of them.
    pub(crate) fn new(bytes: u64) -> Self {
        let parts = (bytes / 8192) as usize;
        Self(Arc::new(quick_cache::sync::Cache::with_weighter(parts, bytes, ByLength)))
    }
}

impl Default for Heads {
    fn default() -> Self {
        Self::new(MOST_BYTES)
    }
}

impl std::fmt::Debug for Heads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Heads").field(&self.0.len()).finish()
    }
}

/// The runs of a workspace's sources, as of a seq.
#[derive(Debug, Default)]
struct Listed {
    last_seq: i64,
    sources: HashMap<String, Vec<Run>>,
}

/// What an appender's thread remembers of the keys. It is right while nobody else appends to the workspace, which the last seq
/// tells: who adds a key also adds an event. Who removes one does it because it has expired, and so does everybody.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    listed: HashMap<i32, Listed>,
    heads: Heads,
}

impl Remembered {
    /// Which shares the heads of others.
    pub(crate) fn sharing(heads: Heads) -> Self {
        Self { listed: HashMap::new(), heads }
    }

    /// Makes the next transaction ask the database again: what the last one added may have been rolled back.
    pub(crate) fn forget(&mut self) {
        self.listed.clear();
        self.heads.0.clear();
    }

    /// Forgets what may have changed: somebody else appended to the workspace, whose last seq this is now.
    pub(super) fn check(&mut self, workspace_id: i32, last_seq: i64) {
        let runs = |listed: &Listed| listed.sources.values().map(Vec::len).sum::<usize>();
        if self.listed.values().map(runs).sum::<usize>() > MOST_RUNS {
            self.listed.clear();
        }
        let listed = self.listed.entry(workspace_id).or_default();
        if listed.last_seq != last_seq {
            *listed = Listed { last_seq, ..Listed::default() };
        }
    }

    /// Removes a workspace's expired keys.
    pub(super) fn expire(&mut self, conn: &mut Conn, workspace_id: i32, now: Timestamp) -> Result<()> {
        let expired = diesel::delete(
            dedupe_runs::table
                .filter(dedupe_runs::workspace_id.eq(workspace_id))
                .filter(dedupe_runs::expires_at.le(Some(now))),
        )
        .returning((dedupe_runs::source, dedupe_runs::run))
        .get_results::<(String, i64)>(conn)?;
        if let Some(listed) = self.listed.get_mut(&workspace_id) {
            // Another server may have removed them.
            let is_known = |run: &Run| run.expires_at.is_none_or(|time| time > now);
            listed.sources.values_mut().for_each(|runs| runs.retain(is_known));
        }
        let mut by_source: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (source, run) in expired {
            by_source.entry(source).or_default().push(run);
        }
        for (source, runs) in by_source {
            delete_parts(conn, (workspace_id, &source), &runs)?;
        }
        Ok(())
    }

    /// What is remembered is that of a workspace with this last seq, once the transaction has committed.
    pub(super) fn end(&mut self, workspace_id: i32, last_seq: i64) {
        if let Some(listed) = self.listed.get_mut(&workspace_id) {
            listed.last_seq = last_seq;
        }
    }

    fn runs(&mut self, conn: &mut Conn, (workspace_id, source): (i32, &str)) -> Result<&mut Vec<Run>> {
        let listed = self.listed.entry(workspace_id).or_default();
        if !listed.sources.contains_key(source) {
            let rows = dedupe_runs::table
                .filter(dedupe_runs::workspace_id.eq(workspace_id))
                .filter(dedupe_runs::source.eq(source))
                .order(dedupe_runs::run)
                .select((dedupe_runs::run, dedupe_runs::entries, dedupe_runs::expires_at))
                .load::<(i64, i64, Option<Timestamp>)>(conn)?;
            let run = |(number, entries, expires_at)| Run { number, entries: entries as usize, expires_at };
            listed.sources.insert(source.to_owned(), rows.into_iter().map(run).collect());
        }
        Ok(listed.sources.entry(source.to_owned()).or_default())
    }

    /// The keys that are known among these, with the seq of the event, and the time that was given. The keys are in ascending
    /// order.
    pub(super) fn find(
        &mut self,
        conn: &mut Conn,
        (workspace_id, source): (i32, &str),
        keys: &[(Key, Timestamp)],
    ) -> Result<HashMap<Key, (i64, Timestamp)>> {
        let runs = self.runs(conn, (workspace_id, source))?.clone();
        let mut found = HashMap::new();
        for run in runs {
            let part_of = |(key, _): &(Key, Timestamp)| run::part_of(*key, run.bits());
            let mut maybe: BTreeMap<i32, Vec<(Key, Timestamp)>> = BTreeMap::new();
            let mut matches = |number, keys: &[(Key, Timestamp)], heads: &[u32]| {
                let is_there = |(key, _): &&(Key, Timestamp)| heads.binary_search(&key.head()).is_ok();
                let matching: Vec<_> = keys.iter().filter(is_there).copied().collect();
                if !matching.is_empty() {
                    maybe.insert(number, matching);
                }
            };
            let mut missing: BTreeMap<i32, &[(Key, Timestamp)]> = BTreeMap::new();
            for keys in keys.chunk_by(|one, other| part_of(one) == part_of(other)) {
                let number = part_of(&keys[0]);
                match self.heads.0.get(&(workspace_id, run.number, run.entries, number)) {
                    Some(heads) => matches(number, keys, &heads),
                    None => drop(missing.insert(number, keys)),
                }
            }
            // A part without entries has no row.
            let numbers: Vec<i32> = missing.keys().copied().collect();
            for numbers in numbers.chunks(CHUNK) {
                let loaded = load_heads(conn, (workspace_id, source, run.number), numbers)?;
                for (number, heads) in loaded {
                    let keys = missing.get(&number).copied().unwrap_or_default();
                    matches(number, keys, &heads);
                    self.heads.0.insert((workspace_id, run.number, run.entries, number), heads);
                }
            }
            let numbers: Vec<i32> = maybe.keys().copied().collect();
            for (_, number, part) in load_parts(conn, (workspace_id, source), &[run.number], Some(&numbers))?
            {
                let wanted: HashMap<Key, Timestamp> =
                    maybe.remove(&number).unwrap_or_default().into_iter().collect();
                let entries = run::entries(&part);
                found.extend(entries.filter_map(|entry| {
                    let time = wanted.get(&entry.key())?;
                    Some((entry.key(), (entry.seq(), *time)))
                }));
            }
        }
        Ok(found)
    }

    /// Adds a run with these entries, which are in ascending order, and merges it with those that are alike.
    pub(super) fn add(
        &mut self,
        conn: &mut Conn,
        of: (i32, &str),
        entries: &[Entry],
        expires_at: Option<Timestamp>,
    ) -> Result<()> {
        let Some(number) = entries.iter().map(|entry| entry.seq()).min() else { return Ok(()) };
        let mut run = Run { number, entries: entries.len(), expires_at };
        // Before it is inserted, since the list may come from the database.
        let mut runs = self.runs(conn, of)?.clone();
        self.insert(conn, of, run, entries)?;
        runs.push(run);
        loop {
            let alike: Vec<Run> = runs.iter().copied().filter(|other| other.class() == run.class()).collect();
            let total: usize = alike.iter().map(|run| run.entries).sum();
            if alike.len() < MERGED || total > MOST_ENTRIES {
                break;
            }
            run = self.merge(conn, of, &alike)?;
            runs.retain(|run| !alike.contains(run));
            runs.push(run);
        }
        *self.runs(conn, of)? = runs;
        Ok(())
    }

    fn insert(
        &mut self,
        conn: &mut Conn,
        (workspace_id, source): (i32, &str),
        run: Run,
        entries: &[Entry],
    ) -> Result<()> {
        diesel::insert_into(dedupe_runs::table)
            .values(DedupeRunRow {
                workspace_id,
                source: source.to_owned(),
                run: run.number,
                entries: run.entries as i64,
                expires_at: run.expires_at,
            })
            .execute(conn)?;
        let rows: Vec<DedupePartRow> = run::parts(entries)
            .into_iter()
            .map(|(part, Part { heads, rests })| {
                let key = (workspace_id, run.number, run.entries, part);
                self.heads.0.insert(key, run::heads(&heads).into());
                DedupePartRow { workspace_id, source: source.to_owned(), run: run.number, part, heads, rests }
            })
            .collect();
        dialect::insert_dedupe_parts(conn, &rows)?;
        Ok(())
    }

    /// Replaces runs by one.
    fn merge(&mut self, conn: &mut Conn, (workspace_id, source): (i32, &str), runs: &[Run]) -> Result<Run> {
        let numbers: Vec<i64> = runs.iter().map(|run| run.number).collect();
        let mut entries: Vec<Entry> = Vec::new();
        for (number, part, stored) in load_parts(conn, (workspace_id, source), &numbers, None)? {
            entries.extend(run::entries(&stored));
            let run = runs.iter().find(|run| run.number == number);
            run.map(|run| self.heads.0.remove(&(workspace_id, number, run.entries, part)));
        }
        entries.sort_unstable();
        diesel::delete(
            dedupe_runs::table
                .filter(dedupe_runs::workspace_id.eq(workspace_id))
                .filter(dedupe_runs::source.eq(source))
                .filter(dedupe_runs::run.eq_any(&numbers)),
        )
        .execute(conn)?;
        delete_parts(conn, (workspace_id, source), &numbers)?;
        let merged = Run {
            number: numbers.into_iter().min().unwrap_or_default(),
            entries: entries.len(),
            expires_at: runs.iter().filter_map(|run| run.expires_at).max(),
        };
        self.insert(conn, (workspace_id, source), merged, &entries)?;
        Ok(merged)
    }
}

fn delete_parts(conn: &mut Conn, (workspace_id, source): (i32, &str), runs: &[i64]) -> Result<()> {
    for runs in runs.chunks(CHUNK) {
        diesel::delete(
            dedupe_parts::table
                .filter(dedupe_parts::workspace_id.eq(workspace_id))
                .filter(dedupe_parts::source.eq(source))
                .filter(dedupe_parts::run.eq_any(runs)),
        )
        .execute(conn)?;
    }
    Ok(())
}

fn load_heads(
    conn: &mut Conn,
    (workspace_id, source, run): (i32, &str, i64),
    parts: &[i32],
) -> Result<Vec<(i32, Arc<[u32]>)>> {
    let rows = dedupe_parts::table
        .filter(dedupe_parts::workspace_id.eq(workspace_id))
        .filter(dedupe_parts::source.eq(source))
        .filter(dedupe_parts::run.eq(run))
        .filter(dedupe_parts::part.eq_any(parts))
        .select((dedupe_parts::part, dedupe_parts::heads))
        .load::<(i32, Vec<u8>)>(conn)?;
    Ok(rows.into_iter().map(|(part, heads)| (part, run::heads(&heads).into())).collect())
}

/// Parts of runs, with the numbers of both. `parts`: None is all of them.
fn load_parts(
    conn: &mut Conn,
    (workspace_id, source): (i32, &str),
    runs: &[i64],
    parts: Option<&[i32]>,
) -> Result<Vec<(i64, i32, Part)>> {
    if parts.is_some_and(<[i32]>::is_empty) {
        return Ok(Vec::new());
    }
    let mut query = dedupe_parts::table
        .filter(dedupe_parts::workspace_id.eq(workspace_id))
        .filter(dedupe_parts::source.eq(source))
        .filter(dedupe_parts::run.eq_any(runs))
        .select((dedupe_parts::run, dedupe_parts::part, dedupe_parts::heads, dedupe_parts::rests))
        .into_boxed();
    if let Some(parts) = parts {
        query = query.filter(dedupe_parts::part.eq_any(parts));
    }
    let rows = query.load::<(i64, i32, Vec<u8>, Vec<u8>)>(conn)?;
    Ok(rows.into_iter().map(|(run, part, heads, rests)| (run, part, Part { heads, rests })).collect())
}
