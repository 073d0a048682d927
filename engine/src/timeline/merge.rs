//! The page of a timeline while the lists are merged into it.

use crate::{
    db::timestamp::Timestamp,
    event::Event,
    filter::Filter,
    order::{Order, Position},
    query::{Found, PAGE_BYTES},
};

/// Events of the lists that were added, in order and each once, up to the place that all of them have reached.
pub(super) struct Merged {
    order: Order,
    limit: usize,
    events: Vec<Event>,
    /// Where the page ends. None while nothing is known to follow.
    until: Option<Position>,
}

impl Merged {
    pub(super) fn new(order: Order, limit: usize) -> Self {
        Self { order, limit, events: Vec::new(), until: None }
    }

    /// The filter without what lies behind the end of the page, where nothing is needed.
    pub(super) fn narrow(&self, filter: &Filter) -> Filter {
        let mut filter = filter.clone();
        if let Some(Position { occurred_at, seq: _ }) = self.until {
            match self.order {
                Order::Desc => filter.since = filter.since.max(Some(occurred_at)),
                Order::Asc => {
                    let end = Timestamp(occurred_at.0 + 1);
                    filter.until = Some(filter.until.map_or(end, |until| until.min(end)));
                }
            }
        }
        filter
    }

    /// Adds the events of a list, of which nothing is missing up to its `next`.
    pub(super) fn add(&mut self, Found { events, next }: Found) {
        self.end_at(next);
        self.events.extend(events);
        match self.order {
            Order::Asc => self.events.sort_by_key(Event::position),
            Order::Desc => self.events.sort_by_key(|event| std::cmp::Reverse(event.position())),
        }
        self.events.dedup_by_key(|event| event.seq);
        if let Some(until) = self.until {
            let order = self.order;
            self.events.retain(|event| !is_behind(order, event.position(), until));
        }
        let mut bytes = 0;
        let fits = |event: &&Event| {
            let fits = bytes < PAGE_BYTES;
            bytes += event.bytes();
            fits
        };
        let fitting = self.events.iter().take(self.limit).take_while(fits).count();
        if fitting < self.events.len() {
            self.events.truncate(fitting);
            self.end_at(self.events.last().map(Event::position));
        }
    }

    /// Moves the end of the page forward to a position.
    fn end_at(&mut self, position: Option<Position>) {
        if let Some(position) = position
            && self.until.is_none_or(|until| is_behind(self.order, until, position))
        {
            self.until = Some(position);
        }
    }

    pub(super) fn finish(self) -> Found {
        Found { events: self.events, next: self.until }
    }
}

/// Whether a position comes after another one in this order.
fn is_behind(order: Order, position: Position, other: Position) -> bool {
    match order {
        Order::Asc => position > other,
        Order::Desc => position < other,
    }
}
