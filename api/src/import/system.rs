//! What an importer knows of the system that it imports from.

use std::borrow::Cow;

use logbook_engine::event::NewEvent;

use super::{
    ImportError,
    rejects::Rejects,
    row::{Reason, Row},
    source::{Lookup, Source, TableSpec},
};
use crate::accounts::workspaces::NewWorkspace;

pub(super) trait System: Sized {
    /// The source of its events.
    const EVENTS_SOURCE: &'static str;

    /// Whose positions are stored: the system, and which of several databases.
    fn positions(&self, source: &Source) -> String;

    /// Checks that the source has what must be there, before anything is stored.
    fn check(&self, source: &Source) -> Result<(), ImportError>;

    /// The workspace of its events, if it has to be created.
    fn workspace(&self, source: &Source, slug: &str) -> Result<NewWorkspace, ImportError>;

    /// The streams of rows.
    fn lanes(&self, source: &Source) -> Result<Vec<Lane<Self>>, ImportError>;

    /// Reads what rows refer to by id, as it is now.
    fn learn(&mut self, source: &Source, rejects: &mut Rejects) -> Result<(), ImportError>;

    /// Looks up what this row refers to, if it came after [`System::learn`].
    fn look_up(&mut self, source: &Source, row: &Row) -> Result<(), ImportError>;

    /// Whether the row's `object_pk` is a secret, or its content type is not known.
    fn may_have_secret_id(&self, _row: &Row) -> bool {
        false
    }
}

/// When a row of a lane becomes an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Once.
    There,
    /// Once the column has a value.
    Filled(&'static str),
    /// Each time the number in the column has grown. [`Row::told`] is the one before.
    Grown(&'static str),
}

/// The rows of a table, for one kind of event.
pub(super) struct Lane<S> {
    pub table: TableSpec,
    pub when: When,
    /// Under which its position is stored.
    pub key: Cow<'static, str>,
    pub lookups: Vec<Lookup>,
    /// The lane that must have processed the row.
    pub after: Option<Cow<'static, str>>,
    /// The column, and the lane of that column, whose event is not needed where this lane's event had it.
    pub tells: Option<(&'static str, String)>,
    /// Whether the row is likely to get another value in a moment. Whoever follows reads it in the next round.
    pub unsettled: Option<fn(&Row) -> bool>,
    /// The row's event. None if it has none.
    pub map: fn(&S, &Row) -> Result<Option<NewEvent>, Reason>,
}

impl<S> Lane<S> {
    pub(super) fn new(
        table: TableSpec,
        when: When,
        map: fn(&S, &Row) -> Result<Option<NewEvent>, Reason>,
    ) -> Self {
        let key = match when {
            When::There => table.name.clone(),
            When::Filled(column) | When::Grown(column) => format!("{}.{column}", table.name).into(),
        };
        Self { table, when, key, lookups: Vec::new(), after: None, tells: None, unsettled: None, map }
    }

    pub(super) fn with_lookups(self, lookups: Vec<Lookup>) -> Self {
        Self { lookups, ..self }
    }

    /// The lane of all rows of the same table comes first, and tells of the column where it had a value by then.
    pub(super) fn after(self, first: &mut Self) -> Self {
        if let When::Filled(column) = self.when {
            first.tells = Some((column, self.key.clone().into_owned()));
        }
        Self { after: Some(first.key.clone()), ..self }
    }

    pub(super) fn with_unsettled(self, unsettled: fn(&Row) -> bool) -> Self {
        Self { unsettled: Some(unsettled), ..self }
    }
}
