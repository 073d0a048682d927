//! Exports: everything that matches, whole or visibly not, and on record.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use actix_web::web::Bytes;
use logbook::accounts::role::Role;
use logbook_engine::db::timestamp::Timestamp;
use logbook_tests::{
    TestServer, on_both,
    pagination::{pages, seqs},
    random,
    server::sample,
    wait::wait_until,
};
use parquet::{
    file::reader::{FileReader as _, SerializedFileReader},
    record::Field,
};
use proptest::collection::vec;
use serde_json::{Value, json};

use crate::list_oracle::{LOGS, borrowed, for_all, next_slug};

const PATH: &str = "/workspaces/clinic/logs/application";

pub(crate) fn ndjson(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

on_both!(an_export_has_what_the_pages_of_the_list_have, |server| {
    let admin = server.admin();
    for log in LOGS {
        for_all(5, (vec(random::event(log), 0..60), vec(random::query(log), 4)), |(events, questions)| {
            let slug = next_slug();
            server.workspace(&slug);
            let path = format!("/workspaces/{slug}/logs/{log}");
            let events: Vec<Value> = events.into_iter().map(|event| event.body).collect();
            admin.post(&path, events.into()).expect(201);
            for question in questions {
                let mut parameters = question.parameters();
                parameters.push(("order", if question.ascending { "asc" } else { "desc" }.into()));
                let listed = pages(&admin, &path, &borrowed(&parameters));
                let export = |format: &str, more: &[(&'static str, &str)]| {
                    let parameters = [borrowed(&parameters), more.to_vec()].concat();
                    admin.query(&format!("{path}/export.{format}"), &parameters).expect(200)
                };
                assert_eq!(ndjson(&export("ndjson", &[]).text), listed, "{question:?}");
                check_csv(&export("csv", &[]).text, &listed);
                let file = admin.bytes(&format!("{path}/export.parquet"), &borrowed(&parameters));
                check_parquet(file, &listed);
                // Continued in the middle.
                if let Some(middle) = listed.get(listed.len() / 2) {
                    let id = middle["id"].as_str().expect("an id");
                    let rest = &listed[listed.len() / 2 + 1..];
                    assert_eq!(ndjson(&export("ndjson", &[("after", id)]).text), rest);
                    let lines = csv::ReaderBuilder::new()
                        .has_headers(false)
                        .from_reader(export("csv", &[("after", id)]).text.as_bytes())
                        .into_records()
                        .count();
                    assert_eq!(lines, rest.len(), "without names");
                }
            }
        });
    }
});

/// Where a column's value is in an event of the list.
fn pointer(column: &str) -> String {
    for (prefix, object) in [
        ("on_behalf_of_", "on_behalf_of"),
        ("actor_", "actor"),
        ("user_", "user"),
        ("component_", "component"),
        ("target_", "target"),
    ] {
        if let Some(part) = column.strip_prefix(prefix)
            && ["type", "id", "name"].contains(&part)
        {
            return format!("/{object}/{part}");
        }
    }
    format!("/{column}")
}

pub(crate) fn check_csv(text: &str, listed: &[Value]) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().expect("names").clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), listed.len());
    for (row, event) in rows.iter().zip(listed) {
        for (name, cell) in names.iter().zip(row) {
            let expected = match event.pointer(&pointer(name)) {
                Some(Value::String(text)) => text.clone(),
                None | Some(Value::Null) => String::new(),
                Some(Value::Array(items)) if items.is_empty() && cell.is_empty() => continue,
                Some(Value::Object(members)) if members.is_empty() && cell.is_empty() => continue,
                Some(value @ (Value::Array(_) | Value::Object(_))) => {
                    assert_eq!(serde_json::from_str::<Value>(cell).expect("JSON"), *value, "{name}");
                    continue;
                }
                Some(value) => value.to_string(),
            };
            let harmful = expected.starts_with(['=', '+', '-', '@', '\t', '\r']);
            assert_eq!(cell, if harmful { format!("'{expected}") } else { expected }, "{name}");
        }
    }
}

/// Compares a Parquet file with what the list has, and returns how many groups of rows it has.
fn check_parquet(file: Vec<u8>, listed: &[Value]) -> usize {
    let reader = SerializedFileReader::new(Bytes::from(file)).expect("a Parquet file");
    let rows: Vec<_> = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), listed.len());
    for (row, event) in rows.iter().zip(listed) {
        for (name, field) in row.get_column_iter() {
            let expected = event.pointer(&pointer(name)).unwrap_or(&Value::Null);
            let found = match (field, expected) {
                (Field::Null, Value::Array(items)) if items.is_empty() => continue,
                (Field::Null, Value::Object(members)) if members.is_empty() => continue,
                (Field::Null, _) => Value::Null,
                (Field::Str(text), Value::Array(_) | Value::Object(_)) => {
                    serde_json::from_str(text).expect("JSON")
                }
                (Field::Str(text), _) => text.as_str().into(),
                (Field::Long(number), _) => (*number).into(),
                (Field::TimestampMicros(at), _) => Timestamp(*at).to_string().into(),
                (other, _) => panic!("{name}: {other}"),
            };
            assert_eq!(found, *expected, "{name}");
        }
    }
    reader.num_row_groups()
}

on_both!(a_parquet_file_has_types_and_small_groups_of_rows, |config| { config.audit = true }, |server| {
    let clinic = server.workspace("clinic");
    fill(&server, 20);
    let auditor = server.member(&clinic, Role::Auditor);
    let path = format!("{PATH}/export.parquet");
    let listed = pages(&auditor, PATH, &[("order", "asc"), ("limit", "100")]);
    let file = auditor.bytes(&path, &[("order", "asc")]);
    let schema = SerializedFileReader::new(Bytes::from(file.clone())).expect("a Parquet file");
    let schema = schema.metadata().file_metadata().schema_descr_ptr();
    let types = |name: &str| {
        let column = schema.columns().iter().find(|column| column.name() == name).expect("a column");
        let logical = column.logical_type_ref().expect("a type");
        (column.physical_type().to_string(), format!("{logical:?}"), column.self_type().is_optional())
    };
    for (name, physical, logical, is_optional) in [
        ("id", "BYTE_ARRAY", "String", false),
        ("seq", "INT64", "Integer", false),
        ("occurred_at", "INT64", "Timestamp", false),
        ("source", "BYTE_ARRAY", "String", false),
        ("action", "BYTE_ARRAY", "String", false),
        ("record_name", "BYTE_ARRAY", "String", true),
        ("sequence", "INT64", "Integer", true),
        ("changes", "BYTE_ARRAY", "Json", true),
        ("masked", "BYTE_ARRAY", "Json", true),
    ] {
        let found = types(name);
        assert!(
            found.0 == physical && found.1.starts_with(logical) && found.2 == is_optional,
            "{name}: {found:?}"
        );
    }
    // 400 events with 50 kB each.
    assert_eq!(check_parquet(file, &listed), 3);
    let names: Vec<_> = schema.columns().iter().map(|column| column.name().to_owned()).collect();
    let csv = auditor.get(&format!("{PATH}/export.csv")).expect(200).text;
    assert_eq!(csv.lines().next(), Some(names.join(",").as_str()), "the columns of CSV");
    // Nothing is a file too.
    assert_eq!(check_parquet(auditor.bytes(&path, &[("record_id", "none")]), &[]), 0);
    let zipped = auditor.with_header("accept-encoding", "gzip");
    let answer = zipped.query(&path, &[("record_id", "none")]).expect(200);
    assert_eq!(answer.headers["content-type"], "application/vnd.apache.parquet");
    assert_eq!(answer.headers["content-disposition"], "attachment; filename=\"clinic-application.parquet\"");
    assert_eq!(answer.headers.get("content-encoding").map_or("identity", String::as_str), "identity");
    // Half a file is none, and cannot be continued.
    let id = listed[7]["id"].as_str().expect("an id");
    assert_eq!(auditor.query(&path, &[("after", id)]).expect(400).places(), ["after"]);
    let told = server_events(&server).into_iter().filter(|event| event["action"] == "log_exported");
    let told: Vec<_> = told.map(|event| event["metadata"].clone()).collect();
    let rows: Vec<_> = told.iter().filter(|noted| noted["format"] == "parquet").collect();
    assert_eq!(rows.iter().map(|noted| &noted["events"]).collect::<Vec<_>>(), [400, 0, 0]);
});

on_both!(csv_is_rfc_4180_in_utf_8_and_runs_no_formula, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let mut event = sample("application", 1);
    event["record_name"] = "=HYPERLINK(\"http://x\")".into();
    event["status_reason"] = "a, \"b\"\r\n李雷".into();
    event["actor"] = json!({"type": "user", "id": "-1", "name": "@SUM(A1)"});
    event["metadata"] = json!({"a": "=1"});
    event["targets"] = json!([{"type": "ward", "id": "3"}]);
    admin.post(PATH, json!([event])).expect(201);
    let answer = admin.get(&format!("{PATH}/export.csv")).expect(200);
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(answer.headers["content-disposition"], "attachment; filename=\"clinic-application.csv\"");
    let (head, row) = answer.text.split_once("\r\n").expect("two lines");
    assert_eq!(
        head,
        "id,seq,occurred_at,received_at,source,action,status,status_reason,actor_type,actor_id,actor_name,model,\
         record_id,record_name,changes,role,on_behalf_of_type,on_behalf_of_id,on_behalf_of_name,purpose,targets,\
         ip_address,user_agent,session_id,correlation_id,epoch,sequence,metadata,masked"
    );
    for cell in [
        "\"a, \"\"b\"\"\r\n李雷\"",
        ",user,'-1,'@SUM(A1),",
        ",\"'=HYPERLINK(\"\"http://x\"\")\",",
        "\"{\"\"a\"\":\"\"=1\"\"}\"",
    ] {
        assert!(row.contains(cell), "{cell} in {row}");
    }
    assert!(row.ends_with("\r\n"));
});

on_both!(
    an_export_is_on_record_by_itself_with_its_filters_hash_and_its_rows,
    |config| { config.audit = true },
    |server| {
        let clinic = server.workspace("clinic");
        let events: Vec<Value> = (0..30).map(|n| sample("application", n)).collect();
        server.admin().post(PATH, events.into()).expect(201);
        let auditor = server.member(&clinic, Role::Auditor);
        auditor.get(&format!("{PATH}/export.ndjson")).expect(200);
        auditor.query(&format!("{PATH}/export.csv"), &[("record_id", "7")]).expect(200);
        auditor.query(&format!("{PATH}/export.csv"), &[("record_id", "7")]).expect(200);
        let told = |server: &TestServer| {
            let mut events = server_events(server);
            events.retain(|event| event["action"] == "log_exported");
            events
        };
        wait_until("all three are on record", || told(&server).len() == 3);
        let found: Vec<Value> = told(&server).into_iter().map(|event| event["metadata"].clone()).collect();
        let rows: Vec<_> =
            found.iter().map(|noted| (noted["format"].clone(), noted["events"].clone())).collect();
        let row = |format: &str, events: u64| (json!(format), json!(events));
        assert_eq!(rows, [row("ndjson", 30), row("csv", 1), row("csv", 1)]);
        assert_eq!(found[0]["log"], "application");
        assert!(found[0]["filter"].as_str().is_some_and(|hash| hash.len() == 16));
        assert_eq!(found[1]["filter"], found[2]["filter"]);
        assert_ne!(found[0]["filter"], found[1]["filter"]);
        assert!(found.iter().all(|noted| noted["requests"] == 1 && !noted.to_string().contains("record_id")));
    }
);

on_both!(
    an_export_that_was_refused_is_none_and_that_there_was_no_place_is_on_record,
    |config| { config.audit = true },
    |server| {
        let clinic = server.workspace("clinic");
        fill(&server, 20);
        let auditor = server.member(&clinic, Role::Auditor);
        for parameter in [("after", "x"), ("status", "no"), ("limit", "5"), ("since", "tomorrow")] {
            let refused = auditor.query(&format!("{PATH}/export.csv"), &[parameter]).expect(400);
            assert_eq!(refused.places(), [parameter.0]);
        }
        let unknown = "01935fb2-8e31-8000-8000-040000000029";
        auditor.query(&format!("{PATH}/export.csv"), &[("after", unknown)]).expect(400);
        let slow = begin(&server, &auditor.headers["authorization"], "");
        auditor.get(&format!("{PATH}/export.csv")).expect(503);
        let told = |action: &str| {
            let mut events = server_events(&server);
            events.retain(|event| event["action"] == action);
            events
        };
        assert_eq!(told("log_exported"), [] as [Value; 0]);
        let refused = told("rate_limited");
        assert_eq!(refused.len(), 1);
        assert_eq!((&refused[0]["status"], &refused[0]["status_reason"]), (&json!("denied"), &json!("busy")));
        assert_eq!(
            (&refused[0]["metadata"]["limit"], &refused[0]["role"]),
            (&json!("exports"), &json!("auditor"))
        );
        drop(slow);
        wait_until("the one that began is on record", || told("log_exported").len() == 1);
    }
);

/// The audit events, those of the story's own token too.
fn server_events(server: &TestServer) -> Vec<Value> {
    server.settle();
    let auditor = server.admin();
    pages(&auditor, "/workspaces/clinic/logs/activity", &[("order", "asc"), ("limit", "100")])
}

/// Begins an export, and reads no more than its first bytes.
fn begin(server: &TestServer, token: &str, parameters: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    let request = format!(
        "GET /api/v1{PATH}/export.ndjson{parameters} HTTP/1.1\r\nhost: logbook\r\nauthorization: {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut begun = [0; 12];
    stream.read_exact(&mut begun).expect("an answer");
    assert_eq!(&begun, b"HTTP/1.1 200");
    stream
}

fn fill(server: &TestServer, megabytes: usize) {
    let mut event = sample("application", 1);
    event["metadata"] = json!({"text": "x".repeat(50_000)});
    for _ in 0..megabytes.div_ceil(5) {
        server.admin().post(PATH, vec![event.clone(); 100].into()).expect(201);
    }
}

on_both!(
    whoever_reads_slowly_holds_a_place_and_no_connection,
    |config| {
        config.database_connections = 2;
    },
    |server| {
        let [clinic, shop] = [server.workspace("clinic"), server.workspace("shop")];
        fill(&server, 20);
        let [auditor, second, third] =
            ["a", "b", "c"].map(|name| server.member_called(name, &clinic, Role::Auditor));
        let slow = [&auditor, &second].map(|client| begin(&server, &client.headers["authorization"], ""));
        for (client, why) in [(&auditor, "one caller may have 1 of"), (&third, "the workspace has 2")] {
            let refused = client.get(&format!("{PATH}/export.csv")).expect(503);
            assert_eq!(refused.code(), "busy");
            assert!(refused.headers.contains_key("retry-after"));
            let detail = refused.json["detail"].as_str().expect("a detail");
            assert!(detail.starts_with(why), "{detail}");
        }
        // Others read on, here and elsewhere.
        for _ in 0..5 {
            auditor.get(&format!("{PATH}?limit=1")).expect(200);
            let other = server.member(&shop, Role::Auditor);
            other.get("/workspaces/shop/logs/application/export.ndjson").expect(200);
        }
        // Who goes away gives the place back.
        drop(slow);
        wait_until("the places are free again", || {
            auditor.query(&format!("{PATH}/export.csv"), &[("record_id", "none")]).status == 200
        });
    }
);

on_both!(what_arrives_after_the_start_is_left_out, |server| {
    let clinic = server.workspace("clinic");
    fill(&server, 20);
    let auditor = server.member(&clinic, Role::Auditor);
    let mut stream = begin(&server, &auditor.headers["authorization"], "?order=asc");
    // It has begun.
    let mut text = vec![0; 1000];
    stream.read_exact(&mut text).expect("a beginning");
    server.admin().post(PATH, json!([sample("application", 5)])).expect(201);
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    let mut rest = [0; 65536];
    while !text.ends_with(b"\r\n0\r\n\r\n") {
        let read = stream.read(&mut rest).expect("more");
        assert_ne!(read, 0, "it ends with its last chunk");
        text.extend_from_slice(&rest[..read]);
    }
    let text = String::from_utf8_lossy(&text);
    assert_eq!(text.matches("\"record_id\":\"1\"").count(), 400);
    assert_eq!(text.matches("\"record_id\":\"5\"").count(), 0);
    let all =
        auditor.query(&format!("{PATH}/export.ndjson"), &[("q", "patient"), ("record_id", "5")]).expect(200);
    assert_eq!(seqs(&ndjson(&all.text)), [401]);
});

on_both!(an_export_that_fails_in_the_middle_is_not_whole, |server| {
    let clinic = server.workspace("clinic");
    fill(&server, 20);
    let auditor = server.member(&clinic, Role::Auditor);
    let mut stream = begin(&server, &auditor.headers["authorization"], "");
    let mut text = vec![0; 1000];
    stream.read_exact(&mut text).expect("a beginning");
    server.sql("ALTER TABLE events RENAME TO gone");
    // It may have read more than a batch by then, but never all: nobody reads what it writes.
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read);
    text.extend(read);
    assert!(text.len() > 1_000_000 && !text.ends_with(b"\r\n0\r\n\r\n"), "{}", text.len());
});
