//! The columns of a file, CSV or Parquet: those of a log, or of the timeline, between those that every file has.

use std::borrow::Cow;

use logbook_engine::{
    db::timestamp::Timestamp,
    event::{Actor, Event},
};
use serde::Serialize;

use super::{streamed::Words, wire};

/// A column: its name, and how an event's cell is made. In CSV an absent value is an empty cell.
#[derive(Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    /// Every event has a value.
    pub is_required: bool,
    pub cell: Cell,
}

#[derive(Clone, Copy)]
pub enum Cell {
    Text(fn(&Event) -> Option<Cow<'_, str>>),
    /// JSON as a text.
    Json(fn(&Event) -> Option<Cow<'_, str>>),
    Number(fn(&Event) -> Option<i64>),
    Time(fn(&Event) -> Option<Timestamp>),
}

impl Column {
    pub const fn text(name: &'static str, cell: fn(&Event) -> Option<Cow<'_, str>>) -> Self {
        Self { name, is_required: false, cell: Cell::Text(cell) }
    }

    const fn json(name: &'static str, cell: fn(&Event) -> Option<Cow<'_, str>>) -> Self {
        Self { name, is_required: false, cell: Cell::Json(cell) }
    }

    const fn required(name: &'static str, cell: Cell) -> Self {
        Self { name, is_required: true, cell }
    }

    pub const fn action(name: &'static str) -> Self {
        Self::required(name, Cell::Text(|event| Some(Cow::Borrowed(&event.common.action))))
    }

    pub const fn outcome(name: &'static str) -> Self {
        Self::text(name, |event| Some(event.common.outcome.as_str().into()))
    }

    pub const fn reason(name: &'static str) -> Self {
        Self::text(name, |event| borrowed(event.common.outcome_reason.as_deref()))
    }

    /// Type, id and name of the actor.
    pub const fn actor([kind, id, name]: [&'static str; 3]) -> [Self; 3] {
        [
            Self::text(kind, |event| event.common.actor.as_ref().map(|actor| actor.kind.as_str().into())),
            Self::text(id, |event| borrowed(event.common.actor.as_ref()?.id.as_deref())),
            Self::text(name, |event| borrowed(event.common.actor.as_ref()?.name.as_deref())),
        ]
    }

    /// Type, id and name of the first target.
    pub const fn target([kind, id, name]: [&'static str; 3]) -> [Self; 3] {
        [
            Self::text(kind, |event| borrowed(event.common.target.kind.as_deref())),
            Self::text(id, |event| borrowed(event.common.target.id.as_deref())),
            Self::target_name(name),
        ]
    }

    pub const fn target_name(name: &'static str) -> Self {
        Self::text(name, |event| borrowed(event.common.target.name.as_deref()))
    }

    /// The changed fields, as JSON.
    pub const CHANGES: Self = Self::json("changes", |event| borrowed(event.changes.as_deref()));

    /// The cell as CSV has it.
    fn text_of<'a>(&self, event: &'a Event) -> Cow<'a, str> {
        match self.cell {
            Cell::Text(cell) | Cell::Json(cell) => cell(event),
            Cell::Number(cell) => cell(event).map(|number| number.to_string().into()),
            Cell::Time(cell) => cell(event).map(|at| at.to_string().into()),
        }
        .unwrap_or_default()
    }
}

fn borrowed(text: Option<&str>) -> Option<Cow<'_, str>> {
    text.map(Cow::Borrowed)
}

/// Before a log's own columns.
const FIRST: &[Column] = &[
    Column::required("id", Cell::Text(|event| Some(event.id().to_string().into()))),
    Column::required("seq", Cell::Number(|event| Some(event.seq))),
    Column::required("occurred_at", Cell::Time(|event| Some(event.occurred_at))),
    Column::required("received_at", Cell::Time(|event| Some(event.received_at))),
    Column::required("source", Cell::Text(|event| Some(Cow::Borrowed(&event.source)))),
];

/// Behind a log's own columns, and before `masked`.
const LAST: &[Column] = &[
    Column::text("role", |event| borrowed(event.common.role.as_deref())),
    Column::text("on_behalf_of_type", |event| Some(person(event)?.kind.as_str().into())),
    Column::text("on_behalf_of_id", |event| borrowed(person(event)?.id.as_deref())),
    Column::text("on_behalf_of_name", |event| borrowed(person(event)?.name.as_deref())),
    Column::text("purpose", |event| borrowed(event.common.purpose.as_deref())),
    Column::json("targets", |event| json(&event.common.targets)),
    Column::text("ip_address", |event| borrowed(event.common.ip_address.as_deref())),
    Column::text("user_agent", |event| borrowed(event.common.user_agent.as_deref())),
    Column::text("session_id", |event| borrowed(event.common.session_id.as_deref())),
    Column::text("correlation_id", |event| borrowed(event.common.correlation_id.as_deref())),
    Column::text("epoch", |event| borrowed(event.common.epoch.as_deref())),
    Column {
        name: "sequence",
        is_required: false,
        cell: Cell::Number(|event| Some(event.common.sequence?.number())),
    },
    Column::json("metadata", |event| borrowed(event.metadata.as_deref())),
];

/// None when there are none.
fn json<T: Serialize>(items: &[T]) -> Option<Cow<'static, str>> {
    if items.is_empty() { None } else { serde_json::to_string(items).ok().map(Cow::Owned) }
}

fn person(event: &Event) -> Option<&Actor> {
    event.common.on_behalf_of.as_ref()
}

/// All columns of a file.
pub fn columns<W: Words>() -> impl Iterator<Item = Column> {
    let masked =
        Column::json("masked", |event| json(&wire::masked(event.masked.as_deref(), W::MASKED_NAMES)));
    FIRST.iter().chain(W::OWN_COLUMNS).chain(LAST).copied().chain([masked])
}

/// The first line of a CSV file.
pub fn head<W: Words>() -> impl Iterator<Item = &'static str> {
    columns::<W>().map(|column| column.name)
}

/// The cells of an event, in the order of [`head`].
pub fn cells<W: Words>(event: &Event) -> impl Iterator<Item = Cow<'_, str>> {
    columns::<W>().map(|column| harmless(column.text_of(event)))
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
