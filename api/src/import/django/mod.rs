//! `logbook import django-auditlog` and `logbook import django-axes`: what any Django project has recorded.
//!
//! ```text
//! auditlog_logentry      ──> entries ───> application log
//! axes_accesslog         ──> logins ────┐
//!                        ──> logouts ───┤
//! axes_accessfailurelog  ──> failures ──┼> access log
//! axes_accessattempt     ──> counts ────┘  of before there was a log of failures
//! ```

mod auditlog;
mod axes;
mod people;

use chrono_tz::Tz;
use clap::Args;
use serde_json::{Map, Value, json};

use super::{ImportArgs, ImportError, row::Row, source::Source};
use crate::accounts::workspaces::{DATE_FORMATS, NewWorkspace};

pub use auditlog::AuditlogImport;
pub use axes::AxesImport;

/// What is asked about a Django project.
#[derive(Args, Clone, Debug)]
pub struct DjangoArgs {
    #[command(flatten)]
    pub import: ImportArgs,
    /// Schema of the tables, in PostgreSQL
    #[arg(long, default_value = "public")]
    pub schema: String,
    /// Table of the users (AUTH_USER_MODEL)
    #[arg(long, default_value = "auth_user")]
    pub user_table: String,
    /// Time zone of times that have no offset: the project's TIME_ZONE, if its USE_TZ is off
    #[arg(long, default_value = "UTC")]
    pub timezone: Tz,
    /// What the database is called, where several are imported into one workspace [default: the name of the database, file or
    /// folder]
    #[arg(long)]
    pub name: Option<String>,
}

impl DjangoArgs {
    /// One import, without options.
    pub fn new(from: impl Into<String>, workspace: impl Into<String>) -> Self {
        Self {
            import: ImportArgs::new(from, workspace),
            schema: "public".into(),
            user_table: "auth_user".into(),
            timezone: Tz::UTC,
            name: None,
        }
    }

    fn open(&self) -> Result<Source, ImportError> {
        Source::open(&self.import.from, &self.schema)
    }

    /// `django-auditlog:shop`, or `django-auditlog:shop.tenant` for another schema than `public`.
    fn positions(&self, app: &str, source: &Source) -> String {
        let name = self.name.clone().unwrap_or_else(|| source.name());
        match self.schema.as_str() {
            "public" => format!("{app}:{name}"),
            schema => format!("{app}:{name}.{schema}"),
        }
    }
}

/// A Django project does not say what its people see: the slug, and what is usual.
fn workspace(slug: &str) -> NewWorkspace {
    NewWorkspace {
        slug: slug.to_owned(),
        name: slug.to_owned(),
        timezone: "UTC".into(),
        date_format: DATE_FORMATS[0].into(),
    }
}

/// Where an event comes from: `metadata.django`.
fn origin(table: &str, row: &Row) -> Map<String, Value> {
    Map::from_iter([("django".into(), json!({"table": table, "id": row.id}))])
}

#[cfg(test)]
mod tests;
