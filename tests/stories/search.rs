//! Search: literal, in any case, in every text that the log shows, in any alphabet.

use logbook_tests::{Client, on_both};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/logs/application";

/// An event whose record has a name.
fn named(name: &str) -> Value {
    json!({"action": "update", "model": "m", "record_id": "z", "record_name": name})
}

fn given(admin: &Client, events: Vec<Value>) {
    admin.post(PATH, events.into()).expect(201);
}

#[track_caller]
fn shown(admin: &Client, q: &str) -> Vec<String> {
    let page = admin.query(PATH, &[("q", q), ("order", "asc")]).expect(200);
    page.data().iter().map(|event| event["record_name"].as_str().expect("a name").to_owned()).collect()
}

on_both!(characters_that_are_special_in_a_database_are_literal, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let names = [
        "100%",
        "1000",
        "a_b",
        "axb",
        r"a\b",
        r"a\\b",
        "O'Brien \"Jo\"",
        "[x]",
        "a*b",
        "^w$",
        "(",
        "';--",
        "%",
        "_",
    ];
    given(&admin, names.map(named).into());
    for (q, expected) in [
        ("100%", &["100%"][..]),
        ("0%", &["100%"]),
        ("a_b", &["a_b"]),
        (r"a\b", &[r"a\b"]),
        (r"\", &[r"a\b", r"a\\b"]),
        (r"\\", &[r"a\\b"]),
        ("o'brien \"jo\"", &["O'Brien \"Jo\""]),
        ("'", &["O'Brien \"Jo\"", "';--"]),
        ("\"jo\"", &["O'Brien \"Jo\""]),
        ("[x]", &["[x]"]),
        ("a*b", &["a*b"]),
        ("^w$", &["^w$"]),
        ("(", &["("]),
        ("';--", &["';--"]),
        ("%", &["100%", "%"]),
        ("_", &["a_b", "_"]),
        ("%%", &[]),
        (".*", &[]),
    ] {
        assert_eq!(shown(&admin, q), expected, "{q}");
    }
});

on_both!(case_and_form_do_not_matter, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let names = [
        "José Núñez",
        "Jose\u{301} composed",
        "JOSE plain",
        "ﬁnance",
        "Ⅷ ward",
        "STRASSE",
        "Straße",
        "ＦＵＬＬ",
        "İzmir",
        "Σίσυφος",
    ];
    given(&admin, names.map(named).into());
    for (q, expected) in [
        ("JOSÉ", &["José Núñez", "Jose\u{301} composed"][..]),
        ("jose\u{301}", &["José Núñez", "Jose\u{301} composed"]),
        ("nÚÑez", &["José Núñez"]),
        ("plain", &["JOSE plain"]),
        ("FIN", &["ﬁnance"]),
        ("ﬁ", &["ﬁnance"]),
        ("viii", &["Ⅷ ward"]),
        ("straße", &["Straße"]),
        ("strasse", &["STRASSE"]),
        ("full", &["ＦＵＬＬ"]),
        ("ｆｕ", &["ＦＵＬＬ"]),
        ("İZM", &["İzmir"]),
        ("ΣΊΣΥΦ", &["Σίσυφος"]),
    ] {
        assert_eq!(shown(&admin, q), expected, "{q}");
    }
});

on_both!(one_and_two_characters_of_any_alphabet_are_found, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    given(&admin, ["李雷", "韩梅梅", "👩‍👩‍👧 family", "😀", "अमित", "محمد", "ÿ", "  two"].map(named).into());
    for (q, expected) in [
        ("李", &["李雷"][..]),
        ("雷", &["李雷"]),
        ("梅梅", &["韩梅梅"]),
        ("😀", &["😀"]),
        ("👩‍👩‍👧", &["👩‍👩‍👧 family"]),
        ("मि", &["अमित"]),
        ("حم", &["محمد"]),
        ("ÿ", &["ÿ"]),
        ("Ÿ", &["ÿ"]),
        ("  ", &["  two"]),
        ("雷李", &[]),
    ] {
        assert_eq!(shown(&admin, q), expected, "{q}");
    }
});

on_both!(an_event_is_found_by_its_id, |server| {
    server.workspace("clinic");
    server.workspace("shop");
    let admin = server.admin();
    let answer = admin.post(PATH, json!([named("first"), named("second")])).expect(201);
    let id = answer.json["results"][0]["id"].as_str().expect("an id");
    assert_eq!(shown(&admin, id), ["first"]);
    assert_eq!(shown(&admin, &id.to_uppercase()), ["first"]);
    assert_eq!(shown(&admin, &id[20..]), ["first"], "a part of it is a text like others");
    let metrics = admin.query(&format!("{PATH}/metrics"), &[("q", id)]).expect(200);
    assert_eq!(metrics.json["total"], 1);
    assert!(admin.query("/workspaces/clinic/logs/framework", &[("q", id)]).expect(200).data().is_empty());
    assert!(admin.query("/workspaces/shop/logs/application", &[("q", id)]).expect(200).data().is_empty());
    // Another system's UUID is a text like others, even if its version is that of ours.
    let foreign = "01935fb2-8e31-8123-8abc-0123456789ab";
    let mut event = named("third");
    event["session_id"] = foreign.into();
    given(&admin, vec![event]);
    assert_eq!(shown(&admin, foreign), ["third"]);
});

on_both!(changed_fields_and_their_values_are_searched_however_deep, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let changed = |name: &str, change: Value| {
        let mut event = named(name);
        event["changes"] = json!([change]);
        event
    };
    given(
        &admin,
        vec![
            changed("a", json!({"field": "discharge_date", "old": null, "new": "2026-10-01"})),
            changed("b", json!({"field": "x", "old": {"Street": ["Elm", {"no": 4711}]}, "new": true})),
            changed("c", json!({"field": "roles", "added": ["Night Nurse"], "removed": [["Ward"]]})),
            changed("d", json!({"field": "y", "old": 0.25, "new": "line\nbreak \"quoted\""})),
        ],
    );
    for (q, expected) in [
        ("DISCHARGE_", &["a"][..]),
        ("2026-10", &["a"]),
        ("street", &["b"]),
        ("elm", &["b"]),
        ("4711", &["b"]),
        ("true", &["b"]),
        ("night n", &["c"]),
        ("ward", &["c"]),
        ("0.25", &["d"]),
        ("break \"q", &["d"]),
        ("e\nb", &["d"]),
        ("null", &[]),
        ("{", &[]),
        (",", &[]),
        ("old", &[]),
        ("field", &[]),
    ] {
        assert_eq!(shown(&admin, q), expected, "{q}");
    }
});

on_both!(no_match_spans_two_texts, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event = json!({
        "action": "update", "model": "patient", "record_id": "92", "record_name": "n", "role": "Nurse",
        "actor": {"type": "user", "id": "17", "name": "Asha"}, "changes": [{"field": "ab", "old": "cd", "new": "ef"}],
    });
    given(&admin, vec![event]);
    for q in ["17asha", "patient92", "abcd", "cdef", "17 asha", "nurseupdate"] {
        assert!(shown(&admin, q).is_empty(), "{q}");
    }
    for q in ["asha", "patient", "92", "nurse", "update", "ab", "cd", "ef", "17"] {
        assert_eq!(shown(&admin, q), ["n"], "{q}");
    }
});

on_both!(each_log_is_searched_in_its_own_fields, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let access = json!([{
        "event_type": "login_failed", "status_reason": "wrong_password", "username": "asha@clinic.test", "user": {"id": "u-17", "name": "Asha Rao"},
        "role": "Nurse", "ip_address": "198.51.100.4", "user_agent": "Mozilla/5.0 (X11)", "session_id": "sess-9", "correlation_id": "corr-3",
        "metadata": {"note": {"deep": ["over there"]}},
    }]);
    admin.post("/workspaces/clinic/logs/access", access).expect(201);
    let framework = json!([{
        "action": "policy_synced", "component": {"type": "policy", "id": "p-2", "name": "OpsAccess"}, "error": "role Physician does not exist",
        "actor": {"type": "admin", "id": "1", "name": "Platform Admin"},
    }]);
    admin.post("/workspaces/clinic/logs/framework", framework).expect(201);
    let hits = |log: &str, q: &str| {
        admin.query(&format!("/workspaces/clinic/logs/{log}"), &[("q", q)]).expect(200).data().len()
    };
    for q in ["U-17", "asha r", "ASHA@", "login_f", "wrong_", "nurse", "51.100", "mozilla", "SESS", "corr-3"]
    {
        assert_eq!((hits("access", q), hits("framework", q)), (1, 0), "{q}");
    }
    for q in ["policy", "p-2", "opsaccess", "physician", "platform a", "synced"] {
        assert_eq!((hits("access", q), hits("framework", q)), (0, 1), "{q}");
    }
    for q in ["over there", "deep", "note"] {
        assert_eq!(hits("access", q), 1, "{q} of the metadata");
    }
});
