//! The sources of a query's candidates, and which source is read next.

use std::sync::Arc;

use super::segment::{BLOCK, Segment, Words, block_time};
use crate::{
    event::Event,
    order::{Order, Position},
};

/// A time as a rank in the order: what is shown earlier has a greater rank.
pub fn rank(order: Order, time: i64) -> i64 {
    match order {
        Order::Desc => time,
        Order::Asc => -time,
    }
}

/// A segment that is being read.
pub struct Open {
    pub segment: Segment,
    pub columns: Words,
    pub times: Arc<[u8]>,
    /// The next block, counted in the order of the page.
    pub next: usize,
}

impl Open {
    /// The nth block, counted in the order of the page.
    pub fn block(&self, order: Order, nth: usize) -> usize {
        match order {
            Order::Asc => nth,
            Order::Desc => self.segment.blocks() - 1 - nth,
        }
    }

    /// First and last time that a block's events can have.
    pub fn span(&self, block: usize) -> (i64, i64) {
        let first = block_time(&self.times, block).unwrap_or(self.segment.first_time);
        let last = block_time(&self.times, block + 1).unwrap_or(self.segment.last_time);
        (first, last)
    }

    /// The candidates of a block, one bit per column.
    pub fn bits(&self, block: usize) -> u32 {
        (self.columns[block / 2] >> (block % 2 * BLOCK)) as u32
    }

    /// Advances to the next block that has candidates within these times. None when there is none.
    pub fn advance(&mut self, order: Order, (lowest, highest): (i64, i64)) -> Option<usize> {
        while self.next < self.segment.blocks() {
            let block = self.block(order, self.next);
            if self.bits(block) != 0 {
                let (first, last) = self.span(block);
                if first <= highest && last >= lowest {
                    return Some(block);
                }
            }
            self.next += 1;
        }
        None
    }
}

/// A source of candidates.
pub enum Source {
    /// The next segment that has not been read.
    Unopened,
    Open(Box<Open>),
    /// All events that are not indexed, in time order, after this position.
    LongTail(Option<Position>),
}

/// A source and the greatest rank that its next event can have.
pub struct Queued {
    pub rank: i64,
    pub source: Source,
}

/// A matching event that waits until no other can come before it.
pub struct Ready {
    pub rank: (i64, i64),
    pub event: Event,
}

macro_rules! ordered_by_rank {
    ($($name:ident),*) => {$(
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.rank == other.rank
            }
        }
        impl Eq for $name {}
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.rank.cmp(&other.rank)
            }
        }
    )*};
}
ordered_by_rank!(Queued, Ready);

/// The greatest rank of a segment's events.
pub fn segment_rank(order: Order, segment: &Segment) -> i64 {
    match order {
        Order::Desc => rank(order, segment.last_time),
        Order::Asc => rank(order, segment.first_time),
    }
}
