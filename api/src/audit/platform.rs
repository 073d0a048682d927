//! The platform workspace, for audit events that concern no other workspace. It is created when the first such event is
//! recorded, and found by its row in `platform_workspace`, not by its slug: a tenant may have that slug.

use diesel::prelude::*;
use logbook_engine::db::{Conn, schema::platform_workspace};

use crate::{
    accounts::workspaces::{self, NewWorkspace},
    http::error::{Code, Problem, Result},
};

/// Tried in this order; the last ones by number.
const SLUGS: &[&str] = &["logbook", "logbook-platform"];

/// The id of the workspace.
///
/// # Errors
/// The database's.
pub fn find_or_create(conn: &mut Conn) -> Result<i32> {
    for attempt in 0..100 {
        if let Some(id) = find(conn)? {
            return Ok(id);
        }
        let slug = SLUGS.get(attempt).map_or_else(|| format!("logbook-{attempt}"), |slug| (*slug).to_owned());
        match create(conn, slug) {
            // A tenant has this slug, or another server created the workspace a moment ago.
            Err(problem) if problem.code == Code::Conflict => {}
            created => return created,
        }
    }
    Err(Problem::new(Code::Internal, "no slug is free for Logbook's own workspace"))
}

pub fn find(conn: &mut Conn) -> Result<Option<i32>> {
    Ok(platform_workspace::table.select(platform_workspace::workspace_id).first(conn).optional()?)
}

fn create(conn: &mut Conn, slug: String) -> Result<i32> {
    let new = NewWorkspace {
        slug,
        name: "Logbook".into(),
        timezone: "UTC".into(),
        date_format: workspaces::DATE_FORMATS[0].into(),
    };
    conn.transaction(|conn| {
        let workspace = workspaces::create(conn, &new)?;
        diesel::insert_into(platform_workspace::table)
            .values(platform_workspace::workspace_id.eq(workspace.id))
            .execute(conn)?;
        Ok(workspace.id)
    })
}
