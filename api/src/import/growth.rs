//! How far a number in each row had grown when it was last read: `id:number` for each, 1,024 ids to a block.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::IdSet;

const BLOCK_IDS: i64 = 1024;

#[derive(Clone, Debug, Default)]
pub(super) struct Growth {
    blocks: BTreeMap<i64, BTreeMap<i64, i64>>,
    changed: BTreeSet<i64>,
}

impl Growth {
    /// 0 for a row that has not been read.
    pub(super) fn get(&self, id: i64) -> i64 {
        self.blocks.get(&id.div_euclid(BLOCK_IDS)).and_then(|block| block.get(&id)).copied().unwrap_or(0)
    }

    pub(super) fn set(&mut self, id: i64, number: i64) {
        let block = id.div_euclid(BLOCK_IDS);
        self.blocks.entry(block).or_default().insert(id, number);
        self.changed.insert(block);
    }

    /// Forgets the rows that are no longer there: an id is never given a second time.
    pub(super) fn retain(&mut self, there: &IdSet) {
        for (block, numbers) in &mut self.blocks {
            let before = numbers.len();
            numbers.retain(|id, _| there.contains(*id));
            if numbers.len() < before {
                self.changed.insert(*block);
            }
        }
    }

    /// Adds a stored block. None when the text is not one.
    pub(super) fn load(&mut self, block: i64, text: &str) -> Option<()> {
        let numbers = self.blocks.entry(block).or_default();
        for pair in text.split(',').filter(|pair| !pair.is_empty()) {
            let (id, number) = pair.split_once(':')?;
            numbers.insert(id.parse().ok()?, number.parse().ok()?);
        }
        Some(())
    }

    /// The blocks that changed since this was last called, as they are stored.
    pub(super) fn take_changed(&mut self) -> Vec<(i64, String)> {
        let encode = |block: i64| {
            let numbers = self.blocks.get(&block).into_iter().flatten();
            let pairs: Vec<String> = numbers.map(|(id, number)| format!("{id}:{number}")).collect();
            (block, pairs.join(","))
        };
        std::mem::take(&mut self.changed).into_iter().map(encode).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_their_text_and_go_with_their_rows() {
        let mut growth = Growth::default();
        [(1, 3), (2, 1), (5000, 7), (1, 4)].into_iter().for_each(|(id, number)| growth.set(id, number));
        let stored = growth.take_changed();
        assert_eq!(stored, [(0, "1:4,2:1".to_owned()), (4, "5000:7".to_owned())]);
        let mut loaded = Growth::default();
        for (block, text) in stored {
            loaded.load(block, &text).expect("a block");
        }
        assert_eq!((loaded.get(1), loaded.get(2), loaded.get(5000), loaded.get(3)), (4, 1, 7, 0));
        let mut there = IdSet::default();
        there.insert(2);
        loaded.retain(&there);
        assert_eq!(loaded.take_changed(), [(0, "2:1".to_owned()), (4, String::new())]);
        assert!(loaded.load(0, "2").is_none() && loaded.load(0, "a:b").is_none());
    }
}
