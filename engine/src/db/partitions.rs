//! PostgreSQL's partitions of `events`: one a month of `occurred_at` (UTC), before 2020 one a year.
//!
//! Each exists before the first event that needs it: the coming months are created ahead, and the appender creates what
//! a batch needs before its transaction begins. There is no default partition. With one, PostgreSQL can no longer read
//! partitions one after the other in order of time, and every page begins in all of them: with 120 partitions a page
//! takes 2.2 ms instead of 0.7.
//!
//! Years keep their number small: events may lie anywhere since 1970. A statement without a range of time locks and opens
//! every partition; with 680 it takes 16 to 40 ms, and a few such at once use up PostgreSQL's table of locks.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Datelike as _, Months, NaiveDate, NaiveTime, Utc};
use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _,
    connection::SimpleConnection as _,
    sql_query,
    sql_types::{BigInt, Bool, Text},
};

use super::{Conn, Result, timestamp::Timestamp};

/// From this year on partitions are months.
const FIRST_YEAR_OF_MONTHS: i32 = 2020;
/// Months whose partitions are created ahead, the current one included.
const AHEAD: u32 = 4;
/// The key of PostgreSQL's advisory lock: two processes that create the same partition must take turns. Any number will
/// do, as long as every Logbook uses the same one.
const PARTITIONS_LOCK: i64 = 0x6c6f_6762_6f6f_6b01;

/// What a partition covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Period {
    year: i32,
    /// None for the whole year.
    month: Option<u32>,
}

impl Period {
    fn of(time: Timestamp) -> Self {
        let time = DateTime::<Utc>::from(time);
        Self { year: time.year(), month: (time.year() >= FIRST_YEAR_OF_MONTHS).then(|| time.month()) }
    }

    /// The partition's name.
    fn table(self) -> String {
        match self.month {
            Some(month) => format!("events_{}_{month:02}", self.year),
            None => format!("events_{}", self.year),
        }
    }

    /// The first moment, and the first moment of the next period.
    fn bounds(self) -> (Timestamp, Timestamp) {
        let first = NaiveDate::from_ymd_opt(self.year, self.month.unwrap_or(1), 1).unwrap_or_default();
        let next = first + Months::new(if self.month.is_some() { 1 } else { 12 });
        let start = |date: NaiveDate| Timestamp::from(date.and_time(NaiveTime::MIN).and_utc());
        (start(first), start(next))
    }
}

/// The partitions that are known to exist.
#[derive(Debug, Default)]
pub struct Partitions {
    known: HashSet<Period>,
}

impl Partitions {
    /// Creates the missing partitions for these times. To be called outside a transaction; does nothing on SQLite.
    ///
    /// # Errors
    /// The database's.
    pub fn make(&mut self, conn: &mut Conn, times: impl IntoIterator<Item = Timestamp>) -> Result<()> {
        let Conn::Pg(conn) = conn else { return Ok(()) };
        // One transaction for each: the locks of very many would not fit into one.
        for period in self.missing(times) {
            create(conn, period)?;
            self.known.insert(period);
        }
        Ok(())
    }

    /// The partitions for these times that are not known to exist.
    fn missing(&self, times: impl IntoIterator<Item = Timestamp>) -> BTreeSet<Period> {
        let mut missing = BTreeSet::new();
        // Most events happened in the same month as the event before.
        let mut known = (Timestamp(0), Timestamp(0));
        for time in times {
            if !(known.0..known.1).contains(&time) {
                let period = Period::of(time);
                known = period.bounds();
                if !self.known.contains(&period) {
                    missing.insert(period);
                }
            }
        }
        missing
    }

    /// Whether all partitions for these times are known to exist.
    pub fn has(&self, times: impl IntoIterator<Item = Timestamp>) -> bool {
        self.missing(times).is_empty()
    }

    /// Adds what another one knows.
    pub fn add(&mut self, other: Self) {
        self.known.extend(other.known);
    }

    /// Makes the next call ask the database again: somebody may have dropped a partition.
    pub fn forget(&mut self) {
        self.known.clear();
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    found: bool,
}

fn is_there(conn: &mut PgConnection, period: Period) -> Result<bool> {
    let found = sql_query(
        "SELECT EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'events'::regclass AND c.relname = $1) AS found",
    )
    .bind::<Text, _>(period.table());
    Ok(found.get_result::<Found>(conn)?.found)
}

fn create(conn: &mut PgConnection, period: Period) -> Result<()> {
    // A server that may not create tables can still use the partitions that somebody else created.
    if is_there(conn, period)? {
        return Ok(());
    }
    conn.transaction(|conn| {
        sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(PARTITIONS_LOCK).execute(conn)?;
        if is_there(conn, period)? {
            return Ok(());
        }
        let (table, (first, next)) = (period.table(), period.bounds());
        // CREATE TABLE … PARTITION OF would lock out every reader and wait for all current ones; attaching does not.
        // With row security but no policy, rows are visible only through `events`, whose policy then applies.
        // Each statement is a command of its own: Citus refuses several in one.
        for statement in [
            format!("CREATE TABLE {table} (LIKE events INCLUDING CONSTRAINTS)"),
            format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"),
            format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"),
            format!("REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM CURRENT_USER"),
            format!("ALTER TABLE events ATTACH PARTITION {table} FOR VALUES FROM ('{first}') TO ('{next}')"),
        ] {
            conn.batch_execute(&statement)?;
        }
        tracing::info!(table, "partition created");
        Ok(())
    })
}

/// The current month and the coming ones.
fn upcoming() -> impl Iterator<Item = Timestamp> {
    let now = Utc::now();
    (0..AHEAD).filter_map(move |ahead| now.checked_add_months(Months::new(ahead))).map(Timestamp::from)
}

/// Whether the partitions of the current and the coming months exist. Always true on SQLite.
///
/// # Errors
/// The database's.
pub fn has_upcoming(conn: &mut Conn) -> Result<bool> {
    let Conn::Pg(conn) = conn else { return Ok(true) };
    for time in upcoming() {
        if !is_there(conn, Period::of(time))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Creates the partitions of the current and the coming months.
///
/// # Errors
/// The database's.
pub fn create_upcoming(conn: &mut Conn) -> Result<()> {
    Partitions::default().make(conn, upcoming())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Period {
        Period::of(DateTime::parse_from_rfc3339(text).expect("a time").to_utc().into())
    }

    #[test]
    fn a_time_lies_in_its_period_and_periods_follow_each_other() {
        assert_eq!(period("2026-11-30T23:59:59.999999Z").table(), "events_2026_11");
        assert_eq!(period("2020-01-01T00:00:00Z").table(), "events_2020_01");
        assert_eq!(period("2019-12-31T23:59:59.999999Z").table(), "events_2019");
        assert_eq!(period("1970-01-01T00:00:00Z").table(), "events_1970");
        let mut last = period("1970-01-01T00:00:00Z");
        for _ in 0..200 {
            let (first, next) = last.bounds();
            assert!(first < next);
            assert_eq!((Period::of(first), Period::of(Timestamp(next.0 - 1))), (last, last));
            last = Period::of(next);
        }
        assert_eq!(last.table(), "events_2032_07");
    }
}
