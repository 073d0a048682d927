//! A path is written in one way only, and a body says what it is: nobody gets past a policy by writing an address in another
//! way, or a body as something else.

use logbook_tests::{Answer, Client, PASSWORD, audit_events::audit_events, on_both, server::sample};
use serde_json::json;

const LOGS: &str = "/workspaces/clinic/logs";

#[track_caller]
fn refused(answer: Answer) {
    let answer = answer.expect(400);
    assert_eq!(answer.code(), "invalid_path", "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    // It is refused first of all: no limit counts it.
    assert!(!answer.headers.contains_key("ratelimit"));
}

on_both!(
    a_path_that_is_not_in_its_normal_form_is_refused_first_of_all,
    |config| {
        config.audit = true;
        config.rate_address = 100;
        config.rate_key = 100;
    },
    |server| {
        server.workspace("clinic");
        server.user("asha@clinic.test");
        let (admin, nobody) = (server.admin_called("reader"), server.nobody());
        let login = json!({"email": "asha@clinic.test", "password": PASSWORD});
        let foreign = nobody.with_header("sec-fetch-site", "cross-site");
        for path in ["/%61uth/login", "/auth/%6Cogin", "/auth//login", "/./auth/login", "/x/../auth/login"] {
            refused(nobody.post(path, login.clone()));
            refused(foreign.post(path, login.clone()));
        }
        for path in [
            "/workspaces/clinic/%6Cogs/access",
            "/workspaces/%63linic/logs/access",
            "//workspaces/clinic/logs/access",
        ] {
            refused(admin.get(path));
            refused(admin.post(path, json!([sample("access", 1)])));
        }
        for id in ["a%2Fb", "a%5Cb", "%00", "%0A", "%FF", "%2e%2e", "%2E%2E", "%e6%9d%8e", "%", "%4", "%zz"] {
            refused(admin.get(&format!("{LOGS}/access/{id}")));
        }
        let outside = |path: &str| nobody.absolute(&format!("http://{}{path}", server.address));
        refused(outside("/%61pi/v1/me"));
        refused(outside("/api/%76%31/me"));
        // An id may have any character, encoded where it must be.
        for id in ["%E6%9D%8E", "a%20b", "a%25b", "a:b", "a%3Ab", "a!b", "~a"] {
            assert_eq!(admin.get(&format!("{LOGS}/access/{id}")).expect(404).code(), "not_found", "{id}");
        }
        // Nothing was read or stored, so only what was asked in the right way is in the log.
        let events = audit_events(&server, "clinic");
        assert!(events.iter().all(|event| event["action"] == "log_read"), "{events:?}");
        assert!(admin.get(&format!("{LOGS}/access")).expect(200).data().is_empty());
    }
);

on_both!(answers_of_unknown_paths_are_not_cached, |server| {
    for path in ["/api/v1/nothing", "/api/v2/me", "/api", "/nothing"] {
        let answer = server.nobody().absolute(&format!("http://{}{path}", server.address)).expect(404);
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    }
});

on_both!(a_body_has_to_say_that_it_is_json, |server| {
    let clinic = server.workspace("clinic");
    server.user("asha@clinic.test");
    let (admin, nobody) = (server.admin(), server.nobody());
    let login = json!({"email": "asha@clinic.test", "password": PASSWORD}).to_string();
    let member = json!({"email": "jo@clinic.test", "role": "viewer"}).to_string();
    let event = json!([sample("access", 1)]).to_string();
    let mixed = json!([{"log": "access", "event_type": "login"}]).to_string();
    let with = |client: &Client, path: &str, content_type: &str, body: &str| {
        client.send("POST", path, content_type, body.as_bytes())
    };
    let access = format!("{LOGS}/access");
    let ingest = format!("{LOGS}/ingest");
    let members = format!("/workspaces/{}/members", clinic.slug);
    // What a form of another page can send, and what is said of other things.
    for other in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
        "text/json",
    ] {
        for (client, path, body) in [
            (&nobody, "/auth/login", &login),
            (&admin, &members, &member),
            (&admin, &access, &event),
            (&admin, &ingest, &mixed),
        ] {
            let answer = with(client, path, other, body).expect(415);
            assert_eq!(answer.code(), "unsupported_media_type", "{path} {other}");
        }
    }
    // NDJSON only where several objects may come.
    assert_eq!(with(&nobody, "/auth/login", "application/x-ndjson", &login).expect(415).status, 415);
    for content_type in ["application/json", "Application/JSON", "application/json; charset=utf-8"] {
        with(&nobody, "/auth/login", content_type, &login).expect(200);
        with(&admin, &access, content_type, &event).expect(201);
    }
    with(&admin, &ingest, "application/x-ndjson", &mixed).expect(201);
    with(&admin, &access, "application/x-ndjson", &event).expect(201);
    // A workspace that somebody may not know of stays unknown, whatever they send.
    with(&server.user("jo@clinic.test"), &access, "text/plain", &event).expect(404);
});
