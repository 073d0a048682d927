use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use logbook_engine::event::{Log, Outcome, Target, masking};

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
        assert!(!event.changes.is_empty() && event.common.session_id.is_some(), "{event:?}");
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
    let (most, least) = (by_actor.values().max(), by_actor.values().min());
    assert!(by_actor.len() == 40 && most > least.map(|least| least * 5).as_ref(), "{by_actor:?}");
}
