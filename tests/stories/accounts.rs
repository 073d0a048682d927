//! Attacks on accounts, and how sessions and tokens end.

use logbook::accounts::{members, role::Role, users};
use logbook_tests::{
    Answer, Client, PASSWORD, TestServer,
    audit_events::audit_events,
    oidc_browser::{Visit, failed, person, refresh_cookie, session},
    on_both, with_issuer,
};
use serde_json::{Value, json};

const MEMBERS: &str = "/workspaces/clinic/members";

fn log_in(server: &TestServer, email: &str, password: &str) -> Answer {
    server.nobody().post("/auth/login", json!({"email": email, "password": password}))
}

fn bearer(server: &TestServer, answer: &Answer) -> Client {
    server.bearer(answer.json["access_token"].as_str().expect("a token"))
}

fn cookies(answer: &Answer) -> String {
    let set = answer.headers.get("set-cookie").map(String::as_str).unwrap_or_default();
    let pairs: Vec<&str> = set.split('\n').filter_map(|cookie| cookie.split(';').next()).collect();
    pairs.join("; ")
}

fn refresh(server: &TestServer, cookies: &str) -> Answer {
    server.nobody().with_header("cookie", cookies).send("POST", "/auth/refresh", "application/json", b"")
}

on_both!(no_workspace_admin_opens_an_account_for_somebody_elses_address, |server| {
    let clinic = server.workspace("clinic");
    let shop = server.workspace("shop");
    let mallory = server.member(&clinic, Role::Admin);
    let body = json!({"email": "cfo@victim.test", "role": "admin"});
    let sent = mallory.post(MEMBERS, body.clone()).expect(201).json;
    assert_eq!(sent["sign_in_link"], Value::Null);
    let mut conn = server.db.conn().expect("a connection");
    assert!(users::find_by_email(&mut conn, "cfo@victim.test").expect("an answer").is_none());
    drop(conn);
    // The shop makes the address an admin, with a platform admin's word: the link is the first to open an account.
    let sent = server.admin().post("/workspaces/shop/members", body).expect(201).json;
    let token = sent["sign_in_link"].as_str().and_then(|link| link.split("#link=").nth(1)).expect("a link");
    let cfo = bearer(&server, &server.nobody().post("/auth/link", json!({"token": token})).expect(200));
    cfo.get("/workspaces/shop").expect(200);
    // The clinic's invitation waits for the CFO to accept, and gives the clinic nothing.
    cfo.get("/workspaces/clinic").expect(404);
    assert_eq!(mallory.get(MEMBERS).expect(200).data().len(), 0);
    let _ = shop;
});

on_both!(a_link_of_an_invitation_lasts_a_day_whoever_invites_again, |server| {
    let clinic = server.workspace("clinic");
    let body = json!({"email": "asha@clinic.test", "role": "viewer"});
    let sent = server.admin().post(MEMBERS, body.clone()).expect(201).json;
    let token = sent["sign_in_link"].as_str().and_then(|link| link.split("#link=").nth(1)).expect("a link");
    server.shift("invitations", "token_expires_at", -25 * 3600);
    server.member(&clinic, Role::Admin).post(MEMBERS, body).expect(201);
    let answer = server.nobody().post("/auth/link", json!({"token": token})).expect(401);
    assert_eq!(answer.code(), "link_invalid");
});

with_issuer!(whoever_had_the_account_before_its_owner_came_has_nothing_of_it, |server, issuer| {
    let clinic = server.workspace("clinic");
    // Somebody got hold of the account before: a password, a session, a link, a known browser.
    let mut conn = server.db.conn().expect("a connection");
    let user = users::create(&mut conn, "cfo@victim.test", "CFO", false).expect("a user");
    members::set(&mut conn, clinic.id, user.id, Role::Viewer).expect("a member");
    users::set_password(&mut conn, &user, None, PASSWORD, None).expect("a password");
    let link = logbook::accounts::sign_in_links::create(&mut conn, user.id).expect("a link");
    drop(conn);
    let old = log_in(&server, "cfo@victim.test", PASSWORD).expect(200);
    let old_cookies = cookies(&old);
    bearer(&server, &old).get("/workspaces/clinic").expect(200);

    let mut more = person("cfo@victim.test");
    more["logbook_roles"] = json!({"*": "platform_admin"});
    let owner = session(&server, &Visit::start(&server, "/").finish(&issuer, "cfo", more));
    assert_eq!(owner.get("/me").expect(200).json["platform_admin"], true);
    // What the account was a member of is hers.
    owner.get("/workspaces/clinic").expect(200);
    assert_eq!(bearer(&server, &old).get("/me").expect(401).code(), "unauthenticated");
    refresh(&server, &old_cookies).expect(401);
    log_in(&server, "cfo@victim.test", PASSWORD).expect(401);
    server.nobody().post("/auth/link", json!({"token": link})).expect(401);
});

with_issuer!(an_address_that_becomes_another_one_in_lower_case_is_none, |server, issuer| {
    let mut conn = server.db.conn().expect("a connection");
    users::create(&mut conn, "kate@victim.test", "Kate", true).expect("a user");
    drop(conn);
    let answer = Visit::start(&server, "/").finish(&issuer, "mallory", person("\u{212a}ate@victim.test"));
    let me = session(&server, &answer).get("/me").expect(200).json;
    assert_eq!((&me["platform_admin"], &me["user"]["email"]), (&json!(false), &Value::Null));
    log_in(&server, "\u{212a}ate@victim.test", "x").expect(401);
});

on_both!(a_session_ends_at_once_with_its_access_tokens, |server| {
    server.workspace("clinic");
    server.user("asha@clinic.test");
    let begin = || {
        let answer = log_in(&server, "asha@clinic.test", PASSWORD).expect(200);
        (bearer(&server, &answer), cookies(&answer))
    };
    // Signing out.
    let (client, cookie) = begin();
    let other = begin();
    client.get("/me").expect(200);
    server
        .nobody()
        .with_header("cookie", &cookie)
        .send("POST", "/auth/logout", "application/json", b"")
        .expect(204);
    assert_eq!(client.get("/me").expect(401).code(), "unauthenticated");
    other.0.get("/me").expect(200);
    // A refresh cookie that was used before.
    let (client, cookie) = begin();
    client.get("/me").expect(200);
    refresh(&server, &cookie).expect(200);
    server.shift("refresh_tokens", "replaced_at", -31);
    refresh(&server, &cookie).expect(401);
    client.get("/me").expect(401);
    // A changed password, on another server too.
    let (client, _) = begin();
    let (here, _) = begin();
    let beside = server.beside_with_keys();
    let token = client.headers["authorization"].split(' ').nth(1).expect("a token").to_owned();
    beside.bearer(&token).get("/me").expect(200);
    let new = json!({"password": "another long password", "current_password": PASSWORD});
    here.put("/auth/password", new).expect(204);
    here.get("/me").expect(200);
    client.get("/me").expect(401);
    logbook_tests::wait::wait_until("the other server refuses it", || {
        beside.bearer(&token).get("/me").status == 401
    });
});

on_both!(a_session_ends_after_a_month_however_much_it_is_used, |server| {
    server.user("asha@clinic.test");
    let answer = log_in(&server, "asha@clinic.test", PASSWORD).expect(200);
    server.shift("sessions", "ends_at", -30 * 86_400);
    refresh(&server, &cookies(&answer)).expect(401);
});

on_both!(people_see_and_end_their_sessions, |server| {
    server.user("jo@clinic.test");
    let client = server.user("asha@clinic.test");
    let other = bearer(&server, &log_in(&server, "asha@clinic.test", PASSWORD).expect(200));
    let list = client.get("/me/sessions").expect(200);
    assert_eq!(list.data().len(), 2);
    let theirs = list.data().iter().find(|session| session["current"] == false).expect("the other one");
    let path = format!("/me/sessions/{}", theirs["id"].as_str().expect("an id"));
    let jo = bearer(&server, &log_in(&server, "jo@clinic.test", PASSWORD).expect(200));
    jo.delete(&path).expect(404);
    other.get("/me").expect(200);
    client.delete(&path).expect(204);
    other.get("/me").expect(401);
    client.get("/me").expect(200);
});

with_issuer!(a_disabled_account_is_closed_to_everybody, |server, issuer| {
    server.workspace("clinic");
    let asha =
        session(&server, &Visit::start(&server, "/").finish(&issuer, "asha", person("asha@clinic.test")));
    let me = asha.get("/me").expect(200).json;
    let path = format!("/users/{}", me["user"]["id"].as_str().expect("an id"));
    asha.put("/auth/password", json!({"password": PASSWORD})).expect(204);
    let changed = server.admin().patch(&path, json!({"disabled": true})).expect(200).json;
    assert_eq!(changed["disabled"], true);
    asha.get("/me").expect(401);
    log_in(&server, "asha@clinic.test", PASSWORD).expect(401);
    let answer = Visit::start(&server, "/").finish(&issuer, "asha", person("asha@clinic.test"));
    failed(&answer, "disabled", "an account that is disabled");
    server.admin().patch(&path, json!({"disabled": false})).expect(200);
    log_in(&server, "asha@clinic.test", PASSWORD).expect(200);
});

on_both!(one_platform_admin_stays, |server| {
    let mut conn = server.db.conn().expect("a connection");
    let only = users::create(&mut conn, "root@localhost", "Root", true).expect("a user");
    drop(conn);
    let path = format!("/users/{}", only.id);
    for body in [json!({"disabled": true}), json!({"platform_admin": false})] {
        assert_eq!(server.admin().patch(&path, body).expect(409).code(), "conflict");
    }
});

with_issuer!(a_password_is_set_only_just_after_signing_in, |server, issuer| {
    let answer = Visit::start(&server, "/").finish(&issuer, "asha", person("asha@clinic.test"));
    let client = session(&server, &answer);
    server.shift("sessions", "created_at", -16 * 60);
    let body = json!({"password": PASSWORD});
    assert_eq!(client.put("/auth/password", body.clone()).expect(403).code(), "sign_in_again");
    let answer = Visit::start(&server, "/").finish(&issuer, "asha", person("asha@clinic.test"));
    assert!(refresh_cookie(&answer).is_some());
    session(&server, &answer).put("/auth/password", body).expect(204);
});

on_both!(passwords_that_are_easy_to_guess_are_refused, |server| {
    let client = server.user("asha@clinic.test");
    for easy in ["password1234", "asha@clinic.test", "qwertyuiop12", "clinicclinic"] {
        let body = json!({"password": easy, "current_password": PASSWORD});
        let answer = client.put("/auth/password", body).expect(422);
        assert_eq!(answer.places(), ["/password"], "{easy}");
    }
});

on_both!(
    wrong_passwords_from_elsewhere_do_not_lock_the_owner_out,
    |config| {
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    },
    |server| {
        server.user("asha@clinic.test");
        let from = |address: &str, cookie: &str, password: &str| {
            let client =
                server.nobody().with_header("x-forwarded-for", address).with_header("cookie", cookie);
            client.post("/auth/login", json!({"email": "asha@clinic.test", "password": password}))
        };
        let known = cookies(&from("198.51.100.4", "", PASSWORD).expect(200));
        for n in 0..8 {
            from(&format!("203.0.113.{n}"), "", "wrong");
        }
        // A browser that is not known waits, even with the right password; hers does not.
        assert_eq!(from("203.0.113.99", "", PASSWORD).expect(429).code(), "rate_limited");
        from("203.0.113.99", "logbook_browser=made-up", PASSWORD).expect(429);
        let again = from("198.51.100.5", &known, PASSWORD).expect(200);
        assert!(cookies(&again).contains("logbook_browser="));
        // The cookie of a known browser is good for its person alone, signs nobody in, and has a bound of its own.
        server.user("jo@clinic.test");
        let tries: Vec<u16> = (0..8).map(|_| from("198.51.100.6", &known, "wrong").status).collect();
        assert!(tries.contains(&429), "{tries:?}");
    }
);

on_both!(
    behind_tls_cookies_are_bound_to_the_host,
    |config| {
        config.public_url = Some("https://logbook.example".parse().expect("a URL"));
    },
    |server| {
        server.user("asha@clinic.test");
        let answer = log_in(&server, "asha@clinic.test", PASSWORD).expect(200);
        for cookie in answer.headers["set-cookie"].split('\n') {
            assert!(cookie.starts_with("__Host-logbook_"), "{cookie}");
            let parts: Vec<&str> = cookie.split("; ").collect();
            assert!(
                parts.contains(&"Secure") && parts.contains(&"Path=/") && parts.contains(&"HttpOnly"),
                "{cookie}"
            );
        }
        assert_eq!(answer.headers["strict-transport-security"], "max-age=31536000");
        refresh(&server, &cookies(&answer)).expect(200);
        // A cookie that another host of the domain may have set is not read.
        refresh(&server, &cookies(&answer).replace("__Host-", "")).expect(401);
    }
);

on_both!(
    a_workspace_learns_of_a_sign_in_only_where_the_session_is_used,
    |config| {
        config.audit = true;
    },
    |server| {
        let (clinic, shop) = (server.workspace("clinic"), server.workspace("shop"));
        let mut conn = server.db.conn().expect("a connection");
        let user = users::create(&mut conn, "asha@clinic.test", "Asha Rao", false).expect("a user");
        for workspace in [&clinic, &shop] {
            members::set(&mut conn, workspace.id, user.id, Role::Viewer).expect("a member");
        }
        users::set_password(&mut conn, &user, None, PASSWORD, None).expect("a password");
        drop(conn);
        let answer = log_in(&server, "asha@clinic.test", PASSWORD).expect(200);
        let client = bearer(&server, &answer);
        client.get("/me").expect(200);
        client.get("/workspaces/clinic").expect(200);
        client.get("/workspaces/clinic").expect(200);
        let sign_out = server.nobody().with_header("cookie", &cookies(&answer));
        sign_out.send("POST", "/auth/logout", "application/json", b"").expect(204);
        server.settle();
        let actions = |slug: &str| {
            let events = audit_events(&server, slug);
            events
                .iter()
                .map(|event| event["action"].as_str().expect("an action").to_owned())
                .collect::<Vec<_>>()
        };
        let count = |slug: &str, action: &str| actions(slug).iter().filter(|found| *found == action).count();
        assert_eq!((count("clinic", "login"), count("clinic", "logout")), (1, 1));
        assert_eq!((count("shop", "login"), count("shop", "logout")), (0, 0));
        let members = server.admin().get("/workspaces/shop/members").expect(200);
        assert_eq!(members.data()[0]["last_sign_in_at"], Value::Null);
    }
);

on_both!(keys_of_somebody_who_left_are_shown_as_such, |server| {
    let clinic = server.workspace("clinic");
    let mut conn = server.db.conn().expect("a connection");
    let user = users::create(&mut conn, "asha@clinic.test", "Asha Rao", false).expect("a user");
    let other = users::create(&mut conn, "jo@clinic.test", "Jo", false).expect("a user");
    for user in [&user, &other] {
        members::set(&mut conn, clinic.id, user.id, Role::Admin).expect("a member");
    }
    drop(conn);
    let asha = server.client(&server.signed_in(&user));
    asha.post("/workspaces/clinic/keys", json!({"name": "hers", "role": "writer"})).expect(201);
    let removed =
        || server.admin().get("/workspaces/clinic/keys").expect(200).data()[0]["creator_removed"].clone();
    assert_eq!(removed(), false);
    server.admin().delete(&format!("{MEMBERS}/{}", user.id)).expect(204);
    assert_eq!(removed(), true);
});

on_both!(a_scripts_token_is_known_by_its_id_and_revoked, |server| {
    let admin = server.admin();
    admin.get("/workspaces").expect(200);
    server.sql("UPDATE script_tokens SET revoked_at = created_at");
    // What this server remembers is over in two seconds.
    logbook_tests::wait::wait_until("the server refuses it", || admin.get("/workspaces").status == 401);
    // A token without an id is nobody's, though it is signed.
    let claims = logbook::accounts::claims::Claims::new("token:".into(), "x".into(), 60);
    let signed =
        logbook::auth::tokens::Tokens::from_data_dir(&server.data.data_dir).expect("keys").sign(&claims);
    assert_eq!(
        server.bearer(&signed.expect("a token")).get("/workspaces").expect(401).code(),
        "unauthenticated"
    );
});
