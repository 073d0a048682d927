//! What is in a body comes out of it, damaged or not.

use serde_json::{Map, json};

use super::*;

fn texts(kind: Kind, body: &str) -> Vec<String> {
    let elements = elements(kind, &Head::default(), &Bytes::from(body.to_owned())).expect("not too many");
    elements.into_iter().map(|element| String::from_utf8_lossy(&element.raw).into_owned()).collect()
}

#[test]
fn values_come_in_arrays_and_lines_and_one_after_another() {
    for body in [
        r#"{"a":1}{"b":2}"#,
        "{\"a\":1}\n{\"b\":2}\n",
        r#"[{"a":1},{"b":2}]"#,
        "[\n  {\"a\":1},\n  {\"b\":2}\n]",
        "\u{feff}{\"a\":1}\r\n\r\n{\"b\":2}",
        "\u{1e}{\"a\":1}\n\u{1e}{\"b\":2}\n",
        r#"[{"a":1}][{"b":2}]"#,
    ] {
        assert_eq!(texts(Kind::Hec, body), [r#"{"a":1}"#, r#"{"b":2}"#], "{body}");
    }
    assert!(texts(Kind::Hec, "").is_empty());
    assert!(texts(Kind::Hec, " \n[ ]\n").is_empty());
    // Over several lines, and what is no object.
    assert_eq!(texts(Kind::Api, "{\n \"a\": 1\n}\n7\n\"x\""), ["{\n \"a\": 1\n}", "7", "\"x\""]);
}

#[test]
fn a_damaged_part_costs_only_itself() {
    let body = "{\"a\":1}\n{\"b\": oops}\nmore of it\n{\"c\":3}{\"d\n{\"e\":5}\n{\"f\": [";
    assert_eq!(
        texts(Kind::Hec, body),
        ["{\"a\":1}", "{\"b\": oops}\nmore of it", "{\"c\":3}", "{\"d", "{\"e\":5}", "{\"f\": ["]
    );
    assert_eq!(
        texts(Kind::Hec, "[{\"a\":1},\n{\"b\" 2},\n{\"c\":3}]"),
        ["{\"a\":1}", "{\"b\" 2},", "{\"c\":3}"]
    );
}

#[test]
fn many_values_that_never_end_take_no_time_to_speak_of() {
    let body = "{\"a\":[\n".repeat(200_000);
    let started = std::time::Instant::now();
    assert_eq!(elements(Kind::Hec, &Head::default(), &Bytes::from(body)).unwrap_err(), TooMany);
    // Reading each to the end would take minutes.
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn every_byte_is_in_an_element() {
    // Pieces in every order: each that is no separator must come out.
    let pieces = [
        "{\"a\":1}",
        "\n",
        "[",
        "]",
        "{\"x\"",
        "oops ",
        "\"t\"",
        ",",
        " ",
        "{",
        "\u{1e}",
        "[1,",
        "null",
        "\\",
    ];
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let mut body = String::new();
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            body.push_str(pieces[(state >> 33) as usize % pieces.len()]);
        }
        let bare = |text: &str| text.replace(['\n', ' ', '\u{1e}', '[', ']', ','], "");
        let out: String = texts(Kind::Hec, &body).concat();
        assert_eq!(bare(&out), bare(&body), "{body:?}");
    }
}

#[test]
fn what_is_in_an_envelope_keeps_its_bytes() {
    let hook = r#"{"eventId":"e","data":{"events":[{"uuid": "1"}, 7 ,{"uuid":"2"}]}}"#;
    assert_eq!(texts(Kind::Okta, hook), [r#"{"uuid": "1"}"#, "7", r#"{"uuid":"2"}"#]);
    assert_eq!(texts(Kind::Okta, r#"[{"uuid":"1"}]"#), [r#"{"uuid":"1"}"#]);
    assert_eq!(
        texts(Kind::Kubernetes, r#"{"kind":"EventList","items":[{"auditID":"a"}]}"#),
        [r#"{"auditID":"a"}"#]
    );
    assert_eq!(texts(Kind::Kubernetes, r#"{"kind":"Event","auditID":"a"}"#).len(), 1);
    assert_eq!(texts(Kind::Retraced, r#"{"events":[{"action":"a"},{"action":"b"}]}"#).len(), 2);
}

/// The values of a body's elements.
fn values(kind: Kind, head: &Head, body: &[u8]) -> Vec<Result<Value, Unreadable>> {
    let found = elements(kind, head, &Bytes::copy_from_slice(body)).expect("not too many");
    let value = |element: Element| {
        let value = element.value();
        // Out of quarantine it is the same.
        let context = element.context.as_deref().map(|context| json!(context).to_string().into());
        let record = Record { bytes: element.raw.clone(), context };
        assert_eq!(again(kind, &record).value(), value);
        value
    };
    found.into_iter().map(value).collect()
}

fn code(value: &Result<Value, Unreadable>) -> &str {
    value.as_ref().expect_err("an error").code
}

#[test]
fn hec_wants_an_event_and_takes_lines() {
    let body = br#"{"event":"x","time":1}{"time":1}{"event":null}{"event":" "}{"event":{}}"#;
    let found = values(Kind::Hec, &Head::default(), body);
    assert_eq!(found[0], Ok(json!({"event": "x", "time": 1})));
    assert_eq!([code(&found[1]), code(&found[2]), code(&found[3])], ["missing", "invalid", "invalid"]);
    assert!(found[4].is_ok());
    // What was logged may be JSON in a text, or wrapped by its logger.
    for wrapped in [
        json!({"event": "{\"action\":\"login\"}", "time": 1}),
        json!({"event": {"message": {"action": "login"}}, "time": 1}),
        json!({"event": {"line": "{\"action\":\"login\"}"}, "time": 1}),
    ] {
        let mut opened =
            values(Kind::Hec, &Head::default(), wrapped.to_string().as_bytes()).remove(0).expect("an event");
        opened.as_object_mut().expect("an object").remove("envelope");
        assert_eq!(opened, json!({"event": {"action": "login"}, "time": 1}));
    }
    let plain = json!({"event": {"action": "login", "message": "hello"}});
    assert_eq!(values(Kind::Hec, &Head::default(), plain.to_string().as_bytes()), [Ok(plain.clone())]);
    let said = Map::from_iter([("host".to_owned(), json!("h"))]);
    let lines = raw_lines(&Bytes::from_static(b"one\r\n\ntwo\xff\nthree"), said).expect("lines");
    let found: Vec<_> = lines.iter().map(Element::value).collect();
    assert_eq!(found[0], Ok(json!({"event": "one", "host": "h"})));
    assert_eq!(code(&found[1]), "invalid_utf8");
    assert_eq!(found[2], Ok(json!({"event": "three", "host": "h"})));
}

#[test]
fn cloudevents_come_structured_and_binary() {
    let event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"a": 1}});
    let head =
        Head::new([("Content-Type".into(), "application/cloudevents-batch+json; charset=UTF-8".into())]);
    let batch = json!([event, {"specversion": "1.0"}]).to_string();
    let found = values(Kind::Cloudevents, &head, batch.as_bytes());
    assert_eq!((&found[0], code(&found[1])), (&Ok(event), "missing"));
    let of = |content_type: &str| {
        Head::new(
            [
                ("Ce-Specversion", "1.0"),
                ("ce-id", "1"),
                ("ce-source", "/s"),
                ("ce-type", "caf%C3%A9 100%"),
                ("content-type", content_type),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
    };
    let json = values(Kind::Cloudevents, &of("application/json"), br#"{"a":1}"#).remove(0).expect("an event");
    assert_eq!((&json["data"], &json["type"]), (&json!({"a": 1}), &json!("caf\u{e9} 100%")));
    let text = values(Kind::Cloudevents, &of("text/plain"), b"hello").remove(0).expect("an event");
    assert_eq!(text["data"], "hello");
    let bytes = values(Kind::Cloudevents, &of("image/png"), &[0xff, 0xfe]).remove(0).expect("an event");
    assert_eq!(bytes["data_base64"], "//4=");
    let none = values(Kind::Cloudevents, &of("application/json"), b"").remove(0).expect("an event");
    assert_eq!(none.get("data"), None);
}

#[test]
fn envelopes_of_vendors_are_opened() {
    let auth0 = values(
        Kind::Auth0,
        &Head::default(),
        br#"[{"log_id":"9","data":{"type":"fp"}},{"type":"s","log_id":"8"}]"#,
    );
    assert_eq!(auth0[0], Ok(json!({"type": "fp", "log_id": "9"})));
    assert_eq!(auth0[1], Ok(json!({"type": "s", "log_id": "8"})));
    let head = Head::new([("idempotency-key".into(), "k".into())]);
    let workos = br#"{"organization_id":"o","event":{"action":"a"}}"#;
    assert_eq!(values(Kind::Workos, &head, workos), [Ok(json!({"action": "a", "organization_id": "o"}))]);
    let wrapped = values(Kind::Github, &Head::default(), br#"{"event":{"action":"org.x"},"time":1}"#);
    assert_eq!(wrapped, [Ok(json!({"action": "org.x"}))]);
}

/// A length-delimited field of a protobuf message.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).expect("short")][..], bytes].concat()
}

#[test]
fn otlp_is_the_same_as_protobuf_and_as_json() {
    let text = |text: &str| field(1, text.as_bytes());
    let pair = |key: &str, value: &[u8]| [field(1, key.as_bytes()), field(2, value)].concat();
    let int = [0x18, 0x07];
    let record = [
        &[0x09][..],
        &1_764_000_000_000_000_000_u64.to_le_bytes(),
        &field(5, &text("deleted")),
        &field(6, &pair("audit.actor.id", &text("u1"))),
        &field(6, &pair("n", &int)),
        &field(9, &[0x5b, 0x8e]),
        &field(12, b"invoice.delete"),
    ]
    .concat();
    let damaged = [0x0a, 0x7f];
    let scope = field(1, &field(1, b"audit"));
    let scope_logs = field(2, &[scope, field(2, &record), field(2, &damaged)].concat());
    let resource = field(1, &field(1, &pair("service.name", &text("billing"))));
    let body = field(1, &[resource, scope_logs].concat());
    let head = Head::new([("content-type".into(), "application/x-protobuf".into())]);
    let protobuf = values(Kind::Otlp, &head, &body);
    assert_eq!(code(&protobuf[1]), "malformed_protobuf");

    let string = |text: &str| json!({"stringValue": text});
    let json = json!({"resourceLogs": [{
        "resource": {"attributes": [{"key": "service.name", "value": string("billing")}]},
        "scopeLogs": [{"scope": {"name": "audit"}, "logRecords": [{
            "timeUnixNano": "1764000000000000000", "body": string("deleted"), "traceId": "5b8e",
            "eventName": "invoice.delete",
            "attributes": [{"key": "audit.actor.id", "value": string("u1")}, {"key": "n", "value": {"intValue": "7"}}],
        }, 7]}],
    }]});
    let head = Head::new([("content-type".into(), "application/json".into())]);
    let json = values(Kind::Otlp, &head, json.to_string().as_bytes());
    assert_eq!(protobuf[0], json[0]);
    assert_eq!(json[0].as_ref().expect("a record")["resource"]["service.name"], "billing");
    assert_eq!(code(&json[1]), "invalid");
    assert!(values(Kind::Otlp, &head, b"{}").is_empty());
    assert_eq!(code(&values(Kind::Otlp, &head, b"{\"resourceLogs\": 7}")[0]), "invalid");
    assert_eq!(code(&values(Kind::Otlp, &head, b"{oops")[0]), "malformed_json");
}

#[test]
fn a_wrong_attribute_costs_only_itself() {
    let read = |record: Value| {
        let body = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).to_string();
        let elements = elements(Kind::Otlp, &Head::default(), &Bytes::from(body)).expect("not too many");
        elements[0].value().expect("readable")
    };
    let good = json!({"key": "good", "value": {"stringValue": "a"}});
    for (value, plain) in [
        (json!({"intValue": "7"}), json!(7)),
        (json!({"intValue": 7}), json!(7)),
        (json!({"int_value": "many"}), json!("many")),
        (json!({"boolValue": true, "more": [{}]}), json!(true)),
        (json!({"doubleValue": 1.5}), json!(1.5)),
        (json!({"bytesValue": "aGk="}), json!("aGk=")),
        (json!({"arrayValue": {"values": [{"stringValue": "x"}, 7, {}]}}), json!(["x", null, null])),
        (json!({"arrayValue": 7}), json!([])),
        (json!({"kvlistValue": {"values": [good, 7, {"key": 1}]}}), json!({"good": "a"})),
        (json!({"kvlist_value": {"values": {}}}), json!({})),
        (json!({}), json!(null)),
        (json!("text"), json!(null)),
        (json!([[1]]), json!(null)),
    ] {
        let attributes =
            json!([good, {"key": "x", "value": value}, 7, {"value": {"stringValue": "no key"}}, []]);
        let record = read(json!({"attributes": attributes, "body": value}));
        assert_eq!(record["attributes"], json!({"good": "a", "x": plain}), "{value}");
        let is_absent = plain.is_null() || plain == json!({});
        assert_eq!(record.get("body"), (!is_absent).then_some(&plain), "{value}");
    }
    for attributes in [json!(7), json!("x"), json!({"key": "a"}), json!(null)] {
        assert_eq!(read(json!({"attributes": attributes}))["attributes"], json!({}), "{attributes}");
    }
}

#[test]
fn a_severity_may_be_a_name() {
    for (sent, number) in [
        (json!(9), json!(9)),
        (json!("SEVERITY_NUMBER_INFO"), json!(9)),
        (json!("SEVERITY_NUMBER_WARN2"), json!(14)),
        (json!("SEVERITY_NUMBER_FATAL4"), json!(24)),
        (json!("SEVERITY_NUMBER_UNSPECIFIED"), json!(null)),
        (json!("loud"), json!("loud")),
    ] {
        let body = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityNumber": sent}]}]}]})
            .to_string();
        let elements = elements(Kind::Otlp, &Head::default(), &Bytes::from(body)).expect("not too many");
        assert_eq!(elements[0].value().expect("readable")["severity_number"], number, "{sent}");
    }
}

#[test]
fn a_damaged_part_of_an_envelope_costs_only_itself() {
    let good = r#"{"scopeLogs":[{"logRecords":[{"eventName":"a"}]},7]}"#;
    let body = format!(r#"{{"resourceLogs":[1,{good},{{"scopeLogs":"x"}},{good}]}}"#);
    assert_eq!(
        texts(Kind::Otlp, &body),
        ["1", r#"{"eventName":"a"}"#, "7", r#"{"scopeLogs":"x"}"#, r#"{"eventName":"a"}"#, "7"]
    );
}

#[test]
fn a_list_without_end_is_too_many() {
    let many = vec!["1"; 200_000].join(",");
    for (kind, body) in [
        (Kind::Kubernetes, format!(r#"{{"items":[{many}]}}"#)),
        (Kind::Okta, format!(r#"{{"data":{{"events":[{many}]}}}}"#)),
        (Kind::Retraced, format!(r#"{{"events":[{many}]}}"#)),
        (Kind::Otlp, format!(r#"{{"resourceLogs":[{many}]}}"#)),
        (Kind::Otlp, format!(r#"{{"resourceLogs":[{{"scopeLogs":[{many}]}}]}}"#)),
        (Kind::Otlp, format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{many}]}}]}}]}}"#)),
    ] {
        assert_eq!(elements(kind, &Head::default(), &Bytes::from(body)).unwrap_err(), TooMany, "{kind:?}");
    }
    // Two bytes for an empty item, on each level.
    for body in [b"\x0a\x00".repeat(20_000), [&b"\x0a\xc0\xb8\x02"[..], &b"\x12\x00".repeat(20_000)].concat()]
    {
        let head = Head::new([("content-type".to_owned(), "application/x-protobuf".to_owned())]);
        assert_eq!(elements(Kind::Otlp, &head, &Bytes::from(body)).unwrap_err(), TooMany);
    }
}

#[test]
fn what_scopes_share_is_bounded_whatever_their_number() {
    let json = |body: String| elements(Kind::Otlp, &Head::default(), &Bytes::from(body));
    let scopes = |scope: &str, number: usize| vec![scope; number].join(",");
    // Damaged parts of several lists, none of which is too long.
    let damaged = format!(r#"{{"scopeLogs":[{}]}}"#, scopes("7", 6000));
    assert_eq!(json(format!(r#"{{"resourceLogs":[{damaged},{damaged}]}}"#)).unwrap_err(), TooMany);
    // A resource is kept with each scope.
    let value = "x".repeat(200 << 10);
    let resource = format!(r#"{{"attributes":[{{"key":"a","value":{{"stringValue":"{value}"}}}}]}}"#);
    let with = |number| {
        let scopes = scopes(r#"{"logRecords":[{}]}"#, number);
        json(format!(r#"{{"resourceLogs":[{{"resource":{resource},"scopeLogs":[{scopes}]}}]}}"#))
    };
    assert_eq!(with(50).map(|elements| elements.len()), Ok(50));
    assert_eq!(with(100).unwrap_err(), TooMany);

    let head = Head::new([("content-type".to_owned(), "application/x-protobuf".to_owned())]);
    let protobuf = |body: Vec<u8>| elements(Kind::Otlp, &head, &Bytes::from(body));
    let message = |number: u8, bytes: &[u8]| {
        let mut message = vec![number << 3 | 2];
        prost::encode_length_delimiter(bytes.len(), &mut message).expect("a length");
        [message, bytes.to_vec()].concat()
    };
    let damaged = message(1, &b"\x12\x01\xff".repeat(6000));
    assert_eq!(protobuf([&damaged[..], &damaged].concat()).unwrap_err(), TooMany);
    // A long resource is not taken apart: here an attribute has two bytes.
    let resource = message(1, &b"\x0a\x00".repeat(200_000));
    let scope = message(2, &message(2, b""));
    let elements = protobuf(message(1, &[resource, scope].concat())).expect("elements");
    assert!(elements[0].context.as_ref().expect("a context")["resource"]["too_long"].is_string());
}
