//! How far an import has come, as stored with the events.
//!
//! Ids grow, but they are assigned before a transaction commits: a row can appear below ids that were already read. So a
//! [`Position`] remembers the last id *and* the ids that were missing shortly before it:
//!
//! ```text
//! "299"              every row up to 299
//! "299;270,280-283"  every row up to 299, except these, which may still appear
//! ```
//!
//! A session's end is a stamp that appears on a row long after it was read, with no order at all. For those, [`Stamps`]
//! keeps one bit per row: 65,536 rows per block, deflated, in base64.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read as _, Write as _},
    ops::RangeInclusive,
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};

/// How far below the last id a row may still appear, and how many gaps are remembered.
const WINDOW: i64 = 10_000;
const MAX_GAPS: usize = 1000;

/// Every id up to `last`, except `missing`, has been processed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    last: i64,
    /// In growing order.
    missing: Vec<RangeInclusive<i64>>,
}

impl Position {
    /// The id after which reading continues.
    pub fn start(&self) -> i64 {
        self.missing.first().map_or(self.last, |range| range.start() - 1)
    }

    /// Whether the row has been processed.
    pub fn has(&self, id: i64) -> bool {
        id <= self.last && !self.missing.iter().any(|range| range.contains(&id))
    }

    /// Marks a row as processed.
    pub fn take(&mut self, id: i64) {
        if id > self.last {
            // Before the first row there is nothing to wait for.
            if self.last > 0 && id > self.last + 1 {
                self.missing.push(self.last + 1..=id - 1);
            }
            self.last = id;
            self.forget();
            return;
        }
        let Some(place) = self.missing.iter().position(|range| range.contains(&id)) else { return };
        let range = self.missing.remove(place);
        let rests = [*range.start()..=id - 1, id + 1..=*range.end()];
        for rest in rests.into_iter().rev().filter(|rest| !rest.is_empty()) {
            self.missing.insert(place, rest);
        }
    }

    fn forget(&mut self) {
        let oldest = self.last - WINDOW;
        let surplus = self.missing.len().saturating_sub(MAX_GAPS);
        self.missing.drain(..surplus);
        self.missing.retain(|range| *range.end() > oldest);
        if let Some(range) = self.missing.first_mut() {
            *range = (*range.start()).max(oldest)..=*range.end();
        }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.last)?;
        for (i, range) in self.missing.iter().enumerate() {
            f.write_str(if i == 0 { ";" } else { "," })?;
            write!(f, "{}", range.start())?;
            if range.end() > range.start() {
                write!(f, "-{}", range.end())?;
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for Position {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (last, gaps) = text.split_once(';').unwrap_or((text, ""));
        let range = |text: &str| {
            let (start, end) = text.split_once('-').unwrap_or((text, text));
            Ok(start.parse()?..=end.parse()?)
        };
        let missing = gaps.split(',').filter(|gap| !gap.is_empty()).map(range).collect::<Result<_, _>>()?;
        Ok(Self { last: last.parse()?, missing })
    }
}

const BLOCK_BITS: i64 = 65_536;
const BLOCK_BYTES: usize = BLOCK_BITS as usize / 8;

/// The rows whose stamp has been processed.
#[derive(Clone, Debug, Default)]
pub struct Stamps {
    blocks: BTreeMap<i64, Vec<u8>>,
    /// Blocks that changed since [`Stamps::take_changed`].
    changed: BTreeSet<i64>,
}

impl Stamps {
    /// Adds a stored block. None when the text is not one.
    pub fn load(&mut self, block: i64, text: &str) -> Option<()> {
        let deflated = BASE64.decode(text).ok()?;
        let mut bits = Vec::with_capacity(BLOCK_BYTES);
        DeflateDecoder::new(&*deflated).take(BLOCK_BYTES as u64 + 1).read_to_end(&mut bits).ok()?;
        (bits.len() == BLOCK_BYTES).then(|| drop(self.blocks.insert(block, bits)))
    }

    /// Whether the row's stamp has been processed.
    pub fn has(&self, id: i64) -> bool {
        let (block, byte, mask) = place(id);
        self.blocks.get(&block).is_some_and(|bits| bits[byte] & mask != 0)
    }

    /// Marks a row's stamp as processed.
    pub fn take(&mut self, id: i64) {
        let (block, byte, mask) = place(id);
        self.blocks.entry(block).or_insert_with(|| vec![0; BLOCK_BYTES])[byte] |= mask;
        self.changed.insert(block);
    }

    /// The blocks that changed since this was last called, as they are stored.
    pub fn take_changed(&mut self) -> std::io::Result<Vec<(i64, String)>> {
        let encode = |block: i64| {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(self.blocks.get(&block).map_or(&[][..], Vec::as_slice))?;
            Ok((block, BASE64.encode(encoder.finish()?)))
        };
        std::mem::take(&mut self.changed).into_iter().map(encode).collect()
    }
}

/// A row's bit: its block, the byte in the block, the bit in the byte.
fn place(id: i64) -> (i64, usize, u8) {
    let bit = id.rem_euclid(BLOCK_BITS) as usize;
    (id.div_euclid(BLOCK_BITS), bit / 8, 1 << (bit % 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_rows_are_still_new() {
        let mut position = Position::default();
        [5, 6, 9, 12].into_iter().for_each(|id| position.take(id));
        assert_eq!(position.to_string(), "12;7-8,10-11");
        assert_eq!(position.start(), 6);
        assert!(position.has(9) && position.has(5) && position.has(3));
        assert!(!position.has(7) && !position.has(11) && !position.has(13));
        [7, 9, 11, 13].into_iter().for_each(|id| position.take(id));
        assert_eq!(position.to_string(), "13;8,10");
        assert_eq!("13;8,10".parse(), Ok(position));
        assert!("x".parse::<Position>().is_err());
        assert_eq!("299".parse::<Position>().map(|position| position.start()), Ok(299));
    }

    #[test]
    fn old_gaps_are_forgotten() {
        let mut position = Position::default();
        position.take(10);
        position.take(50_000);
        assert_eq!(position.to_string(), "50000;40000-49999");
        position.take(70_000);
        assert_eq!(position.to_string(), "70000;60000-69999");
        for id in (70_000..90_000).step_by(2) {
            position.take(id);
        }
        assert_eq!(position.missing.len(), MAX_GAPS);
    }

    #[test]
    fn stamps_survive_their_text() {
        let mut stamps = Stamps::default();
        [1, 70_000, 1].into_iter().for_each(|id| stamps.take(id));
        assert!(stamps.has(1) && stamps.has(70_000) && !stamps.has(2));
        let stored = stamps.take_changed().expect("in memory");
        assert_eq!(stored.iter().map(|(block, _)| *block).collect::<Vec<_>>(), [0, 1]);
        assert!(stored.iter().all(|(_, text)| text.len() < 100));
        assert!(stamps.take_changed().expect("in memory").is_empty());

        let mut loaded = Stamps::default();
        for (block, text) in stored {
            loaded.load(block, &text).expect("a block");
        }
        assert!(loaded.has(1) && loaded.has(70_000) && !loaded.has(2));
        assert!(loaded.load(0, "no block").is_none());
    }
}
