use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use logbook_engine::event::{ActorType, Change, Log, Outcome, Target, masking};

use super::*;

/// 2026-11-23T06:00:00Z
const END: Timestamp = Timestamp(1_795_413_600_000_000);

/// Told once, for all tests.
static TOLD: LazyLock<Vec<NewEvent>> = LazyLock::new(|| Story::new(1, END).flatten().collect());

#[test]
fn about_fifty_thousand_events_over_ninety_days() {
    let events = &*TOLD;
    assert!((44_000..56_000).contains(&events.len()), "{}", events.len());
    assert!(events.iter().all(|event| event.occurred_at.timestamp() <= END));
    assert!(events.iter().all(|event| event.occurred_at.timestamp() >= END.plus_seconds(-DAYS * 86_400)));
    assert!(events.is_sorted_by_key(|event| event.occurred_at));
    let count = |log| events.iter().filter(|event| event.common.log == log).count();
    assert!(count(Log::Access) > 6_000 && count(Log::Application) > 25_000 && count(Log::Framework) > 1_200);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let first_days = |seed| Story::new(seed, END).take(3).collect::<Vec<_>>();
    assert_eq!(first_days(2), first_days(2));
    assert_ne!(first_days(2), first_days(3));
}

#[test]
fn every_event_of_the_application_log_is_whole() {
    for event in TOLD.iter().filter(|event| event.common.log == Log::Application) {
        let Target { kind, id, name: _ } = &event.common.target;
        assert!(kind.is_some() && id.is_some(), "{event:?}");
        // Who was denied changed nothing.
        let denied = event.common.outcome == Outcome::Denied;
        assert!(event.changes.is_empty() == denied && event.common.session_id.is_some(), "{event:?}");
    }
}

#[test]
fn there_is_something_to_find() {
    let events = &*TOLD;
    let actions: BTreeSet<&str> = events.iter().map(|event| event.common.action.as_str()).collect();
    for action in [
        "login",
        "logout",
        "login_failed",
        "session_expired",
        "role_switched",
        "create",
        "update",
        "delete",
        "policy_synced",
        "package_installed",
        "app_updated",
        "release_applied",
        "task_failed",
        "task_completed",
        "user_created",
        "role_updated",
    ] {
        assert!(actions.contains(action), "{action}");
    }
    let models: BTreeSet<&str> = events
        .iter()
        .filter(|event| event.common.log == Log::Application)
        .filter_map(|event| event.common.target.kind.as_deref())
        .collect();
    assert_eq!(models.len(), 6);
    let from_attacker =
        events.iter().filter(|event| event.common.ip_address.as_deref() == Some("192.0.2.66"));
    let failed = from_attacker.filter(|event| event.common.outcome == Outcome::Failure).count();
    assert!((100..200).contains(&failed), "{failed}");
    let error =
        |event: &&NewEvent| event.common.outcome_reason.as_deref() == Some("role Physician does not exist");
    assert_eq!(events.iter().filter(error).count(), 6);
    let masked = events.iter().filter(|event| !masking::mask(&mut (*event).clone()).is_empty()).count();
    assert!((5..20).contains(&masked), "{masked}");
}

#[test]
fn some_act_for_others_and_some_are_denied() {
    let of = |wanted: fn(&&NewEvent) -> bool| TOLD.iter().filter(wanted).collect::<Vec<_>>();
    let kind = |event: &NewEvent| event.common.actor.as_ref().map(|actor| actor.kind);
    let by_agent =
        of(|event| event.common.actor.as_ref().is_some_and(|actor| actor.kind == ActorType::Agent));
    let for_others = of(|event| event.common.on_behalf_of.is_some());
    let support: Vec<_> = for_others.iter().filter(|event| kind(event) == Some(ActorType::Admin)).collect();
    assert_eq!(for_others.len(), by_agent.len() + support.len(), "every agent acts for somebody");
    assert!((150..1500).contains(&by_agent.len()), "{}", by_agent.len());
    assert!(
        (40..200).contains(&support.len())
            && support.iter().all(|event| {
                event.common.purpose.as_deref().is_some_and(|purpose| purpose.starts_with("SUP-"))
            }),
        "{}",
        support.len()
    );
    let denied = of(|event| event.common.outcome == Outcome::Denied && event.common.action == "view");
    assert!((30..300).contains(&denied.len()), "{}", denied.len());
    assert!(denied.iter().all(|event| event.common.outcome_reason.is_some()));
}

#[test]
fn what_is_changed_names_doctors_patients_and_requests() {
    let work: Vec<&NewEvent> = TOLD.iter().filter(|event| event.common.log == Log::Application).collect();
    let labels = work.iter().flat_map(|event| event.changes.iter()).map(Change::labels);
    let moved = labels.filter(|labels| labels.old_label.is_some() && labels.new_label.is_some());
    assert!(moved.count() > 100);
    let concern = work.iter().filter(|event| event.common.targets.len() == 1).count();
    assert!(concern > work.len() / 2, "{concern} of {} concern a patient", work.len());
    let request = |event: &&&NewEvent| {
        event.metadata["request"]["id"].as_str() == event.common.correlation_id.as_deref()
    };
    assert_eq!(work.iter().filter(request).count(), work.len());
}

#[test]
fn each_program_sends_its_own() {
    let of_a_week: Vec<NewEvent> = Story::new(1, END).take(7).flatten().collect();
    let requests = crate::demo::requests(1, of_a_week.clone());
    let sources: BTreeSet<&str> =
        requests.iter().map(|request| request.events[0].row.source.as_str()).collect();
    assert_eq!(sources, BTreeSet::from(["clinic producer", "platform", "triage assistant"]));
    let times = requests.iter().flat_map(|request| &request.events).map(|event| event.row.occurred_at);
    let before: Vec<Timestamp> = of_a_week.iter().map(|event| event.occurred_at.timestamp()).collect();
    assert_eq!(times.collect::<Vec<_>>(), before, "their order is kept");
}

#[test]
fn work_belongs_to_a_session_and_the_busy_do_most() {
    let events = &*TOLD;
    let mut logins = BTreeMap::new();
    for event in events.iter().filter(|event| event.common.action == "login") {
        logins.insert(event.common.session_id.clone(), event.occurred_at);
    }
    let work: Vec<&NewEvent> = events.iter().filter(|event| event.common.log == Log::Application).collect();
    let homeless = work
        .iter()
        .filter(|event| logins.get(&event.common.session_id).is_none_or(|login| *login > event.occurred_at));
    // Those that were at work when the story began.
    assert!(homeless.count() < 200);
    let mut by_actor: BTreeMap<_, usize> = BTreeMap::new();
    for event in work {
        *by_actor.entry(event.common.actor.as_ref().and_then(|actor| actor.name.clone())).or_default() += 1;
    }
    // The forty people, their assistant, and the platform's support.
    let (most, least) = (by_actor.values().max(), by_actor.values().min());
    assert!(by_actor.len() == 42 && most > least.map(|least| least * 5).as_ref(), "{by_actor:?}");
}
