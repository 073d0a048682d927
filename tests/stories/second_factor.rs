//! The second factor: what a password alone opens, what a code is worth, and how it is lost and found.

use std::thread;

use diesel::{QueryDsl as _, RunQueryDsl as _};
use logbook::{
    accounts::{members, role::Role, sign_in_links, users},
    auth::tokens::Tokens,
};
use logbook_engine::db::schema::{recovery_codes, second_factors as rows};
use logbook_tests::{
    Answer, Authenticator, Client, PASSWORD, TestServer,
    audit_events::{actions, audit_events, platform_slug},
    authenticator::half_a_minute_later,
    oidc_browser::{Visit, person, session},
    on_both, process, with_issuer,
};
use serde_json::{Value, json};

pub(crate) const EMAIL: &str = "asha@clinic.test";

pub(crate) fn log_in(client: &Client, code: Option<&str>) -> Answer {
    let mut body = json!({"email": EMAIL, "password": PASSWORD});
    if let Some(code) = code {
        body["code"] = code.into();
    }
    client.post("/auth/login", body)
}

fn bearer(server: &TestServer, answer: &Answer) -> Client {
    server.bearer(answer.json["access_token"].as_str().expect("a token"))
}

fn cookies(answer: &Answer) -> String {
    let set = answer.headers.get("set-cookie").map(String::as_str).unwrap_or_default();
    set.split('\n').filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
}

/// Asha, signed in, and her app.
pub(crate) fn asha(server: &TestServer) -> (Client, Authenticator) {
    let client = server.user(EMAIL);
    let app = Authenticator::turn_on(server, &client);
    (client, app)
}

#[track_caller]
fn refused(answer: Answer, code: &str) {
    let answer = answer.expect(403);
    assert_eq!(answer.code(), code);
    assert!(!answer.headers.contains_key("set-cookie"), "{:?}", answer.headers);
    assert_eq!(answer.json.get("access_token"), None);
}

on_both!(it_is_set_up_with_a_code_and_shows_its_secrets_once, |server| {
    let client = server.user(EMAIL);
    let other = bearer(&server, &log_in(&server.nobody(), None).expect(200));
    let me = client.get("/me").expect(200).json;
    assert_eq!((&me["second_factor"], &me["recovery_codes_left"]), (&json!(false), &json!(0)));
    client.put("/me/second_factor", json!({"code": "123456"})).expect(409);
    client.delete("/me/second_factor").expect(404);

    let first = client.post("/me/second_factor", json!(null)).expect(201).json;
    let made = client.post("/me/second_factor", json!(null)).expect(201);
    assert_eq!(made.headers["cache-control"], "no-store");
    let secret = made.json["secret"].as_str().expect("a secret");
    assert_eq!(secret.len(), 32);
    let uri = format!("otpauth://totp/Logbook:asha%40clinic.test?secret={secret}&issuer=Logbook");
    assert_eq!(made.json["uri"].as_str().map(str::to_lowercase), Some(uri.to_lowercase()));
    // It is not asked for until its app has shown a code.
    assert_eq!(client.get("/me").expect(200).json["second_factor"], false);
    log_in(&server.nobody(), None).expect(200);
    let app = Authenticator::new(secret);
    let old = Authenticator::new(first["secret"].as_str().expect("a secret"));
    for code in [old.code(0), app.wrong_code(), "12345".into(), "abcdef".into()] {
        refused(client.put("/me/second_factor", json!({"code": code})), "second_factor_wrong");
    }
    let code = app.code(0);
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let on = client.put("/me/second_factor", json!({"code": spaced})).expect(200).json;
    let codes: Vec<String> = serde_json::from_value(on["recovery_codes"].clone()).expect("codes");
    assert_eq!(codes.len(), 10);
    assert!(codes.iter().all(|code| code.len() == 29), "{codes:?}");
    // Whoever came in by the password alone is out.
    other.get("/me").expect(401);
    let me = client.get("/me").expect(200);
    assert_eq!((&me.json["second_factor"], &me.json["recovery_codes_left"]), (&json!(true), &json!(10)));
    assert!(!me.text.contains(secret) && !codes.iter().any(|code| me.text.contains(code)));
    assert_eq!(client.post("/me/second_factor", json!(null)).expect(409).code(), "conflict");
    // The code that confirmed it signs nobody in.
    refused(log_in(&server.nobody(), Some(&code)), "second_factor_wrong");
});

on_both!(a_secret_that_nobody_confirms_in_time_is_none, |server| {
    let client = server.user(EMAIL);
    let made = client.post("/me/second_factor", json!(null)).expect(201).json;
    let app = Authenticator::new(made["secret"].as_str().expect("a secret"));
    server.shift("second_factors", "created_at", -16 * 60);
    client.put("/me/second_factor", json!({"code": app.code(0)})).expect(409);
});

on_both!(a_stolen_token_neither_sets_it_up_nor_turns_it_off, |server| {
    let client = server.user(EMAIL);
    server.shift("sessions", "created_at", -16 * 60);
    assert_eq!(client.post("/me/second_factor", json!(null)).expect(403).code(), "sign_in_again");
    let client = bearer(&server, &log_in(&server.nobody(), None).expect(200));
    let app = Authenticator::turn_on(&server, &client);
    server.shift("sessions", "created_at", -16 * 60);
    assert_eq!(client.delete("/me/second_factor").expect(403).code(), "sign_in_again");
    // Signing in again takes the code.
    let client = bearer(&server, &log_in(&server.nobody(), Some(&app.code(0))).expect(200));
    client.delete("/me/second_factor").expect(204);
    log_in(&server.nobody(), None).expect(200);
    assert_eq!(client.get("/me").expect(200).json["recovery_codes_left"], 0);
});

on_both!(the_password_alone_opens_nothing_and_a_wrong_one_does_not_tell, |server| {
    let (_, app) = asha(&server);
    let before = sessions(&server);
    refused(log_in(&server.nobody(), None), "second_factor_required");
    refused(log_in(&server.nobody(), Some(&app.wrong_code())), "second_factor_wrong");
    assert_eq!(sessions(&server), before);
    // Of a wrong password the answer is that for anybody, with and without a code.
    let wrong = |email: &str, code: Value| {
        let body = json!({"email": email, "password": "wrong horse battery", "code": code});
        let mut answer = server.nobody().post("/auth/login", body).expect(401);
        answer.json["request_id"] = Value::Null;
        (answer.json, answer.headers.contains_key("set-cookie"))
    };
    let nobody = wrong("nobody@clinic.test", Value::Null);
    assert_eq!(nobody.0["code"], "invalid_credentials");
    for code in [Value::Null, app.code(0).into(), app.recovery_codes[0].as_str().into()] {
        assert_eq!(wrong(EMAIL, code), nobody);
    }
    // It used up nothing.
    let answer = log_in(&server.nobody(), Some(&app.code(0))).expect(200);
    assert!(cookies(&answer).contains("logbook_refresh="));
    assert_eq!(bearer(&server, &answer).get("/me").expect(200).json["recovery_codes_left"], 10);
    // A code is no use to an account without one.
    server.user("jo@clinic.test");
    let body = json!({"email": "jo@clinic.test", "password": PASSWORD, "code": "123456"});
    server.nobody().post("/auth/login", body).expect(200);
});

fn sessions(server: &TestServer) -> usize {
    let admin = server.admin();
    let id = admin.get("/users?q=asha").expect(200).data()[0]["id"].as_str().expect("an id").to_owned();
    admin.get(&format!("/users/{id}/sessions")).expect(200).data().len()
}

on_both!(a_code_is_accepted_once_and_an_older_one_never, |server| {
    let (_, app) = asha(&server);
    let code = app.code(0);
    log_in(&server.nobody(), Some(&code)).expect(200);
    refused(log_in(&server.nobody(), Some(&code)), "second_factor_wrong");
    refused(log_in(&server.nobody(), Some(&app.code(-1))), "second_factor_wrong");
    log_in(&server.nobody(), Some(&app.code(1))).expect(200);
    // Nor those of another time.
    half_a_minute_later(&server);
    for later in [-3, 3] {
        refused(log_in(&server.nobody(), Some(&app.code(later))), "second_factor_wrong");
    }
});

on_both!(of_many_who_send_one_code_at_once_one_signs_in, |server| {
    let (_, app) = asha(&server);
    for code in [app.code(0), app.recovery_codes[0].clone()] {
        half_a_minute_later(&server);
        let came_in = thread::scope(|scope| {
            let tries: Vec<_> =
                (0..4).map(|_| scope.spawn(|| log_in(&server.nobody(), Some(&code)).status)).collect();
            tries.into_iter().map(|t| t.join().expect("a thread")).filter(|status| *status == 200).count()
        });
        assert_eq!(came_in, 1, "{code}");
    }
});

on_both!(
    codes_are_guessed_slowly_and_the_owners_browser_does_not_wait,
    |config| {
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    },
    |server| {
        let (_, app) = asha(&server);
        let from = |n: u32| server.nobody().with_header("x-forwarded-for", &format!("203.0.113.{n}"));
        let hers = from(1);
        let known = cookies(&log_in(&hers, Some(&app.code(0))).expect(200));
        half_a_minute_later(&server);
        // Strangers who do not know the password use up none of the guesses at codes.
        for n in 0..3 {
            let body = json!({"email": EMAIL, "password": "wrong horse", "code": "000000"});
            from(10 + n).post("/auth/login", body).expect(401);
        }
        // Somebody who knows it guesses, from ever other addresses, and shows in between that the password is right.
        let mut heard = 0;
        let wait = (0..60).find_map(|n| {
            let _ = log_in(&from(100 + n), None);
            let answer = log_in(&from(100 + n), Some(&app.wrong_code()));
            heard += u32::from(answer.status == 403);
            (answer.status == 429).then(|| answer.headers["retry-after"].clone())
        });
        assert!(wait.is_some() && heard <= 6, "{heard} guesses were heard");
        // The right code waits too: otherwise the answer would tell.
        log_in(&from(200), Some(&app.code(0))).expect(429);
        log_in(&hers.with_header("cookie", &known), Some(&app.code(0))).expect(200);
        // What is known of a browser has a bound too.
        let tries: Vec<u16> = (0..8)
            .map(|_| log_in(&hers.with_header("cookie", &known), Some(&app.wrong_code())).status)
            .collect();
        assert!(tries.contains(&429), "{tries:?}");
    }
);

on_both!(
    a_recovery_code_signs_in_once_and_is_on_record,
    |config| {
        config.audit = true;
    },
    |server| {
        let (_, app) = asha(&server);
        let code = &app.recovery_codes[3];
        let answer = log_in(&server.nobody(), Some(&code.replace('-', " ").to_lowercase())).expect(200);
        let client = bearer(&server, &answer);
        assert_eq!(client.get("/me").expect(200).json["recovery_codes_left"], 9);
        refused(log_in(&server.nobody(), Some(code)), "second_factor_wrong");
        log_in(&server.nobody(), Some(&app.recovery_codes[4])).expect(200);
        // Another person's is none.
        let jo = server.user("jo@clinic.test");
        let theirs = Authenticator::turn_on(&server, &jo);
        refused(log_in(&server.nobody(), Some(&theirs.recovery_codes[0])), "second_factor_wrong");
        // Nor is somebody else's app.
        refused(log_in(&server.nobody(), Some(&theirs.code(0))), "second_factor_wrong");
        client.delete("/me/second_factor").expect(204);
        let events = audit_events(&server, &platform_slug(&server));
        let of = |action: &str| {
            let of = events.iter().filter(|event| event["action"] == action);
            of.map(|event| event["target"]["name"].as_str().unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(of("second_factor_set"), [EMAIL, "jo@clinic.test"]);
        assert_eq!(of("recovery_code_used"), [EMAIL, EMAIL]);
        assert_eq!(of("second_factor_removed"), [EMAIL]);
        let used = events.iter().find(|event| event["action"] == "recovery_code_used").expect("an event");
        assert_eq!(used["metadata"], json!({"left": 9}));
        let failed = events.iter().find(|event| event["action"] == "login_failed").expect("an event");
        assert_eq!(
            failed["status_reason"].as_str().or(failed["outcome_reason"].as_str()),
            Some("second_factor_wrong")
        );
        for event in &events {
            assert!(!event.to_string().contains(code.as_str()), "{event}");
        }
    }
);

on_both!(a_link_asks_for_the_code_and_is_not_spent_without_it, |server| {
    let (_, app) = asha(&server);
    let mut conn = server.db.conn().expect("a connection");
    let user = users::find_by_email(&mut conn, EMAIL).expect("an answer").expect("a user");
    let token = sign_in_links::create(&mut conn, user.id).expect("a link");
    drop(conn);
    let open = |code: Value| server.nobody().post("/auth/link", json!({"token": token, "code": code}));
    refused(open(Value::Null), "second_factor_required");
    refused(open(app.wrong_code().into()), "second_factor_wrong");
    bearer(&server, &open(app.code(0).into()).expect(200)).get("/me").expect(200);
    assert_eq!(open(app.code(1).into()).expect(401).code(), "link_invalid");
});

on_both!(a_new_password_takes_the_code, |server| {
    let (client, app) = asha(&server);
    let set = |current: &str, code: Value| {
        let body = json!({"password": "another long password", "current_password": current, "code": code});
        client.put("/auth/password", body)
    };
    assert_eq!(set("wrong", app.code(0).into()).expect(403).code(), "wrong_password");
    refused(set(PASSWORD, Value::Null), "second_factor_required");
    refused(set(PASSWORD, app.wrong_code().into()), "second_factor_wrong");
    log_in(&server.nobody(), Some(&app.code(0))).expect(200);
    refused(set(PASSWORD, app.code(0).into()), "second_factor_wrong");
    set(PASSWORD, app.recovery_codes[0].as_str().into()).expect(204);
    assert_eq!(client.get("/me").expect(200).json["recovery_codes_left"], 9);
});

with_issuer!(it_stands_beside_a_password_and_goes_when_a_provider_joins, |server, issuer| {
    let (_, app) = asha(&server);
    let answer = Visit::start(&server, "/").finish(&issuer, "asha", person(EMAIL));
    let client = session(&server, &answer);
    let me = client.get("/me").expect(200).json;
    assert_eq!((&me["second_factor"], &me["recovery_codes_left"]), (&json!(false), &json!(0)));
    let mut conn = server.own_connection();
    assert_eq!(rows::table.count().get_result::<i64>(&mut conn).expect("a number"), 0);
    assert_eq!(recovery_codes::table.count().get_result::<i64>(&mut conn).expect("a number"), 0);
    // Without a password nothing would ask for it.
    assert_eq!(client.post("/me/second_factor", json!(null)).expect(409).code(), "conflict");
    log_in(&server.nobody(), Some(&app.code(0))).expect(401);
});

on_both!(the_database_does_not_have_the_secret, |server| {
    let (_, app) = asha(&server);
    let jo = server.user("jo@clinic.test");
    Authenticator::turn_on(&server, &jo);
    let mut conn = server.own_connection();
    let sealed =
        rows::table.select(rows::sealed_secret).load::<Vec<u8>>(&mut conn).expect("the sealed secrets");
    let hashes =
        recovery_codes::table.select(recovery_codes::code_hash).load::<String>(&mut conn).expect("hashes");
    assert_eq!((sealed.len(), hashes.len()), (2, 20));
    for sealed in &sealed {
        assert!(!sealed.windows(4).any(|part| app.secret.windows(4).any(|secret| secret == part)));
    }
    for code in &app.recovery_codes {
        assert!(!hashes.iter().any(|hash| hash.contains(code) || hash.contains(&code.replace('-', ""))));
    }
    drop(conn);
    // Whoever can write in the database cannot put a secret that they know in the place of hers.
    server.sql(
        "UPDATE second_factors SET sealed_secret =
            (SELECT s.sealed_secret FROM second_factors s WHERE s.user_id = 2) WHERE user_id = 1",
    );
    log_in(&server.nobody(), Some(&app.code(0))).expect(500);
    // The recovery codes need no key.
    log_in(&server.nobody(), Some(&app.recovery_codes[0])).expect(200);
});

on_both!(new_token_keys_change_nothing, |server| {
    let (_, app) = asha(&server);
    Tokens::from_data_dir(&server.data.data_dir).expect("keys").rotate(true).expect("new keys");
    let beside = server.beside_with_keys();
    log_in(&beside.nobody(), Some(&app.code(0))).expect(200);
    // On both servers a code is used once.
    refused(log_in(&server.nobody(), Some(&app.code(0))), "second_factor_wrong");
    half_a_minute_later(&server);
    log_in(&server.nobody(), Some(&app.code(0))).expect(200);
});

on_both!(
    whoever_lost_it_has_it_reset_and_is_signed_out,
    |config| {
        config.audit = true;
    },
    |server| {
        let (client, _) = asha(&server);
        let admin = server.admin();
        let account = || admin.get("/users?q=asha").expect(200).data()[0].clone();
        assert_eq!(account()["second_factor"], true);
        let path = format!("/users/{}", account()["id"].as_str().expect("an id"));
        let wrong = admin.patch(&path, json!({"second_factor": true})).expect(422);
        assert_eq!(wrong.places(), ["/second_factor"]);
        let reset = admin.patch(&path, json!({"second_factor": false})).expect(200).json;
        assert_eq!(reset["second_factor"], false);
        client.get("/me").expect(401);
        assert_eq!(admin.patch(&path, json!({"second_factor": false})).expect(409).code(), "conflict");
        let again = bearer(&server, &log_in(&server.nobody(), None).expect(200));

        Authenticator::turn_on(&server, &again);
        let run = |words: &[&str]| {
            let output = process::run(&server.data, words);
            (output.status.success(), String::from_utf8(output.stdout).expect("a text"))
        };
        let (told, state) = run(&["user", "second-factor", "--email", EMAIL]);
        assert!(told && state.contains("\ton since ") && state.contains("10 recovery codes left"), "{state}");
        assert!(run(&["user", "second-factor", "--email", EMAIL, "--remove"]).0);
        logbook_tests::wait::wait_until("the session has ended", || again.get("/me").status == 401);
        assert_eq!(run(&["user", "second-factor", "--email", EMAIL]), (true, format!("{EMAIL}\toff\n")));
        log_in(&server.nobody(), None).expect(200);
        let mut events = logbook_tests::pagination::feed(&admin, &platform_slug(&server), "0".into(), 1000);
        events.retain(|event| event["action"] == "second_factor_removed");
        let by: Vec<&str> =
            events.iter().map(|event| event["actor"]["name"].as_str().unwrap_or_default()).collect();
        assert_eq!(by, ["test", "command line"]);
    }
);

on_both!(
    a_workspace_is_not_told_of_a_second_factor,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        let (client, app) = asha(&server);
        let id: i32 = client.get("/me").expect(200).json["user"]["id"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .expect("an id");
        members::set(&mut server.db.conn().expect("a connection"), clinic.id, id, Role::Viewer)
            .expect("a member");
        log_in(&server.nobody(), Some(&app.recovery_codes[0])).expect(200);
        let events = audit_events(&server, "clinic");
        assert!(!actions(&events).contains(&"recovery_code_used"), "{events:?}");
    }
);
