//! The bodies in which events may arrive, and those that are refused.

use std::{io::Write as _, time::Instant};

use flate2::{Compression, write::GzEncoder};
use logbook_tests::{Answer, Client, on_both, server::sample};
use serde_json::{Value, json};

const INGEST: &str = "/workspaces/clinic/logs/ingest";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn mixed(n: i64) -> Vec<Value> {
    ["access", "application", "framework"]
        .into_iter()
        .map(|log| {
            let mut event = sample(log, n);
            event["log"] = log.into();
            event
        })
        .collect()
}

fn send(client: &Client, body: &[u8]) -> Answer {
    client.send("POST", INGEST, "application/x-ndjson", body)
}

on_both!(any_shape_of_json_is_accepted, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let events = mixed(1);
    let lines = |separator: &str| events.iter().map(Value::to_string).collect::<Vec<_>>().join(separator);
    let array = Value::from(events.clone()).to_string();
    let bodies = [
        array.clone(),
        serde_json::to_string_pretty(&events).expect("JSON"),
        lines("\n"),
        lines("\r\n") + "\r\n",
        lines("\n\n  \n\n"),
        lines(""),
        lines(" "),
        format!("\u{feff}{array}"),
        format!("\u{feff}{}", lines("\n")),
        format!("\n\n {array}\n\n"),
        format!("[{}]\n[]\n[{},{}]", events[0], events[1], events[2]),
        format!("[{},{}]{}", events[0], events[1], events[2]),
    ];
    for body in &bodies {
        let answer = send(&admin, body.as_bytes()).expect(201);
        assert_eq!(answer.json["accepted"], 3, "{body}");
        assert_eq!(answer.json["results"].as_array().map(Vec::len), Some(3));
    }
    for log in ["access", "application", "framework"] {
        let total =
            admin.get(&format!("/workspaces/clinic/logs/{log}/metrics")).expect(200).json["total"].clone();
        assert_eq!(total, bodies.len(), "{log}");
    }
});

on_both!(gzip_is_accepted_with_and_without_its_header, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let body = gzip(Value::from(mixed(1)).to_string().as_bytes());
    send(&admin, &body).expect(201);
    send(&admin.with_header("content-encoding", "gzip"), &body).expect(201);
    send(&admin.with_header("content-encoding", "identity"), &body).expect(201);
    // Several gzip members in one body, as shippers that compress line by line send them.
    let members =
        [gzip(mixed(1)[0].to_string().as_bytes()), gzip(b"\n"), gzip(mixed(1)[1].to_string().as_bytes())];
    assert_eq!(send(&admin, &members.concat()).expect(201).json["accepted"], 2);
    let typed = gzip(json!([sample("access", 1)]).to_string().as_bytes());
    admin.send("POST", "/workspaces/clinic/logs/access", "application/json", &typed).expect(201);

    let damaged = send(&admin, &body[..body.len() / 2]).expect(400);
    assert_eq!(damaged.code(), "malformed_body");
    for encoding in ["br", "zstd", "deflate", "gzip, br"] {
        let answer = send(&admin.with_header("content-encoding", encoding), &body).expect(415);
        assert!(
            answer.json["detail"].as_str().is_some_and(|detail| detail.contains("gzip")),
            "{}",
            answer.text
        );
    }
});

on_both!(a_body_that_is_not_json_is_answered_with_what_to_send, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    // MessagePack of {"log":"access"} in an array, as Fluent Bit sends it; Protobuf; snappy's stream.
    let msgpack = b"\x91\x81\xa3log\xa6access".as_slice();
    let others = [b"\x0a\x05hello".as_slice(), b"\xff\x06\x00\x00sNaPpY", b"\x82", b"log=access", b"<xml/>"];
    for body in [msgpack].into_iter().chain(others) {
        let answer = send(&admin, body).expect(415);
        assert_eq!(answer.code(), "unsupported_media_type");
        assert!(
            answer.json["detail"].as_str().is_some_and(|detail| detail.contains("NDJSON")),
            "{}",
            answer.text
        );
    }
    for body in [b"".as_slice(), b"\n \n", b"7", b"null", b"\"text\"", b"\xef\xbb\xbf"] {
        assert_eq!(
            send(&admin, body).expect(400).code(),
            "malformed_json",
            "{}",
            String::from_utf8_lossy(body)
        );
    }
});

on_both!(a_malformed_element_is_named, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let good = mixed(1)[0].to_string();
    for body in [
        format!("{good}\n{good}\n{{\"log\":\n"),
        format!("{good}\n{good}\n}}"),
        format!("{good}\n{good}\n{{\"log\" \"access\"}}"),
        format!("{good}\n{good}\nnot json"),
        format!("[{good},{good}]{{"),
    ] {
        let answer = send(&admin, body.as_bytes()).expect(400);
        assert_eq!(
            (answer.code(), answer.places().as_slice()),
            ("malformed_json", ["/2"].as_slice()),
            "{body}"
        );
    }
    let mut not_utf8 = format!("{good}\n{{\"log\":\"access\",\"event_type\":\"").into_bytes();
    not_utf8.extend(b"\xff\"}");
    assert_eq!(send(&admin, &not_utf8).expect(400).places(), ["/1"]);

    for (element, place) in [
        (json!({}), "/1/log"),
        (json!({"log": "other"}), "/1/log"),
        (json!(1), "/1"),
        (json!([["access"]]), "/1"),
    ] {
        let answer = send(&admin, format!("{good}\n{element}").as_bytes()).expect(422);
        assert_eq!(answer.places(), [place], "{element}: {}", answer.text);
    }
    assert!(
        admin.get("/workspaces/clinic/logs/feed").expect(200).data().is_empty(),
        "nothing of all this was stored"
    );
});

on_both!(an_empty_batch_is_no_error, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    for path in [INGEST, "/workspaces/clinic/logs/access"] {
        let answer = admin.post(path, json!([])).expect(201);
        assert_eq!(answer.json, json!({"accepted": 0, "duplicates": 0, "results": []}));
    }
});

on_both!(a_request_may_have_ten_thousand_events_and_sixteen_mebibytes, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let path = "/workspaces/clinic/logs/access";
    let events = |n: usize| Value::from(vec![json!({"event_type": "login"}); n]);
    assert_eq!(admin.post(path, events(10_001)).expect(413).code(), "too_many_events");
    assert_eq!(admin.post(path, events(10_000)).expect(201).json["accepted"], 10_000);

    let padded = |bytes: usize| {
        let event = r#"[{"event_type":"login"}]"#;
        format!("{event}{}", " ".repeat(bytes - event.len()))
    };
    let limit = 16 * 1024 * 1024;
    admin.send("POST", path, "application/json", padded(limit).as_bytes()).expect(201);
    let over = padded(limit + 1);
    assert_eq!(
        admin.send("POST", path, "application/json", over.as_bytes()).expect(413).code(),
        "body_too_large"
    );
    assert_eq!(
        admin.send("POST", path, "application/json", &gzip(over.as_bytes())).expect(413).code(),
        "body_too_large"
    );
});

on_both!(bombs_are_refused_as_quickly_as_honest_bodies_are_taken, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let access = |body: &[u8]| admin.send("POST", "/workspaces/clinic/logs/access", "application/json", body);
    // A full request, on this machine and beside the other stories.
    let honest = Value::from(vec![sample("access", 1); 10_000]).to_string();
    let start = Instant::now();
    access(honest.as_bytes()).expect(201);
    let usual = start.elapsed();
    let bomb = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let block = vec![b' '; 1 << 20];
        (0..512).for_each(|_| encoder.write_all(&block).expect("memory"));
        encoder.finish().expect("memory")
    };
    let deep =
        |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n)).into_bytes();
    let inside =
        |value: Vec<u8>| [br#"[{"event_type":"login","metadata":{"a":"#.as_slice(), &value, b"}}]"].concat();
    let bodies = [
        ("half a gibibyte of spaces", bomb, 413),
        ("brackets", vec![b'['; 1 << 20], 400),
        ("braces", b"{\"a\":".repeat(1 << 17), 400),
        ("closed brackets", deep("[", "]", 1 << 19), 422),
        ("closed objects", inside(deep("{\"a\":", "}", 1 << 17)), 422),
        ("arrays inside", inside(deep("[", "]", 1 << 19)), 422),
        ("a long number", inside(vec![b'9'; 1 << 20]), 422),
    ];
    for (what, body, status) in bodies {
        let start = Instant::now();
        let answer = send(&admin, &body);
        let body_as_access = access(&body);
        assert!((400..500).contains(&answer.status), "{what}: {}", answer.text);
        assert_eq!(body_as_access.status, status, "{what}: {}", body_as_access.text);
        let took = start.elapsed();
        assert!(took < usual * 3, "{what} took {took:?}, an honest body {usual:?}");
    }
});
