//! Opens the next segments of a query: looks up its plans in them.

use std::rc::Rc;

use super::{TOGETHER, Walk};
use crate::{
    db::Conn,
    error::Result,
    index::{
        candidates::Found,
        lookup::Lookup,
        run::{MOST_COLUMNS, Segment},
        sources::{Candidates, OpenRun, OpenSegment, Queued, Source},
    },
};

/// A segment, what was looked up of it by plan, and the candidates of its runs.
struct Opened {
    segment: Segment,
    found: Vec<(usize, Found)>,
    runs: Vec<(usize, Vec<Candidates>)>,
}

impl Walk<'_> {
    /// Looks up the keys of the next segments, and queues their runs that have candidates.
    pub(super) fn open(&mut self, conn: &mut Conn) -> Result<()> {
        let from = self.unopened.len().saturating_sub(self.together);
        let next = self.unopened.split_off(from).into_iter().map(|segment| {
            let in_range = |place: &usize| self.plans[*place].reaches(segment.times());
            let places = (0..self.plans.len()).filter(in_range).collect();
            (segment, places)
        });
        let next: Vec<(Segment, Vec<usize>)> = next.collect();
        self.together = (self.together * 2).min(TOGETHER);
        let mut opened = self.look_up(conn, next, Lookup::First)?;
        if self.has_text() {
            let left = opened.into_iter().map(|Opened { segment, found, .. }| {
                (segment, found.into_iter().map(|(place, _)| place).collect())
            });
            opened = self.look_up(conn, left.collect(), Lookup::All)?;
        }
        for Opened { segment, found, runs } in opened {
            let mut by_plan: Vec<Option<Found>> = self.plans.iter().map(|_| None).collect();
            found.into_iter().for_each(|(place, found)| by_plan[place] = Some(found));
            let segment = Rc::new(OpenSegment { segment, found: by_plan });
            for (nth, candidates) in runs {
                if let Some(run) = OpenRun::new(&segment, nth, candidates, self.order) {
                    self.queue.push(Queued { rank: run.rank(), source: Source::Run(Box::new(run)) });
                }
            }
        }
        self.pieces.clear();
        self.queue_unopened();
        Ok(())
    }

    pub(super) fn has_text(&self) -> bool {
        self.plans.iter().any(|plan| plan.text.is_some())
    }

    /// The segments, and plans, that may have candidates, with those of each run.
    fn look_up(
        &mut self,
        conn: &mut Conn,
        segments: Vec<(Segment, Vec<usize>)>,
        lookup: Lookup,
    ) -> Result<Vec<Opened>> {
        let Self { index, plans, pieces, .. } = self;
        let found = lookup.read(conn, (&index.cache, pieces), plans, segments)?;
        let opened = found.into_iter().map(|(segment, mut found)| {
            let candidates = |run: usize| {
                let with_some = found.iter().filter(|(_, found)| found.may_have(run));
                let of_plans = with_some.map(|(plan, found)| Candidates {
                    plan: *plan,
                    times: plans[*plan].times,
                    columns: found.columns(&segment, run, MOST_COLUMNS, None),
                });
                of_plans.filter(|of_plan| of_plan.columns.iter().any(|word| *word != 0)).collect::<Vec<_>>()
            };
            let runs = (0..segment.runs.len()).map(|run| (run, candidates(run)));
            let runs: Vec<_> = runs.filter(|(_, candidates)| !candidates.is_empty()).collect();
            let is_in = |plan: usize| runs.iter().flat_map(|run| &run.1).any(|of_plan| of_plan.plan == plan);
            found.retain(|(plan, _)| is_in(*plan));
            Opened { segment, found, runs }
        });
        Ok(opened.filter(|opened| !opened.runs.is_empty()).collect())
    }
}
