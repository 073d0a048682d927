//! What an import has processed: of each lane a set of rows, stored in the transactions of their events.
//!
//! A position such as "the last id" would not do. Ids are given before a transaction commits, so rows appear below ids that
//! were already read:
//!
//! ```text
//! transaction A    id 7 ────────────────────────────────────> commit
//! transaction B          id 8 ──> commit
//! import                                 reads 8                         reads 7
//! position                               {1-6, 8}                        {1-8}
//! ```
//!
//! **Complete.** A pass reads every row of a table that is not in the set ([`IdSet::missing`] names the ids to look for). So a
//! row is processed by the first pass that begins after its commit, whatever became of the ids around it and in whichever order
//! they committed. This needs nothing of the source but that a row keeps its id and no other row gets it: not the order of a
//! sequence, not the age of a transaction (`xmin` wraps around, is frozen, and is not there in a view), not a clock. It is also
//! true of a copy, a standby, or a database restored from a dump.
//!
//! **Once.** A set and the events of its rows are stored in one transaction, if the set is still the one that was read; see
//! [`super::run`]. A process that is killed has stored both or neither.
//!
//! **Updates.** A column that is filled in later, such as the end of a session, has a lane of its own: all rows that have a value
//! there, less its set. A number that grows ([`Growth`]) is compared with the one before.

use std::collections::{BTreeMap, HashMap};

use logbook_engine::append::ImportPosition;

use super::{ImportError, growth::Growth, ids::IdSet};

#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Whose positions these are: the system and a name for the database.
    source: String,
    /// As they are stored: `lane/block` and its text.
    pub stored: HashMap<String, String>,
    sets: BTreeMap<String, IdSet>,
    growths: BTreeMap<String, Growth>,
}

impl Progress {
    pub(super) fn new(source: String, stored: HashMap<String, String>) -> Self {
        Self { source, stored, ..Self::default() }
    }

    /// The rows of a lane that have been processed.
    pub(super) fn set(&mut self, lane: &str) -> Result<&mut IdSet, ImportError> {
        if !self.sets.contains_key(lane) {
            let mut set = IdSet::default();
            load(&self.stored, lane, |block, text| set.load(block, text))?;
            self.sets.insert(lane.to_owned(), set);
        }
        Ok(self.sets.entry(lane.to_owned()).or_default())
    }

    /// The numbers that a lane has told of.
    pub(super) fn growth(&mut self, lane: &str) -> Result<&mut Growth, ImportError> {
        if !self.growths.contains_key(lane) {
            let mut growth = Growth::default();
            load(&self.stored, lane, |block, text| growth.load(block, text))?;
            self.growths.insert(lane.to_owned(), growth);
        }
        Ok(self.growths.entry(lane.to_owned()).or_default())
    }

    /// What has to be stored now.
    pub(super) fn take_changed(&mut self) -> Result<Vec<ImportPosition>, ImportError> {
        let mut changed = Vec::new();
        for (lane, set) in &mut self.sets {
            let unwritable = |error: std::io::Error| ImportError::Position {
                table: lane.clone(),
                position: error.to_string(),
            };
            let blocks = set.take_changed().map_err(unwritable)?;
            changed.extend(blocks.into_iter().map(|(block, text)| (format!("{lane}/{block}"), text)));
        }
        for (lane, growth) in &mut self.growths {
            let blocks = growth.take_changed();
            changed.extend(blocks.into_iter().map(|(block, text)| (format!("{lane}/{block}"), text)));
        }
        changed.retain(|(table, position)| self.stored.get(table) != Some(position));
        let position =
            |(source_table, position)| ImportPosition { source: self.source.clone(), source_table, position };
        Ok(changed.into_iter().map(position).collect())
    }

    /// Says that these are stored now.
    pub(super) fn confirm(&mut self, positions: Vec<ImportPosition>) {
        self.stored.extend(positions.into_iter().map(|position| (position.source_table, position.position)));
    }
}

fn load(
    stored: &HashMap<String, String>,
    lane: &str,
    mut take: impl FnMut(i64, &str) -> Option<()>,
) -> Result<(), ImportError> {
    if let Some(text) = stored.get(lane) {
        // As an earlier development version stored it: read as nothing, everything would be imported twice.
        return Err(ImportError::Position {
            table: lane.to_owned(),
            position: text.chars().take(60).collect(),
        });
    }
    for (table, text) in stored {
        let Some(block) = table.strip_prefix(lane).and_then(|rest| rest.strip_prefix('/')) else { continue };
        let taken = block.parse().ok().and_then(|block| take(block, text));
        taken.ok_or_else(|| ImportError::Position {
            table: table.clone(),
            position: text.chars().take(60).collect(),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_stored_again() {
        let mut progress = Progress::new("test".into(), HashMap::new());
        progress.set("entries").expect("a set").insert(7);
        progress.set("entries.ended_at").expect("a set").insert(70_000);
        progress.growth("attempts.failures").expect("numbers").set(3, 2);
        let changed = progress.take_changed().expect("readable");
        let tables: Vec<_> = changed.iter().map(|position| position.source_table.as_str()).collect();
        assert_eq!(tables, ["entries/0", "entries.ended_at/1", "attempts.failures/0"]);
        progress.confirm(changed);
        progress.set("entries").expect("a set").insert(7);
        assert_eq!(progress.take_changed().expect("readable"), []);

        let mut again = Progress::new("test".into(), progress.stored);
        assert!(again.set("entries").expect("a set").contains(7));
        assert!(!again.set("entries").expect("a set").contains(70_000));
        assert!(again.set("entries.ended_at").expect("a set").contains(70_000));
        assert_eq!(again.growth("attempts.failures").expect("numbers").get(3), 2);
    }

    #[test]
    fn what_cannot_be_read_ends_the_import() {
        let stored = HashMap::from([("entries/0".to_owned(), "no block".to_owned())]);
        let error = Progress::new("test".into(), stored).set("entries").expect_err("an error").to_string();
        assert!(error.contains("the stored position of entries/0 cannot be read: no block"), "{error}");
    }
}
