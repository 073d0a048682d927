//! Asks the questions of a case one after the other and measures each, from the first byte of the request to the last
//! byte of the response.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{
    cases::{Case, Expect, Question, What, usual},
    database::Direct,
    http::Connection,
    report::CaseFigures,
};

/// To warm up, one of this many questions is asked before the measurement.
const WARM_UP: usize = 40;
/// How long a slow case is measured, and with how many questions at least.
const PATIENCE: Duration = Duration::from_secs(20);
const LEAST: usize = 10;
/// How many questions the usual way answers, at most.
const USUAL_TIMES: usize = 3;

/// Measures a case over HTTP.
pub(crate) fn case(case: &Case, connection: &mut Connection, workspace_id: i64) -> CaseFigures {
    let mut times = Vec::new();
    let (mut unfinished, mut others) = (0, 0);
    let mut wrong = None;
    let start = Instant::now();
    // The last ones, since a question that was asked a moment ago is answered faster.
    for question in case.questions.iter().rev().take(case.questions.len() / WARM_UP) {
        if start.elapsed() < PATIENCE / 10 {
            connection.get(&question.path(connection.target(), workspace_id));
        }
    }
    let start = Instant::now();
    for question in &case.questions {
        if start.elapsed() > PATIENCE && times.len() >= LEAST {
            break;
        }
        let path = question.path(connection.target(), workspace_id);
        let sent = Instant::now();
        let answer = connection.get(&path);
        let time = sent.elapsed();
        if answer.status != 200 {
            wrong = Some(format!("{path}: {} {}", answer.status, answer.text()));
            break;
        }
        match check(question, case.expect, &answer.json()) {
            Checked::Right => {}
            Checked::Unfinished => unfinished += 1,
            // The word occurs after all.
            Checked::Hits => {
                others += 1;
                continue;
            }
            Checked::Wrong(what) => wrong = Some(format!("{path}: {what}")),
        }
        times.push(time.as_secs_f64() * 1e3);
    }
    if others * 5 > case.questions.len() {
        wrong = Some(format!("{others} of {} searches without hits have hits", case.questions.len()));
    }
    times.sort_by(f64::total_cmp);
    CaseFigures {
        name: case.name.clone(),
        group: case.group.name().into(),
        requests: times.len(),
        p50_ms: percentile(&times, 0.5),
        p95_ms: percentile(&times, 0.95),
        max_ms: percentile(&times, 1.0),
        budget_p95_ms: case.budget_ms,
        usual_p50_ms: None,
        usual_is_longer: false,
        unfinished,
        wrong,
    }
}

enum Checked {
    Right,
    /// The server ran out of time before it had scanned everything.
    Unfinished,
    Hits,
    Wrong(&'static str),
}

fn check(question: &Question, expect: Expect, answer: &Value) -> Checked {
    let What::Page { limit, .. } = question.what else { return Checked::Right };
    let Some(found) = answer["data"].as_array().map(Vec::len) else { return Checked::Wrong("no page") };
    let unfinished = found < limit && answer["has_more"] == true;
    match expect {
        Expect::Hits if found == 0 && !unfinished => Checked::Wrong("nothing was found"),
        Expect::NoHits if found > 0 => Checked::Hits,
        _ if unfinished => Checked::Unfinished,
        _ => Checked::Right,
    }
}

/// The nearest-rank percentile of sorted values; 0 when there are none.
pub(crate) fn percentile(sorted: &[f64], part: f64) -> f64 {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

/// Answers the first questions of the case the usual way, without the server, until the time is up.
pub(crate) fn usual(
    case: &Case,
    direct: &mut Direct,
    workspace_id: i64,
    mut left: Duration,
    figures: &mut CaseFigures,
) {
    let mut times = Vec::new();
    let asked = if left.is_zero() { 0 } else { USUAL_TIMES };
    for question in case.questions.iter().take(asked) {
        let statements = usual::statements(question, direct, workspace_id);
        let Some(time) = direct.timed(&statements, left) else {
            // One timeout is enough: the limit is a lower bound.
            if times.is_empty() {
                figures.usual_is_longer = true;
                times.push(left.as_secs_f64() * 1e3);
            }
            break;
        };
        times.push(time.as_secs_f64() * 1e3);
        left = left.saturating_sub(time);
    }
    times.sort_by(f64::total_cmp);
    figures.usual_p50_ms = (!times.is_empty()).then(|| percentile(&times, 0.5));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!((percentile(&values, 0.5), percentile(&values, 0.95)), (100.0, 190.0));
        assert_eq!((percentile(&[7.0], 0.5), percentile(&[7.0], 1.0), percentile(&[], 0.5)), (7.0, 7.0, 0.0));
    }
}
