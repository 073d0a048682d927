//! Top values, groups, sessions, the timeline and suggestions.

use logbook_engine::event::Log;

use super::{Case, Expect, Group, Plan, QUICK, Question, Samples, What, case};

pub(super) fn cases(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let quick = (QUICK, Expect::Any);
    let mut cases = top(plan);
    cases.extend(groups(plan));
    cases.push(case("sessions: first page", Group::Other, quick, plan, |_| {
        Some(Question::new(Log::Access, What::Sessions))
    }));
    cases.push(case("sessions of a user", Group::Other, quick, plan, |_| {
        let user = samples.value(Log::Access, "/actor/id")?;
        Some(Question::new(Log::Access, What::Sessions).with("user_id", user))
    }));
    // Each with the pointer of its value in an event of the feed.
    let about = [
        ("session", "session_id", "/session_id"),
        ("correlation", "correlation_id", "/correlation_id"),
        ("address", "ip_address", "/ip_address"),
    ];
    for (name, about, pointer) in about {
        cases.push(case(&format!("timeline of a {name}"), Group::Other, quick, plan, |n| {
            let log = if about == "correlation_id" { Log::Framework } else { Log::Access };
            let log = [Log::Application, log][n % 2];
            Some(Question::new(log, What::Timeline { about, value: samples.value(log, pointer)? }))
        }));
    }
    for (name, about, pointer) in [("actor", "actor", "/actor"), ("record", "record", "/target")] {
        cases.push(case(&format!("timeline of a {name}"), Group::Other, quick, plan, |_| {
            let event = samples.event(Log::Application);
            let [kind, id] = ["type", "id"].map(|part| event.pointer(&format!("{pointer}/{part}")));
            let value = format!("{}:{}", kind?.as_str()?, id?.as_str()?);
            Some(Question::new(Log::Application, What::Timeline { about, value }))
        }));
    }
    cases.push(case("suggest an actor", Group::Other, quick, plan, |n| {
        let (_, name) =
            samples.with(Log::Application, "/actor/name", |name| name.is_ascii() && name.len() > 4)?;
        Some(Question::new(Log::Application, What::Suggest { field: "actor" }).search(&name[..2 + n % 3]))
    }));
    cases
}

fn groups(plan: &Plan) -> Vec<Case> {
    let quick = (QUICK, Expect::Any);
    let groups = |(log, fields)| Question::new(log, What::Groups { fields });
    vec![
        case("groups with rollups", Group::Other, quick, plan, |n| {
            const FIELDS: [(Log, [&str; 2]); 3] = [
                (Log::Access, ["event_type", "status"]),
                (Log::Application, ["model", "action"]),
                (Log::Framework, ["action", "status"]),
            ];
            Some(groups(FIELDS[n % FIELDS.len()]))
        }),
        case("groups of the newest events", Group::Other, quick, plan, |n| {
            const FIELDS: [(Log, [&str; 2]); 2] =
                [(Log::Access, ["user_id", "ip_address"]), (Log::Application, ["actor_id", "model"])];
            Some(groups(FIELDS[n % FIELDS.len()]))
        }),
    ]
}

fn top(plan: &Plan) -> Vec<Case> {
    const FIELDS: [(Log, &str); 4] = [
        (Log::Access, "user_id"),
        (Log::Access, "ip_address"),
        (Log::Application, "record"),
        (Log::Application, "actor_id"),
    ];
    let of = |n: usize| {
        let (log, field) = FIELDS[n % FIELDS.len()];
        Question::new(log, What::Top { field })
    };
    let quick = (QUICK, Expect::Any);
    vec![
        case("top values with rollups", Group::Other, quick, plan, |n| {
            let (log, field) = [(Log::Access, "event_type"), (Log::Application, "action")][n % 2];
            Some(Question::new(log, What::Top { field }))
        }),
        case("top values of the newest events", Group::Other, quick, plan, |n| Some(of(n))),
        case("top values with a filter", Group::Other, quick, plan, |n| {
            Some(of(n).with("status", "failure"))
        }),
    ]
}
