//! `logbook import django-auditlog`: the entries of django-auditlog as events of the application log.
//!
//! The columns are those of version 3.4; earlier ones lack some of them: `serialized_data` (before 2.2), `cid` (2.3),
//! `changes_text` (3.0), `remote_port` and `actor_email` (3.1). Before 3.0 `changes` is a text.

use std::{borrow::Cow, path::Path};

use chrono_tz::Tz;
use clap::Args;
use logbook_engine::{
    db::Db,
    event::{Actor, ActorType, Log, NewEvent, limits::Action},
};
use serde_json::Value;

use super::{DjangoArgs, origin, people::People, workspace};
use crate::{
    accounts::workspaces::NewWorkspace,
    import::{
        ImportError, Stop, Summary,
        content_types::{self, CONTENT_TYPES, ContentType},
        follow,
        log_entry::{Named, Verb, add_json, changed},
        register::Register,
        rejects::Rejects,
        row::{Reason, Row, limited},
        run,
        source::{Source, TableSpec},
        system::{Lane, System, When},
    },
};

static ENTRIES: TableSpec = TableSpec::new(
    "auditlog_logentry",
    &["object_pk", "object_repr", "action", "changes", "timestamp", "content_type_id"],
    &[
        "actor_email",
        "actor_id",
        "additional_data",
        "changes_text",
        "cid",
        "remote_addr",
        "remote_port",
        "serialized_data",
    ],
);

/// Models whose primary key *is* the secret: a token or its digest, a session's key.
const SECRET_IDS: &[&str] = &[
    "authtoken.token",
    "authtoken.tokenproxy",
    "knox.authtoken",
    "sessions.session",
    "usersessions.usersession",
];

/// Import the entries of django-auditlog; a second run adds only new ones
#[derive(Args, Clone, Debug)]
pub struct AuditlogImport {
    #[command(flatten)]
    pub django: DjangoArgs,
    /// Table of the entries (AUDITLOG_LOGENTRY_MODEL)
    #[arg(long, default_value = "auditlog_logentry")]
    pub table: String,
}

impl AuditlogImport {
    /// One import, without options.
    pub fn new(from: impl Into<String>, workspace: impl Into<String>) -> Self {
        Self { django: DjangoArgs::new(from, workspace), table: ENTRIES.name.clone().into_owned() }
    }

    /// Imports the new entries. `progress` draws a bar on stderr if that is a terminal.
    ///
    /// # Errors
    /// When the source cannot be read or the events cannot be stored. Batches stored until then stay.
    pub fn run(&self, db: &Db, data_dir: &Path, progress: bool) -> Result<Summary, ImportError> {
        let source = self.django.open()?;
        run::once(db, data_dir, &self.django.import, &source, Auditlog::new(self), progress)
    }

    /// As [`AuditlogImport::run`], then again and again until it is told to stop.
    ///
    /// # Errors
    /// As [`AuditlogImport::run`], until the first pass begins; and what no time mends.
    pub fn follow(&self, db: &Db, data_dir: &Path, stop: &Stop) -> Result<Summary, ImportError> {
        let source = self.django.open()?;
        follow::follow(db, data_dir, &self.django.import, &source, Auditlog::new(self), stop)
    }
}

pub(super) struct Auditlog<'a> {
    args: &'a DjangoArgs,
    entries: TableSpec,
    pub people: People,
    pub content_types: Register<ContentType>,
}

impl<'a> Auditlog<'a> {
    pub(super) fn new(args: &'a AuditlogImport) -> Self {
        Self {
            args: &args.django,
            entries: TableSpec { name: Cow::Owned(args.table.clone()), ..ENTRIES.clone() },
            people: People::new(&args.django.user_table),
            content_types: content_types::register(),
        }
    }

    fn zone(&self) -> Tz {
        self.args.timezone
    }
}

impl System for Auditlog<'_> {
    const EVENTS_SOURCE: &'static str = "django-auditlog import";

    fn positions(&self, source: &Source) -> String {
        self.args.positions("django-auditlog", source)
    }

    fn check(&self, source: &Source) -> Result<(), ImportError> {
        [&CONTENT_TYPES, &self.entries].into_iter().try_for_each(|table| source.require(table))
    }

    fn workspace(&self, _source: &Source, slug: &str) -> Result<NewWorkspace, ImportError> {
        Ok(workspace(slug))
    }

    fn lanes(&self, _source: &Source) -> Result<Vec<Lane<Self>>, ImportError> {
        let map = |auditlog: &Self, row: &Row| entry(row, auditlog).map(Some);
        let entries = Lane::new(self.entries.clone(), When::There, map);
        Ok(vec![entries.with_lookups(vec![self.people.of_id("actor_id")])])
    }

    fn learn(&mut self, source: &Source, rejects: &mut Rejects) -> Result<(), ImportError> {
        self.people.load(source, rejects)?;
        self.content_types.load(source, rejects)
    }

    fn look_up(&mut self, source: &Source, row: &Row) -> Result<(), ImportError> {
        let id = row.integer("content_type_id").ok().flatten();
        id.map_or(Ok(()), |id| self.content_types.look_up(source, id))
    }

    fn may_have_secret_id(&self, row: &Row) -> bool {
        content_types::of(row, &self.content_types).map_or(true, has_secret_id)
    }
}

fn has_secret_id(content_type: &ContentType) -> bool {
    SECRET_IDS.contains(&content_type.to_string().as_str())
}

/// An entry as an event.
pub(super) fn entry(row: &Row, auditlog: &Auditlog<'_>) -> Result<NewEvent, Reason> {
    let content_type = content_types::of(row, &auditlog.content_types)?;
    let verb = Verb::of(row)?;
    let occurred_at = limited("occurred_at", row.instant_in("timestamp", auditlog.zone())?)?;
    let mut metadata = origin(&auditlog.entries.name, row);
    add_json(row, &mut metadata)?;
    for column in ["remote_port", "actor_email"] {
        if let Some(text) = row.text(column) {
            let number = text.parse::<u32>().map(Value::from);
            metadata.insert(column.into(), number.unwrap_or_else(|_| text.into()));
        }
    }
    let mut changes = changed(row, &mut metadata)?;

    // The app's name too: two apps may have a model of the same name.
    let kind = content_type.to_string();
    let mut target =
        Named { kind, id: row.required("object_pk")?.to_owned(), name: row.owned("object_repr") };
    if has_secret_id(content_type)
        && let Some(secret) = target.hide_secret_id()
    {
        secret.hide_in_entry(&mut changes, &mut metadata);
    }
    if let Some(whole) = target.shorten_name() {
        metadata.insert("object_repr".into(), whole.into());
    }

    let mut event = NewEvent::new(Log::Application, Action::literal(verb.of_record()), occurred_at);
    event.common.target = target.try_into()?;
    event.common.actor = actor(row, &auditlog.people)?;
    event.common.ip_address = row.address("remote_addr")?;
    event.common.correlation_id = row.owned("cid").map(|cid| limited("correlation id", cid)).transpose()?;
    event.changes = limited("changes", changes)?;
    event.metadata = limited("metadata", metadata)?;
    Ok(event)
}

/// Who did it. A user who was deleted is known by address, from version 3.1 on. Without a user it was the system, unless a
/// request came with it: then it was somebody who had not signed in, or was deleted.
fn actor(row: &Row, people: &People) -> Result<Option<Actor>, Reason> {
    if let Some(id) = row.text("actor_id") {
        return people.user(row, id).map(Some);
    }
    if let Some(email) = row.text("actor_email") {
        let name = Some(limited("actor name", email)?);
        return Ok(Some(Actor { kind: ActorType::User, id: None, name }));
    }
    let came_with_request =
        ["remote_addr", "remote_port", "cid"].iter().any(|column| row.text(column).is_some());
    Ok((!came_with_request).then(Actor::system))
}
