//! Quarter hours, UTC days and UTC months, all counted since 1970.

use chrono::{Datelike as _, NaiveDate};

use super::damaged;
use crate::{db::timestamp::Timestamp, error::Result};

/// Microseconds in a quarter hour. Every time zone's offset is a multiple of it.
pub const QUARTER_MICROS: i64 = 900_000_000;
/// Quarter hours in a UTC day.
pub const DAY_QUARTERS: i64 = 96;

/// 1970-01-01 as chrono counts days.
const EPOCH_DAY: i64 = 719_163;

/// Before and after every time that a query may name (the years 1 to 9999), and in the range of both databases.
pub const EARLIEST: Timestamp = Timestamp(-62_135_596_800_000_000);
pub const LATEST: Timestamp = Timestamp(253_402_300_800_000_000);

/// The quarter hour that contains a time.
pub fn quarter_of(time: Timestamp) -> i64 {
    time.micros().div_euclid(QUARTER_MICROS)
}

/// The first quarter hour that begins at or after a time.
pub fn quarter_from(time: Timestamp) -> i64 {
    -(-time.micros()).div_euclid(QUARTER_MICROS)
}

/// The time at which a quarter hour begins.
pub fn quarter_start(quarter: i64) -> Timestamp {
    Timestamp(quarter * QUARTER_MICROS)
}

/// The UTC day that contains a quarter hour.
pub fn day_of(quarter: i64) -> i64 {
    quarter.div_euclid(DAY_QUARTERS)
}

/// The time at which a UTC day begins.
pub fn day_start(day: i64) -> Timestamp {
    quarter_start(day * DAY_QUARTERS)
}

/// The month that contains a day.
pub fn month_of(day: i64) -> i32 {
    let date = i32::try_from(day + EPOCH_DAY).ok().and_then(NaiveDate::from_num_days_from_ce_opt);
    date.map_or(0, |date| (date.year() - 1970) * 12 + date.month0() as i32)
}

/// The month of a time.
pub fn month_at(time: Timestamp) -> i32 {
    month_of(day_of(quarter_of(time)))
}

/// The first day of a month.
pub fn month_start(month: i32) -> i64 {
    let date = NaiveDate::from_ymd_opt(1970 + month.div_euclid(12), month.rem_euclid(12) as u32 + 1, 1);
    date.map_or(0, |date| i64::from(date.num_days_from_ce()) - EPOCH_DAY)
}

/// The bucket number of a day.
///
/// # Errors
/// For a day outside the range of event times.
pub fn bucket(day: i64) -> Result<i32> {
    i32::try_from(day).map_err(|_| damaged())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_lie_in_their_months() {
        assert_eq!((month_of(-1), month_of(0), month_of(30), month_of(31)), (-1, 0, 0, 1));
        for month in -30..700 {
            let first = month_start(month);
            assert_eq!((month_of(first), month_of(first - 1)), (month, month - 1));
        }
        assert_eq!(month_start(12), 365);
    }

    #[test]
    fn a_moment_lies_in_one_quarter_hour() {
        for micros in [-1, 0, 1, QUARTER_MICROS - 1, QUARTER_MICROS, -QUARTER_MICROS] {
            let (inside, next) = (quarter_of(Timestamp(micros)), quarter_from(Timestamp(micros)));
            assert!(quarter_start(inside).micros() <= micros && micros <= quarter_start(next).micros());
            assert_eq!(next - inside, i64::from(micros % QUARTER_MICROS != 0));
        }
    }
}
