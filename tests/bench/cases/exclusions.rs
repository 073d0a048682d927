//! Filters that exclude, in lists and in counts.

use logbook_engine::event::Log;

use super::{At, Case, Expect, Group, PAGE, Plan, QUICK, Question, Samples, What, case, counts};
use crate::generate::words::{ACTIONS, ROLES};

/// What most events of a log are: the noise in which somebody looks for the rest.
const NOISE: [(Log, &str, &str); 5] = [
    (Log::Application, "not_action", "update"),
    (Log::Access, "not_event_type", "login"),
    (Log::Framework, "not_action", "task_completed"),
    (Log::Application, "not_model", "patient"),
    (Log::Access, "not_status", "success"),
];

fn noise(n: usize, what: What) -> Question {
    let (log, name, value) = NOISE[n % NOISE.len()];
    Question::new(log, what).with(name, value)
}

/// Excludes so much that about one event in 100,000 is left.
fn all_but_rare(n: usize) -> Question {
    if n.is_multiple_of(2) {
        return ACTIONS
            .iter()
            .fold(Question::page(Log::Application), |question, action| question.with("not_action", *action));
    }
    // A failed login has no role.
    let question = Question::page(Log::Access).with("not_event_type", "login_failed");
    ROLES.iter().fold(question, |question, role| question.with("not_role", *role))
}

pub(super) fn cases(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let (quick, any) = ((QUICK, Expect::Hits), (QUICK, Expect::Any));
    let first = || What::Page { limit: PAGE, at: At::First };
    let mut cases = vec![
        case("not: frequent value", Group::Filters, quick, plan, |n| Some(noise(n, first()))),
        case("not: frequent value, page in the middle", Group::Filters, any, plan, |n| {
            let (log, name, value) = NOISE[n % 3];
            let at = At::After(samples.position(log, 0.1, 0.9)?);
            Some(Question::new(log, What::Page { limit: PAGE, at }).with(name, value))
        }),
        // A small run may have none of these.
        case("not: all but rare", Group::Filters, any, plan, |n| Some(all_but_rare(n))),
        case("not with a filter", Group::Filters, any, plan, |n| {
            Some(match n % 3 {
                0 => Question::page(Log::Application)
                    .with("actor_id", samples.value(Log::Application, "/actor/id")?)
                    .with("not_action", "update"),
                1 => Question::page(Log::Access).with("event_type", "login").with("not_role", "Nurse"),
                _ => Question::page(Log::Application).with("action", "create").with("not_model", "patient"),
            })
        }),
    ];
    for (name, what) in [("metrics", What::Metrics), ("facets", What::Facets)] {
        cases.push(case(&format!("{name}: exclusions, any range"), Group::Counts, any, plan, |n| {
            Some(noise(n, what.clone()).between(samples.range(300)))
        }));
    }
    cases.push(case("histogram: exclusions, any range", Group::Counts, any, plan, |n| {
        let (log, name, value) = NOISE[n % NOISE.len()];
        let question = counts::histogram(log, "auto", counts::ZONES[n / 3 % 3]);
        Some(question.with(name, value).between(samples.range(300)))
    }));
    cases
}
