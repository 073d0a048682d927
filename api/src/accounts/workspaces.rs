//! Workspaces: one app or one tenant each. All other rows carry a workspace's id.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::prelude::*;
use logbook_engine::{
    db::{
        Conn, Db, roles,
        schema::{workspace_sequences, workspaces},
        timestamp::Timestamp,
    },
    event::masking::Masker,
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{
    accounts::{
        masking::{self, StoredLists},
        role::Role,
    },
    http::{
        error::{Code, Problem, Result},
        validation::{field_errors, no_nul},
    },
    ttl_cache::TtlCache,
};

#[derive(Clone, Debug, PartialEq, Eq, diesel::Queryable, diesel::Selectable)]
#[diesel(table_name = workspaces)]
pub struct Workspace {
    pub id: i32,
    pub slug: String,
    pub name: String,
    pub timezone: String,
    pub date_format: String,
    pub created_at: Timestamp,
}

/// What a [`Workspace`] consists of, for `RETURNING`: not the key of its masks.
const COLUMNS: (
    workspaces::id,
    workspaces::slug,
    workspaces::name,
    workspaces::timezone,
    workspaces::date_format,
    workspaces::created_at,
) = (
    workspaces::id,
    workspaces::slug,
    workspaces::name,
    workspaces::timezone,
    workspaces::date_format,
    workspaces::created_at,
);

impl Workspace {
    /// The time zone. Only known zones are stored.
    pub fn zone(&self) -> chrono_tz::Tz {
        self.timezone.parse().unwrap_or(chrono_tz::UTC)
    }
}

/// A workspace in responses.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Workspace)]
pub struct WorkspaceView {
    #[schema(example = "clinic")]
    pub slug: String,
    #[schema(example = "Riverside Clinic")]
    pub name: String,
    /// IANA name of the time zone in which days begin.
    #[schema(example = "Asia/Kolkata")]
    pub timezone: String,
    /// `dd/mm/yyyy`, `mm/dd/yyyy`, `yyyy-mm-dd` or `dd mmm yyyy`.
    #[schema(example = "dd/mm/yyyy")]
    pub date_format: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The caller's role in the workspace: `viewer`, `auditor`, `writer` or `admin`.
    #[schema(value_type = String, example = "viewer")]
    pub role: Role,
}

impl WorkspaceView {
    pub fn new(workspace: Workspace, role: Role) -> Self {
        let Workspace { id: _, slug, name, timezone, date_format, created_at } = workspace;
        Self { slug, name, timezone, date_format, created_at, role }
    }
}

#[derive(Serialize, ToSchema)]
pub struct WorkspaceList {
    pub data: Vec<WorkspaceView>,
}

/// How dates are entered and shown.
pub const DATE_FORMATS: &[&str] = &["dd/mm/yyyy", "mm/dd/yyyy", "yyyy-mm-dd", "dd mmm yyyy"];

#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkspace {
    /// The workspace's name in addresses: lower-case letters, digits and hyphens.
    #[validate(custom(function = slug))]
    #[schema(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub slug: String,
    #[validate(length(min = 1, max = 200), custom(function = no_nul))]
    #[schema(example = "Riverside Clinic", min_length = 1, max_length = 200)]
    pub name: String,
    /// IANA name of the time zone in which days begin.
    #[serde(default = "utc")]
    #[validate(custom(function = timezone))]
    #[schema(example = "Asia/Kolkata", default = "UTC")]
    pub timezone: String,
    /// How dates are entered and shown: `dd/mm/yyyy`, `mm/dd/yyyy`, `yyyy-mm-dd` or `dd mmm yyyy`.
    #[serde(default = "day_first")]
    #[validate(custom(function = date_format))]
    #[schema(
        example = "dd/mm/yyyy",
        default = "dd/mm/yyyy",
        pattern = "^(dd/mm/yyyy|mm/dd/yyyy|yyyy-mm-dd|dd mmm yyyy)$"
    )]
    pub date_format: String,
}

/// New settings of a workspace; settings that are left out keep their values.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema, diesel::AsChangeset)]
#[serde(deny_unknown_fields)]
#[diesel(table_name = workspaces)]
pub struct WorkspaceChanges {
    /// Changes every address of the workspace; the old addresses stop working.
    #[serde(default, deserialize_with = "given")]
    #[validate(custom(function = self::slug))]
    #[schema(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$", nullable = false)]
    pub slug: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[validate(length(min = 1, max = 200), custom(function = no_nul))]
    #[schema(example = "Riverside Clinic", min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    /// IANA name of the time zone in which days begin.
    #[serde(default, deserialize_with = "given")]
    #[validate(custom(function = self::timezone))]
    #[schema(example = "Asia/Kolkata", nullable = false)]
    pub timezone: Option<String>,
    /// `dd/mm/yyyy`, `mm/dd/yyyy`, `yyyy-mm-dd` or `dd mmm yyyy`.
    #[serde(default, deserialize_with = "given")]
    #[validate(custom(function = self::date_format))]
    #[schema(
        example = "dd/mm/yyyy",
        pattern = "^(dd/mm/yyyy|mm/dd/yyyy|yyyy-mm-dd|dd mmm yyyy)$",
        nullable = false
    )]
    pub date_format: Option<String>,
}

impl WorkspaceChanges {
    fn is_empty(&self) -> bool {
        let Self { slug, name, timezone, date_format } = self;
        slug.is_none() && name.is_none() && timezone.is_none() && date_format.is_none()
    }
}

/// A setting that is left out keeps its value; null is not a valid setting.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

fn utc() -> String {
    "UTC".into()
}

fn day_first() -> String {
    DATE_FORMATS[0].into()
}

fn invalid(message: String) -> ValidationError {
    let mut error = ValidationError::new("invalid");
    error.message = Some(message.into());
    error
}

fn slug(text: &str) -> Result<(), ValidationError> {
    let shape = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > 63 || text.starts_with('-') || !text.chars().all(shape) {
        return Err(invalid("must have 1 to 63 lower-case letters, digits and hyphens".into()));
    }
    Ok(())
}

fn timezone(text: &str) -> Result<(), ValidationError> {
    let unknown = |_| invalid("must be an IANA time zone such as Asia/Kolkata".into());
    text.parse::<chrono_tz::Tz>().map(drop).map_err(unknown)
}

fn date_format(text: &str) -> Result<(), ValidationError> {
    if DATE_FORMATS.contains(&text) {
        return Ok(());
    }
    Err(invalid(format!("must be one of {}", DATE_FORMATS.join(", "))))
}

pub fn find(conn: &mut Conn, slug: &str) -> Result<Option<Workspace>> {
    let query = workspaces::table.filter(workspaces::slug.eq(slug)).select(Workspace::as_select());
    Ok(query.first(conn).optional()?)
}

pub fn list(conn: &mut Conn) -> Result<Vec<Workspace>> {
    let query = workspaces::table.order(workspaces::slug.asc()).select(Workspace::as_select());
    Ok(query.load(conn)?)
}

/// What masks a workspace's events, with the workspace's own key and lists.
pub fn masker(conn: &mut Conn, id: i32) -> QueryResult<Masker> {
    let key = workspaces::table.find(id).select(workspaces::masking_key).first(conn)?;
    let StoredLists { lists, changed_at } = masking::find(conn, id)?;
    let masker = Masker::with_key(key).with_fields(&lists);
    // Until then, another server may use the earlier lists.
    let settled = changed_at.map(|at| at.plus_seconds(TIME_TO_LIVE.as_secs() as i64));
    Ok(settled.into_iter().fold(masker, Masker::since))
}

/// The workspaces in which somebody has a role, by slug.
pub fn visible(conn: &mut Conn, role_in: impl Fn(i32) -> Option<Role>) -> Result<Vec<WorkspaceView>> {
    let seen = |workspace: Workspace| role_in(workspace.id).map(|role| WorkspaceView::new(workspace, role));
    Ok(list(conn)?.into_iter().filter_map(seen).collect())
}

/// How long other servers may use settings that were changed here.
const TIME_TO_LIVE: Duration = Duration::from_secs(5);
/// Workspaces that are remembered.
const MOST_WORKSPACES: usize = 10_000;

/// Workspaces by slug, remembered for a moment: every request begins with one.
#[derive(Clone)]
pub struct Workspaces {
    db: Db,
    known: Arc<TtlCache<String, Workspace>>,
    maskers: Arc<TtlCache<i32, Arc<Masker>>>,
}

impl Workspaces {
    pub fn new(db: &Db) -> Self {
        Self {
            db: db.clone(),
            known: Arc::new(TtlCache::new(MOST_WORKSPACES, TIME_TO_LIVE)),
            maskers: Arc::new(TtlCache::new(MOST_WORKSPACES, TIME_TO_LIVE)),
        }
    }

    /// None when there is no such workspace. Unknown slugs are not remembered, so a new workspace is found at once.
    pub async fn find(&self, slug: &str) -> Result<Option<Workspace>> {
        if self::slug(slug).is_err() {
            return Ok(None);
        }
        if let Some(workspace) = self.known.get(slug) {
            return Ok(Some(workspace));
        }
        let read_at = Instant::now();
        let wanted = slug.to_owned();
        let found = self.db.run(move |conn| find(conn, &wanted)).await?;
        if let Some(workspace) = &found {
            self.known.insert(slug.to_owned(), workspace.clone(), read_at);
        }
        Ok(found)
    }

    /// What masks the secrets of the workspace's events.
    pub async fn masker(&self, id: i32) -> Result<Arc<Masker>> {
        if let Some(masker) = self.maskers.get(&id) {
            return Ok(masker);
        }
        let read_at = Instant::now();
        let masker = Arc::new(self.db.run(move |conn| masker(conn, id).map_err(Problem::from)).await?);
        self.maskers.insert(id, masker.clone(), read_at);
        Ok(masker)
    }

    /// Makes the next event of the workspace read its lists again.
    pub fn invalidate_masker(&self, id: i32) {
        self.maskers.invalidate(&id);
    }

    /// Makes the next request to the workspace read it again.
    pub fn invalidate(&self, slug: &str) {
        self.known.invalidate(slug);
    }

    /// The ids of the workspaces with these slugs. Unknown slugs are left out. What is remembered is as fresh as for
    /// [`Workspaces::find`], since a slug may be given to another workspace.
    pub async fn ids(&self, slugs: impl Iterator<Item = &String>) -> Result<HashMap<String, i32>> {
        let mut ids = HashMap::new();
        let mut unknown = Vec::new();
        for slug in slugs.filter(|slug| self::slug(slug).is_ok()) {
            match self.known.get(slug) {
                Some(workspace) => {
                    ids.insert(slug.clone(), workspace.id);
                }
                None => unknown.push(slug.clone()),
            }
        }
        if !unknown.is_empty() {
            let query = move |conn: &mut Conn| {
                let found = workspaces::table.filter(workspaces::slug.eq_any(unknown));
                found.select((workspaces::slug, workspaces::id)).load::<(String, i32)>(conn)
            };
            ids.extend(self.db.run(move |conn| query(conn).map_err(Problem::from)).await?);
        }
        Ok(ids)
    }
}

/// # Errors
/// `conflict` when the slug is taken.
pub fn change(conn: &mut Conn, id: i32, changes: &WorkspaceChanges) -> Result<Workspace> {
    let workspace = workspaces::table.find(id);
    if changes.is_empty() {
        return Ok(workspace.select(Workspace::as_select()).first(conn)?);
    }
    let changed = diesel::update(workspace).set(changes).returning(COLUMNS).get_result::<Workspace>(conn);
    let slug = changes.slug.as_deref().unwrap_or_default();
    changed.map_err(|error| Problem::or_taken(error, "/slug", format!("there is already a workspace {slug}")))
}

/// # Errors
/// `validation_failed`; `conflict` when the slug is taken.
pub fn create(conn: &mut Conn, new: &NewWorkspace) -> Result<Workspace> {
    new.validate()
        .map_err(|errors| Problem::with_errors(Code::ValidationFailed, field_errors("", &errors)))?;
    let NewWorkspace { slug, name, timezone, date_format } = new;
    let created = conn.transaction(|conn| {
        let workspace = diesel::insert_into(workspaces::table)
            .values((
                workspaces::slug.eq(slug),
                workspaces::name.eq(name),
                workspaces::timezone.eq(timezone),
                workspaces::date_format.eq(date_format),
                workspaces::created_at.eq(Timestamp::now()),
            ))
            .returning(COLUMNS)
            .get_result::<Workspace>(conn)?;
        // As the appender: on Citus, it may not change what the same transaction wrote as somebody else, and the first event is
        // often in this one.
        roles::as_appender(conn, |conn| {
            diesel::insert_into(workspace_sequences::table)
                .values((
                    workspace_sequences::workspace_id.eq(workspace.id),
                    workspace_sequences::last_seq.eq(0),
                ))
                .execute(conn)
        })?;
        roles::leave(conn)?;
        Ok(workspace)
    });
    created.map_err(|error| Problem::or_taken(error, "/slug", format!("there is already a workspace {slug}")))
}
