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

/// A segment in which plans were looked up.
pub struct OpenSegment {
    pub segment: Segment,
    /// By plan. None for those that were not looked up.
    pub found: Vec<Option<Found>>,
}

/// What a plan leaves of a run's columns.
pub struct Candidates {
    /// Its place among the plans.
    pub plan: usize,
    /// First and last time of the events that it looks for.
    pub times: (i64, i64),
    /// Those that were not read yet.
    pub columns: Words,
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
    /// One for each plan that has some.
    candidates: Vec<Candidates>,
    order: Order,
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
    /// None when it is in no plan's range.
    pub fn new(
        segment: &Rc<OpenSegment>,
        nth: usize,
        mut candidates: Vec<Candidates>,
        order: Order,
    ) -> Option<Self> {
        let run = &segment.segment.runs[nth];
        candidates.retain(|Candidates { times, .. }| run.first_time <= times.1 && run.last_time >= times.0);
        let rank_of = |Candidates { times, .. }: &Candidates| match order {
            Order::Desc => rank(order, run.last_time.min(times.1)),
            Order::Asc => rank(order, run.first_time.max(times.0)),
        };
        let rest_rank = candidates.iter().map(rank_of).max()?;
        Some(Self {
            segment: segment.clone(),
            nth,
            candidates,
            order,
            stage: Stage::Sets,
            reading: Vec::new(),
            is_small: false,
            groups: VecDeque::new(),
            rest_rank,
        })
    }

    fn run(&self) -> &Run {
        &self.segment.segment.runs[self.nth]
    }

    pub fn number(&self) -> i32 {
        self.run().number
    }

    pub fn has_more(&self) -> bool {
        !self.groups.is_empty()
            || self.candidates.iter().any(|of_plan| of_plan.columns.iter().any(|word| *word != 0))
    }

    /// The columns of any plan.
    fn word(&self, nth: usize) -> u64 {
        self.candidates
            .iter()
            .fold(0, |all, Candidates { columns, .. }| all | columns.get(nth).copied().unwrap_or_default())
    }

    fn count(&self) -> usize {
        let words = self.candidates.iter().map(|of_plan| of_plan.columns.len()).max().unwrap_or_default();
        (0..words).map(|nth| self.word(nth).count_ones() as usize).sum()
    }

    /// How many candidates are known. Some may be out of the range.
    pub fn known(&self) -> usize {
        let in_groups: usize = self.groups.iter().map(|group| group.seqs.len()).sum();
        let in_columns = match self.stage {
            Stage::Groups if !self.is_small => self.count(),
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
        let word = |n: usize| u128::from(self.word(group * GROUP / 64 + n));
        word(0) | word(1) << 64
    }

    /// The pieces that it needs next: up to `most` groups, fewer when they have `want` candidates.
    pub fn wanted(&mut self, most: usize, want: usize) -> Vec<PieceNumber> {
        if self.stage == Stage::Sets {
            let mut wanted: Vec<_> = self.large_pieces().collect();
            if self.count() <= wanted.len() {
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

    /// The large sets that the plans need.
    fn large_pieces(&self) -> impl Iterator<Item = PieceNumber> {
        let found = self.candidates.iter().filter_map(|of_plan| self.segment.found[of_plan.plan].as_ref());
        found.flat_map(|found| found.large_pieces(self.nth))
    }

    /// Whether some of its groups may be out of the range.
    fn is_cut(&self) -> bool {
        let run = self.run();
        self.candidates
            .iter()
            .any(|of_plan| run.first_time < of_plan.times.0 || run.last_time > of_plan.times.1)
    }

    /// Takes over what was read of [`OpenRun::wanted`].
    pub fn read<'a>(&mut self, plans: &[Plan], piece: &dyn Fn(PieceNumber) -> Option<&'a [u8]>) {
        if self.stage == Stage::Sets {
            if self.is_cut() {
                self.cut(&read_times(piece(TIMES).unwrap_or_default()));
            }
            if !self.is_small {
                self.narrow(piece);
            }
            self.stage = Stage::Groups;
            return;
        }
        for group in std::mem::take(&mut self.reading) {
            let of_plans: Vec<_> =
                self.candidates.iter_mut().map(|of_plan| of_plan.take_group(group)).collect();
            let Some(bytes) = piece(group_piece(group)).map(Group) else { continue };
            let Some(span) = bytes.times() else { continue };
            self.rest_rank = self.rest_rank.min(match self.order {
                Order::Desc => rank(self.order, span.0),
                Order::Asc => rank(self.order, span.1),
            });
            let of_plans = of_plans.into_iter().zip(&self.candidates).map(|(columns, of_plan)| {
                let columns = match &plans[of_plan.plan].text {
                    Some(text) => bytes.with_bits(columns, &text.bits),
                    None => columns,
                };
                (columns, of_plan.times)
            });
            let of_plans: Vec<(u128, (i64, i64))> = of_plans.filter(|(columns, _)| *columns != 0).collect();
            let all = of_plans.iter().fold(0, |all, (columns, _)| all | columns);
            let eights = |n: usize| match self.order {
                Order::Asc => n,
                Order::Desc => GROUP / EIGHT - 1 - n,
            };
            for nth in (0..GROUP / EIGHT).map(eights) {
                let of_eight = |columns: u128| columns >> (nth * EIGHT) as u32 & 0xff;
                let span = (of_eight(all) != 0).then(|| bytes.times_of_eight(nth)).flatten();
                let Some(span) = span else { continue };
                let in_range = of_plans.iter().filter(|(_, times)| span.0 <= times.1 && span.1 >= times.0);
                let mut eight = in_range.fold(0, |all, (columns, _)| all | of_eight(*columns));
                if eight == 0 {
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

    /// Removes the columns that are not in the large sets.
    fn narrow<'a>(&mut self, piece: &dyn Fn(PieceNumber) -> Option<&'a [u8]>) {
        let OpenSegment { segment, found } = &*self.segment;
        for Candidates { plan, columns, .. } in &mut self.candidates {
            let Some(found) = &found[*plan] else { continue };
            if found.large_pieces(self.nth).next().is_none() {
                continue;
            }
            // Late events are the first columns of their run: a page in the middle of the log needs few of the others.
            let end = columns.iter().rposition(|word| *word != 0).map_or(0, |last| (last + 1) * 64);
            let narrowed = found.columns(segment, self.nth, end, Some(piece));
            columns.iter_mut().zip(narrowed).for_each(|(word, narrowed)| *word &= narrowed);
        }
    }

    /// Removes the groups that are out of the range.
    fn cut(&mut self, firsts: &[i64]) {
        for group in 0..self.run().groups() {
            let first = firsts.get(group).copied().unwrap_or(i64::MIN);
            let last = firsts.get(group + 1).copied().unwrap_or(i64::MAX);
            for of_plan in &mut self.candidates {
                if first > of_plan.times.1 || last < of_plan.times.0 {
                    of_plan.take_group(group);
                }
            }
        }
    }
}

impl Candidates {
    /// Removes those in a group, and returns them.
    fn take_group(&mut self, group: usize) -> u128 {
        let words = self.columns.iter_mut().skip(group * GROUP / 64).take(GROUP / 64);
        words.zip([0, 64]).fold(0, |all, (word, shift)| all | u128::from(std::mem::take(word)) << shift)
    }
}

/// A source of candidates.
pub enum Source {
    /// The next segment that has not been read.
    Unopened,
    Run(Box<OpenRun>),
    /// The events that are not indexed, the next one last.
    ShortTail(Vec<Position>),
    /// The events that one of the tails matches, by its place, and that are not indexed, in time order, after this position.
    LongTail(usize, Option<Position>),
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
