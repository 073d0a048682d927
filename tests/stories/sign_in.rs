//! People sign in, stay signed in and sign out.

use logbook::accounts::{
    members,
    role::Role,
    sign_in_links,
    users::{self, User},
    workspaces::Workspace,
};
use logbook_tests::{Answer, Client, PASSWORD, TestServer, on_both};
use serde_json::{Value, json};

/// A person who set a password by their sign-in link.
fn person(server: &TestServer, email: &str) -> User {
    let user = users::create(&mut server.db.conn().expect("a connection"), email, "Asha Rao", false)
        .expect("a user");
    let session = server.nobody().post("/auth/link", json!({"token": link(server, &user)})).expect(200);
    bearer(server, &session).put("/auth/password", json!({"password": PASSWORD})).expect(204);
    user
}

fn link(server: &TestServer, user: &User) -> String {
    sign_in_links::create(&mut server.db.conn().expect("a connection"), user.id).expect("a link")
}

fn log_in(server: &TestServer, email: &str, password: &str) -> Answer {
    server.nobody().post("/auth/login", json!({"email": email, "password": password}))
}

/// The value of the refresh cookie that an answer sets.
#[track_caller]
fn cookie(answer: &Answer) -> String {
    let cookies = answer.headers.get("set-cookie").expect("a cookie");
    let value = cookies.split('\n').find_map(|cookie| cookie.strip_prefix("logbook_refresh="));
    value.and_then(|rest| rest.split(';').next()).expect("the refresh cookie").to_owned()
}

fn with_cookie(server: &TestServer, value: &str) -> Client {
    server.nobody().with_header("cookie", &format!("logbook_refresh={value}"))
}

fn refresh(server: &TestServer, value: &str) -> Answer {
    with_cookie(server, value).send("POST", "/auth/refresh", "application/json", b"")
}

fn bearer(server: &TestServer, answer: &Answer) -> Client {
    server.bearer(answer.json["access_token"].as_str().expect("a token"))
}

on_both!(a_link_signs_in_once, |server| {
    let admin = users::first_admin(&mut server.db.conn().expect("a connection")).expect("the first admin");
    let token = link(&server, &admin);
    let answer = server.nobody().post("/auth/link", json!({"token": token})).expect(200);
    assert_eq!((&answer.json["token_type"], &answer.json["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(
        answer.json["user"],
        json!({"id": admin.id.to_string(), "name": "Platform Admin", "email": "admin@localhost", "has_password": false})
    );
    bearer(&server, &answer).get("/me").expect(200);
    for token in [token.as_str(), "x", &token.to_lowercase(), "a\u{0}b"] {
        let answer = server.nobody().post("/auth/link", json!({"token": token})).expect(401);
        assert_eq!(answer.code(), "link_invalid");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    let expired = link(&server, &admin);
    server.shift("sign_in_links", "expires_at", -25 * 3600);
    assert_eq!(
        server.nobody().post("/auth/link", json!({"token": expired})).expect(401).code(),
        "link_invalid"
    );
});

on_both!(of_many_who_use_a_link_at_once_one_signs_in, |server| {
    let user = person(&server, "asha@clinic.test");
    let token = link(&server, &user);
    let came_in = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| server.nobody().post("/auth/link", json!({"token": token})).status))
            .collect();
        tries.into_iter().map(|t| t.join().expect("a thread")).filter(|status| *status == 200).count()
    });
    assert_eq!(came_in, 1);
});

on_both!(a_password_signs_in_and_a_wrong_one_reveals_nothing, |server| {
    person(&server, "Asha@Clinic.test");
    let mut conn = server.db.conn().expect("a connection");
    users::create(&mut conn, "link-only@clinic.test", "Jo", false).expect("a user");
    drop(conn);
    for email in ["asha@clinic.test", " ASHA@clinic.TEST "] {
        assert_eq!(log_in(&server, email, PASSWORD).expect(200).json["user"]["email"], "asha@clinic.test");
    }
    let wrong = |email: &str, password: &str| {
        let mut answer = log_in(&server, email, password).expect(401);
        assert!(!answer.headers.contains_key("set-cookie"));
        answer.json["request_id"] = Value::Null;
        answer.json
    };
    let answer = wrong("asha@clinic.test", "correct horse batterz");
    assert_eq!(answer["code"], "invalid_credentials");
    for (email, password) in
        [("nobody@clinic.test", PASSWORD), ("link-only@clinic.test", PASSWORD), ("asha@clinic.test", " ")]
    {
        assert_eq!(wrong(email, password), answer, "{email}");
    }
    for (body, place) in [
        (json!({"email": "asha@clinic.test"}), "/password"),
        (json!({"email": "", "password": "x"}), "/email"),
        (json!({"email": "a\u{0}b", "password": "x"}), "/email"),
        (json!({"email": "a", "password": "x".repeat(201)}), "/password"),
        (json!({"email": "a", "password": "x", "remember": true}), "/remember"),
        (json!(["asha@clinic.test", PASSWORD]), ""),
    ] {
        assert_eq!(server.nobody().post("/auth/login", body).expect(422).places(), [place]);
    }
    let malformed = server.nobody().send("POST", "/auth/login", "application/json", b"{");
    assert_eq!(malformed.expect(400).code(), "malformed_json");
    let large = server.nobody().send("POST", "/auth/login", "application/json", &vec![b' '; 70_000]);
    assert_eq!(large.expect(413).code(), "body_too_large");
});

on_both!(the_refresh_cookie_is_for_this_server_only, |server| {
    person(&server, "asha@clinic.test");
    let answer = log_in(&server, "asha@clinic.test", PASSWORD).expect(200);
    let header = answer.headers["set-cookie"].split('\n').next().expect("the refresh cookie");
    for flag in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/auth", "Max-Age=1209600"] {
        assert!(header.split("; ").any(|part| part == flag), "{flag} in {header}");
    }
    assert!(!header.contains("Secure") && !header.contains("Domain"), "{header}");
    assert_eq!(answer.headers["cache-control"], "no-store");
});

on_both!(
    behind_tls_the_cookie_is_secure,
    |config| {
        config.public_url = Some("https://logbook.example".parse().expect("a URL"));
    },
    |server| {
        person(&server, "asha@clinic.test");
        let answer = log_in(&server, "asha@clinic.test", PASSWORD).expect(200);
        assert!(answer.headers["set-cookie"].contains("; Secure"), "{:?}", answer.headers);
    }
);

/// As if every refresh token had been replaced so long ago that no second tab can still use it.
fn after_the_grace(server: &TestServer) {
    server.shift("refresh_tokens", "replaced_at", -31);
}

on_both!(a_session_is_renewed_with_a_new_cookie_each_time, |server| {
    person(&server, "asha@clinic.test");
    let first = cookie(&log_in(&server, "asha@clinic.test", PASSWORD).expect(200));
    let renewed = refresh(&server, &first).expect(200);
    let second = cookie(&renewed);
    assert_ne!(first, second);
    bearer(&server, &renewed).get("/me").expect(200);
    refresh(&server, &first).expect(200);
    let third = cookie(&refresh(&server, &second).expect(200));
    for bad in ["", "x", &first[1..], "%00"] {
        assert_eq!(refresh(&server, bad).expect(401).code(), "not_signed_in", "{bad}");
    }
    assert_eq!(
        server.nobody().send("POST", "/auth/refresh", "application/json", b"").expect(401).code(),
        "not_signed_in"
    );

    // Whoever sends an old cookie after the grace period has a copy: the session ends for both.
    after_the_grace(&server);
    assert_eq!(refresh(&server, &first).expect(401).code(), "not_signed_in");
    assert_eq!(refresh(&server, &third).expect(401).code(), "not_signed_in");
});

on_both!(of_two_who_use_one_cookie_at_once_only_one_goes_on, |server| {
    person(&server, "asha@clinic.test");
    let begin = || {
        let first = cookie(&log_in(&server, "asha@clinic.test", PASSWORD).expect(200));
        // The browser, and whoever has a copy of its cookie.
        let [own, stolen] = [0, 1].map(|_| cookie(&refresh(&server, &first).expect(200)));
        after_the_grace(&server);
        (first, own, stolen)
    };
    // A quarter of an hour later one of them renews; within the grace period the other may be its second tab.
    let (_, own, stolen) = begin();
    let next = cookie(&refresh(&server, &own).expect(200));
    refresh(&server, &stolen).expect(200);
    // Later one of the two is a thief, so every session from that cookie ends.
    after_the_grace(&server);
    refresh(&server, &stolen).expect(401);
    for cookie in [&next, &own, &stolen] {
        refresh(&server, cookie).expect(401);
    }
    // If the thief renews first, the browser's own cookie reveals it.
    let (_, own, stolen) = begin();
    let next = cookie(&refresh(&server, &stolen).expect(200));
    after_the_grace(&server);
    refresh(&server, &own).expect(401);
    refresh(&server, &next).expect(401);
    // Another session of the same person goes on.
    let elsewhere = cookie(&log_in(&server, "asha@clinic.test", PASSWORD).expect(200));
    let (first, own, _) = begin();
    refresh(&server, &first).expect(401);
    refresh(&server, &own).expect(401);
    refresh(&server, &elsewhere).expect(200);
});

on_both!(tabs_that_renew_at_once_stay_signed_in, |server| {
    person(&server, "asha@clinic.test");
    let mut current = cookie(&log_in(&server, "asha@clinic.test", PASSWORD).expect(200));
    // A browser keeps the cookie of the answer that came last, whichever that is.
    for round in 0..4 {
        let answers: Vec<String> = std::thread::scope(|scope| {
            let tabs: Vec<_> =
                (0..4).map(|_| scope.spawn(|| cookie(&refresh(&server, &current).expect(200)))).collect();
            tabs.into_iter().map(|tab| tab.join().expect("a thread")).collect()
        });
        current.clone_from(&answers[round]);
        after_the_grace(&server);
    }
    refresh(&server, &current).expect(200);
});

on_both!(a_session_ends_after_two_weeks_without_use, |server| {
    person(&server, "asha@clinic.test");
    let value = cookie(&log_in(&server, "asha@clinic.test", PASSWORD).expect(200));
    server.shift("refresh_tokens", "expires_at", -14 * 86_400);
    refresh(&server, &value).expect(401);
});

on_both!(signing_out_ends_the_session_and_removes_the_cookie, |server| {
    person(&server, "asha@clinic.test");
    let here = cookie(&log_in(&server, "asha@clinic.test", PASSWORD).expect(200));
    let elsewhere = cookie(&log_in(&server, "asha@clinic.test", PASSWORD).expect(200));
    let newer = cookie(&refresh(&server, &here).expect(200));
    let answer =
        with_cookie(&server, &newer).send("POST", "/auth/logout", "application/json", b"").expect(204);
    assert!(
        answer.headers["set-cookie"].contains("logbook_refresh=;")
            && answer.headers["set-cookie"].contains("Max-Age=0")
    );
    refresh(&server, &newer).expect(401);
    refresh(&server, &here).expect(401);
    refresh(&server, &elsewhere).expect(200);
    server.nobody().send("POST", "/auth/logout", "application/json", b"").expect(204);
});

on_both!(setting_a_password_ends_other_sessions, |server| {
    let user = users::create(&mut server.db.conn().expect("a connection"), "jo@clinic.test", "Jo", false)
        .expect("a user");
    let here = server.nobody().post("/auth/link", json!({"token": link(&server, &user)})).expect(200);
    let elsewhere = server.nobody().post("/auth/link", json!({"token": link(&server, &user)})).expect(200);
    let client = bearer(&server, &here);
    assert_eq!(
        client.put("/auth/password", json!({"password": "elevenchars"})).expect(422).places(),
        ["/password"]
    );
    client.put("/auth/password", json!({"password": PASSWORD})).expect(204);
    assert_eq!(client.get("/me").expect(200).json["user"]["has_password"], true);
    refresh(&server, &cookie(&elsewhere)).expect(401);
    let here = refresh(&server, &cookie(&here)).expect(200);
    log_in(&server, "jo@clinic.test", PASSWORD).expect(200);

    let client = bearer(&server, &here);
    let new = "another long password";
    for current in [json!(null), json!("wrong"), json!("")] {
        let answer =
            client.put("/auth/password", json!({"password": new, "current_password": current})).expect(403);
        assert_eq!(
            (answer.code(), answer.places().as_slice()),
            ("wrong_password", ["/current_password"].as_slice())
        );
    }
    client.put("/auth/password", json!({"password": new, "current_password": PASSWORD})).expect(204);
    log_in(&server, "jo@clinic.test", PASSWORD).expect(401);
    log_in(&server, "jo@clinic.test", new).expect(200);
    server.admin().put("/auth/password", json!({"password": new})).expect(403);
});

on_both!(me_says_who_i_am_and_where_i_may_go, |server| {
    let clinic: Workspace = server.workspace("clinic");
    server.workspace("shop");
    let user = person(&server, "asha@clinic.test");
    members::set(&mut server.db.conn().expect("a connection"), clinic.id, user.id, Role::Auditor)
        .expect("a member");
    let client = bearer(&server, &log_in(&server, "asha@clinic.test", PASSWORD).expect(200));
    let me = client.get("/me").expect(200).json;
    assert_eq!(
        me["user"],
        json!({"id": user.id.to_string(), "name": "Asha Rao", "email": "asha@clinic.test", "has_password": true})
    );
    assert_eq!(me["platform_admin"], false);
    assert_eq!(me["workspaces"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&me["workspaces"][0]["slug"], &me["workspaces"][0]["role"]),
        (&json!("clinic"), &json!("auditor"))
    );
    client.get("/workspaces/clinic/logs/access").expect(200);
    client.get("/workspaces/shop/logs/access").expect(404);

    let script = server.admin().get("/me").expect(200).json;
    assert_eq!(
        script["user"],
        json!({"id": "token:test", "name": "test", "email": null, "has_password": false})
    );
    assert_eq!(
        (&script["platform_admin"], script["workspaces"].as_array().map(Vec::len)),
        (&json!(true), Some(2))
    );
});

on_both!(signing_in_ends_the_session_that_the_browser_had, |server| {
    let asha = person(&server, "asha@clinic.test");
    person(&server, "jo@clinic.test");
    let first = log_in(&server, "asha@clinic.test", PASSWORD).expect(200);
    let browser = with_cookie(&server, &cookie(&first));
    let credentials = |password: &str| json!({"email": "jo@clinic.test", "password": password});
    browser.post("/auth/login", credentials("not the password")).expect(401);
    bearer(&server, &first).get("/me").expect(200);
    let second = browser.post("/auth/login", credentials(PASSWORD)).expect(200);
    bearer(&server, &first).get("/me").expect(401);
    refresh(&server, &cookie(&first)).expect(401);
    // By a link too; other sessions stay.
    let elsewhere = log_in(&server, "jo@clinic.test", PASSWORD).expect(200);
    let browser = with_cookie(&server, &cookie(&second));
    let third = browser.post("/auth/link", json!({"token": link(&server, &asha)})).expect(200);
    bearer(&server, &second).get("/me").expect(401);
    for session in [third, elsewhere] {
        bearer(&server, &session).get("/me").expect(200);
    }
});
