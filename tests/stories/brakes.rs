//! Brakes: how much a caller may ask, how often somebody may guess, and which pages may ask at all.

use logbook::accounts::{members, permissions, role::Role, users};
use logbook_tests::{Answer, Client, TestServer, on_both, walk::wait_until, with_issuer};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

fn figures(header: &str) -> (String, u32, u32) {
    let mut parts = header.split(';');
    let name = parts.next().unwrap_or_default().trim_matches('"').to_owned();
    let mut number = || {
        let part = parts.next().and_then(|part| part.split_once('=')).unwrap_or_default().1;
        part.parse().unwrap_or_else(|_| panic!("two numbers in {header}"))
    };
    (name, number(), number())
}

/// The limit that an answer speaks of: its name, what it allows in how many seconds, and what is left until when.
fn limit(answer: &Answer) -> (String, (u32, u32), (u32, u32)) {
    let (name, most, window) = figures(&answer.headers["ratelimit-policy"]);
    let (same, left, back) = figures(&answer.headers["ratelimit"]);
    assert_eq!(name, same);
    (name, (most, window), (left, back))
}

fn refused(answer: Answer) -> u32 {
    let answer = answer.expect(429);
    assert_eq!(answer.code(), "rate_limited");
    let seconds: u32 = answer.headers["retry-after"].parse().expect("seconds");
    assert!(seconds > 0);
    seconds
}

/// How many requests are answered with this status before one is refused. What comes back meanwhile makes it a few more.
fn heard(status: u16, ask: impl Fn() -> Answer) -> usize {
    for heard in 0..50 {
        let answer = ask();
        if answer.status != status {
            refused(answer);
            return heard;
        }
    }
    panic!("there is no limit");
}

on_both!(
    each_caller_has_an_allowance_and_is_told_of_it,
    |config| {
        config.rate_key = 6;
        config.rate_user = 3;
        config.rate_address = 4;
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    },
    |server| {
        let clinic = server.workspace("clinic");
        let path = "/workspaces/clinic/logs/access";
        // A script's token is measured as a key is.
        let script = server.member(&clinic, Role::Admin);
        let first = script.get(path).expect(200);
        let (name, policy, (left, _)) = limit(&first);
        assert_eq!((name.as_str(), policy, left), ("key", (6, 60), 5));
        let key = |name: &str| {
            let made = server.member(&clinic, Role::Admin);
            let made =
                made.post("/workspaces/clinic/keys", json!({"name": name, "role": "viewer"})).expect(201);
            server.bearer(made.json["token"].as_str().expect("a key"))
        };
        let (one, other) = (key("one"), key("other"));
        assert!((6..=8).contains(&heard(200, || one.get(path))));
        let over = one.get(path);
        assert_eq!(limit(&over).2.0, 0);
        assert!(refused(over) <= 10);
        other.get(path).expect(200);
        // Who knows a key's prefix alone uses up their own address, and nothing of the key.
        let wrong =
            server.bearer(&format!("{}x", other.headers["authorization"].trim_start_matches("Bearer ")));
        assert_eq!(limit(&wrong.get(path).expect(401)).0, "address");
        assert!((3..=5).contains(&heard(401, || wrong.get(path))));
        refused(server.nobody().get(path));
        for login in ["/auth/login", "/%61uth/login"] {
            refused(server.nobody().post(login, json!({"email": "a@clinic.test", "password": "x"})));
        }
        assert!(limit(&other.get(path).expect(200)).2.0 >= 4);
        // Another address is another stranger, and those who are known do not care.
        let elsewhere = |address: &str| server.nobody().with_header("x-forwarded-for", address);
        elsewhere("203.0.113.9").get(path).expect(401);
        let n = std::cell::Cell::new(0);
        let neighbours = || elsewhere(&format!("2001:db8:1:2::{:x}", n.replace(n.get() + 1))).get(path);
        assert!((4..=6).contains(&heard(401, neighbours)));
        elsewhere("2001:db8:1:3::1").get(path).expect(401);

        let mut conn = server.db.conn().expect("a connection");
        let user = users::create(&mut conn, "asha@clinic.test", "Asha Rao", false).expect("a user");
        members::set(&mut conn, clinic.id, user.id, Role::Viewer).expect("a member");
        let asha = server.client(&permissions::claims(&mut conn, &user).expect("claims"));
        drop(conn);
        assert_eq!(limit(&asha.get(path).expect(200)).0, "user");
        assert!((2..=4).contains(&heard(200, || asha.get(path))));
        // For machines that watch, there is none.
        assert!(!server.nobody().get("/healthz").expect(200).headers.contains_key("ratelimit"));
    }
);

on_both!(
    an_address_over_its_allowance_costs_little_and_holds_up_nobody_who_is_known,
    |config| {
        config.rate_address = 2;
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    },
    |server| {
        let clinic = server.workspace("clinic");
        let path = "/workspaces/clinic/logs/access";
        let key = |name: &str| {
            let made = server.member(&clinic, Role::Admin);
            let made =
                made.post("/workspaces/clinic/keys", json!({"name": name, "role": "viewer"})).expect(201);
            server.bearer(made.json["token"].as_str().expect("a key"))
        };
        let (known, new) = (key("known"), key("new"));
        known.get(path).expect(200);
        heard(401, || server.nobody().get(path));
        // The next token of a stranger is looked at in half a minute, when one request more is allowed. Not even the
        // database is asked: that would be an error here.
        server.sql("ALTER TABLE api_keys RENAME TO gone");
        for n in 0..20 {
            let stranger = server.bearer(&format!("lbk_{n:0>12}_{}", "x".repeat(43)));
            assert!((1..=60).contains(&refused(stranger.get(path))));
        }
        let elsewhere =
            server.bearer(&format!("lbk_{:0>12}_x", 1)).with_header("x-forwarded-for", "203.0.113.9");
        assert!(elsewhere.get(path).status >= 500, "it takes the database to refuse a key");
        server.sql("ALTER TABLE gone RENAME TO api_keys");
        // Who is known is not held up; a key that is new to this server waits with the strangers.
        known.get(path).expect(200);
        server.member(&clinic, Role::Viewer).get(path).expect(200);
        let over = new.get(path);
        assert_eq!(limit(&over).0, "address");
        refused(over);
        new.with_header("x-forwarded-for", "203.0.113.9").get(path).expect(200);
        new.get(path).expect(200);
    }
);

on_both!(
    a_key_that_is_new_comes_in_when_the_strangers_leave_it_a_turn,
    |config| {
        config.rate_address = 60;
    },
    |server| {
        let clinic = server.workspace("clinic");
        let path = "/workspaces/clinic/logs/access";
        let made = server.member(&clinic, Role::Admin);
        let made = made.post("/workspaces/clinic/keys", json!({"name": "new", "role": "viewer"})).expect(201);
        let new = server.bearer(made.json["token"].as_str().expect("a key"));
        let over = || server.nobody().get(path).status == 429;
        wait_until("the address is over its allowance", over);
        let wait = refused(new.get(path));
        assert_eq!(wait, 1);
        wait_until("it had its turn", || new.get(path).status == 200);
    }
);

with_issuer!(
    a_providers_token_that_verified_before_is_not_held_up,
    |config| {
        config.rate_address = 2;
    },
    |server, issuer| {
        server.workspace("clinic");
        let path = "/workspaces/clinic/logs/access";
        let token = |role: &str| server.bearer(&issuer.token(json!({"clinic": role})));
        let (known, new) = (token("viewer"), token("auditor"));
        known.get(path).expect(200);
        heard(401, || server.nobody().get(path));
        known.get(path).expect(200);
        // Good as it is, it was not looked at: a forged one would cost as much.
        refused(new.get(path));
        known.get(path).expect(200);
    }
);

on_both!(without_limits_nothing_is_said_of_them, |server| {
    for path in ["/me", "/workspaces/clinic/logs/access"] {
        assert!(!server.nobody().get(path).expect(401).headers.contains_key("ratelimit"));
        assert!(!server.admin().get(path).headers.contains_key("ratelimit-policy"));
    }
});

fn log_in(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/auth/login", json!({"email": email, "password": password}))
}

fn asha(server: &TestServer) -> Client {
    let mut conn = server.db.conn().expect("a connection");
    let user = users::create(&mut conn, "asha@clinic.test", "Asha Rao", false).expect("a user");
    users::set_password(&mut conn, &user, None, PASSWORD, None).expect("a password");
    server.client(&permissions::claims(&mut conn, &user).expect("claims"))
}

on_both!(whoever_guesses_waits_longer_and_longer, |server| {
    asha(&server);
    let nobody = server.nobody();
    for email in ["asha@clinic.test", "unknown@clinic.test"] {
        // A wait tells nothing of whether there is such an account.
        assert!((5..=7).contains(&heard(401, || log_in(&nobody, email, "wrong horse battery"))), "{email}");
    }
    // The right password waits too; otherwise the answer would tell that it is the right one.
    heard(401, || log_in(&nobody, "asha@clinic.test", "wrong horse battery"));
    let wait = refused(log_in(&nobody, " ASHA@clinic.test", PASSWORD));
    std::thread::sleep(std::time::Duration::from_secs(wait.into()));
    log_in(&nobody, "asha@clinic.test", PASSWORD).expect(200);
    // It made good what was before.
    assert!((5..=7).contains(&heard(401, || log_in(&nobody, "asha@clinic.test", "wrong horse battery"))));
});

on_both!(the_current_password_is_guessed_no_faster, |server| {
    let asha = asha(&server);
    let guess =
        || asha.put("/auth/password", json!({"password": "another horse battery", "current_password": "x"}));
    assert_eq!(guess().expect(403).code(), "wrong_password");
    assert!((4..=6).contains(&heard(403, guess)));
});

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
    pages_of_the_named_origins_may_ask_and_no_others,
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
        // A page of another origin learns why it was refused, as one of ours does.
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
        // Cookies are for Logbook's own pages: no origin is ever given leave to send them.
        let answer = asked_by(&server, OWN).get("/me").expect(200);
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
);

on_both!(where_no_origin_is_named_no_page_elsewhere_may_ask, |server| {
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
        asha(&server);
        let body = json!({"email": "asha@clinic.test", "password": PASSWORD});
        let own = server.nobody().with_header("sec-fetch-site", "same-origin");
        let signed_in = own.post("/auth/login", body.clone()).expect(200);
        let cookie = signed_in.headers["set-cookie"].split(';').next().expect("a cookie").to_owned();
        for site in ["cross-site", "same-site", "nonsense"] {
            let foreign = server.nobody().with_header("sec-fetch-site", site).with_header("origin", OWN);
            let foreign = foreign.with_header("cookie", &cookie);
            for (path, body) in [
                ("/auth/login", body.clone()),
                ("/%61uth/login", body.clone()),
                ("/auth/refresh", Value::Null),
                ("/auth/logout", Value::Null),
            ] {
                let answer = foreign.post(path, body).expect(403);
                assert!(!answer.headers.contains_key("set-cookie"), "{site} {path}");
                assert!(!answer.headers.contains_key("access-control-allow-origin"), "{site} {path}");
            }
        }
        own.with_header("cookie", &cookie).send("POST", "/auth/refresh", "application/json", b"").expect(200);
    }
);
