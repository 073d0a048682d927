//! Saved views: questions to a log by name, of whoever saved them and, if shared, of all who read the workspace's logs.

use diesel::prelude::*;
use logbook_engine::{
    db::{Conn, schema::saved_views, timestamp::Timestamp},
    event::Log,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{claims::Claims, role::Role, secret::random_id};
use crate::http::{
    error::{Code, Problem, Result},
    validation::no_nul,
};

/// Views of one owner in a workspace.
const MOST_OF_OWNER: i64 = 100;
/// Views of a workspace.
const MOST: i64 = 1000;
/// Characters of an id.
const ID_LENGTH: usize = 12;

/// A view to save.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewView {
    #[schema(value_type = String, example = "access")]
    pub log: Log,
    #[validate(length(min = 1, max = 100), custom(function = no_nul))]
    #[schema(example = "Failed sign-ins at night", min_length = 1, max_length = 100)]
    pub name: String,
    /// The query string of the web application's page, without the question mark.
    #[validate(length(max = 4000), custom(function = query_string))]
    #[schema(example = "range=7d&status=failure", max_length = 4000)]
    pub query: String,
    /// Whether all who read the workspace's logs see it.
    #[serde(default)]
    pub shared: bool,
    /// Whether the owner's page of the log opens with it. Of a log's views, one at most.
    #[serde(default)]
    pub is_default: bool,
}

/// What is to change. What is left out stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewChange {
    #[serde(default)]
    #[validate(length(min = 1, max = 100), custom(function = no_nul))]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    #[serde(default)]
    #[validate(length(max = 4000), custom(function = query_string))]
    #[schema(max_length = 4000)]
    pub query: Option<String>,
    #[serde(default)]
    pub shared: Option<bool>,
    #[serde(default)]
    pub is_default: Option<bool>,
}

/// Printable ASCII, as a query string is when it is encoded.
fn query_string(text: &str) -> std::result::Result<(), ValidationError> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['?', '#']) {
        return Ok(());
    }
    Err(ValidationError::new("invalid").with_message("must be an encoded query string".into()))
}

#[derive(Clone, Debug, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = saved_views, treat_none_as_default_value = false)]
pub struct Row {
    pub workspace_id: i32,
    pub id: String,
    pub owner: String,
    pub owner_name: String,
    pub log: i16,
    pub name: String,
    pub query: String,
    pub shared: bool,
    pub is_default: bool,
    pub created_at: Timestamp,
}

/// A saved view as somebody sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SavedView {
    #[schema(example = "k7w2m9x4c1qd")]
    pub id: String,
    #[schema(value_type = String, example = "access")]
    pub log: Log,
    #[schema(example = "Failed sign-ins at night")]
    pub name: String,
    #[schema(example = "range=7d&status=failure")]
    pub query: String,
    pub shared: bool,
    /// Whether the caller's page of the log opens with it. Always false for views of others.
    pub is_default: bool,
    /// Whether the caller saved it.
    pub own: bool,
    /// Who saved it.
    #[schema(example = "Asha Rao")]
    pub owner_name: String,
}

impl SavedView {
    fn new(row: Row, caller: &str) -> Result<Self> {
        let own = row.owner == caller;
        let Row { id, log, name, query, shared, is_default, owner_name, .. } = row;
        let log = Log::from_number(log)?;
        Ok(Self { id, log, name, query, shared, is_default: own && is_default, own, owner_name })
    }
}

/// The views that the caller sees, by name.
pub fn list(conn: &mut Conn, workspace_id: i32, caller: &str) -> Result<Vec<SavedView>> {
    let rows = saved_views::table
        .filter(saved_views::workspace_id.eq(workspace_id))
        .filter(saved_views::owner.eq(caller).or(saved_views::shared.eq(true)))
        .order((saved_views::name, saved_views::id))
        .select(Row::as_select())
        .load::<Row>(conn)?;
    rows.into_iter().map(|row| SavedView::new(row, caller)).collect()
}

/// Saves a view.
///
/// # Errors
/// `too_many` for more than 100 views of one owner or 1,000 of a workspace.
pub fn create(conn: &mut Conn, workspace_id: i32, caller: &Claims, new: NewView) -> Result<SavedView> {
    let of_workspace = saved_views::table.filter(saved_views::workspace_id.eq(workspace_id));
    let all = of_workspace.count().get_result::<i64>(conn)?;
    let own = of_workspace.filter(saved_views::owner.eq(&caller.sub)).count().get_result::<i64>(conn)?;
    if own >= MOST_OF_OWNER || all >= MOST {
        let detail =
            format!("at most {MOST_OF_OWNER} views of one person and {MOST} of a workspace; remove some");
        return Err(Problem::new(Code::Conflict, detail));
    }
    let NewView { log, name, query, shared, is_default } = new;
    let row = Row {
        workspace_id,
        id: random_id(ID_LENGTH),
        owner: caller.sub.clone(),
        owner_name: caller.name.clone(),
        log: log.number(),
        name,
        query,
        shared,
        is_default,
        created_at: Timestamp::now(),
    };
    if is_default {
        clear_default(conn, &row)?;
    }
    diesel::insert_into(saved_views::table).values(&row).execute(conn)?;
    SavedView::new(row, &caller.sub)
}

/// Changes a view of the caller. Returns it, and whether it was shared before.
///
/// # Errors
/// `not_found` for a view that the caller does not see, `forbidden` for one of somebody else.
pub fn change(
    conn: &mut Conn,
    (workspace_id, id): (i32, &str),
    caller: &Claims,
    change: ViewChange,
) -> Result<(SavedView, bool)> {
    let mut row = find(conn, workspace_id, id, &caller.sub)?;
    if row.owner != caller.sub {
        return Err(Problem::new(Code::Forbidden, "only who saved a view changes it; save one of your own"));
    }
    let was_shared = row.shared;
    let ViewChange { name, query, shared, is_default } = change;
    row.name = name.unwrap_or(row.name);
    row.query = query.unwrap_or(row.query);
    row.shared = shared.unwrap_or(row.shared);
    row.is_default = is_default.unwrap_or(row.is_default);
    if row.is_default {
        clear_default(conn, &row)?;
    }
    diesel::update(saved_views::table.find((workspace_id, id)))
        .set((
            saved_views::name.eq(&row.name),
            saved_views::query.eq(&row.query),
            saved_views::shared.eq(row.shared),
            saved_views::is_default.eq(row.is_default),
        ))
        .execute(conn)?;
    Ok((SavedView::new(row, &caller.sub)?, was_shared))
}

/// Removes a view: one's own, or as an admin a shared one.
///
/// # Errors
/// As [`change`].
pub fn remove(
    conn: &mut Conn,
    (workspace_id, id): (i32, &str),
    caller: &Claims,
    role: Role,
) -> Result<SavedView> {
    let row = find(conn, workspace_id, id, &caller.sub)?;
    if row.owner != caller.sub && !role.manages() {
        return Err(Problem::new(Code::Forbidden, "only who saved a view, or an admin, removes it"));
    }
    diesel::delete(saved_views::table.find((workspace_id, id))).execute(conn)?;
    SavedView::new(row, &caller.sub)
}

/// A view that the caller sees. Others are as if they were not there.
fn find(conn: &mut Conn, workspace_id: i32, id: &str, caller: &str) -> Result<Row> {
    let row = saved_views::table
        .find((workspace_id, id))
        .filter(saved_views::owner.eq(caller).or(saved_views::shared.eq(true)))
        .select(Row::as_select())
        .first::<Row>(conn)
        .optional()?;
    row.ok_or_else(|| Problem::new(Code::NotFound, "there is no such view"))
}

/// A log opens with one view.
fn clear_default(conn: &mut Conn, view: &Row) -> Result<()> {
    let of_log = saved_views::table
        .filter(saved_views::workspace_id.eq(view.workspace_id))
        .filter(saved_views::owner.eq(&view.owner))
        .filter(saved_views::log.eq(view.log));
    diesel::update(of_log).set(saved_views::is_default.eq(false)).execute(conn)?;
    Ok(())
}
