//! Times as queries give them, and days as zones have them.

use chrono::{Days, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;

use crate::{
    db::types::Instant,
    error::{Problem, Result},
};

/// A time of a query: RFC 3339, or a date that begins at midnight in the zone.
///
/// # Errors
/// `invalid_parameter` in the name of the parameter.
pub fn parse_time(name: &str, text: &str, zone: Tz) -> Result<Instant> {
    let problem = || {
        let detail = "must be a date such as 2026-11-22 or an RFC 3339 time such as 2026-11-22T20:48:59Z";
        Problem::parameter(name, detail)
    };
    let instant = if let Some(date) = parse_date(text) {
        day_start(date, zone)
    } else {
        // A plus sign that was not escaped arrives as a space.
        let text = text.replace(' ', "+");
        chrono::DateTime::parse_from_rfc3339(&text).map_err(|_| problem())?.timestamp_micros().into()
    };
    // The years 1 to 9999, which every client and both databases can express.
    if !(-62_135_596_800_000_000..253_402_300_800_000_000).contains(&instant.micros()) {
        return Err(problem());
    }
    Ok(instant)
}

/// `YYYY-MM-DD` and no other way to write it, of which chrono knows many.
fn parse_date(text: &str) -> Option<NaiveDate> {
    let shape = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(i, byte)| if i == 4 || i == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    if shape { text.parse().ok() } else { None }
}

impl From<i64> for Instant {
    fn from(micros: i64) -> Self {
        Self(micros)
    }
}

/// The first moment of a day in a zone. Where the clock jumps over midnight, the moment after the jump.
pub fn day_start(date: NaiveDate, zone: Tz) -> Instant {
    local_time(date, 0, zone)
}

/// The first moment at or after a full local hour of a day.
pub fn local_time(date: NaiveDate, hour: u32, zone: Tz) -> Instant {
    let start = date.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default());
    for quarter in 0..12 {
        let local = start + chrono::Duration::minutes(15 * quarter);
        if let Some(time) = zone.from_local_datetime(&local).earliest() {
            return Instant(time.timestamp_micros());
        }
    }
    // A whole day that a zone skipped (Samoa, 30 December 2011).
    match date.checked_add_days(Days::new(1)) {
        Some(next) => local_time(next, 0, zone),
        None => Instant(zone.from_utc_datetime(&start).timestamp_micros()),
    }
}
