//! Metrics, facets and histograms: over all time, over the last 30 days, over an unaligned range, with filters, in time
//! zones.

use logbook_engine::event::Log;

use super::{Case, Expect, Group, LOGS, Plan, QUICK, Question, Samples, What, case};
use crate::generate::{DAY, END, START};

use rand::RngExt as _;

pub(super) const ZONES: [&str; 3] = ["UTC", "Asia/Kolkata", "America/New_York"];

fn by(log: Log) -> &'static str {
    match log {
        Log::Access => "status",
        Log::Application => "action",
        Log::Framework | Log::Activity => "component",
    }
}

pub(super) fn histogram(log: Log, interval: &'static str, zone: &'static str) -> Question {
    Question::new(log, What::Histogram { interval, zone, by: by(log) })
}

/// Filters that rollups can answer.
fn filtered(n: usize, question: Question) -> Question {
    match (question.log, n % 2) {
        (Log::Access, 0) => question.with("event_type", "login").with("role", "Nurse"),
        (Log::Access, _) => question.with("status", "failure"),
        (Log::Application, 0) => question.with("model", "patient").with("action", "update"),
        (Log::Application, _) => question.with("model", "invoice").with("model", "task"),
        (Log::Framework | Log::Activity, 0) => question.with("component", "policy"),
        (Log::Framework | Log::Activity, _) => {
            question.with("status", "failure").with("action", "task_failed")
        }
    }
}

pub(super) fn cases(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let quick = (QUICK, Expect::Any);
    // The last 30 days, as a screen asks for them; each question a day earlier.
    let last_days = |n: usize| (END - 30 * DAY - n as i64 % 20 * DAY, END - n as i64 % 20 * DAY);
    let mut cases = Vec::new();
    for (name, what) in [("metrics", What::Metrics), ("facets", What::Facets)] {
        let new = |n: usize| Question::new(LOGS[n % 3], what.clone());
        let group = Group::Counts;
        cases.push(case(&format!("{name}: all time"), group, quick, plan, |n| Some(new(n))));
        cases.push(case(&format!("{name}: last 30 days"), group, quick, plan, |n| {
            Some(new(n).between(last_days(n)))
        }));
        cases.push(case(&format!("{name}: any range"), group, quick, plan, |n| {
            Some(new(n).between(samples.range(300)))
        }));
        cases.push(case(&format!("{name}: filters, any range"), group, quick, plan, |n| {
            Some(filtered(n / 3, new(n)).between(samples.range(300)))
        }));
    }
    cases.extend(histograms(samples, plan));
    // No rollup answers these: exact where that is cheap, a lower bound elsewhere.
    cases.push(case("metrics with a search", Group::Other, (None, Expect::Any), plan, |n| {
        let words = ["patient", "chrome", "policy", "review", "windows", "zygomatic"];
        Some(Question::new(LOGS[n % 3], What::Metrics).search(samples.pick(&words)))
    }));
    cases.push(case("metrics of an actor", Group::Other, (None, Expect::Any), plan, |_| {
        let actor = samples.value(Log::Application, "/actor/id")?;
        Some(Question::new(Log::Application, What::Metrics).with("actor_id", actor))
    }));
    cases
}

fn histograms(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let quick = (QUICK, Expect::Any);
    let group = Group::Counts;
    let mut cases = vec![
        case("histogram: all time", group, quick, plan, |n| {
            Some(histogram(LOGS[n % 3], "auto", ZONES[n / 3 % 3]))
        }),
        case("histogram: a year of days", group, quick, plan, |n| {
            Some(histogram(LOGS[n % 3], "1d", ZONES[n / 3 % 3]).between((START, END)))
        }),
        case("histogram: any range", group, quick, plan, |n| {
            Some(histogram(LOGS[n % 3], "auto", ZONES[n / 3 % 3]).between(samples.range(300)))
        }),
        case("histogram: filters, any range", group, quick, plan, |n| {
            let question = histogram(LOGS[n % 3], "auto", ZONES[n / 3 % 3]);
            Some(filtered(n / 3, question).between(samples.range(300)))
        }),
    ];
    for (name, interval, days) in [("15 minutes", "15m", 1), ("hours", "1h", 7), ("days, last 30", "1d", 30)]
    {
        cases.push(case(&format!("histogram: {name}"), group, quick, plan, |n| {
            let until = END - samples.rng.random_range(0..60) * DAY;
            Some(histogram(LOGS[n % 3], interval, ZONES[n / 3 % 3]).between((until - days * DAY, until)))
        }));
    }
    cases
}
