//! Every error is a problem document with the id of its request.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use logbook_tests::{Answer, TestServer, on_both};
use serde_json::json;

/// What every error promises.
#[track_caller]
fn problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code()), (status, code), "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.json["request_id"], answer.headers["x-request-id"].as_str());
    assert_eq!(answer.json["status"], status);
    for name in ["type", "title", "detail", "request_id"] {
        assert!(answer.json[name].as_str().is_some_and(|text| !text.is_empty()), "{name} in {}", answer.text);
    }
    assert!(answer.json["errors"].is_array());
}

#[test]
fn an_event_of_a_newer_version_is_an_error_and_is_not_shown_as_something_else() {
    let server = TestServer::sqlite();
    server.workspace("clinic");
    let admin = server.admin();
    let path = "/workspaces/clinic/logs/access";
    admin.post(path, json!([{"event_type": "login"}])).expect(201);
    server.sql(
        "PRAGMA ignore_check_constraints = ON;
         INSERT INTO events (workspace_id, seq, log, occurred_at, received_at, source, action, outcome)
         SELECT workspace_id, 2, log, occurred_at, received_at, source, action, 9 FROM events",
    );
    for answer in
        [admin.get(path), admin.get("/workspaces/clinic/logs/feed"), admin.get(&format!("{path}?q=login"))]
    {
        problem(&answer, 500, "internal");
        assert!(answer.text.contains("a newer version of Logbook stored it"), "{}", answer.text);
    }
}

on_both!(each_error_is_a_problem_with_its_request_id, |server| {
    server.workspace("clinic");
    let (admin, nobody) = (server.admin(), server.nobody());
    let logs = "/workspaces/clinic/logs";
    let post = |body: &[u8]| admin.send("POST", &format!("{logs}/access"), "application/json", body);
    for (answer, status, code) in [
        (nobody.get("/me"), 401, "unauthenticated"),
        (nobody.get("/nothing"), 404, "not_found"),
        (admin.get("/"), 404, "not_found"),
        (admin.get("/workspaces/clinic/"), 404, "not_found"),
        (admin.get("/workspaces/unknown"), 404, "not_found"),
        (admin.get("/workspaces/%00"), 400, "invalid_path"),
        (admin.get("/workspaces/%FF/logs/access"), 400, "invalid_path"),
        (admin.get("/workspaces/..%2f..%2fetc/logs/access"), 400, "invalid_path"),
        (admin.get(&format!("{logs}/other")), 404, "not_found"),
        (admin.get(&format!("{logs}/access/x")), 404, "not_found"),
        (admin.get(&format!("{logs}/access/metrics/x")), 404, "not_found"),
        (admin.get(&format!("{logs}/access?x=1")), 400, "unknown_parameter"),
        (admin.get(&format!("{logs}/access?limit=x")), 400, "invalid_parameter"),
        (admin.get(&format!("{logs}/access?%FF=%FE")), 400, "unknown_parameter"),
        (post(b"["), 400, "malformed_json"),
        (post(b"[{}]"), 422, "validation_failed"),
        (post(b"\x91"), 415, "unsupported_media_type"),
        (admin.send("DELETE", &format!("{logs}/access"), "text/plain", b""), 405, "method_not_allowed"),
        (admin.post("/workspaces", json!({"slug": "clinic", "name": "x"})), 409, "conflict"),
    ] {
        problem(&answer, status, code);
    }
});

on_both!(other_methods_are_answered_with_the_allowed_ones, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    for (method, path, allow) in [
        ("DELETE", "/workspaces/clinic/logs/access", "GET, POST"),
        ("PUT", "/workspaces", "GET, POST"),
        ("POST", "/workspaces/clinic/logs/feed", "GET"),
        ("POST", "/workspaces/clinic/logs/access/metrics", "GET"),
        ("PATCH", "/workspaces/clinic/logs/access/x", "GET"),
        ("POST", "/auth/password", "PUT"),
        ("BREW", "/me", "GET"),
    ] {
        let answer = admin.send(method, path, "application/json", b"");
        problem(&answer, 405, "method_not_allowed");
        assert_eq!(answer.headers["allow"], allow, "{method} {path}");
    }
    let answer = admin.get("/auth/login");
    problem(&answer, 405, "method_not_allowed");
    assert_eq!(answer.headers["allow"], "POST");
    let answer = admin.get("/workspaces/clinic/logs/ingest");
    assert_eq!(answer.headers["allow"], "POST");
});

on_both!(a_request_keeps_the_plain_id_that_it_came_with, |server| {
    let nobody = server.nobody();
    let given = nobody.with_header("x-request-id", "job-17.retry_2").get("/me");
    assert_eq!(given.json["request_id"], "job-17.retry_2");
    assert_eq!(
        server.admin().with_header("x-request-id", "job-17.retry_2").get("/me").headers["x-request-id"],
        "job-17.retry_2"
    );
    for bad in ["short", "has space in it", "<script>alert(1)</script>", &"x".repeat(65), "ключ-ключ"]
    {
        let answer = nobody.with_header("x-request-id", bad).get("/me");
        problem(&answer, 401, "unauthenticated");
        assert_ne!(answer.json["request_id"], bad);
    }
    let ids: std::collections::BTreeSet<_> =
        (0..5).map(|_| nobody.get("/healthz").headers["x-request-id"].clone()).collect();
    assert_eq!(ids.len(), 5);
});

on_both!(answers_are_neither_cached_nor_sniffed, |server| {
    server.workspace("clinic");
    let answer = server.admin().get("/workspaces/clinic/logs/access").expect(200);
    assert_eq!(
        (answer.headers["cache-control"].as_str(), answer.headers["x-content-type-options"].as_str()),
        ("no-store", "nosniff")
    );
    assert_eq!(answer.headers["content-type"], "application/json");
});

on_both!(what_is_no_page_loads_nothing_and_is_framed_nowhere, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let nobody = server.nobody();
    for answer in [
        admin.get("/workspaces/clinic/logs/access").expect(200),
        nobody.get("/workspaces/clinic/logs/access").expect(401),
        nobody.get("/nowhere").expect(404),
        nobody.absolute(&format!("http://{}/healthz", server.address)).expect(200),
        nobody.absolute(&format!("http://{}/api/openapi.json", server.address)).expect(200),
    ] {
        let policy = &answer.headers["content-security-policy"];
        for directive in
            ["default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]
        {
            assert!(policy.split("; ").any(|own| own == directive), "{directive}: {policy}");
        }
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
});

/// Two lengths are how one request is smuggled inside another (RFC 9112, section 6.3).
#[test]
fn a_request_with_two_lengths_is_refused() {
    let server = TestServer::sqlite();
    for lengths in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: +5",
        "Transfer-Encoding: chunked, identity",
    ] {
        let mut stream = TcpStream::connect(server.address).expect("a connection");
        let inner = "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n";
        let request = format!("POST /api/v1/auth/logout HTTP/1.1\r\nHost: a\r\n{lengths}\r\n\r\n{inner}");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answers = String::new();
        // The server may close the connection before it has read everything.
        let _ = stream.read_to_string(&mut answers);
        assert!(answers.starts_with("HTTP/1.1 4") && !answers.contains(" 200 "), "{lengths}: {answers}");
    }
}
