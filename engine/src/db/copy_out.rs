//! Reads many events of a log at once, with COPY: PostgreSQL sends them in a third of the time that a query takes.
//!
//! The format is COPY's binary one (<https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format"): a head, then for
//! each row the number of its fields, and of each field its length, or -1 for NULL, and its bytes.

use std::{io::BufRead as _, ops::ControlFlow};

use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl as _,
    connection::SimpleConnection as _,
    pg::{CopyFormat, CopyTarget, Pg},
    query_builder::{AstPass, QueryFragment as _},
    result::{
        DatabaseErrorKind,
        Error::{self, DeserializationError},
    },
    sql_query,
    sql_types::{Bool, Text},
};

use super::{
    Conn,
    dialect::IS_CITUS,
    rows::EventRow,
    schema::events,
    timestamp::{POSTGRES_EPOCH_MICROS, Timestamp},
};

/// Events of the log of the reader's workspace, in an order.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// The log's number.
    pub log: i16,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub is_descending: bool,
    /// By time and seq, exclusive.
    pub after: Option<(Timestamp, i64)>,
    pub rows: usize,
}

/// COPY takes no parameters, so they are settings of the transaction.
const SETTINGS: &str = "set_config('logbook.copy_log', $1, true), set_config('logbook.copy_since', $2, true), \
    set_config('logbook.copy_until', $3, true), set_config('logbook.copy_time', $4, true), \
    set_config('logbook.copy_seq', $5, true), set_config('logbook.copy_rows', $6, true)";
const OWN: &str = " FROM events WHERE workspace_id = current_setting('logbook.workspace')::integer \
    AND log = current_setting('logbook.copy_log')::smallint \
    AND occurred_at >= current_setting('logbook.copy_since')::timestamptz \
    AND occurred_at < current_setting('logbook.copy_until')::timestamptz";
const ASCENDING_FROM: &str = " AND (occurred_at, seq) > (current_setting('logbook.copy_time')::timestamptz, \
    current_setting('logbook.copy_seq')::bigint) ORDER BY occurred_at, seq";
const DESCENDING_FROM: &str = " AND (occurred_at, seq) < (current_setting('logbook.copy_time')::timestamptz, \
    current_setting('logbook.copy_seq')::bigint) ORDER BY occurred_at DESC, seq DESC";
const LIMIT: &str = " LIMIT current_setting('logbook.copy_rows')::bigint)";

#[derive(QueryableByName)]
struct Cluster {
    #[diesel(sql_type = Bool)]
    is_distributed: bool,
}

/// Shows the events of a stretch in order, until `show` breaks. Returns how many it was shown; None where the database has no
/// such COPY: on SQLite and on Citus.
///
/// # Errors
/// The database's. Nothing can be read after it in the same transaction.
pub fn events(
    conn: &mut Conn,
    stretch: Stretch,
    mut show: impl FnMut(EventRow) -> ControlFlow<()>,
) -> QueryResult<Option<usize>> {
    let Conn::Pg(pg) = conn else { return Ok(None) };
    if set(pg, stretch)?.is_distributed {
        return Ok(None);
    }
    let shown =
        if stretch.is_descending { copy::<true>(pg, &mut show) } else { copy::<false>(pg, &mut show) }?;
    // diesel leaves the rest of COPY unread, and refuses the next prepared statement. What goes another way passes over it.
    pg.batch_execute("SET LOCAL logbook.copy_rows = 0")?;
    Ok(Some(shown))
}

fn set(pg: &mut PgConnection, stretch: Stretch) -> QueryResult<Cluster> {
    let Stretch { log, since, until, is_descending, after, rows } = stretch;
    let time = |time: Option<Timestamp>, none: &str| time.map_or(none.to_owned(), |time| time.to_string());
    let (time_before_all, seq_before_all) =
        if is_descending { ("infinity", i64::MAX) } else { ("-infinity", 0) };
    sql_query(format!("SELECT {IS_CITUS} AS is_distributed, {SETTINGS}"))
        .bind::<Text, _>(log.to_string())
        .bind::<Text, _>(time(since, "-infinity"))
        .bind::<Text, _>(time(until, "infinity"))
        .bind::<Text, _>(time(after.map(|(time, _)| time), time_before_all))
        .bind::<Text, _>(after.map_or(seq_before_all, |(_, seq)| seq).to_string())
        .bind::<Text, _>(rows.to_string())
        .get_result(pg)
}

/// What is copied, a subquery, of which diesel itself knows nothing. The text of a statement belongs to its type.
struct Events<const DESCENDING: bool>;

impl<const DESCENDING: bool> CopyTarget for Events<DESCENDING> {
    type Table = events::table;
    type SqlType = events::SqlType;

    fn walk_target(mut out: AstPass<'_, '_, Pg>) -> QueryResult<()> {
        out.push_sql("(SELECT ");
        events::all_columns.walk_ast(out.reborrow())?;
        out.push_sql(OWN);
        out.push_sql(if DESCENDING { DESCENDING_FROM } else { ASCENDING_FROM });
        out.push_sql(LIMIT);
        Ok(())
    }
}

const HEAD_BYTES: usize = 19;
const EVENT_FIELDS: i16 = 30;
/// In place of the number of fields: no row follows.
const END: i16 = -1;

fn copy<const DESCENDING: bool>(
    pg: &mut PgConnection,
    show: &mut impl FnMut(EventRow) -> ControlFlow<()>,
) -> QueryResult<usize> {
    let target = Events::<DESCENDING>;
    let mut out = diesel::copy_to(target).with_format(CopyFormat::Binary).load_raw(pg)?;
    let mut shown = 0;
    loop {
        // libpq gives one row at a time, the first one with the head.
        let bytes = out.fill_buf().map_err(|error| cut(error.to_string()))?;
        let length = bytes.len();
        let mut fields = Fields(bytes);
        if shown == 0 {
            fields.take(HEAD_BYTES);
        }
        match fields.count() {
            Some(END) => return Ok(shown),
            Some(EVENT_FIELDS) => {
                let event =
                    fields.event().ok_or(DeserializationError("an event has other columns".into()))?;
                shown += 1;
                if show(event).is_break() {
                    return Ok(shown);
                }
            }
            // PostgreSQL cancelled the statement: diesel passes its error over.
            _ => return Err(cut("PostgreSQL ended COPY early".into())),
        }
        out.consume(length);
    }
}

/// An error that says nothing about the statement.
fn cut(why: String) -> Error {
    Error::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(why))
}

/// The fields of a row that were not read yet.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn count(&mut self) -> Option<i16> {
        self.bytes().map(i16::from_be_bytes)
    }

    /// The next field; None inside is NULL.
    fn next(&mut self) -> Option<Option<&'a [u8]>> {
        let length = i32::from_be_bytes(self.bytes()?);
        if length == -1 {
            return Some(None);
        }
        self.take(usize::try_from(length).ok()?).map(Some)
    }

    fn read<T>(&mut self, read: impl FnOnce(&'a [u8]) -> Option<T>) -> Option<Option<T>> {
        match self.next()? {
            None => Some(None),
            Some(bytes) => read(bytes).map(Some),
        }
    }

    fn text(&mut self) -> Option<Option<String>> {
        self.read(|bytes| str::from_utf8(bytes).ok().map(str::to_owned))
    }

    fn number<T, const N: usize>(&mut self, from: fn([u8; N]) -> T) -> Option<Option<T>> {
        self.read(|bytes| bytes.try_into().ok().map(from))
    }

    fn small(&mut self) -> Option<Option<i16>> {
        self.number(i16::from_be_bytes)
    }

    fn big(&mut self) -> Option<Option<i64>> {
        self.number(i64::from_be_bytes)
    }

    fn time(&mut self) -> Option<Timestamp> {
        self.big()?.map(|micros| Timestamp(micros + POSTGRES_EPOCH_MICROS))
    }

    /// In the order of the columns. None when they are others.
    fn event(&mut self) -> Option<EventRow> {
        Some(EventRow {
            workspace_id: self.number(i32::from_be_bytes)??,
            seq: self.big()??,
            log: self.small()??,
            occurred_at: self.time()?,
            received_at: self.time()?,
            source: self.text()??,
            actor_type: self.small()?,
            actor_id: self.text()?,
            actor_name: self.text()?,
            on_behalf_of_type: self.small()?,
            on_behalf_of_id: self.text()?,
            on_behalf_of_name: self.text()?,
            role: self.text()?,
            action: self.text()??,
            outcome: self.small()??,
            outcome_reason: self.text()?,
            purpose: self.text()?,
            target_type: self.text()?,
            target_id: self.text()?,
            target_name: self.text()?,
            targets: self.text()?,
            ip_address: self.text()?,
            user_agent: self.text()?,
            session_id: self.text()?,
            correlation_id: self.text()?,
            epoch: self.text()?,
            sequence: self.big()?,
            changes: self.text()?,
            metadata: self.text()?,
            masked: self.text()?,
        })
    }
}
