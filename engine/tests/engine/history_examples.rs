//! A record's history: what gaps say, masked values, patches that leave something out, bounds.

use std::collections::BTreeMap;

use logbook_engine::{
    event::{Change, Outcome},
    history::{self, Version},
};
use serde_json::{Value, json};

use crate::history::{fields, parse, version};

fn record(events: &[(&str, Vec<Change>)]) -> Vec<Version> {
    let numbered = events.iter().enumerate();
    numbered.map(|(n, (action, changes))| version(n as i64, action, Outcome::Success, changes)).collect()
}

#[test]
fn a_gap_says_what_was_expected_and_what_was_found() {
    let versions = record(&[
        (
            "create",
            vec![
                Change::value("status", Value::Null, json!("open")),
                Change::set("roles", vec![json!("Nurse")], vec![]),
            ],
        ),
        ("update", vec![Change::value("status", json!("closed"), json!("open"))]),
        ("update", vec![Change::set("roles", vec![json!("Nurse")], vec![json!("Doctor")])]),
        ("create", vec![Change::value("status", Value::Null, json!("new"))]),
    ]);
    let fold = history::fold(&versions, 4).expect("small");
    let gaps: Vec<_> = fold
        .gaps
        .iter()
        .map(|gap| (gap.version, gap.field.as_ref(), parse(&gap.expected), parse(&gap.found)))
        .collect();
    assert_eq!(
        gaps,
        [
            (1, "status", json!("open"), json!("closed")),
            (2, "roles", json!(["Nurse"]), json!(["Doctor"])),
            (3, "status", json!("open"), Value::Null),
        ]
    );
    assert_eq!(
        fields(&fold),
        [("status".to_owned(), json!("new"))].into(),
        "the second creation begins anew"
    );
}

#[test]
fn masked_values_make_a_gap_only_by_their_fingerprints() {
    let masked = |text: &str| json!(text);
    let change = |old: &str, new: &str| Change::value("token", masked(old), masked(new));
    let gaps = |second: Change, pointers: &str| {
        let mut versions = record(&[
            ("create", vec![Change::value("token", Value::Null, masked("[masked:aa]"))]),
            ("update", vec![second]),
        ]);
        versions[0].masked = Some(r#"["/changes/0/new"]"#.into());
        versions[1].masked = Some(pointers.into());
        history::fold(&versions, 2).expect("small").gap_count
    };
    let both = r#"["/changes/0/old","/changes/0/new"]"#;
    assert_eq!(gaps(change("[masked:aa]", "[masked:bb]"), both), 0);
    assert_eq!(gaps(change("[masked:bb]", "[masked:cc]"), both), 1);
    assert_eq!(gaps(change("[masked]", "[masked]"), both), 0);
    assert_eq!(gaps(change("open", "[masked:bb]"), r#"["/changes/0/new"]"#), 0, "it may be the same");
}

#[test]
fn a_patch_leaves_out_what_it_cannot_write() {
    let mut versions = record(&[
        (
            "create",
            vec![
                Change::value("token", Value::Null, json!("[masked:aa]")),
                Change::value("address", Value::Null, json!({"street": null})),
                Change::value("phone", Value::Null, json!("1")),
            ],
        ),
        (
            "update",
            vec![
                Change::value("token", json!("[masked:aa]"), json!("[masked:bb]")),
                Change::value("address", json!({"street": null}), json!({"street": "Main"})),
                Change::value("phone", json!("1"), Value::Null),
                Change::value("mail", Value::Null, json!("a@b.test")),
            ],
        ),
    ]);
    versions[0].masked = Some(r#"["/changes/0/new"]"#.into());
    versions[1].masked = Some(r#"["/changes/0/old","/changes/0/new"]"#.into());
    let (then, now) =
        (history::fold(&versions, 1).expect("small"), history::fold(&versions, 2).expect("small"));
    let patch = history::patch(&now, &then, |_| true);
    let written: BTreeMap<_, _> =
        patch.fields.iter().map(|(name, value)| (name.as_ref(), parse(value))).collect();
    assert_eq!(written, [("mail", Value::Null), ("phone", json!("1"))].into());
    assert_eq!(
        patch.left_out,
        [("address".into(), history::Reason::NullInside), ("token".into(), history::Reason::Masked)]
    );
    // Without the creation, nobody knows whether it had an address for mail, but the change says that it had none.
    let (then, now) =
        (history::fold(&versions[1..], 0).expect("small"), history::fold(&versions[1..], 1).expect("small"));
    assert!(!then.is_complete && then.fields["phone"].is_inferred);
    let patch = history::patch(&now, &then, |field| field != "token" && field != "address");
    assert_eq!(patch.fields.keys().collect::<Vec<_>>(), ["mail", "phone"]);
}

#[test]
fn a_record_with_very_many_values_is_refused() {
    let set = |n: i64| {
        let members = (0..20_000).map(|member| json!(n * 20_000 + member)).collect();
        ("update", vec![Change::set("members", members, vec![])])
    };
    let versions = record(&(0..6).map(set).collect::<Vec<_>>());
    assert!(history::fold(&versions, 4).is_ok());
    assert!(history::fold(&versions, 6).is_err());
}
