//! Logbook audits itself: it logs who signs in, who reads and who changes what, in the activity logs of the workspaces
//! concerned.

use logbook::accounts::{members, role::Role, users};
use logbook_engine::db::timestamp::Timestamp;
use logbook_tests::{
    Client, PASSWORD, TestServer,
    audit_events::{actions, audit_events, platform_slug},
    oidc_browser::{Visit, person as claims, refresh, refresh_cookie, session as provider_session},
    on_both,
    server::sample,
    wait::wait_until,
    with_issuer,
};
use serde_json::{Value, json};

const LOGS: &str = "/workspaces/clinic/logs";

/// Somebody with a password, a member of these workspaces.
fn person(server: &TestServer, email: &str, places: &[(i32, Role)]) -> i32 {
    let mut conn = server.db.conn().expect("a connection");
    let user = users::create(&mut conn, email, "Asha Rao", false).expect("a user");
    for (workspace_id, role) in places {
        members::set(&mut conn, *workspace_id, user.id, *role).expect("a member");
    }
    users::set_password(&mut conn, &user, None, PASSWORD, None).expect("a password");
    user.id
}

fn log_in(server: &TestServer, email: &str, password: &str) -> logbook_tests::Answer {
    let client = server.nobody().with_header("user-agent", "Browser of the test");
    client.post("/auth/login", json!({"email": email, "password": password}))
}

fn session(server: &TestServer, email: &str) -> Client {
    let answer = log_in(server, email, PASSWORD).expect(200);
    server.bearer(answer.json["access_token"].as_str().expect("a token"))
}

on_both!(
    a_sign_in_is_logged_in_every_workspace_where_it_is_used,
    |config| {
        config.audit = true;
    },
    |server| {
        let (clinic, shop) = (server.workspace("clinic"), server.workspace("shop"));
        server.workspace("bakery");
        let id = person(&server, "asha@clinic.test", &[(clinic.id, Role::Viewer), (shop.id, Role::Writer)]);
        let wrong = log_in(&server, "asha@clinic.test", "correct horse batterz").expect(401);
        let signed_in = log_in(&server, "asha@clinic.test", PASSWORD).expect(200);
        let token = signed_in.json["access_token"].as_str().expect("a token");
        for slug in ["clinic", "shop", "clinic"] {
            let client = server.bearer(token).with_header("user-agent", "Browser of the test");
            client.get(&format!("/workspaces/{slug}")).expect(200);
        }
        let cookie = signed_in.headers["set-cookie"].split(';').next().expect("a cookie").to_owned();
        server.nobody().with_header("cookie", &cookie).send("POST", "/auth/logout", "application/json", b"");
        // The name of an unknown account is not logged: it may be a password typed into the wrong field.
        log_in(&server, "my-other-password-9", "x").expect(401);

        for slug in ["clinic", "shop"] {
            let events = audit_events(&server, slug);
            assert_eq!(actions(&events), ["login_failed", "login", "logout"], "{slug}");
            for event in &events {
                assert_eq!((&event["log"], &event["source"]), (&json!("activity"), &json!("logbook")));
                assert_eq!(
                    event["actor"],
                    json!({"type": "user", "id": format!("user:{id}"), "name": "Asha Rao"})
                );
                assert_eq!(event["ip_address"], "127.0.0.1");
            }
            assert_eq!(
                (&events[0]["outcome"], &events[0]["outcome_reason"], &events[1]["outcome"]),
                (&json!("failure"), &json!("invalid_credentials"), &json!("success"))
            );
            assert_eq!(events[0]["correlation_id"], wrong.json["request_id"]);
            assert_eq!(events[1]["user_agent"], "Browser of the test");
            assert_eq!(events[1]["metadata"], json!({"method": "password"}));
        }
        assert!(audit_events(&server, "bakery").is_empty());
        let platform = platform_slug(&server);
        let events = audit_events(&server, &platform);
        assert_eq!(actions(&events), ["login_failed", "login", "logout", "login_failed"]);
        assert_eq!(events[3]["actor"], Value::Null);
        assert!(!serde_json::to_string(&events).expect("JSON").contains("my-other-password-9"));
    }
);

on_both!(
    a_stolen_refresh_cookie_is_logged_once,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        let id = person(&server, "asha@clinic.test", &[(clinic.id, Role::Viewer)]);
        let signed_in = log_in(&server, "asha@clinic.test", PASSWORD).expect(200);
        let token = signed_in.json["access_token"].as_str().expect("a token");
        server.bearer(token).get("/workspaces/clinic").expect(200);
        let first = refresh_cookie(&signed_in).expect("a cookie");
        let second = refresh_cookie(&refresh(&server, &first).expect(200)).expect("a cookie");
        // Two tabs, or a lost answer: no theft.
        refresh(&server, &first).expect(200);
        server.shift("refresh_tokens", "replaced_at", -31);
        for cookie in [&first, &first, &second] {
            refresh(&server, cookie).expect(401);
        }
        let platform = platform_slug(&server);
        for slug in ["clinic", &platform] {
            let events = audit_events(&server, slug);
            assert_eq!(actions(&events), ["login", "refresh_token_reused"], "{slug}");
            let event = &events[1];
            assert_eq!(
                (&event["log"], &event["outcome"], &event["outcome_reason"]),
                (&json!("activity"), &json!("failure"), &json!("session_ended"))
            );
            assert_eq!(
                (&event["actor"]["id"], &event["ip_address"]),
                (&json!(format!("user:{id}")), &json!("127.0.0.1"))
            );
        }
    }
);

on_both!(
    a_wrong_current_password_is_logged_as_a_right_one_is,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        person(&server, "asha@clinic.test", &[(clinic.id, Role::Viewer)]);
        let asha = session(&server, "asha@clinic.test");
        asha.get("/workspaces/clinic").expect(200);
        let new = "another horse battery";
        let set = |current: &str| {
            asha.put("/auth/password", json!({"password": new, "current_password": current})).status
        };
        assert_eq!((set("wrong horse battery"), set(PASSWORD)), (403, 204));
        let events = audit_events(&server, "clinic");
        assert_eq!(actions(&events), ["login", "password_set", "password_set"]);
        assert_eq!(
            (&events[1]["outcome"], &events[1]["outcome_reason"], &events[2]["outcome"]),
            (&json!("failure"), &json!("wrong_password"), &json!("success"))
        );
        assert!(!serde_json::to_string(&events).expect("JSON").contains("horse"));
    }
);

with_issuer!(
    roles_that_a_provider_changes_are_logged_where_they_count,
    |config| {
        config.audit = true;
    },
    |server, issuer| {
        server.workspace("clinic");
        server.workspace("shop");
        let sign_in = |roles: Value| {
            let mut more = claims("asha@clinic.test");
            more["logbook_roles"] = roles;
            let answer = Visit::start(&server, "/").finish(&issuer, "asha", more);
            let client = provider_session(&server, &answer);
            let me = client.get("/me").expect(200).json;
            for workspace in me["workspaces"].as_array().expect("workspaces") {
                client
                    .get(&format!("/workspaces/{}", workspace["slug"].as_str().expect("a slug")))
                    .expect(200);
            }
            format!("user:{}", me["user"]["id"].as_str().expect("an id"))
        };
        let id = sign_in(json!({"clinic": "viewer", "shop": "viewer", "nowhere": "admin"}));
        sign_in(json!({"clinic": "viewer", "shop": "viewer"}));
        sign_in(json!({"clinic": "admin", "*": "auditor"}));
        sign_in(json!({"clinic": "admin", "*": "platform_admin"}));
        let changed = |slug: &str| {
            let mut events = audit_events(&server, slug);
            events.retain(|event| event["action"] == "provider_role_changed");
            for event in &events {
                assert_eq!(event["log"], "activity");
                let provider = json!({"type": "service", "id": issuer.url, "name": "Clinic ID"});
                assert_eq!(event["actor"], provider);
                assert_eq!(event["target"], json!({"type": "member", "id": id, "name": "Asha Rao"}));
                assert_eq!(event["metadata"]["via"], "identity provider");
            }
            events.iter().map(|event| event["changes"].clone()).collect::<Vec<_>>()
        };
        // The sign-ins are logged in the workspaces in which the person then used the session. A platform admin's uses all.
        let logins = |slug: &str| {
            actions(&audit_events(&server, slug)).into_iter().filter(|action| *action == "login").count()
        };
        assert_eq!((logins("clinic"), logins("shop"), logins(&platform_slug(&server))), (4, 4, 4));
        assert_eq!(server.audit.lost(), 0);
        let role = |old: Value, new: Value| json!([{"field": "role", "old": old, "new": new}]);
        assert_eq!(
            changed("clinic"),
            [role(json!(null), json!("viewer")), role(json!("viewer"), json!("admin"))]
        );
        assert_eq!(changed("shop"), [role(json!(null), json!("viewer")), role(json!("viewer"), json!(null))]);
        assert_eq!(
            changed(&platform_slug(&server)),
            [
                json!([{"field": "role_everywhere", "old": null, "new": "auditor"}]),
                json!([
                    {"field": "role_everywhere", "old": "auditor", "new": "admin"},
                    {"field": "platform_admin", "old": false, "new": true}
                ])
            ]
        );
    }
);

on_both!(
    administrative_changes_are_in_the_activity_log,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        person(&server, "asha@clinic.test", &[(clinic.id, Role::Admin)]);
        let asha = session(&server, "asha@clinic.test");
        let body = json!({"email": "jo@clinic.test", "role": "viewer"});
        asha.post("/workspaces/clinic/members", body).expect(201);
        let jo = person(&server, "jo@clinic.test", &[]);
        let accepted = session(&server, "jo@clinic.test");
        accepted.send("POST", "/me/invitations/clinic", "application/json", b"").expect(204);
        let jo_path = format!("/workspaces/clinic/members/{jo}");
        asha.put(&jo_path, json!({"role": "auditor"})).expect(200);
        // Nothing changes, so nothing is logged.
        asha.put(&jo_path, json!({"role": "auditor"})).expect(200);
        asha.delete(&jo_path).expect(204);
        let key = asha
            .post("/workspaces/clinic/keys", json!({"name": "Vector", "role": "writer"}))
            .expect(201)
            .json;
        let prefix = key["key"]["prefix"].as_str().expect("a prefix").to_owned();
        asha.delete(&format!("/workspaces/clinic/keys/{prefix}")).expect(204);
        asha.delete(&format!("/workspaces/clinic/keys/{prefix}")).expect(204);
        asha.patch("/workspaces/clinic", json!({"name": "The Clinic"})).expect(200);

        let mut events = audit_events(&server, "clinic");
        events.retain(|event| !event["target"]["type"].is_null());
        let logged: Vec<_> = events
            .iter()
            .map(|event| {
                (
                    event["action"].as_str().unwrap_or_default(),
                    event["target"]["type"].as_str().unwrap_or_default(),
                )
            })
            .collect();
        assert_eq!(
            logged,
            [
                ("member_invited", "invitation"),
                ("invitation_accepted", "member"),
                ("member_role_changed", "member"),
                ("member_removed", "member"),
                ("api_key_created", "api_key"),
                ("api_key_revoked", "api_key"),
                ("workspace_changed", "workspace"),
            ]
        );
        let accepted = events.remove(1);
        assert_eq!(accepted["actor"]["id"], format!("user:{jo}"));
        for event in &events {
            assert_eq!((&event["actor"]["name"], &event["role"]), (&json!("Asha Rao"), &json!("admin")));
        }
        assert_eq!(events[1]["target"]["id"], format!("user:{jo}"));
        assert_eq!(events[1]["changes"], json!([{"field": "role", "old": "viewer", "new": "auditor"}]));
        assert_eq!(events[3]["target"], json!({"type": "api_key", "id": prefix, "name": "Vector"}));
        assert_eq!(events[5]["changes"], json!([{"field": "name", "old": "clinic", "new": "The Clinic"}]));
        let text = serde_json::to_string(&events).expect("JSON");
        let secret = key["token"].as_str().and_then(|token| token.splitn(3, '_').nth(2)).expect("a secret");
        assert!(!text.contains(secret));
    }
);

on_both!(
    reading_is_logged_once_an_hour_and_what_is_searched_never,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        person(&server, "asha@clinic.test", &[(clinic.id, Role::Viewer)]);
        let asha = session(&server, "asha@clinic.test");
        let start = Timestamp::now();
        for _ in 0..3 {
            asha.query(&format!("{LOGS}/access"), &[("q", "rare-disease")]).expect(200);
            asha.query(&format!("{LOGS}/access/metrics"), &[("user_id", "rare-disease")]).expect(200);
            asha.query(&format!("{LOGS}/application"), &[("q", "rare-disease")]).expect(200);
            asha.get(&format!("{LOGS}/feed")).expect(200);
        }
        let mut events = audit_events(&server, "clinic");
        assert!(!serde_json::to_string(&events).expect("JSON").contains("rare-disease"));
        events.retain(|event| event["action"] == "log_read");
        // When an hour ends in between, both hours have their event.
        if start.micros() / 3_600_000_000 == Timestamp::now().micros() / 3_600_000_000 {
            let logs: Vec<_> = events.iter().map(|event| event["metadata"]["log"].clone()).collect();
            assert_eq!(logs, ["access", "application", "feed"]);
        }
        for event in &events {
            assert_eq!(
                (&event["log"], &event["actor"]["name"], &event["role"]),
                (&json!("activity"), &json!("Asha Rao"), &json!("viewer"))
            );
        }
    }
);

on_both!(
    refused_tokens_and_keys_from_new_addresses_are_logged,
    |config| {
        config.audit = true;
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    },
    |server| {
        server.workspace("clinic");
        let made =
            server.admin().post("/workspaces/clinic/keys", json!({"name": "Vector", "role": "writer"}));
        let key = made.expect(201).json;
        let token = key["token"].as_str().expect("a key");
        let path = format!("{LOGS}/access");
        for address in ["198.51.100.4", "198.51.100.4", "203.0.113.9"] {
            let from = server.bearer(token).with_header("x-forwarded-for", address);
            from.post(&path, json!([sample("access", 1)])).expect(201);
        }
        let places = || {
            let mut events = audit_events(&server, "clinic");
            events.retain(|event| event["action"] == "api_key_used_from_new_address");
            events.iter().map(|event| event["ip_address"].clone()).collect::<Vec<_>>()
        };
        // They are logged after the answer, in any order.
        wait_until("both addresses are logged", || places().len() == 2);
        assert!(["198.51.100.4", "203.0.113.9"].iter().all(|address| places().contains(&json!(address))));

        for refused in ["nonsense", "nonsense", &format!("{token}x")] {
            server.bearer(refused).get(&path).expect(401);
        }
        server.bearer("nonsense").get("/workspaces/nowhere/logs/access").expect(401);
        server.bearer("nonsense").get("/me").expect(401);
        let mut events = audit_events(&server, "clinic");
        events.retain(|event| event["action"] == "token_refused");
        let methods: Vec<_> = events.iter().map(|event| event["metadata"]["method"].clone()).collect();
        assert_eq!(methods, ["token", "api_key"]);
        let platform = platform_slug(&server);
        assert_eq!(actions(&audit_events(&server, &platform)), ["token_refused", "token_refused"]);
    }
);

on_both!(
    a_tenant_called_logbook_reads_nothing_of_the_platform,
    |config| {
        config.audit = true;
    },
    |server| {
        server.workspace("logbook");
        log_in(&server, "nobody@clinic.test", "x").expect(401);
        assert_eq!(platform_slug(&server), "logbook-platform");
        assert!(audit_events(&server, "logbook").is_empty());
        assert_eq!(actions(&audit_events(&server, "logbook-platform")), ["login_failed"]);
    }
);

on_both!(nothing_is_logged_where_the_audit_is_off, |server| {
    let clinic = server.workspace("clinic");
    person(&server, "asha@clinic.test", &[(clinic.id, Role::Admin)]);
    let asha = session(&server, "asha@clinic.test");
    asha.get(&format!("{LOGS}/access")).expect(200);
    asha.post("/workspaces/clinic/keys", json!({"name": "Vector", "role": "writer"})).expect(201);
    assert!(audit_events(&server, "clinic").is_empty());
    assert_eq!(server.admin().get("/workspaces").expect(200).data().len(), 1);
});

on_both!(
    an_event_that_cannot_be_stored_is_counted_and_fails_no_request,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        person(&server, "asha@clinic.test", &[(clinic.id, Role::Viewer)]);
        server.sql("ALTER TABLE workspace_sequences RENAME TO gone");
        log_in(&server, "asha@clinic.test", PASSWORD).expect(200);
        wait_until("the loss is counted", || server.audit.lost() > 0);
        server.sql("ALTER TABLE gone RENAME TO workspace_sequences");
        session(&server, "asha@clinic.test").get("/workspaces/clinic").expect(200);
        assert_eq!(actions(&audit_events(&server, "clinic")), ["login"]);
    }
);
