//! How far an import has read: stored with the events that it read, so that none is read twice or left out.

use diesel::prelude::*;

use crate::{
    db::{Conn, schema::import_positions},
    error::Result,
};

/// How far an import has read one table of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportPosition {
    pub source: String,
    pub source_table: String,
    pub position: String,
}

/// Stores a position in place of the one before.
pub(super) fn save(conn: &mut Conn, workspace_id: i32, position: &ImportPosition) -> Result<()> {
    let ImportPosition { source, source_table, position } = position;
    let updated = diesel::update(import_positions::table.find((workspace_id, source, source_table)))
        .set(import_positions::position.eq(position))
        .execute(conn)?;
    if updated == 0 {
        diesel::insert_into(import_positions::table)
            .values((
                import_positions::workspace_id.eq(workspace_id),
                import_positions::source.eq(source),
                import_positions::source_table.eq(source_table),
                import_positions::position.eq(position),
            ))
            .execute(conn)?;
    }
    Ok(())
}
