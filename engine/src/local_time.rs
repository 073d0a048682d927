//! Days and hours of a time zone.

use chrono::{Days, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;

use crate::db::timestamp::Timestamp;

/// The first moment of a day in a zone. Where the clock jumps over midnight, the moment after the jump.
pub fn day_start(date: NaiveDate, zone: Tz) -> Timestamp {
    local_time(date, 0, zone)
}

/// The first moment at or after a full local hour of a day.
pub fn local_time(date: NaiveDate, hour: u32, zone: Tz) -> Timestamp {
    let start = date.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default());
    for quarter in 0..12 {
        let local = start + chrono::Duration::minutes(15 * quarter);
        if let Some(time) = zone.from_local_datetime(&local).earliest() {
            return Timestamp(time.timestamp_micros());
        }
    }
    // A whole day that a zone skipped (Samoa, 30 December 2011).
    match date.checked_add_days(Days::new(1)) {
        Some(next) => local_time(next, 0, zone),
        None => Timestamp(zone.from_utc_datetime(&start).timestamp_micros()),
    }
}
