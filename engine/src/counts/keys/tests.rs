use super::*;

fn key<'a>(action: &'a str, role: Option<&'a str>) -> Key<'a> {
    Key { action, outcome: Outcome::Success, role, target_type: None, source: "app" }
}

/// The hashes are stored: they must not change.
#[test]
fn hashes_stay_as_they_are() {
    assert_eq!(hash_of_key(&key("login", Some("Nurse"))), -7_178_128_136_399_926_978);
    assert_eq!(Kind::Role.hash_of("Nurse"), 6_573_893_872_192_183_419);
    assert_ne!(Kind::Action.hash_of("Nurse"), 6_573_893_872_192_183_419);
    assert_ne!(hash_of_key(&key("login", None)), hash_of_key(&key("login", Some(""))));
}

#[test]
fn what_came_first_is_counted_and_what_is_counted_does_not_change() {
    let actions: Vec<String> = (0..MOST_VALUES + 10).map(|n| format!("a{n}")).collect();
    let roles: Vec<String> = (0..20).map(|n| format!("r{n}")).collect();
    let mut registry = Registry::default();
    let mut new = Vec::new();
    let mut keys = Vec::new();
    for role in &roles {
        keys.extend(actions.iter().map(|action| key(action, Some(role))));
    }
    let counted: Vec<Key<'_>> = keys.iter().map(|key| registry.register(*key, &mut new)).collect();
    assert_eq!(new.len(), MOST_KEYS + MOST_VALUES + roles.len() + 1);
    assert_eq!(counted[0], keys[0]);
    assert_eq!(counted[MOST_VALUES].action, OTHER);
    assert_eq!(counted[MOST_VALUES].role, Some("r0"));
    let last = counted[counted.len() - 11];
    assert_eq!(
        (last.action, last.role, last.source),
        (actions[MOST_VALUES - 1].as_str(), Some(OTHER), OTHER)
    );
    assert!(is_reduced(&last));
    let again: Vec<Key<'_>> = keys.iter().map(|key| registry.counted(*key)).collect();
    assert_eq!(counted, again);
    assert!(registry.covers(key("new", Some("r0"))) && !registry.covers(key("a0", Some("new"))));
}

#[test]
fn the_word_for_others_is_never_registered() {
    let mut registry = Registry::default();
    let mut new = Vec::new();
    assert_eq!(registry.register(key("a", Some(OTHER)), &mut new).role, Some(OTHER));
    assert!(!new.contains(&(Kind::Role, Kind::Role.hash_of(OTHER))));
    assert_eq!(new.len(), 3, "action, source and key");
}
