//! People sign in at an OpenID Connect provider.

use jsonwebtoken::{Algorithm, EncodingKey};
use logbook::accounts::{members, role::Role, sign_in_links, users};
use logbook_tests::{
    TestServer,
    issuer::{CLIENT_ID, CLIENT_SECRET},
    jose::{OTHER_RSA, jws},
    oidc_browser::{CALLBACK, Visit, failed, person, refresh, refresh_cookie, session},
    on_both, with_issuer,
};
use serde_json::{Value, json};

with_issuer!(somebody_signs_in_and_comes_to_the_page_they_wanted, |server, issuer| {
    server.workspace("clinic");
    server.workspace("shop");
    let methods = server.nobody().get("/auth/methods").expect(200).json;
    assert_eq!(methods["provider"], json!({"name": "Clinic ID", "start": "/api/v1/auth/oidc/start"}));

    let visit = Visit::start(&server, "/w/clinic/access?q=a%20b&order=asc");
    let origin = format!("http://{}", server.address);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("scope", "openid email profile"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", &format!("{origin}/api/v1{CALLBACK}")),
    ] {
        assert_eq!(visit.asked[name], value, "{name}");
    }
    for secret in ["state", "nonce", "code_challenge"] {
        assert!(visit.asked[secret].len() >= 22, "{secret}");
        assert_ne!(
            visit.asked[secret],
            Visit::start(&server, "/").asked[secret],
            "{secret} is new each time"
        );
    }
    let mut more = person("asha@clinic.test");
    more["logbook_roles"] = json!({"clinic": "auditor"});
    let answer = visit.finish(&issuer, "asha", more.clone());
    assert_eq!(answer.headers["location"], "/w/clinic/access?q=a%20b&order=asc");
    let client = session(&server, &answer);
    let me = client.get("/me").expect(200).json;
    assert_eq!(
        (&me["user"]["name"], &me["user"]["email"], &me["user"]["has_password"], &me["platform_admin"]),
        (&json!("Asha Rao"), &json!("asha@clinic.test"), &json!(false), &json!(false))
    );
    assert_eq!(me["workspaces"].as_array().map(Vec::len), Some(1));
    client.get("/workspaces/clinic/logs/access").expect(200);
    client.post("/workspaces/clinic/logs/access", json!([{"event_type": "login"}])).expect(403);
    client.get("/workspaces/shop").expect(404);

    // The next time they are the same person, and the provider's new roles replace the old ones.
    more["name"] = json!("Asha Rao-Li");
    more["logbook_roles"] = json!({"shop": "writer"});
    let client = session(&server, &Visit::start(&server, "/").finish(&issuer, "asha", more));
    let again = client.get("/me").expect(200).json;
    assert_eq!((&again["user"]["id"], &again["user"]["name"]), (&me["user"]["id"], &json!("Asha Rao-Li")));
    client.get("/workspaces/clinic").expect(404);
    assert_eq!(client.get("/workspaces/shop").expect(200).json["role"], "writer");
});

with_issuer!(the_sign_in_cookie_is_for_the_way_back_only, |server, issuer| {
    let answer = server.nobody().get("/auth/oidc/start").expect(303);
    let cookie = &answer.headers["set-cookie"];
    for flag in ["HttpOnly", "SameSite=Lax", "Path=/api/v1/auth/oidc", "Max-Age=600"] {
        assert!(cookie.split("; ").any(|part| part == flag), "{flag} in {cookie}");
    }
    assert!(!answer.headers["location"].contains(CLIENT_SECRET) && !cookie.contains(CLIENT_SECRET));
    assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    // It is not an access token.
    let sealed = cookie.split(['=', ';']).nth(1).expect("a value");
    server.bearer(sealed).get("/workspaces").expect(401);
    // It is removed, whatever the result.
    let visit = Visit::start(&server, "/");
    for answer in [visit.back(&[]), visit.finish(&issuer, "asha", json!({}))] {
        let taken = answer.headers["set-cookie"]
            .split('\n')
            .any(|cookie| cookie.starts_with("logbook_sign_in=;") && cookie.contains("Max-Age=0"));
        assert!(taken, "{:?}", answer.headers);
    }
});

with_issuer!(an_answer_that_is_not_the_providers_to_this_browser_signs_nobody_in, |server, issuer| {
    let visit = Visit::start(&server, "/w/clinic");
    let state = visit.asked["state"].as_str();
    let good = |visit: &Visit| issuer.key.sign("ed", &visit.claims(&issuer, "asha"));
    let code = || visit.code(&issuer, good(&visit), json!({"sub": "asha"}));
    failed(&visit.back(&[("code", &code())]), "expired", "no state");
    failed(&visit.back(&[("code", &code()), ("state", "x")]), "expired", "another state");
    failed(&visit.back(&[("code", &code()), ("state", "")]), "expired", "an empty state");
    failed(&visit.back(&[("state", state)]), "invalid", "no code");
    failed(&visit.back(&[("state", state), ("error", "access_denied")]), "refused", "the person said no");
    failed(&visit.back(&[("state", state), ("code", "unknown")]), "invalid", "an unknown code");
    let iss = [("code", &*code()), ("state", state), ("iss", "https://other.example")];
    failed(&visit.back(&iss), "invalid", "an answer of another provider");
    let twice = [("code", &*code()), ("state", state), ("state", state)];
    failed(&visit.back(&twice), "invalid", "two states");
    let parameters = [("code", &*code()), ("state", state)];
    let stranger = server.nobody().query(CALLBACK, &parameters).expect(303);
    failed(&stranger, "expired", "a browser that never left");
    for forged in [
        "logbook_sign_in=",
        "logbook_sign_in=x",
        &format!(
            "logbook_sign_in={}",
            server.admin().headers["authorization"].split(' ').nth(1).expect("a token")
        ),
    ] {
        let answer = server.nobody().with_header("cookie", forged).query(CALLBACK, &parameters).expect(303);
        failed(&answer, "expired", forged);
    }
    let other = Visit::start(&server, "/");
    failed(&other.back(&parameters), "expired", "the cookie of another attempt");
    // A code of another attempt, which has another verifier.
    let stolen = other.code(&issuer, good(&visit), json!({"sub": "asha"}));
    failed(&visit.back_with(&stolen), "invalid", "a stolen code");
    // The failed sign-in still knows the page that was wanted.
    assert!(visit.back(&[]).headers["location"].ends_with("next=%2Fw%2Fclinic"));
    // A code is valid once.
    let code = code();
    session(&server, &visit.back_with(&code));
    failed(&visit.back_with(&code), "invalid", "a code a second time");
});

with_issuer!(an_invalid_id_token_signs_nobody_in, |server, issuer| {
    let now = issuer.claims(json!({}))["iat"].as_i64().expect("a time");
    let visit = Visit::start(&server, "/");
    let good = visit.claims(&issuer, "asha");
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        issuer.key.sign("ed", &claims)
    };
    let hs = |secret: &str| {
        let header = json!({"alg": "HS256"}).to_string();
        jws(header, good.to_string(), &EncodingKey::from_secret(secret.as_bytes()), Algorithm::HS256)
    };
    for (what, token) in [
        ("another nonce", with("nonce", json!("x"))),
        ("no nonce", with("nonce", json!(null))),
        ("a list of nonces", with("nonce", json!([visit.asked["nonce"]]))),
        ("for another client", with("aud", json!("other"))),
        ("an access token", with("aud", json!("logbook-api"))),
        ("for several clients", with("aud", json!([CLIENT_ID, "other"]))),
        ("asked for by another client", with("azp", json!("other"))),
        ("of another issuer", with("iss", json!("https://id.example"))),
        ("expired", with("exp", json!(now - 60))),
        ("not yet good", with("nbf", json!(now + 600))),
        ("of nobody", with("sub", json!(""))),
        ("signed by somebody else", OTHER_RSA.sign("ed", &good)),
        ("signed with the client's secret", hs(CLIENT_SECRET)),
        ("not signed", "eyJhbGciOiJub25lIn0.e30.".into()),
        ("no token", "x".into()),
    ] {
        let code = visit.code(&issuer, token, json!({"sub": "asha"}));
        failed(&visit.back_with(&code), "invalid", what);
    }
    let code = visit.code(&issuer, issuer.key.sign("ed", &good), json!({"sub": "somebody else"}));
    failed(&visit.back_with(&code), "invalid", "another person's details");
    // A token for several clients has to name the one that asked.
    let mut named = good.clone();
    named["aud"] = json!([CLIENT_ID, "other"]);
    named["azp"] = json!(CLIENT_ID);
    let code = visit.code(&issuer, issuer.key.sign("ed", &named), json!({"sub": "asha"}));
    session(&server, &visit.back_with(&code));
});

with_issuer!(an_e_mail_address_counts_only_if_it_is_verified, |server, issuer| {
    let clinic = server.workspace("clinic");
    let asha = {
        let mut conn = server.db.conn().expect("a connection");
        let asha = users::create(&mut conn, "asha@clinic.test", "Asha", false).expect("a user");
        members::set(&mut conn, clinic.id, asha.id, Role::Admin).expect("a member");
        asha.id.to_string()
    };
    let who = |subject: &str, more: Value| {
        let answer = Visit::start(&server, "/").finish(&issuer, subject, more);
        session(&server, &answer).get("/me").expect(200).json
    };
    // Somebody else claims her address, and the provider does not vouch for it.
    for (n, more) in [
        json!({"email": "asha@clinic.test"}),
        json!({"email": "asha@clinic.test", "email_verified": false}),
        json!({"email": "asha@clinic.test", "email_verified": "false"}),
        json!({"email": "asha@clinic.test", "email_verified": 1}),
        json!({"email_verified": true}),
    ]
    .into_iter()
    .enumerate()
    {
        let me = who(&format!("mallory-{n}"), more);
        assert_ne!(me["user"]["id"], asha.as_str());
        assert_eq!(
            (&me["user"]["email"], me["workspaces"].as_array().map(Vec::len)),
            (&json!(null), Some(0))
        );
    }
    // She signs in herself: the role that an admin gave her here takes precedence over the provider's.
    let mut more = person("Asha@Clinic.test");
    more["logbook_roles"] = json!({"clinic": "viewer"});
    let me = who("asha", more.clone());
    assert_eq!((&me["user"]["id"], &me["workspaces"][0]["role"]), (&json!(asha), &json!("admin")));
    // Years later somebody else has her address, but not her account.
    let answer = Visit::start(&server, "/").finish(&issuer, "another asha", more);
    failed(&answer, "email_taken", "an address that was given to somebody else");
    // She is known by her subject, whatever her address is.
    let me = who("asha", person("asha.li@clinic.test"));
    assert_eq!(me["user"]["id"], asha.as_str());
});

with_issuer!(details_from_the_userinfo_endpoint_count_too, |server, issuer| {
    server.workspace("clinic");
    let visit = Visit::start(&server, "/");
    let id_token = issuer.key.sign("ed", &{
        let mut claims = visit.claims(&issuer, "asha");
        let members = claims.as_object_mut().expect("an object");
        members.remove("name");
        members.remove("logbook_roles");
        claims
    });
    let mut userinfo = person("asha@clinic.test");
    userinfo["sub"] = json!("asha");
    userinfo["logbook_roles"] = json!(["logbook:clinic:viewer"]);
    let code = visit.code(&issuer, id_token, userinfo);
    let me = session(&server, &visit.back_with(&code)).get("/me").expect(200).json;
    assert_eq!((&me["user"]["name"], &me["user"]["email"]), (&json!("Asha Rao"), &json!("asha@clinic.test")));
    assert_eq!(me["workspaces"][0]["slug"], "clinic");
});

with_issuer!(
    a_session_asks_the_provider_again_after_some_hours,
    |config| { config.oidc.oidc_session_hours = 1 },
    |server, issuer| {
        let answer = Visit::start(&server, "/").finish(&issuer, "asha", json!({}));
        let cookie = refresh_cookie(&answer).expect("a session");
        // Renewing does not make the session longer.
        let renewed = refresh_cookie(&refresh(&server, &cookie).expect(200)).expect("a cookie");
        let later = |seconds: i64| {
            server.shift("refresh_tokens", "expires_at", -seconds);
            server.shift("sessions", "ends_at", -seconds);
        };
        later(3000);
        let renewed = refresh_cookie(&refresh(&server, &renewed).expect(200)).expect("a cookie");
        later(610);
        assert_eq!(refresh(&server, &renewed).expect(401).code(), "not_signed_in");
    }
);

with_issuer!(the_providers_roles_belong_to_the_sessions_that_it_brought, |server, issuer| {
    server.workspace("clinic");
    let mut more = person("asha@clinic.test");
    more["logbook_roles"] = json!({"clinic": "auditor", "*": "platform_admin"});
    let client = session(&server, &Visit::start(&server, "/").finish(&issuer, "asha", more));
    let me = client.get("/me").expect(200).json;
    assert_eq!(me["platform_admin"], true);
    // The same person by another way: whoever has that way has none of it.
    let id = me["user"]["id"].as_str().and_then(|id| id.parse().ok()).expect("a number");
    let token = sign_in_links::create(&mut server.db.conn().expect("a connection"), id).expect("a link");
    let answer = server.nobody().post("/auth/link", json!({"token": token})).expect(200);
    let by_link = server.bearer(answer.json["access_token"].as_str().expect("a token"));
    let other = by_link.get("/me").expect(200).json;
    assert_eq!((&other["platform_admin"], &other["workspaces"]), (&json!(false), &json!([])));
    // And they end with the time that the provider's word lasts.
    server.shift("identities", "grants_end_at", -12 * 3600);
    let fresh = server.beside_with_keys();
    let token = client.headers["authorization"].split(' ').nth(1).expect("a token").to_owned();
    let later = fresh.bearer(&token).get("/me").expect(200).json;
    assert_eq!((&later["platform_admin"], &later["workspaces"]), (&json!(false), &json!([])));
});

with_issuer!(what_the_provider_changes_ends_the_sessions_from_before, |server, issuer| {
    server.workspace("clinic");
    let sign_in = |roles: Value| {
        let mut more = person("asha@clinic.test");
        more["logbook_roles"] = roles;
        session(&server, &Visit::start(&server, "/").finish(&issuer, "asha", more))
    };
    let first = sign_in(json!({"clinic": "viewer"}));
    let second = sign_in(json!({"clinic": "viewer"}));
    first.get("/workspaces/clinic").expect(200);
    // A copy of an old cookie does not become an admin's.
    let third = sign_in(json!({"clinic": "admin"}));
    for old in [&first, &second] {
        assert_eq!(old.get("/workspaces/clinic").expect(401).code(), "unauthenticated");
    }
    assert_eq!(third.get("/workspaces/clinic").expect(200).json["role"], "admin");
});

with_issuer!(nobody_is_redirected_to_another_site, |server, issuer| {
    for next in ["//attacker.test/", "https://attacker.test", "/\\attacker.test", "/api/v1/me", "w", "/%00"] {
        let answer = Visit::start(&server, next).finish(&issuer, "asha", json!({}));
        let place = &answer.headers["location"];
        assert!(place == "/" || place == "/%00", "{next}: {place}");
    }
    assert_eq!(server.nobody().get("/auth/oidc/start?to=/").expect(400).code(), "unknown_parameter");
    // Another site's page may not start a sign-in; the provider's page, which is on another site, ends it.
    let foreign = server.nobody().with_header("sec-fetch-site", "cross-site");
    foreign.get("/auth/oidc/start").expect(403);
    let visit = Visit::start(&server, "/");
    let claims = visit.claims(&issuer, "asha");
    let code = visit.code(&issuer, issuer.key.sign("ed", &claims), json!({"sub": "asha"}));
    let browser = visit.browser().with_header("sec-fetch-site", "cross-site");
    let answer =
        browser.query(CALLBACK, &[("code", &code), ("state", &visit.asked["state"]), ("session_state", "x")]);
    session(&server, &answer.expect(303));
});

with_issuer!(a_sign_in_says_that_the_provider_is_away, |server, issuer| {
    let visit = Visit::start(&server, "/");
    let id_token = issuer.key.sign("ed", &visit.claims(&issuer, "asha"));
    let code = visit.code(&issuer, id_token, json!({"sub": "asha"}));
    let fresh = TestServer::sqlite_with(|config| config.oidc = issuer.config());
    issuer.state().away = true;
    failed(&fresh.nobody().get("/auth/oidc/start?next=/w/x").expect(303), "unavailable", "at the start");
    failed(&visit.back_with(&code), "unavailable", "at the end");
    issuer.state().away = false;
    fresh.nobody().get("/auth/oidc/start").expect(303);
    session(&server, &visit.back_with(&code));
});

on_both!(without_a_provider_people_sign_in_by_password, |server| {
    let methods = server.nobody().get("/auth/methods").expect(200).json;
    assert_eq!(methods, json!({"password": true, "provider": null}));
    failed(&server.nobody().get("/auth/oidc/start").expect(303), "not_set_up", "start");
    failed(&server.nobody().get(CALLBACK).expect(303), "not_set_up", "callback");
});

with_issuer!(of_two_first_sign_ins_at_once_one_makes_the_user, |server, issuer| {
    let ids = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4)
            .map(|_| {
                let (server, issuer) = (&server, &issuer);
                scope.spawn(move || {
                    let visit = Visit::start(server, "/");
                    let answer = visit.finish(issuer, "asha", person("asha@clinic.test"));
                    session(server, &answer).get("/me").expect(200).json["user"]["id"].clone()
                })
            })
            .collect();
        tries.into_iter().map(|t| t.join().expect("a thread")).collect::<Vec<_>>()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
});
