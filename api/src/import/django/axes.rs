//! `logbook import django-axes`: who came in, and who tried to, as events of the access log.
//!
//! ```text
//! axes_accesslog        row 4                            -> login          session: its session_hash, or axes-4
//!                       row 4, logout_time set           -> logout         of the same session, later
//! axes_accessfailurelog row 9                            -> login_failed
//! axes_accessattempt    row 2, failures_since_start = 3  -> login_failed   failures: 3
//!                       row 2, failures_since_start = 5  -> login_failed   failures: 2
//! ```
//!
//! The log of failures is off by default (`AXES_ENABLE_ACCESS_FAILURE_LOG`). Without it there is only the count of each attempt,
//! which a successful login removes; an event then stands for as many failures as were added since the one before. From the first
//! row of a log of failures on, attempts count the same failures again: only those that ended before it become events.

use std::path::Path;

use chrono_tz::Tz;
use clap::Args;
use logbook_engine::{
    db::{Db, timestamp::Timestamp},
    event::{
        Log, NewEvent, Outcome,
        limits::{Action, Id, Text},
    },
};

use super::{DjangoArgs, origin, people::People, workspace};
use crate::{
    accounts::workspaces::NewWorkspace,
    import::{
        ImportError, Stop, Summary, follow,
        rejects::Rejects,
        row::{Reason, Row, limited},
        run,
        source::{Read, Source, TableSpec},
        system::{Lane, System, When},
    },
};

/// The end of a session, which is stamped on the row of its login.
const ENDED_AT: &str = "logout_time";
const FAILURES: &str = "failures_since_start";

// The columns get_data and post_data have what was sent, and are not read.
static LOGINS: TableSpec = TableSpec::new(
    "axes_accesslog",
    &["attempt_time"],
    &["user_agent", "ip_address", "username", "http_accept", "path_info", ENDED_AT, "session_hash"],
);

static FAILURE_LOG: TableSpec = TableSpec::new(
    "axes_accessfailurelog",
    &["attempt_time"],
    &["user_agent", "ip_address", "username", "http_accept", "path_info", "locked_out"],
);

static ATTEMPTS: TableSpec = TableSpec::new(
    "axes_accessattempt",
    &["attempt_time", FAILURES],
    &["user_agent", "ip_address", "username", "http_accept", "path_info"],
);

/// Import the logins and failed logins of django-axes; a second run adds only new ones
#[derive(Args, Clone, Debug)]
pub struct AxesImport {
    #[command(flatten)]
    pub django: DjangoArgs,
}

impl AxesImport {
    /// One import, without options.
    pub fn new(from: impl Into<String>, workspace: impl Into<String>) -> Self {
        Self { django: DjangoArgs::new(from, workspace) }
    }

    /// Imports the new rows. `progress` draws a bar on stderr if that is a terminal.
    ///
    /// # Errors
    /// When the source cannot be read or the events cannot be stored. Batches stored until then stay.
    pub fn run(&self, db: &Db, data_dir: &Path, progress: bool) -> Result<Summary, ImportError> {
        let source = self.django.open()?;
        run::once(db, data_dir, &self.django.import, &source, Axes::new(self), progress)
    }

    /// As [`AxesImport::run`], then again and again until it is told to stop.
    ///
    /// # Errors
    /// As [`AxesImport::run`], until the first pass begins; and what no time mends.
    pub fn follow(&self, db: &Db, data_dir: &Path, stop: &Stop) -> Result<Summary, ImportError> {
        let source = self.django.open()?;
        follow::follow(db, data_dir, &self.django.import, &source, Axes::new(self), stop)
    }
}

pub(super) struct Axes<'a> {
    args: &'a DjangoArgs,
    people: People,
    /// None while the log of failures is empty.
    first_logged: Option<Logged>,
}

/// The first row of the log of failures.
struct Logged {
    time: Timestamp,
    who: Who,
}

/// What an attempt counts the failures of: name, address, browser.
type Who = [Option<String>; 3];

fn who(row: &Row) -> Who {
    ["username", "ip_address", "user_agent"].map(|column| row.owned(column))
}

impl<'a> Axes<'a> {
    pub(super) fn new(args: &'a AxesImport) -> Self {
        Self { args: &args.django, people: People::new(&args.django.user_table), first_logged: None }
    }

    fn zone(&self) -> Tz {
        self.args.timezone
    }

    /// The first row that can be read. As rows grow old, axes removes them: it is not always the same one.
    fn first_logged(&self, source: &Source) -> Result<Option<Logged>, ImportError> {
        let Some(mut rows) = source.find(&FAILURE_LOG)? else { return Ok(None) };
        rows.fetch_singly();
        while let Some(read) = rows.next(source)? {
            if let Read::Row(row) = read
                && let Ok(time) = row.instant_in("attempt_time", self.zone())
            {
                return Ok(Some(Logged { time, who: who(&row) }));
            }
        }
        Ok(None)
    }

    /// Whether the log of failures has the attempt's last failure. It may have others too, or not: those of an attempt that went
    /// on when the log began cannot be told apart.
    fn is_logged(&self, attempt: &Row) -> Result<bool, Reason> {
        let Some(first) = &self.first_logged else { return Ok(false) };
        let time = attempt.instant_in("attempt_time", self.zone())?;
        // A failure is counted some milliseconds before it is logged, so the first one's attempt is earlier than its row.
        Ok(time >= first.time || who(attempt) == first.who)
    }
}

impl System for Axes<'_> {
    const EVENTS_SOURCE: &'static str = "django-axes import";

    fn positions(&self, source: &Source) -> String {
        self.args.positions("django-axes", source)
    }

    fn check(&self, source: &Source) -> Result<(), ImportError> {
        // Each of them may be switched off, but not all.
        let mut any = false;
        for table in [&LOGINS, &FAILURE_LOG, &ATTEMPTS] {
            any |= source.has(table)?;
        }
        if any { Ok(()) } else { source.require(&LOGINS) }
    }

    fn workspace(&self, _source: &Source, slug: &str) -> Result<NewWorkspace, ImportError> {
        Ok(workspace(slug))
    }

    fn lanes(&self, source: &Source) -> Result<Vec<Lane<Self>>, ImportError> {
        let user = self.people.of_username(source, "username")?;
        let login = |axes: &Self, row: &Row| login(row, axes).map(Some);
        let logout = |axes: &Self, row: &Row| logout(row, axes).map(Some);
        let failure = |axes: &Self, row: &Row| failure(row, axes, &FAILURE_LOG).map(Some);
        // One that is logged is remembered without an event: the log may begin later when it is looked at again.
        let attempt = |axes: &Self, row: &Row| {
            if axes.is_logged(row)? { Ok(None) } else { attempts(row, axes).map(Some) }
        };

        let logins = Lane::new(LOGINS.clone(), When::There, login).with_lookups(vec![user.clone()]);
        let logouts = Lane::new(LOGINS.clone(), When::Filled(ENDED_AT), logout).with_lookups(vec![user]);
        let failures = Lane::new(FAILURE_LOG.clone(), When::There, failure);
        let attempts = Lane::new(ATTEMPTS.clone(), When::Grown(FAILURES), attempt);
        Ok(vec![logins, logouts, failures, attempts])
    }

    fn learn(&mut self, source: &Source, rejects: &mut Rejects) -> Result<(), ImportError> {
        self.first_logged = self.first_logged(source)?;
        self.people.load(source, rejects)
    }

    fn look_up(&mut self, _source: &Source, _row: &Row) -> Result<(), ImportError> {
        Ok(())
    }
}

pub(super) fn login(row: &Row, axes: &Axes<'_>) -> Result<NewEvent, Reason> {
    let mut event = event(row, axes, &LOGINS, "login", "attempt_time")?;
    event.common.actor = row.text("username").map(|name| axes.people.signed_in(row, name)).transpose()?;
    event.common.session_id = Some(session_id(row));
    Ok(event)
}

pub(super) fn logout(row: &Row, axes: &Axes<'_>) -> Result<NewEvent, Reason> {
    let login = login(row, axes)?;
    let mut event = event(row, axes, &LOGINS, "logout", ENDED_AT)?;
    event.common.actor = login.common.actor;
    event.common.session_id = login.common.session_id;
    // Those are of the request that began the session.
    (event.common.ip_address, event.common.user_agent) = (None, None);
    event.metadata = limited("metadata", origin(&LOGINS.name, row))?;
    Ok(event)
}

/// Who tried is not known, only the name that was entered.
pub(super) fn failure(row: &Row, axes: &Axes<'_>, table: &TableSpec) -> Result<NewEvent, Reason> {
    let mut event = event(row, axes, table, "login_failed", "attempt_time")?;
    event.common.outcome = Outcome::Failure;
    if row.text("locked_out").is_some() && row.boolean("locked_out")? {
        event.common.outcome_reason = Some(Text::truncated("locked_out"));
    }
    Ok(event)
}

/// The failures that were added to an attempt, at the time of the last of them.
pub(super) fn attempts(row: &Row, axes: &Axes<'_>) -> Result<NewEvent, Reason> {
    let since_start = row.integer(FAILURES)?.unwrap_or(0);
    let mut event = failure(row, axes, &ATTEMPTS)?;
    for (key, number) in [(FAILURES, since_start), ("failures", since_start - row.told)] {
        event.metadata.insert(key, number.into()).map_err(|invalid| invalid.detail)?;
    }
    Ok(event)
}

fn event(
    row: &Row,
    axes: &Axes<'_>,
    table: &TableSpec,
    action: &'static str,
    time: &str,
) -> Result<NewEvent, Reason> {
    let occurred_at = limited("occurred_at", row.instant_in(time, axes.zone())?)?;
    let mut event = NewEvent::new(Log::Access, Action::literal(action), occurred_at);
    event.common.target.name = row.limited("username")?;
    event.common.ip_address = row.address("ip_address")?;
    event.common.user_agent = row.limited("user_agent")?;
    let mut metadata = origin(&table.name, row);
    for column in ["path_info", "http_accept"] {
        if let Some(text) = row.text(column) {
            metadata.insert(column.into(), text.into());
        }
    }
    event.metadata = limited("metadata", metadata)?;
    Ok(event)
}

/// Versions before 6.5 have no hash of the session's key.
fn session_id(row: &Row) -> Id {
    match row.text("session_hash") {
        Some(hash) => Text::truncated(hash),
        None => Text::truncated(&format!("axes-{}", row.id)),
    }
}
