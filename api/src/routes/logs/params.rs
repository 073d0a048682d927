//! The query parameters that the logs share.

use chrono::NaiveDate;
use chrono_tz::Tz;
use logbook_engine::{
    counts::histogram::Interval,
    db::timestamp::Timestamp,
    event::Log,
    filter::{Filter, search::Search},
    local_time::day_start,
};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::{
    accounts::workspaces::Workspace,
    http::error::{Problem, Result},
};

/// The parameters that every log's list, counts and histogram share.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct RangeParams {
    /// Start of the time range (inclusive): an RFC 3339 time, or a date (`YYYY-MM-DD`), which begins at midnight in `tz`.
    #[serde(default)]
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "2026-11-22", nullable = false)]
    pub since: Option<String>,
    /// End of the time range (exclusive): an RFC 3339 time, or a date, which begins at midnight in `tz`.
    #[serde(default)]
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "2026-11-23T00:00:00Z", nullable = false)]
    pub until: Option<String>,
    /// IANA time zone in which days begin. Default: the workspace's.
    #[serde(default)]
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "Asia/Kolkata", nullable = false)]
    pub tz: Option<String>,
    /// Matches events that contain this text, in any case: in ids, actor, target, changed fields and values, action,
    /// role, reason, IP address, user agent, session and correlation.
    #[serde(default)]
    #[validate(length(min = 1, max = 200))]
    #[param(min_length = 1, max_length = 200, nullable = false)]
    pub q: Option<String>,
}

impl RangeParams {
    /// The time zone of the request. Default: the workspace's.
    pub fn zone(&self, workspace: &Workspace) -> Result<Tz> {
        let Some(name) = &self.tz else { return Ok(workspace.zone()) };
        name.parse().map_err(|_| Problem::parameter("tz", "must be an IANA time zone such as Asia/Kolkata"))
    }

    /// A filter with only this range and search.
    pub fn filter(&self, workspace: &Workspace, log: Log) -> Result<Filter> {
        let zone = self.zone(workspace)?;
        let time = |name: &str, text: &Option<String>| {
            text.as_deref().map(|text| parse_time(name, text, zone)).transpose()
        };
        let (since, until) = (time("since", &self.since)?, time("until", &self.until)?);
        if let (Some(since), Some(until)) = (since, until)
            && since > until
        {
            return Err(Problem::parameter("until", "must not be before since"));
        }
        let search = self.q.as_deref().map(|text| Search::new(text, workspace.id));
        Ok(Filter { since, until, search, ..Filter::all(workspace.id, log) })
    }
}

#[derive(Clone, Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct HistogramParams {
    /// Length of a bucket: `auto` (the default), `15m`, `1h`, `6h`, `1d`, `1w` (from Monday) or `1mo`.
    #[serde(default)]
    #[param(inline)]
    pub interval: Interval,
    /// The filter whose values are counted separately. The default depends on the log.
    #[serde(default)]
    #[validate(length(max = 64))]
    #[param(max_length = 64, nullable = false, example = "status")]
    pub by: Option<String>,
}

/// Parses a time parameter: RFC 3339, or a date, which begins at midnight in the zone.
///
/// # Errors
/// `invalid_parameter`, with the parameter's name.
pub fn parse_time(name: &str, text: &str, zone: Tz) -> Result<Timestamp> {
    let problem = || {
        let detail = "must be a date such as 2026-11-22 or an RFC 3339 time such as 2026-11-22T20:48:59Z";
        Problem::parameter(name, detail)
    };
    let time = if let Some(date) = parse_date(text) {
        day_start(date, zone)
    } else {
        // An unescaped plus sign arrives as a space.
        let text = text.replace(' ', "+");
        Timestamp(chrono::DateTime::parse_from_rfc3339(&text).map_err(|_| problem())?.timestamp_micros())
    };
    // The years 1 to 9999, which every client and both databases can express.
    if !(-62_135_596_800_000_000..253_402_300_800_000_000).contains(&time.micros()) {
        return Err(problem());
    }
    Ok(time)
}

/// Parses `YYYY-MM-DD` only; chrono accepts other forms too.
fn parse_date(text: &str) -> Option<NaiveDate> {
    let shape = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(i, byte)| if i == 4 || i == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    if shape { text.parse().ok() } else { None }
}
