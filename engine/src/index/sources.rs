//! The sources of a query's candidates, and which source is read next.

use std::{collections::VecDeque, rc::Rc};

use super::{
    candidates::Found,
    plan::Plan,
    run::{EIGHT, GROUP, Group, PieceNumber, Run, Segment, TIMES, Words, group_piece, read_times},
};
use crate::{
    event::Event,
    order::{Order, Position},
};

/// A time as a rank in the order: what is shown earlier has a greater rank.
pub fn rank(order: Order, time: i64) -> i64 {
    match order {
        Order::Desc => time,
        // Damaged bytes may have any time.
        Order::Asc => time.saturating_neg(),
    }
}

/// A segment whose keys were looked up.
pub struct OpenSegment {
    pub segment: Segment,
    pub found: Found,
}

/// What a run needs next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its large sets, and the times of its groups.
    Sets,
    Groups,
}

/// The candidates among eight columns of a group that was read.
struct ReadGroup {
    /// First and last time.
    span: (i64, i64),
    seqs: Vec<i64>,
}

/// A run with candidates.
pub struct OpenRun {
    segment: Rc<OpenSegment>,
    nth: usize,
    /// Those that were not read yet.
    columns: Words,
    order: Order,
    /// First and last time of the range.
    times: (i64, i64),
    stage: Stage,
    /// The groups that are being read.
    reading: Vec<usize>,
    /// It has so few candidates that looking at them costs less than its large sets.
    is_small: bool,
    /// In the order of the page.
    groups: VecDeque<ReadGroup>,
    /// The greatest rank of what was not read yet.
    rest_rank: i64,
}

impl OpenRun {
    /// None when it is not in the range.
    pub fn new(
        segment: &Rc<OpenSegment>,
        nth: usize,
        columns: Words,
        order: Order,
        times: (i64, i64),
    ) -> Option<Self> {
        let run = &segment.segment.runs[nth];
        let first = match order {
            Order::Desc => run.last_time.min(times.1),
            Order::Asc => run.first_time.max(times.0),
        };
        (run.first_time <= times.1 && run.last_time >= times.0).then(|| Self {
            segment: segment.clone(),
            nth,
            columns,
            order,
            times,
            stage: Stage::Sets,
            reading: Vec::new(),
            is_small: false,
            groups: VecDeque::new(),
            rest_rank: rank(order, first),
        })
    }

    fn run(&self) -> &Run {
        &self.segment.segment.runs[self.nth]
    }

    pub fn number(&self) -> i32 {
        self.run().number
    }

    pub fn has_more(&self) -> bool {
        !self.groups.is_empty() || self.columns.iter().any(|word| *word != 0)
    }

    /// How many candidates are known. Some may be out of the range.
    pub fn known(&self) -> usize {
        let in_groups: usize = self.groups.iter().map(|group| group.seqs.len()).sum();
        let in_columns = match self.stage {
            Stage::Groups if !self.is_small => {
                self.columns.iter().map(|word| word.count_ones() as usize).sum()
            }
            _ => 0,
        };
        in_groups + in_columns
    }

    /// The greatest rank that its next event can have.
    pub fn rank(&self) -> i64 {
        match (self.groups.front(), self.order) {
            (Some(group), Order::Desc) => rank(self.order, group.span.1),
            (Some(group), Order::Asc) => rank(self.order, group.span.0),
            (None, _) => self.rest_rank,
        }
    }

    pub fn needs_reading(&self) -> bool {
        self.groups.is_empty()
    }

    /// Moves its next candidates to `seqs` and returns times between which they are. None when a group has to be read first.
    pub fn take_columns(&mut self, seqs: &mut Vec<i64>) -> Option<(i64, i64)> {
        let group = self.groups.pop_front()?;
        seqs.extend(group.seqs);
        Some(group.span)
    }

    /// The groups with candidates that were not read yet, in the order of the page.
    fn next_groups(&self) -> impl Iterator<Item = usize> {
        let all = self.run().groups();
        let nth = move |n: usize| match self.order {
            Order::Asc => n,
            Order::Desc => all - 1 - n,
        };
        (0..all).map(nth).filter(|group| self.group_columns(*group) != 0)
    }

    fn group_columns(&self, group: usize) -> u128 {
        let word =
            |n: usize| u128::from(self.columns.get(group * GROUP / 64 + n).copied().unwrap_or_default());
        word(0) | word(1) << 64
    }

    fn clear_group(&mut self, group: usize) {
        self.columns.iter_mut().skip(group * GROUP / 64).take(GROUP / 64).for_each(|word| *word = 0);
    }

    /// The pieces that it needs next: up to `most` groups, fewer when they have `want` candidates.
    pub fn wanted(&mut self, most: usize, want: usize) -> Vec<PieceNumber> {
        if self.stage == Stage::Sets {
            let mut wanted: Vec<_> = self.segment.found.large_pieces(self.nth).collect();
            let candidates: u32 = self.columns.iter().map(|word| word.count_ones()).sum();
            if candidates as usize <= wanted.len() {
                self.is_small = true;
                wanted.clear();
            }
            if self.is_cut() {
                wanted.push(TIMES);
            }
            if !wanted.is_empty() {
                return wanted;
            }
            self.stage = Stage::Groups;
        }
        let mut candidates = 0;
        let mut reading = Vec::new();
        for group in self.next_groups().take(most) {
            reading.push(group);
            candidates += self.group_columns(group).count_ones() as usize;
            if candidates >= want.max(1) * 4 {
                break;
            }
        }
        self.reading = reading;
        self.reading.iter().map(|group| group_piece(*group)).collect()
    }

    /// Whether some of its groups may be out of the range.
    fn is_cut(&self) -> bool {
        self.run().first_time < self.times.0 || self.run().last_time > self.times.1
    }

    /// Takes over what was read of [`OpenRun::wanted`].
    pub fn read<'a>(&mut self, plan: &Plan, piece: &dyn Fn(PieceNumber) -> Option<&'a [u8]>) {
        if self.stage == Stage::Sets {
            if self.is_cut() {
                self.cut(&read_times(piece(TIMES).unwrap_or_default()));
            }
            let OpenSegment { segment, found } = &*self.segment;
            if !self.is_small && found.large_pieces(self.nth).next().is_some() {
                // Late events are the first columns of their run: a page in the middle of the log needs few of the others.
                let end = self.columns.iter().rposition(|word| *word != 0).map_or(0, |last| (last + 1) * 64);
                let narrowed = found.columns(segment, self.nth, end, Some(piece));
                self.columns.iter_mut().zip(narrowed).for_each(|(word, narrowed)| *word &= narrowed);
            }
            self.stage = Stage::Groups;
            return;
        }
        for group in std::mem::take(&mut self.reading) {
            let columns = self.group_columns(group);
            self.clear_group(group);
            let Some(bytes) = piece(group_piece(group)).map(Group) else { continue };
            let Some(span) = bytes.times() else { continue };
            self.rest_rank = self.rest_rank.min(match self.order {
                Order::Desc => rank(self.order, span.0),
                Order::Asc => rank(self.order, span.1),
            });
            let columns = match &plan.text {
                Some(text) => bytes.with_bits(columns, &text.bits),
                None => columns,
            };
            let eights = |n: usize| match self.order {
                Order::Asc => n,
                Order::Desc => GROUP / EIGHT - 1 - n,
            };
            for nth in (0..GROUP / EIGHT).map(eights) {
                let mut eight = columns >> (nth * EIGHT) as u32 & 0xff;
                let Some(span) = (eight != 0).then(|| bytes.times_of_eight(nth)).flatten() else { continue };
                if span.0 > self.times.1 || span.1 < self.times.0 {
                    continue;
                }
                let mut seqs = Vec::with_capacity(eight.count_ones() as usize);
                while eight != 0 {
                    let column = nth * EIGHT + eight.trailing_zeros() as usize;
                    eight &= eight - 1;
                    seqs.extend(bytes.place(column).map(|place| self.run().first_seq + i64::from(place)));
                }
                self.groups.push_back(ReadGroup { span, seqs });
            }
        }
    }

    /// Removes the groups that are out of the range.
    fn cut(&mut self, firsts: &[i64]) {
        for group in 0..self.run().groups() {
            let first = firsts.get(group).copied().unwrap_or(i64::MIN);
            let last = firsts.get(group + 1).copied().unwrap_or(i64::MAX);
            if first > self.times.1 || last < self.times.0 {
                self.clear_group(group);
            }
        }
    }
}

/// A source of candidates.
pub enum Source {
    /// The next segment that has not been read.
    Unopened,
    Run(Box<OpenRun>),
    /// The events that are not indexed, the next one last.
    ShortTail(Vec<Position>),
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
        Order::Desc => rank(order, segment.last_time()),
        Order::Asc => rank(order, segment.first_time()),
    }
}
