use super::*;
use crate::import::{log_entry::MAX_NAME, row::instant};
use logbook_engine::event::Change;

fn row(changed: &[(&str, &str)]) -> Row {
    let mut columns = vec![
        ("object_pk", "92"),
        ("object_repr", "李雷"),
        ("serialized_data", ""),
        ("action", "1"),
        ("changes_text", ""),
        ("changes", r#"{"status": ["open", "closed"]}"#),
        ("cid", ""),
        ("remote_addr", "127.0.0.1"),
        ("timestamp", "2026-11-22 20:50:14+00"),
        ("additional_data", ""),
        ("content_type_id", "45"),
        ("object_ref_id", "7"),
        ("platform_actor_id", ""),
        ("tenant_actor_id", "1"),
    ];
    for (name, value) in changed {
        columns.iter_mut().find(|(column, _)| column == name).expect("a column").1 = value;
    }
    let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    Row::new(17, None, names.into(), columns.iter().map(|(_, value)| Some((*value).to_owned())).collect())
}

fn map(changed: &[(&str, &str)]) -> NewEvent {
    entry(&row(changed), &Names::for_tests()).expect("an event")
}

#[test]
fn a_record_of_the_app() {
    let event = map(&[("cid", "c-1")]);
    assert_eq!((event.common.log, event.common.action.as_str()), (Log::Application, "update"));
    let Target { kind, id, name } = &event.common.target;
    assert_eq!(
        (kind.as_deref(), id.as_deref(), name.as_deref()),
        (Some("patient"), Some("92"), Some("李雷"))
    );
    assert_eq!(*event.changes, [Change::value("status", json!("open"), json!("closed"))]);
    assert_eq!(event.occurred_at.timestamp(), instant("2026-11-22T20:50:14Z").expect("a time"));
    assert_eq!(
        (event.common.ip_address.as_deref(), event.common.correlation_id.as_deref()),
        (Some("127.0.0.1"), Some("c-1"))
    );
    let expected = json!({
        "zango": {"table": "auditlogs_logentry", "id": 17, "content_type": "dynamic_models.patient"},
        "object_uuid": "00000000-0000-0000-0000-000000000007",
    });
    assert_eq!(json!(event.metadata), expected);
}

#[test]
fn actions() {
    let expected = [
        ("0", "create", "policy_created"),
        ("1", "update", "policy_updated"),
        ("2", "delete", "policy_deleted"),
        ("3", "access", "policy_accessed"),
    ];
    for (number, record, component) in expected {
        assert_eq!(map(&[("action", number)]).common.action, record);
        assert_eq!(map(&[("action", number), ("content_type_id", "32")]).common.action, component);
    }
}

#[test]
fn actors() {
    let actor = |changed: &[(&str, &str)]| map(changed).common.actor.expect("an actor");
    let user = person(ActorType::User, 1, Some("Asha R Nurse".into())).expect("an actor");
    assert_eq!(actor(&[]), user);
    let admin = person(ActorType::Admin, 1, Some("Default Super Admin".into())).expect("an actor");
    assert_eq!(actor(&[("tenant_actor_id", ""), ("platform_actor_id", "1")]), admin);
    assert_eq!(actor(&[("tenant_actor_id", "")]), Actor::system());
    assert_eq!(map(&[]).common.on_behalf_of, None);
    let both = map(&[("platform_actor_id", "1")]).common;
    assert_eq!((both.actor, both.on_behalf_of), (Some(admin), Some(user)));
}

#[test]
fn components() {
    for (content_type, action, component) in
        [("24", "role_updated", "role"), ("25", "user_updated", "user"), ("90", "thing_updated", "thing")]
    {
        let event = map(&[("content_type_id", content_type)]);
        assert_eq!((event.common.log, event.common.action.as_str()), (Log::Framework, action));
        assert_eq!(event.common.target.kind.as_deref(), Some(component));
        assert_eq!(event.common.target.id.as_deref(), Some("92"));
    }
}

#[test]
fn every_component_makes_a_valid_action() {
    for (_, name) in COMPONENTS {
        assert!(Action::try_from(format!("{name}_accessed")).is_ok(), "{name}");
    }
}

#[test]
fn a_tokens_digest_stays_out() {
    let digest = "6395fc26".repeat(16);
    let name = format!("{digest} : Bela Doctor");
    for content_type in ["19", "27"] {
        let event = map(&[
            ("content_type_id", content_type),
            ("object_pk", &digest),
            ("object_repr", &name),
            ("changes", &json!({"digest": ["None", digest], "user": ["None", "2"]}).to_string()),
            ("serialized_data", &json!({"pk": digest}).to_string()),
        ]);
        assert!(!format!("{event:?}").contains(&digest), "{event:?}");
        assert_eq!(event.common.action, "token_updated");
        assert_eq!(event.common.target.id.as_deref(), Some("6395fc26…"));
        assert_eq!(event.common.target.name.as_deref(), Some("6395fc26… : Bela Doctor"));
    }
    assert_eq!(
        map(&[("content_type_id", "19"), ("object_pk", "17")]).common.target.id.as_deref(),
        Some("17")
    );
}

#[test]
fn what_comes_along() {
    let event = map(&[("serialized_data", r#"{"pk": 92}"#), ("additional_data", r#"{"source": "api"}"#)]);
    assert_eq!(event.metadata["snapshot"], json!({"pk": 92}));
    assert_eq!(event.metadata["additional_data"], json!({"source": "api"}));
    assert!(map(&[("changes", "")]).changes.is_empty());
    let old = map(&[("changes", ""), ("changes_text", r#"{"a": ["1", "2"]}"#)]);
    assert_eq!(*old.changes, [Change::value("a", json!("1"), json!("2"))]);
    let prose = map(&[("changes", ""), ("changes_text", "a changed")]);
    assert_eq!(prose.metadata["changes_text"], "a changed");
}

#[test]
fn a_long_name_is_cut_and_kept() {
    let long = "雷".repeat(MAX_NAME + 1);
    let event = map(&[("object_repr", &long)]);
    assert_eq!(event.common.target.name.as_ref().map(|name| name.chars().count()), Some(MAX_NAME));
    assert_eq!(event.metadata["object_repr"], long);
}

#[test]
fn rows_that_cannot_be_read() {
    let long = "9".repeat(256);
    let large = format!(r#"{{"note": ["None", "{}"]}}"#, "x".repeat(70_000));
    for (column, value, reason) in [
        ("content_type_id", "99", "content type 99 is not in django_content_type"),
        ("content_type_id", "", "content_type_id is missing"),
        ("action", "7", "action is none of 0 to 3: \"7\""),
        ("object_pk", "", "object_pk is missing"),
        ("object_pk", &long, "id must have at most 255 characters"),
        ("object_repr", "a\0b", "name must not contain the character U+0000"),
        ("timestamp", "", "timestamp is missing"),
        ("timestamp", "yesterday", "timestamp is not a time"),
        ("changes", "{broken", "changes is not JSON"),
        ("changes", &large, "changes/0/new must have at most 65536 bytes"),
        ("serialized_data", "{", "serialized_data is not JSON"),
        ("remote_addr", "x", "remote_addr is not an address"),
        ("tenant_actor_id", "x", "tenant_actor_id is not a whole number"),
    ] {
        let error = entry(&row(&[(column, value)]), &Names::for_tests()).expect_err(reason);
        assert!(error.contains(reason), "{error}");
    }
}
