//! The fields that a workspace masks or keeps by name.

use diesel::prelude::*;
use logbook_engine::{
    db::{Conn, schema::workspaces, timestamp::Timestamp},
    event::masking::FieldLists,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::http::error::{Code, FieldError, Problem, Result};

/// Fields that are masked or kept by their names, in events that arrive from now on. A name counts at any depth, however it is
/// written (`patientId`, `patient_id`); a path such as `address.street` counts at one place.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Masking {
    /// Their whole value is masked, whatever it is. At most 100 names of 1 to 128 characters.
    #[schema(max_items = 100, example = json!(["patient_id", "address.street"]))]
    pub mask: Vec<String>,
    /// No name makes their value a secret; what has the shape of one (an issuer's key, a private key, `Bearer …`, a password
    /// in a URL) is masked all the same. At most 100 names of 1 to 128 characters, none of which is in `mask`.
    #[schema(max_items = 100, example = json!(["next_token"]))]
    pub keep: Vec<String>,
}

impl Masking {
    pub fn new(lists: &FieldLists) -> Self {
        Self { mask: lists.mask().to_vec(), keep: lists.keep().to_vec() }
    }

    /// The lists, which are at `place` of the body.
    ///
    /// # Errors
    /// `validation_failed`, with every name that cannot be in its list.
    pub fn check(self, place: &str) -> Result<FieldLists> {
        FieldLists::new(self.mask, self.keep).map_err(|invalid| {
            let errors = invalid
                .into_iter()
                .map(|invalid| invalid.below(place))
                .map(|invalid| FieldError::at(invalid.pointer, invalid.code, invalid.detail))
                .collect();
            Problem::with_errors(Code::ValidationFailed, errors)
        })
    }
}

/// The lists as they are stored.
pub struct StoredLists {
    pub lists: FieldLists,
    /// None when they never changed.
    pub changed_at: Option<Timestamp>,
}

pub fn find(conn: &mut Conn, id: i32) -> QueryResult<StoredLists> {
    let columns = (workspaces::masked_fields, workspaces::kept_fields, workspaces::fields_changed_at);
    let row = workspaces::table.find(id).select(columns);
    let (mask, keep, changed_at) = row.first::<(String, String, Option<Timestamp>)>(conn)?;
    Ok(StoredLists { lists: stored(&mask, &keep)?, changed_at })
}

/// Replaces the lists and returns the earlier ones.
pub fn replace(conn: &mut Conn, id: i32, lists: &FieldLists) -> Result<FieldLists> {
    // The write comes first, since it locks the row: of two changes at the same time, one sees the other's lists.
    diesel::update(workspaces::table.find(id))
        .set(workspaces::masked_fields.eq(workspaces::masked_fields))
        .execute(conn)?;
    let before = find(conn, id)?.lists;
    if before != *lists {
        diesel::update(workspaces::table.find(id))
            .set((
                workspaces::masked_fields.eq(json(lists.mask())),
                workspaces::kept_fields.eq(json(lists.keep())),
                workspaces::fields_changed_at.eq(Timestamp::now()),
            ))
            .execute(conn)?;
    }
    Ok(before)
}

fn json(names: &[String]) -> String {
    serde_json::Value::from(names).to_string()
}

/// A list that cannot be read is an error: without it, what it masks would be stored.
fn stored(mask: &str, keep: &str) -> QueryResult<FieldLists> {
    let names = |text: &str| {
        serde_json::from_str::<Vec<String>>(text)
            .map_err(|error| diesel::result::Error::DeserializationError(Box::new(error)))
    };
    Ok(FieldLists::stored(names(mask)?, names(keep)?))
}
