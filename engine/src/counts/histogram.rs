//! Counts over time, in buckets that begin where readers in the workspace's time zone expect them.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, Timelike as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    counts::{
        Counted, CountsCache, Effort,
        calendar::{QUARTER_MICROS, quarter_from, quarter_start},
        cells::has_rollup,
        keys::OTHER,
    },
    db::{Conn, timestamp::Timestamp},
    error::{Error, Result},
    filter::{Dimension, Filter},
    index::Index,
    local_time::{day_start, local_time},
};

/// Most buckets in one answer.
pub const MAX_BUCKETS: usize = 1000;
/// Most values that are counted separately, each over the whole range. The others are summed as [`OTHER`].
const MOST_VALUES: usize = 20;
/// `auto` chooses the shortest interval up to a week that gives at most this many buckets, else months.
const AUTO_BUCKETS: i64 = 96;

/// The longest range that `auto` shows whole, in microseconds: 80 years of months.
const AUTO_LONGEST: i64 = 80 * 366 * 86_400 * 1_000_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Interval {
    #[default]
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "15m")]
    QuarterHour,
    #[serde(rename = "1h")]
    Hour,
    #[serde(rename = "6h")]
    SixHours,
    #[serde(rename = "1d")]
    Day,
    #[serde(rename = "1w")]
    Week,
    #[serde(rename = "1mo")]
    Month,
}

/// The events of one stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Bucket {
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    /// Exclusive.
    #[schema(value_type = String, format = DateTime)]
    pub end: Timestamp,
    #[schema(minimum = 0)]
    pub total: u64,
    /// Events by value of `by`; values without events are left out. Beyond the 20 most frequent: `(other)`.
    pub counts: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Histogram {
    #[schema(inline)]
    pub interval: Interval,
    #[schema(example = "Asia/Kolkata")]
    pub timezone: String,
    #[schema(example = "status")]
    pub by: String,
    /// Start of the first bucket; null when there is no event and no range.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub since: Option<Timestamp>,
    /// End of the last bucket.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub until: Option<Timestamp>,
    /// Without gaps: a stretch without events has a bucket with total 0.
    pub data: Vec<Bucket>,
    /// False when the counts are lower bounds.
    pub exact: bool,
}

/// What a histogram shows.
pub struct Shape<'a> {
    pub interval: Interval,
    pub zone: Tz,
    pub by: (&'a str, Dimension),
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Counts the matching events by bucket and value. Rollups must be read inside a snapshot.
///
/// # Errors
/// [`Error::TooManyBuckets`] when the interval would give more than [`MAX_BUCKETS`]; [`Error::NeedsScan`]; the database's.
pub fn histogram(
    conn: &mut Conn,
    cache: &CountsCache,
    index: &Index,
    filter: &Filter,
    shape: &Shape<'_>,
    effort: Effort,
) -> Result<Histogram> {
    let sample = |conn: &mut Conn| draw(&mut Counted::sampled(conn, cache, index, filter)?, shape);
    if !has_rollup(filter) {
        return sample(conn);
    }
    effort.answer(conn, |conn| draw(&mut Counted::kept(conn, cache, filter, effort)?, shape), sample)
}

fn draw(counted: &mut Counted<'_>, shape: &Shape<'_>) -> Result<Histogram> {
    let Shape { interval, zone, by: (by, dimension), since, until } = *shape;
    // The first and last event are looked up only when the range depends on them.
    let is_long = |since: Timestamp, until: Timestamp| until.micros() - since.micros() > AUTO_LONGEST;
    let ends = match (since, until) {
        (Some(since), Some(until)) if !is_long(since, until) => None,
        _ => counted.first_and_last()?,
    };
    let first = ends.map(|(first, _)| quarter_start(first));
    let last = ends.map(|(_, last)| quarter_start(last + 1));
    // An open range ends where the events end. Without events there are no buckets.
    let (from, to) = match (since.or(first), until.or(last)) {
        (Some(from), Some(to)) if from < to => (from, to),
        _ => {
            let interval = if interval == Interval::Auto { Interval::Day } else { interval };
            return Ok(Histogram {
                interval,
                timezone: zone.name().to_owned(),
                by: by.to_owned(),
                since: None,
                until: None,
                data: Vec::new(),
                exact: counted.exact,
            });
        }
    };
    // A reader who asks for everything since 1900 means all events.
    let from = match first {
        Some(first) if interval == Interval::Auto && is_long(from, to) => from.max(first),
        _ => from,
    };
    let interval = if interval == Interval::Auto { auto(from, to) } else { interval };
    let edges = edges(interval, zone, from, to)?;

    let values = counted.by(dimension)?;
    let mut groups: Vec<&str> = values
        .iter()
        .map(|(value, _)| value.as_str())
        .filter(|value| *value != OTHER)
        .take(MOST_VALUES)
        .collect();
    let places: HashMap<&str, usize> = groups.iter().copied().zip(1..).collect();
    groups.push(OTHER);
    // Group 0 counts the events without a value, the last group those of all values without a group of their own.
    let group_of =
        |value: Option<&str>| value.map_or(0, |value| places.get(value).copied().unwrap_or(groups.len()));
    // A range that begins inside a quarter hour counts its first events in the first bucket.
    let borders: Vec<i64> = edges[1..edges.len() - 1].iter().map(|edge| quarter_from(*edge)).collect();
    let sums = counted.spread(&borders, dimension, groups.len() + 1, group_of)?;
    let data = edges.windows(2).zip(sums.chunks(groups.len() + 1)).map(|(pair, sums)| {
        let counts = groups.iter().zip(&sums[1..]).filter(|(_, n)| **n > 0);
        Bucket {
            start: pair[0],
            end: pair[1],
            total: sums.iter().sum(),
            counts: counts.map(|(value, n)| ((*value).to_owned(), *n)).collect(),
        }
    });
    Ok(Histogram {
        interval,
        timezone: zone.name().to_owned(),
        by: by.to_owned(),
        since: edges.first().copied(),
        until: edges.last().copied(),
        data: data.collect(),
        exact: counted.exact,
    })
}

fn auto(from: Timestamp, to: Timestamp) -> Interval {
    const MINUTE: i64 = 60_000_000;
    let span = to.micros() - from.micros();
    let steps = [
        (Interval::QuarterHour, 15),
        (Interval::Hour, 60),
        (Interval::SixHours, 360),
        (Interval::Day, 1440),
        (Interval::Week, 7 * 1440),
    ];
    let fits = |minutes: i64| span <= minutes * MINUTE * AUTO_BUCKETS;
    steps.iter().find(|(_, minutes)| fits(*minutes)).map_or(Interval::Month, |(interval, _)| *interval)
}

/// The starts of all buckets that touch the range, and the end of the last.
fn edges(interval: Interval, zone: Tz, from: Timestamp, to: Timestamp) -> Result<Vec<Timestamp>> {
    let mut edges = vec![floor(interval, zone, from)];
    let mut last = edges[0];
    while last < to {
        if edges.len() > MAX_BUCKETS {
            return Err(Error::TooManyBuckets { max: MAX_BUCKETS });
        }
        last = next(interval, zone, last);
        edges.push(last);
    }
    Ok(edges)
}

fn local(moment: Timestamp, zone: Tz) -> DateTime<Tz> {
    DateTime::<Utc>::from(moment).with_timezone(&zone)
}

fn floor(interval: Interval, zone: Tz, moment: Timestamp) -> Timestamp {
    let time = local(moment, zone);
    let date = time.date_naive();
    let monday = |date: NaiveDate| date - Days::new(u64::from(date.weekday().num_days_from_monday()));
    let floored = match interval {
        Interval::Auto | Interval::QuarterHour => {
            return Timestamp(moment.micros().div_euclid(QUARTER_MICROS) * QUARTER_MICROS);
        }
        Interval::Hour => {
            let into_hour = i64::from(time.minute() * 60 + time.second()) * 1_000_000;
            let micros = moment.micros() - into_hour;
            // Drops the fraction of the second.
            return Timestamp(micros - micros.rem_euclid(1_000_000));
        }
        Interval::SixHours => local_time(date, time.hour() / 6 * 6, zone),
        Interval::Day => day_start(date, zone),
        Interval::Week => day_start(monday(date), zone),
        Interval::Month => day_start(date.with_day(1).unwrap_or(date), zone),
    };
    // A clock that is set back over midnight begins the day twice; the first time counts.
    floored.min(moment)
}

fn next(interval: Interval, zone: Tz, start: Timestamp) -> Timestamp {
    let time = local(start, zone);
    let date = time.date_naive();
    let after = match interval {
        Interval::Auto | Interval::QuarterHour => Timestamp(start.micros() + QUARTER_MICROS),
        Interval::Hour => Timestamp(start.micros() + 4 * QUARTER_MICROS),
        Interval::SixHours if time.hour() < 18 => local_time(date, time.hour() / 6 * 6 + 6, zone),
        Interval::SixHours | Interval::Day => day_start(date + Days::new(1), zone),
        Interval::Week => day_start(date + Days::new(7), zone),
        Interval::Month => day_start(date + Months::new(1), zone),
    };
    // Always moves forward, whatever the zone's clock does.
    if after > start { after } else { Timestamp(start.micros() + 96 * QUARTER_MICROS) }
}
