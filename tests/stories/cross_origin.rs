//! Which pages may send requests from a browser: those of the origins that are configured, and no others.

use logbook_tests::{Answer, Client, PASSWORD, TestServer, on_both};
use serde_json::{Value, json};

fn asked_by(server: &TestServer, origin: &str) -> Client {
    server.admin().with_header("origin", origin)
}

fn preflight(server: &TestServer, origin: &str, path: &str) -> Answer {
    let client = server.nobody().with_header("origin", origin);
    let client = client.with_header("access-control-request-method", "POST");
    let client =
        client.with_header("access-control-request-headers", "authorization,content-type,idempotency-key");
    client.send("OPTIONS", path, "application/json", b"")
}

const OWN: &str = "https://console.example";

on_both!(
    pages_of_configured_origins_may_ask_and_no_others,
    |config| {
        config.cors_origins = vec![OWN.parse().expect("an origin")];
    },
    |server| {
        server.workspace("clinic");
        let path = "/workspaces/clinic/logs/access";
        let answer = preflight(&server, OWN, path).expect(200);
        assert_eq!(answer.headers["access-control-allow-origin"], OWN);
        let allowed = answer.headers["access-control-allow-headers"].to_lowercase();
        assert!(
            ["authorization", "content-type", "idempotency-key"].iter().all(|name| allowed.contains(name))
        );
        assert!(answer.headers["access-control-allow-methods"].contains("POST"));
        let answer = asked_by(&server, OWN).get(path).expect(200);
        assert_eq!(answer.headers["access-control-allow-origin"], OWN);
        assert!(answer.headers["access-control-expose-headers"].to_lowercase().contains("retry-after"));
        assert!(answer.headers["vary"].to_lowercase().contains("origin"));
        // A page of that origin learns why it was refused, as one of ours does.
        assert_eq!(
            asked_by(&server, OWN).get("/workspaces/nowhere/logs/access").expect(404).code(),
            "not_found"
        );

        for other in [
            "https://attacker.test",
            "https://console.example.attacker.test",
            "http://console.example",
            "null",
        ] {
            let headers = preflight(&server, other, path).headers;
            assert!(!headers.contains_key("access-control-allow-origin"), "{other}");
            let headers = asked_by(&server, other).get(path).headers;
            assert!(!headers.contains_key("access-control-allow-origin"), "{other}");
        }
        // Cookies are for Logbook's own pages: no other origin may send them.
        let answer = asked_by(&server, OWN).get("/me").expect(200);
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
);

on_both!(without_configured_origins_no_page_elsewhere_may_ask, |server| {
    server.workspace("clinic");
    let path = "/workspaces/clinic/logs/access";
    let answer = preflight(&server, OWN, path);
    assert_eq!((answer.status, answer.headers.get("access-control-allow-origin")), (405, None));
    let answer = asked_by(&server, OWN).get(path).expect(200);
    assert!(!answer.headers.keys().any(|name| name.starts_with("access-control-")));
});

on_both!(
    another_sites_page_neither_signs_in_nor_renews,
    |config| {
        config.cors_origins = vec![OWN.parse().expect("an origin")];
    },
    |server| {
        server.user("asha@clinic.test");
        let body = json!({"email": "asha@clinic.test", "password": PASSWORD});
        let own = server.nobody().with_header("sec-fetch-site", "same-origin");
        let signed_in = own.post("/auth/login", body.clone()).expect(200);
        let cookie = signed_in.headers["set-cookie"].split(';').next().expect("a cookie").to_owned();
        for site in ["cross-site", "same-site", "nonsense"] {
            let foreign = server.nobody().with_header("sec-fetch-site", site).with_header("origin", OWN);
            let foreign = foreign.with_header("cookie", &cookie);
            for (path, body) in
                [("/auth/login", body.clone()), ("/auth/refresh", Value::Null), ("/auth/logout", Value::Null)]
            {
                let answer = foreign.post(path, body).expect(403);
                assert!(!answer.headers.contains_key("set-cookie"), "{site} {path}");
                assert!(!answer.headers.contains_key("access-control-allow-origin"), "{site} {path}");
            }
        }
        own.with_header("cookie", &cookie).send("POST", "/auth/refresh", "application/json", b"").expect(200);
    }
);
