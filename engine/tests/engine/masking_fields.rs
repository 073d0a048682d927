//! The fields that a workspace masks or keeps by name.

use logbook_engine::event::{
    Change, Labels, Log, NewEvent,
    limits::{Action, OccurredAt},
    masking::{self, FieldLists, MAX_FIELDS, Masker},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn lists(mask: &[&str], keep: &[&str]) -> FieldLists {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    FieldLists::new(owned(mask), owned(keep)).expect("lists")
}

fn refused(mask: &[&str], keep: &[&str]) -> Vec<(String, &'static str)> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let invalid = FieldLists::new(owned(mask), owned(keep)).expect_err("refused");
    invalid.into_iter().map(|invalid| (invalid.pointer, invalid.code)).collect()
}

/// The metadata as it would be stored, and what was masked.
fn masked(lists: &FieldLists, metadata: Value) -> (Value, Vec<String>) {
    let Value::Object(mut object) = metadata else { panic!("an object") };
    let places = masking::mask_object_with(&Masker::default().with_fields(lists), &mut object, "");
    (object.into(), places)
}

#[test]
fn a_name_counts_at_any_depth_and_in_any_spelling() {
    let lists = lists(&["patient_id", "Ward", "straße"], &[]);
    for name in [
        "patient_id",
        "patientId",
        "PATIENT-ID",
        "Patient Id",
        "ｐａｔｉｅｎｔ＿ｉｄ",
        "patient\u{200b}id",
        "patient\u{2010}id",
        "patient\u{2212}id",
        "patient\u{2014}id",
    ] {
        let (clean, places) = masked(&lists, json!({"a": [{name: "P-1204", "b": 1}]}));
        assert_eq!(clean, json!({"a": [{name: "[masked]", "b": 1}]}), "{name}");
        assert_eq!(places.len(), 1);
    }
    let (clean, _) =
        masked(&lists, json!({"ward": true, "WARD": 7, "Ward": null, "STRASSE": "x", "Straße": "y"}));
    assert_eq!(
        clean,
        json!({"ward": "[masked]", "WARD": "[masked]", "Ward": null, "STRASSE": "x", "Straße": "[masked]"})
    );
    // Other names have it as a part, and mean something else.
    let other =
        json!({"patient_identity": "x", "patient_id2": "x", "wards": "x", "ward_round": "x", "id": "x"});
    assert_eq!(masked(&lists, other.clone()).0, other);
}

#[test]
fn of_a_masked_field_everything_is_masked() {
    let lists = lists(&["patient", "note"], &[]);
    let (clean, places) = masked(
        &lists,
        json!({
            "patient": {"name": "Asha", "type": "in", "ids": [1, "2", {"x": false}], "none": null, "empty": ""},
            "note": "changed", "other": "Asha",
        }),
    );
    let mask = "[masked]";
    assert_eq!(
        clean,
        json!({
            "patient": {"name": mask, "type": mask, "ids": [mask, mask, {"x": mask}], "none": null, "empty": ""},
            "note": mask, "other": "Asha",
        })
    );
    assert_eq!(places.len(), 6, "{places:?}");
}

#[test]
fn a_path_names_one_place() {
    let lists = lists(&["address.street", "items.sku"], &["login.token"]);
    let random = "f7k2-99xq";
    let (clean, _) = masked(
        &lists,
        json!({
            "address": {"street": "Hill 4", "city": "Pune"}, "street": "Hill 4", "home": {"address": {"street": "Hill 4"}},
            "address.street": "Hill 4", "items": [{"sku": 7}, {"sku": 8, "n": 1}],
            "login": {"token": random}, "token": random, "body": "{\"address\":{\"street\":\"Hill 4\"}}",
        }),
    );
    let mask = "[masked]";
    assert_eq!(
        clean,
        json!({
            "address": {"street": mask, "city": "Pune"}, "street": "Hill 4", "home": {"address": {"street": "Hill 4"}},
            "address.street": mask, "items": [{"sku": mask}, {"sku": mask, "n": 1}],
            "login": {"token": random}, "token": mask, "body": "{\"address\":{\"street\":\"Hill 4\"}}",
        })
    );
}

#[test]
fn a_kept_field_shows_what_only_its_name_makes_a_secret() {
    let lists = lists(&[], &["token", "pin", "secret_santa", "authorization"]);
    let kept = json!({
        "token": "f7k2-99xq", "pin": "4821", "secret_santa": "Zx81kQ9p", "credentials": {"pin": 4821},
        "list": [{"name": "token", "value": "f7k2-99xq"}], "query": "a=1&token=f7k2-99xq", "args": ["--pin", "4821"],
        "inner": "{\"token\":\"f7k2-99xq\"}",
    });
    assert_eq!(masked(&lists, kept.clone()), (kept, vec![]));
    // What is a secret by its shape is none that only sounds like one.
    let github = format!("gh{}_{}", "p", "a1B2".repeat(9));
    for secret in [
        github.as_str(),
        "AKIAIOSFODNN7EXAMPLX",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
        "Bearer f7k299xqf7k299xqf7k299xq",
        "postgres://app:hunter2@db.test/app",
    ] {
        for name in ["token", "pin", "authorization"] {
            let (clean, places) = masked(&lists, json!({name: secret}));
            assert!(places.len() == 1 && clean[name] != secret, "{name}: {clean}");
        }
    }
    // Below it, other names count as ever.
    let (clean, _) = masked(&lists, json!({"token": {"password": "hunter2", "user": "asha"}}));
    assert_eq!(clean, json!({"token": {"password": "[masked]", "user": "asha"}}));
}

#[test]
fn texts_have_names_too() {
    let lists = lists(&["mrn", "diagnosis"], &[]);
    for (text, clean) in [
        ("a=1&mrn=12&b=2", "a=1&mrn=[masked]&b=2"),
        ("user[mrn]=12", "user[mrn]=[masked]"),
        ("the mrn: 12, next", "the mrn: [masked], next"),
        ("Diagnosis: severe anaemia; ward B2", "Diagnosis: [masked]; ward B2"),
        ("{\"mrn\": \"12 34\", \"cut", "{\"mrn\": \"[masked]\", \"cut"),
        ("{\"a\":1,\"mrn\":12}", "{\"a\":1,\"mrn\":\"[masked]\"}"),
        ("run --mrn 12 --all", "run --mrn [masked] --all"),
        ("mrn=none", "mrn=[masked]"),
        ("mrn: [\"12\", \"34\"], next", "mrn: [masked], next"),
        ("mrn={\"a\": \"]} 12\", \"b\": [34]}; next=1", "mrn=[masked]; next=1"),
        ("mrn: [12, 34 and cut", "mrn: [masked]"),
    ] {
        assert_eq!(masked(&lists, json!({"text": text})).0, json!({"text": clean}));
    }
    for text in ["mrnx=12", "the diagnosis was made", "mrn", "mrn="] {
        assert_eq!(masked(&lists, json!({"text": text})).0, json!({"text": text}));
    }
}

#[test]
fn changes_have_names_and_labels() {
    let masker = Masker::with_key(vec![1; 32])
        .with_fields(&lists(&["mrn", "passport number", "address.zip"], &["pin"]));
    let mut event = NewEvent::new(Log::Application, Action::literal("update"), OccurredAt::now());
    let labels = |label: Option<&str>| Labels {
        label: label.map(Into::into),
        old_label: Some("old words".into()),
        new_label: Some("new words".into()),
    };
    let changes = vec![
        Change::value("MRN", "1".into(), 2.into()).labelled(labels(None)),
        Change::set("f_17", vec!["3".into()], vec![json!({"a": "4"})])
            .labelled(labels(Some("Passport number"))),
        Change::value("address", json!({"zip": "5", "city": "Pune"}), Value::Null),
        Change::value("pin", "4821".into(), "4822".into()),
    ];
    event.changes = changes.try_into().expect("within the limits");
    let places = masking::mask_with(&masker, &mut event);
    assert_eq!(
        places,
        [
            "/changes/0/old",
            "/changes/0/new",
            "/changes/0/old_label",
            "/changes/0/new_label",
            "/changes/1/added/0",
            "/changes/1/removed/0/a",
            "/changes/1/old_label",
            "/changes/1/new_label",
            "/changes/2/old/zip",
        ]
    );
    let text = serde_json::to_string(&event.changes).expect("JSON");
    assert!(text.contains("Passport number") && text.contains("Pune") && text.contains("4822"), "{text}");
    assert!(!text.contains("words") && text.contains("[masked:"), "{text}");
}

#[test]
fn what_masks_wins_over_what_keeps() {
    let lists = lists(&["person", "address.zip"], &["person.token", "zip"]);
    let (clean, _) = masked(&lists, json!({"person": {"token": "a"}, "address": {"zip": 1}, "zip": 2}));
    assert_eq!(clean, json!({"person": {"token": "[masked]"}, "address": {"zip": "[masked]"}, "zip": 2}));
}

#[test]
fn a_name_that_cannot_be_in_its_list_is_named() {
    let at = |place: &str, code| vec![(place.to_owned(), code)];
    assert_eq!(refused(&["a", "patient_id", "patientId"], &[]), at("/mask/2", "duplicate"));
    assert_eq!(refused(&["a", "mrn"], &["b", "M-R-N"]), at("/keep/1", "in_both_lists"));
    assert_eq!(refused(&["a.b"], &["A.B"]), at("/keep/0", "in_both_lists"));
    assert_eq!(refused(&[""], &[]), at("/mask/0", "length"));
    assert_eq!(refused(&[], &[&"x".repeat(129)]), at("/keep/0", "length"));
    for name in ["--", ".", "a..b", ".a", "a.", "a\nb", "a\0"] {
        assert_eq!(refused(&[name], &[]), at("/mask/0", "invalid"), "{name:?}");
    }
    let many: Vec<String> = (0..=MAX_FIELDS).map(|n| format!("field{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(refused(&many, &[]), at("/mask", "too_many"));
    assert_eq!(refused(&["", "a", "a"], &[".", "a"]).len(), 4);
    lists(&many[..MAX_FIELDS], &[&"x".repeat(128)]);
}

/// The name in some other spelling of the same.
fn spelled(words: &[String], way: u8) -> String {
    let capital = |word: &String| word[..1].to_uppercase() + &word[1..];
    match way % 5 {
        0 => words.join("_"),
        1 => words.join("-").to_uppercase(),
        2 => words[0].clone() + &words[1..].iter().map(capital).collect::<String>(),
        3 => words.join(" "),
        _ => words.join("").chars().map(|c| char::from_u32(c as u32 + 0xfee0).expect("full-width")).collect(),
    }
}

fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-z]{2,6}", 1..4)
}

/// Any JSON that has the marker in each of its texts and in no name.
fn marked() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "[ -~]{0,20}".prop_map(|text| Value::from(format!("{text}Qz7{text}"))),
        Just(Value::from("Qz7")),
        "[a-z ]{0,9}".prop_map(|text| Value::from(format!("{{\"x\": \"{text} Qz7\"}}"))),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,8}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The value somewhere in an object: below names and lists, in a text as JSON.
fn somewhere(name: String, value: Value, ways: &[u8]) -> Value {
    ways.iter().fold(json!({name: value}), |below, way| match way % 4 {
        0 => json!({"around": below, "n": 1}),
        1 => json!({"list": [1, below]}),
        2 => json!({"body": below.to_string()}),
        _ => json!({"token": below, "other": "x"}),
    })
}

proptest! {
    /// However it is spelled and wherever it is, nothing of a masked field is stored.
    #[test]
    fn no_value_of_a_masked_field_is_stored(
        words in words(), way in any::<u8>(), value in marked(), ways in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let lists = lists(&[&words.join("_")], &[]);
        let event = somewhere(spelled(&words, way), value, &ways);
        let (clean, _) = masked(&lists, event.clone());
        prop_assert!(!clean.to_string().contains("Qz7"), "{event} became {clean}");
    }

    /// A value that is no secret by its shape is stored as it came, whatever the rules say of the field's name.
    #[test]
    fn every_harmless_value_of_a_kept_field_is_stored(
        name in prop::sample::select(vec!["token", "pin", "api_key", "client_secret", "otp", "credentials", "cookie", "pin_code"]),
        way in any::<u8>(),
        value in prop_oneof!["[a-z]{1,6}", "[0-9]{1,6}", "[a-z][0-9][a-z]{2}[0-9]{2}-[A-Z]{2}[0-9]{3}"],
        ways in prop::collection::vec(prop::sample::select(vec![0_u8, 1, 3]), 0..4),
    ) {
        let words: Vec<String> = name.split('_').map(Into::into).collect();
        let lists = lists(&[], &[name, "around", "list", "other", "n"]);
        let event = somewhere(spelled(&words, way), value.into(), &ways);
        prop_assert_eq!(masked(&lists, event.clone()), (event, vec![]));
    }

    /// Lists of names that an event does not have change nothing.
    #[test]
    fn other_names_change_nothing(value in marked(), ways in prop::collection::vec(any::<u8>(), 0..4)) {
        let lists = lists(&["zzzz_zzzz", "zz.yy"], &["yyyy_yyyy"]);
        let event = somewhere("note".into(), value, &ways);
        prop_assert_eq!(masked(&lists, event.clone()), masked(&FieldLists::default(), event));
    }
}
