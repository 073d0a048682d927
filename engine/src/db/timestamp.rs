//! The type of times in both databases.

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::Pg,
    query_builder::QueryId,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{BigInt, HasSqlType, SqlType},
    sqlite::Sqlite,
};

use super::Backend as MultiBackend;

/// The column type: `timestamptz` on PostgreSQL, integer microseconds on SQLite.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Long"))]
pub struct TimestampSql;

impl diesel::sql_types::SqlOrd for TimestampSql {}

impl HasSqlType<TimestampSql> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        MultiBackend::lookup_sql_type::<TimestampSql>(lookup)
    }
}

/// A moment: microseconds since 1970-01-01T00:00:00Z, which both databases store exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = TimestampSql)]
pub struct Timestamp(pub i64);

/// PostgreSQL counts from 2000-01-01.
pub(super) const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

impl Timestamp {
    pub fn now() -> Self {
        Self(Utc::now().timestamp_micros())
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// This moment plus seconds, which may be negative.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + seconds * 1_000_000)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_micros())
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(time: Timestamp) -> Self {
        // Every time that is accepted lies between 1970 and a day ahead, far inside chrono's range.
        DateTime::from_timestamp_micros(time.0).unwrap_or_default()
    }
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 in UTC with six decimals.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = DateTime::<Utc>::from(*self);
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        // chrono reads its pattern each time, which takes ten times as long; an event has two times.
        let mut write = |end: usize, mut number: u32| {
            for digit in text[..end].iter_mut().rev().take_while(|digit| digit.is_ascii_digit()) {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        };
        let Ok(year @ ..10_000) = u32::try_from(time.year()) else {
            return time.format("%Y-%m-%dT%H:%M:%S%.6fZ").fmt(f);
        };
        write(4, year);
        write(7, time.month());
        write(10, time.day());
        write(13, time.hour());
        write(16, time.minute());
        write(19, time.second());
        write(26, self.0.rem_euclid(1_000_000) as u32);
        f.write_str(str::from_utf8(&text).map_err(|_| std::fmt::Error)?)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text).map_err(|_| {
            serde::de::Error::custom("must be an RFC 3339 time such as 2026-11-22T20:48:59.119674Z")
        })?;
        Ok(Self(time.timestamp_micros()))
    }
}

impl FromSql<TimestampSql, MultiBackend> for Timestamp {
    fn from_sql(bytes: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        bytes.from_sql::<Self, TimestampSql>()
    }
}

impl FromSql<TimestampSql, Pg> for Timestamp {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(<i64 as FromSql<BigInt, Pg>>::from_sql(bytes)? + POSTGRES_EPOCH_MICROS))
    }
}

impl FromSql<TimestampSql, Sqlite> for Timestamp {
    fn from_sql(bytes: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(<i64 as FromSql<BigInt, Sqlite>>::from_sql(bytes)?))
    }
}

impl ToSql<TimestampSql, MultiBackend> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((TimestampSql, self));
        Ok(IsNull::No)
    }
}

impl ToSql<TimestampSql, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.0 - POSTGRES_EPOCH_MICROS;
        ToSql::<BigInt, Pg>::to_sql(&micros, &mut out.reborrow())
    }
}

impl ToSql<TimestampSql, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0);
        Ok(IsNull::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_chrono_does() {
        let slowly =
            |time: Timestamp| DateTime::<Utc>::from(time).format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        for micros in [0, 1, 999_999, 1_764_358_156_000_042, 951_782_399_999_999, 253_402_300_799_999_999] {
            // Before 1970, and beyond the year 9999.
            for time in [micros, -micros, micros + 253_402_300_800_000_000].map(Timestamp) {
                assert_eq!(time.to_string(), slowly(time));
            }
        }
        assert_eq!(Timestamp(1_764_358_156_000_042).to_string(), "2025-11-28T19:29:16.000042Z");
    }
}
