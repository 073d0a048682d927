//! Pages, filters, the history of a record, one event, the feed.

use logbook_engine::{db::timestamp::Timestamp, event::Log};

use super::{At, Case, Expect, Group, LOGS, PAGE, Plan, QUICK, Question, Samples, What, case};
use crate::{
    generate::{
        END, START,
        words::{RARE_ACTIONS, RARE_ROLES},
        world::HOT_RECORD,
    },
    http::query,
};

use rand::RngExt as _;
use serde_json::Value;

pub(super) fn cases(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let mut cases = pages(samples, plan);
    cases.extend(filters(samples, plan));
    cases.extend(history(samples, plan));
    cases.extend(others(samples, plan));
    cases
}

fn pages(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let quick = (QUICK, Expect::Hits);
    let first = case("first page", Group::Pages, quick, plan, |n| Some(Question::page(LOGS[n % 3])));
    let mut cases = vec![first];
    for (name, from, to) in [("page in the middle", 0.4, 0.6), ("page near the end", 0.01, 0.08)] {
        cases.push(case(name, Group::Pages, quick, plan, |n| {
            let log = LOGS[n % 3];
            let at = At::After(samples.position(log, from, to)?);
            Some(Question::new(log, What::Page { limit: PAGE, at }))
        }));
    }
    cases.push(case("page of a range", Group::Pages, (QUICK, Expect::Any), plan, |n| {
        Some(Question::page(LOGS[n % 3]).between(samples.range(60)))
    }));
    cases
}

/// A filter's name, and the pointer of its value in an event of the feed.
type Place = (&'static str, &'static str);

fn filters(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    const FREQUENT: [(Log, &str, &str); 6] = [
        (Log::Application, "action", "update"),
        (Log::Application, "model", "patient"),
        (Log::Access, "event_type", "login"),
        (Log::Access, "role", "Nurse"),
        (Log::Framework, "action", "task_completed"),
        (Log::Framework, "component", "policy"),
    ];
    let quick = (QUICK, Expect::Hits);
    let mut cases = vec![
        case("filter: frequent value", Group::Filters, quick, plan, |n| {
            let (log, name, value) = FREQUENT[n % FREQUENT.len()];
            Some(Question::page(log).with(name, value))
        }),
        // A small run may have none of these.
        case("filter: rare value", Group::Filters, (QUICK, Expect::Any), plan, |n| {
            Some(if n.is_multiple_of(2) {
                Question::page(Log::Application).with("action", RARE_ACTIONS[n / 2 % RARE_ACTIONS.len()])
            } else {
                Question::page(Log::Access).with("role", RARE_ROLES[n / 2 % RARE_ROLES.len()])
            })
        }),
        case("filter: value that is nowhere", Group::Filters, (QUICK, Expect::NoHits), plan, |n| {
            Some(match n % 3 {
                0 => Question::page(Log::Application).with("actor_id", format!("nobody-{n}")),
                1 => Question::page(Log::Access).with("ip_address", format!("192.0.2.{}", n % 256)),
                _ => Question::page(Log::Framework).with("component", format!("policy:none-{n}")),
            })
        }),
    ];
    let single: [(&str, Log, Place); 6] = [
        ("filter: actor", Log::Application, ("actor_id", "/actor/id")),
        ("filter: user", Log::Access, ("user_id", "/actor/id")),
        ("filter: IP address", Log::Access, ("ip_address", "/ip_address")),
        ("filter: session", Log::Access, ("session_id", "/session_id")),
        ("filter: changed field", Log::Application, ("field", "/changes/0/field")),
        ("filter: record", Log::Application, ("record_id", "/target/id")),
    ];
    for (name, log, (parameter, pointer)) in single {
        cases.push(case(name, Group::Filters, quick, plan, |_| {
            Some(Question::page(log).with(parameter, samples.value(log, pointer)?))
        }));
    }
    let combined: [(Log, &[Place]); 4] = [
        (Log::Application, &[("model", "/target/type"), ("action", "/action"), ("actor_id", "/actor/id")]),
        (Log::Application, &[("actor_id", "/actor/id"), ("field", "/changes/0/field")]),
        (Log::Access, &[("role", "/role"), ("ip_address", "/ip_address"), ("event_type", "/action")]),
        (Log::Framework, &[("component", "/target/type"), ("status", "/outcome"), ("action", "/action")]),
    ];
    cases.push(case("filters together", Group::Filters, quick, plan, |n| {
        let (log, places) = combined[n % combined.len()];
        all_of(Question::page(log), &samples.event(log), places)
    }));
    cases.push(case("filter: page in the middle", Group::Filters, (QUICK, Expect::Any), plan, |n| {
        const DEEP: [(Log, Place); 3] = [
            (Log::Application, ("actor_id", "/actor/id")),
            (Log::Access, ("role", "/role")),
            (Log::Application, ("field", "/changes/0/field")),
        ];
        let (log, (parameter, pointer)) = DEEP[n % DEEP.len()];
        let at = At::After(samples.position(log, 0.1, 0.9)?);
        let value = samples.value(log, pointer)?;
        Some(Question::new(log, What::Page { limit: PAGE, at }).with(parameter, value))
    }));
    cases.push(case("filters in a range", Group::Filters, (QUICK, Expect::Any), plan, |n| {
        let (log, places) = combined[n % combined.len()];
        let question = all_of(Question::page(log), &samples.event(log), &places[..1])?;
        Some(question.between(samples.range(60)))
    }));
    cases
}

/// The question with all of the event's values as filters. None when the event lacks one.
fn all_of(mut question: Question, event: &Value, places: &[Place]) -> Option<Question> {
    for (name, pointer) in places {
        question = question.with(name, event.pointer(pointer)?.as_str()?);
    }
    Some(question)
}

fn history(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let (model, id) = HOT_RECORD;
    let question = |at| {
        let what = What::Page { limit: PAGE, at };
        Question::new(Log::Application, what).with("model", model).with("record_id", id)
    };
    let mut cursors = Vec::new();
    let mut at = At::First;
    // All pages are read once, so that they can be asked for in any order.
    loop {
        let path = question(at).path(samples.connection.target(), 0);
        let page = samples.connection.get(&path).expect(200).json();
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        cursors.push(cursor.to_owned());
        at = At::Cursor(cursor.to_owned(), cursors.len() * PAGE);
    }
    let first = case("history of a record: first page", Group::History, (QUICK, Expect::Hits), plan, |_| {
        Some(question(At::First))
    });
    let pages = case("history of a record: every page", Group::History, (QUICK, Expect::Any), plan, |n| {
        let page = n.checked_rem(cursors.len())?;
        Some(question(At::Cursor(cursors[page].clone(), (page + 1) * PAGE)))
    });
    let mut cases = vec![first, pages];
    let times = [START + (END - START) / 3, END];
    for (name, what) in [
        ("record: state of 1,000 versions", "state"),
        ("record: blame of 1,000 versions", "blame"),
        ("record: diff of 1,000 versions", "diff"),
    ] {
        cases.push(case(name, Group::History, (QUICK, Expect::Any), plan, |n| {
            let (earlier, at) = (Timestamp(START).to_string(), Timestamp(times[n % times.len()]).to_string());
            let parameters = match what {
                "diff" => query([("from", earlier.as_str()), ("to", &at)]),
                _ => query([("at", at.as_str())]),
            };
            let what = What::Record(format!("{what}?{parameters}"));
            Some(Question::new(Log::Application, what).with("model", model).with("record_id", id))
        }));
    }
    cases
}

fn others(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let get = case("one event by its id", Group::Other, (None, Expect::Any), plan, |n| {
        let log = LOGS[n % 3];
        let event = samples.event(log);
        Some(Question::new(log, What::Get { id: event["id"].as_str()?.into(), seq: event["seq"].as_i64()? }))
    });
    let middle = case("feed: page in the middle", Group::Other, (None, Expect::Any), plan, |_| {
        let after = samples.rng.random_range(samples.last_seq / 4..=samples.last_seq * 3 / 4);
        Some(Question::new(Log::Access, What::Feed { after, limit: 100 }))
    });
    let end = case("feed: at the end", Group::Other, (None, Expect::Any), plan, |n| {
        let after = samples.last_seq - n as i64 % 3;
        Some(Question::new(Log::Access, What::Feed { after, limit: 100 }))
    });
    vec![get, middle, end]
}
