//! The columns of a CSV file (RFC 4180): those of a log, or of the timeline, between those that every file has.

use std::borrow::Cow;

use logbook_engine::event::{Actor, Event};

use super::{streamed::Words, wire};

/// A column: its name, and how an event's cell is made. An absent value is an empty cell.
#[derive(Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    cell: Cell,
}

#[derive(Clone, Copy)]
enum Cell {
    /// A text as it is stored.
    Text(fn(&Event) -> Option<&str>),
    /// A text that is made.
    Made(fn(&Event) -> Option<String>),
}

impl Column {
    pub const fn text(name: &'static str, cell: fn(&Event) -> Option<&str>) -> Self {
        Self { name, cell: Cell::Text(cell) }
    }

    const fn made(name: &'static str, cell: fn(&Event) -> Option<String>) -> Self {
        Self { name, cell: Cell::Made(cell) }
    }

    pub const fn action(name: &'static str) -> Self {
        Self::text(name, |event| Some(&event.common.action))
    }

    pub const fn outcome(name: &'static str) -> Self {
        Self::text(name, |event| Some(event.common.outcome.as_str()))
    }

    pub const fn reason(name: &'static str) -> Self {
        Self::text(name, |event| event.common.outcome_reason.as_deref())
    }

    /// Type, id and name of the actor.
    pub const fn actor([kind, id, name]: [&'static str; 3]) -> [Self; 3] {
        [
            Self::text(kind, |event| event.common.actor.as_ref().map(|actor| actor.kind.as_str())),
            Self::text(id, |event| event.common.actor.as_ref()?.id.as_deref()),
            Self::text(name, |event| event.common.actor.as_ref()?.name.as_deref()),
        ]
    }

    /// Type, id and name of the first target.
    pub const fn target([kind, id, name]: [&'static str; 3]) -> [Self; 3] {
        [
            Self::text(kind, |event| event.common.target.kind.as_deref()),
            Self::text(id, |event| event.common.target.id.as_deref()),
            Self::target_name(name),
        ]
    }

    pub const fn target_name(name: &'static str) -> Self {
        Self::text(name, |event| event.common.target.name.as_deref())
    }

    /// The changed fields, as JSON.
    pub const CHANGES: Self = Self::text("changes", |event| event.changes.as_deref());

    fn cell<'a>(&self, event: &'a Event) -> Cow<'a, str> {
        match self.cell {
            Cell::Text(cell) => cell(event).map(Cow::Borrowed),
            Cell::Made(cell) => cell(event).map(Cow::Owned),
        }
        .unwrap_or_default()
    }
}

/// Before a log's own columns.
const FIRST: &[Column] = &[
    Column::made("id", |event| Some(event.id().to_string())),
    Column::made("seq", |event| Some(event.seq.to_string())),
    Column::made("occurred_at", |event| Some(event.occurred_at.to_string())),
    Column::made("received_at", |event| Some(event.received_at.to_string())),
    Column::text("source", |event| Some(&event.source)),
];

/// Behind a log's own columns, and before `masked`.
const LAST: &[Column] = &[
    Column::text("role", |event| event.common.role.as_deref()),
    Column::text("on_behalf_of_type", |event| Some(person(event)?.kind.as_str())),
    Column::text("on_behalf_of_id", |event| person(event)?.id.as_deref()),
    Column::text("on_behalf_of_name", |event| person(event)?.name.as_deref()),
    Column::text("purpose", |event| event.common.purpose.as_deref()),
    Column::made("targets", |event| {
        let targets = &event.common.targets;
        if targets.is_empty() { None } else { serde_json::to_string(targets).ok() }
    }),
    Column::text("ip_address", |event| event.common.ip_address.as_deref()),
    Column::text("user_agent", |event| event.common.user_agent.as_deref()),
    Column::text("session_id", |event| event.common.session_id.as_deref()),
    Column::text("correlation_id", |event| event.common.correlation_id.as_deref()),
    Column::text("epoch", |event| event.common.epoch.as_deref()),
    Column::made("sequence", |event| Some(event.common.sequence?.number().to_string())),
    Column::text("metadata", |event| event.metadata.as_deref()),
];

/// JSON pointers to what was masked, as JSON.
const MASKED: &str = "masked";

fn person(event: &Event) -> Option<&Actor> {
    event.common.on_behalf_of.as_ref()
}

fn columns<W: Words>() -> impl Iterator<Item = &'static Column> {
    FIRST.iter().chain(W::OWN_COLUMNS).chain(LAST)
}

/// The first line of a file.
pub fn head<W: Words>() -> impl Iterator<Item = &'static str> {
    columns::<W>().map(|column| column.name).chain([MASKED])
}

/// The cells of an event, in the order of [`head`].
pub fn cells<W: Words>(event: &Event) -> impl Iterator<Item = Cow<'_, str>> {
    let masked = wire::masked(event.masked.as_deref(), W::MASKED_NAMES);
    let masked = if masked.is_empty() { None } else { serde_json::to_string(&masked).ok() };
    let masked = Cow::Owned(masked.unwrap_or_default());
    columns::<W>().map(move |column| column.cell(event)).chain([masked]).map(harmless)
}

/// A cell that no spreadsheet takes for a formula: with an apostrophe before it where it might be one.
fn harmless(cell: Cow<'_, str>) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { Cow::Owned(format!("'{cell}")) } else { cell }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::routes::{
        logs::{
            access::AccessLog, activity::ActivityLog, application::ApplicationLog, framework::FrameworkLog,
        },
        timeline::Timeline,
    };

    fn check<W: Words>() {
        let names: Vec<_> = head::<W>().collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }

    #[test]
    fn a_column_has_a_name_of_its_own() {
        check::<AccessLog>();
        check::<ApplicationLog>();
        check::<FrameworkLog>();
        check::<ActivityLog>();
        check::<Timeline>();
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(harmless(text.into()), format!("'{text}"));
        }
        for text in ["", "a=1", " =1", "'=1", "1-1", "李雷"] {
            assert_eq!(harmless(text.into()), text);
        }
    }
}
