//! Single rows; whole tables are in `tests/stories/import_django.rs`.

use logbook_engine::{
    db::timestamp::Timestamp,
    event::{ActorType, Change, NewEvent, Outcome},
};
use serde_json::json;

use super::{
    auditlog::{Auditlog, AuditlogImport, entry},
    axes::{Axes, AxesImport, attempts, login, logout},
};
use crate::import::{
    content_types::{self, ContentType},
    row::{Reason, Row, instant},
};

fn row(columns: &[(&str, &str)], changed: &[(&str, &str)]) -> Row {
    let mut columns = columns.to_vec();
    for (name, value) in changed {
        columns.retain(|(column, _)| column != name);
        columns.push((name, value));
    }
    let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    Row::new(17, None, names.into(), columns.iter().map(|(_, value)| Some((*value).to_owned())).collect())
}

fn map_entry(changed: &[(&str, &str)]) -> Result<NewEvent, Reason> {
    let columns = [
        ("object_pk", "92"),
        ("object_repr", "李雷"),
        ("action", "1"),
        ("changes", r#"{"status": ["open", "closed"]}"#),
        ("timestamp", "2026-11-22 20:50:14+00"),
        ("content_type_id", "14"),
        ("actor_id", "1"),
        ("user.first_name", "Asha"),
        ("user.last_name", "Rao"),
        ("remote_addr", "203.0.113.9"),
    ];
    let import = AuditlogImport::new("nowhere", "shop");
    let mut auditlog = Auditlog::new(&import);
    let types = [(14, "shop", "product"), (11, "authtoken", "token")]
        .map(|(id, app_label, model)| (id, ContentType { app_label: app_label.into(), model: model.into() }));
    auditlog.content_types = content_types::register().with(types);
    entry(&row(&columns, changed), &auditlog)
}

#[test]
fn who_did_it() {
    let actor = |changed: &[(&str, &str)]| {
        let actor = map_entry(changed).expect("an event").common.actor;
        actor.map(|actor| {
            let text = |part: Option<&str>| part.unwrap_or("-").to_owned();
            (actor.kind, text(actor.id.as_deref()), text(actor.name.as_deref()))
        })
    };
    let user = |id: &str, name: &str| Some((ActorType::User, id.to_owned(), name.to_owned()));
    assert_eq!(actor(&[]), user("1", "Asha Rao"));
    let unnamed = [("user.first_name", ""), ("user.last_name", ""), ("actor_id", "c0ffee")];
    assert_eq!(actor(&unnamed), user("c0ffee", "-"));
    let deleted =
        [("user.first_name", ""), ("user.last_name", ""), ("actor_id", ""), ("actor_email", "a@b.test")];
    assert_eq!(actor(&deleted), user("-", "a@b.test"));
    assert_eq!(actor(&[("actor_id", "")]), None);
    let system = Some((ActorType::System, "-".to_owned(), "-".to_owned()));
    assert_eq!(actor(&[("actor_id", ""), ("remote_addr", "")]), system);
    assert_eq!(actor(&[("actor_id", ""), ("remote_addr", ""), ("cid", "c-1")]), None);
}

#[test]
fn times_have_the_zone_of_the_project() {
    let time = |text: &str| map_entry(&[("timestamp", text)]).map(|event| event.occurred_at.timestamp());
    let expected = instant("2026-11-22T20:50:14.5Z").expect("a time");
    assert_eq!(time("2026-11-22 20:50:14.5"), Ok(expected));
    assert_eq!(time("2026-11-23 02:20:14.5+05:30"), Ok(expected));
    let mut import = AxesImport::new("nowhere", "shop");
    import.django.timezone = "Asia/Kolkata".parse().expect("a zone");
    let row = row(&[("attempt_time", "2026-11-23 02:20:14.5"), ("username", "asha")], &[]);
    let event = login(&row, &Axes::new(&import)).expect("an event");
    assert_eq!(event.occurred_at.timestamp(), expected);
}

#[test]
fn a_token_does_not_reveal_its_key() {
    let key = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b";
    let set = json!({"type": "m2m", "operation": "add", "objects": [format!("{key} (asha)")]});
    let changes =
        json!({"key": ["None", key], "note": ["None", format!("Token {key}")], "set": set}).to_string();
    let snapshot = json!({"pk": key}).to_string();
    let more =
        json!({"path": format!("/tokens/{key}/"), "by_key": {key: [1, format!("{key}{key}")]}}).to_string();
    let changed = [
        ("content_type_id", "11"),
        ("object_pk", key),
        ("object_repr", key),
        ("changes", &changes),
        ("serialized_data", &snapshot),
        ("additional_data", &more),
    ];
    let event = map_entry(&changed).expect("an event");
    assert!(!format!("{event:?}").contains(key), "{event:?}");
    assert_eq!(event.common.target.id.as_deref(), Some("9944b091…"));
    let expected = [
        Change::value("key", json!(null), json!("9944b091…")),
        Change::value("note", json!(null), json!("Token 9944b091…")),
        Change::set("set", vec![json!("9944b091… (asha)")], vec![]),
    ];
    assert_eq!(*event.changes, expected);
    let more = json!({"path": "/tokens/9944b091…/", "by_key": {"9944b091…": [1, "9944b091…9944b091…"]}});
    assert_eq!(event.metadata["additional_data"], more);
    let prose = [("changes", ""), ("changes_text", key)];
    let event = map_entry(&[&changed[..3], &prose].concat()).expect("an event");
    assert_eq!(event.metadata["changes_text"], "9944b091…");
}

#[test]
fn entries_that_cannot_be_read() {
    for (column, value, reason) in [
        ("timestamp", "", "timestamp is missing"),
        ("timestamp", "soon", "timestamp is not a time: \"soon\""),
        ("action", "7", "action is none of 0 to 3: \"7\""),
        ("object_pk", "", "object_pk is missing"),
        ("content_type_id", "", "content_type_id is missing"),
        ("content_type_id", "99", "content type 99 is not in django_content_type"),
        ("changes", "{", "changes is not JSON"),
        ("serialized_data", "{", "serialized_data is not JSON"),
        ("remote_addr", "nowhere", "remote_addr is not an address"),
    ] {
        let error = map_entry(&[(column, value)]).expect_err(reason);
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn sessions_and_failures_of_axes() {
    let columns = [
        ("attempt_time", "2026-11-22 20:50:14+00"),
        ("logout_time", "2026-11-22 20:51:14+00"),
        ("username", "asha"),
        ("ip_address", "203.0.113.9/32"),
        ("session_hash", ""),
        ("failures_since_start", "5"),
        ("user.id", "7"),
        ("user.username", "asha"),
    ];
    let import = AxesImport::new("nowhere", "shop");
    let axes = Axes::new(&import);
    let map = |map: fn(&Row, &Axes<'_>) -> Result<NewEvent, Reason>, changed: &[(&str, &str)]| {
        map(&row(&columns, changed), &axes)
    };
    let came = map(login, &[]).expect("an event");
    let actor = came.common.actor.clone().expect("a user");
    assert_eq!((actor.id.as_deref(), actor.name.as_deref()), (Some("7"), Some("asha")));
    assert_eq!((came.common.action.as_str(), came.common.session_id.as_deref()), ("login", Some("axes-17")));
    assert_eq!(came.common.ip_address.as_deref(), Some("203.0.113.9"));
    let left = map(logout, &[]).expect("an event");
    assert_eq!((left.common.action.as_str(), left.common.ip_address), ("logout", None));
    assert_eq!((left.common.actor, left.common.session_id), (came.common.actor, came.common.session_id));
    assert_eq!(left.occurred_at.timestamp(), Timestamp(came.occurred_at.timestamp().0 + 60_000_000));
    let hashed = map(logout, &[("session_hash", "a1b2")]).expect("an event");
    assert_eq!(hashed.common.session_id.as_deref(), Some("a1b2"));

    let mut failed = row(&columns, &[]);
    failed.told = 3;
    let failed = attempts(&failed, &axes).expect("an event");
    assert_eq!((failed.common.outcome, failed.common.actor), (Outcome::Failure, None));
    assert_eq!(
        (&failed.metadata["failures"], &failed.metadata["failures_since_start"]),
        (&json!(2), &json!(5))
    );
    assert!(map(attempts, &[("failures_since_start", "many")]).is_err());
    assert!(map(logout, &[("logout_time", "soon")]).is_err());
}
