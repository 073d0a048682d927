//! Notes on events: what the people of a workspace say about them. A note is no part of an event, and can be removed.

use std::collections::BTreeMap;

use diesel::prelude::*;
use logbook_engine::{
    db::{
        Conn,
        schema::{note_events, notes},
        timestamp::Timestamp,
    },
    event::{Event, Log},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{claims::Claims, role::Role, secret::random_id};
use crate::http::{
    error::{Code, Problem, Result},
    validation::no_nul,
};

/// Notes of a workspace.
const MOST: i64 = 10_000;
/// Notes on one event.
const MOST_OF_EVENT: i64 = 100;
/// Events of one note.
pub const MOST_EVENTS: usize = 50;
/// Characters of an id.
const ID_LENGTH: usize = 12;

/// A note to add.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// The events that it is about, of any logs.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_items = 1, max_items = 50, example = json!(["01935fb2-8e31-8000-8000-040000000029"]))]
    pub event_ids: Vec<String>,
    #[validate(length(min = 1, max = 2000), custom(function = no_nul), custom(function = not_blank))]
    #[schema(min_length = 1, max_length = 2000, example = "Asked Asha: it was her.")]
    pub text: String,
}

fn not_blank(text: &str) -> std::result::Result<(), ValidationError> {
    if !text.is_empty() && text.trim().is_empty() {
        return Err(ValidationError::new("invalid").with_message("must not be blank".into()));
    }
    Ok(())
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = notes, treat_none_as_default_value = false)]
struct Row {
    workspace_id: i32,
    id: String,
    author: String,
    author_name: String,
    text: String,
    created_at: Timestamp,
}

#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = note_events)]
struct EventRow {
    workspace_id: i32,
    event_id: String,
    note_id: String,
    log: i16,
}

/// A note as somebody sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Note {
    #[schema(example = "k7w2m9x4c1qd")]
    pub id: String,
    /// The events that it is about, as far as the caller may read their logs.
    pub event_ids: Vec<String>,
    pub text: String,
    #[schema(example = "Asha Rao")]
    pub author_name: String,
    /// Whether the caller wrote it.
    pub own: bool,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl Note {
    fn new(row: Row, event_ids: Vec<String>, caller: &str) -> Self {
        let own = row.author == caller;
        let Row { id, text, author_name, created_at, .. } = row;
        Self { id, event_ids, text, author_name, own, created_at }
    }
}

/// The notes on any of these events, newest first.
pub fn list(
    conn: &mut Conn,
    (workspace_id, caller): (i32, &str),
    logs: &[Log],
    event_ids: &[String],
) -> Result<Vec<Note>> {
    let logs: Vec<i16> = logs.iter().map(|log| log.number()).collect();
    let readable = || {
        note_events::table
            .filter(note_events::workspace_id.eq(workspace_id))
            .filter(note_events::log.eq_any(logs.clone()))
    };
    let ids: Vec<String> = readable()
        .filter(note_events::event_id.eq_any(event_ids))
        .select(note_events::note_id)
        .distinct()
        .load(conn)?;
    let mut of_note: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (note, event) in readable()
        .filter(note_events::note_id.eq_any(&ids))
        .order(note_events::event_id)
        .select((note_events::note_id, note_events::event_id))
        .load::<(String, String)>(conn)?
    {
        of_note.entry(note).or_default().push(event);
    }
    let rows = notes::table
        .filter(notes::workspace_id.eq(workspace_id))
        .filter(notes::id.eq_any(&ids))
        .order((notes::created_at.desc(), notes::id))
        .select(Row::as_select())
        .load::<Row>(conn)?;
    let note = |row: Row| {
        let event_ids = of_note.remove(&row.id).unwrap_or_default();
        Note::new(row, event_ids, caller)
    };
    Ok(rows.into_iter().map(note).collect())
}

/// Adds a note on these events, which the caller may read.
///
/// # Errors
/// `conflict` for more than 100 notes on one event, or 10,000 of a workspace.
pub fn create(
    conn: &mut Conn,
    workspace_id: i32,
    caller: &Claims,
    (events, text): (&[Event], String),
) -> Result<Note> {
    let all = notes::table.filter(notes::workspace_id.eq(workspace_id)).count().get_result::<i64>(conn)?;
    if all >= MOST {
        return Err(Problem::new(
            Code::Conflict,
            format!("at most {MOST} notes of a workspace; remove some"),
        ));
    }
    let event_ids: Vec<String> = events.iter().map(|event| event.id().to_string()).collect();
    for event_id in &event_ids {
        let of_event = note_events::table
            .filter(note_events::workspace_id.eq(workspace_id))
            .filter(note_events::event_id.eq(event_id));
        if of_event.count().get_result::<i64>(conn)? >= MOST_OF_EVENT {
            return Err(Problem::new(Code::Conflict, format!("at most {MOST_OF_EVENT} notes on one event")));
        }
    }
    let row = Row {
        workspace_id,
        id: random_id(ID_LENGTH),
        author: caller.sub.clone(),
        author_name: caller.name.clone(),
        text,
        created_at: Timestamp::now(),
    };
    diesel::insert_into(notes::table).values(&row).execute(conn)?;
    for (event, event_id) in events.iter().zip(&event_ids) {
        let of_event = EventRow {
            workspace_id,
            event_id: event_id.clone(),
            note_id: row.id.clone(),
            log: event.common.log.number(),
        };
        diesel::insert_into(note_events::table).values(&of_event).execute(conn)?;
    }
    Ok(Note::new(row, event_ids, &caller.sub))
}

/// Removes a note: one's own, or as an admin any. `logs` are those that the caller may read.
///
/// # Errors
/// `not_found` for a note that the caller does not see, `forbidden` for one of somebody else.
pub fn remove(
    conn: &mut Conn,
    (workspace_id, id): (i32, &str),
    caller: &Claims,
    (role, logs): (Role, &[Log]),
) -> Result<Note> {
    let logs: Vec<i16> = logs.iter().map(|log| log.number()).collect();
    let row = notes::table.find((workspace_id, id)).select(Row::as_select()).first::<Row>(conn).optional()?;
    let of_note = note_events::table
        .filter(note_events::workspace_id.eq(workspace_id))
        .filter(note_events::note_id.eq(id));
    let event_ids: Vec<String> = of_note
        .filter(note_events::log.eq_any(logs))
        .order(note_events::event_id)
        .select(note_events::event_id)
        .load(conn)?;
    let Some(row) = row.filter(|_| !event_ids.is_empty()) else {
        return Err(Problem::new(Code::NotFound, "there is no such note"));
    };
    if row.author != caller.sub && !role.manages() {
        return Err(Problem::new(Code::Forbidden, "only who wrote a note, or an admin, removes it"));
    }
    diesel::delete(of_note).execute(conn)?;
    diesel::delete(notes::table.find((workspace_id, id))).execute(conn)?;
    Ok(Note::new(row, event_ids, &caller.sub))
}
