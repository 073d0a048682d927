//! Access tokens: the server accepts only those that it signed, while they are valid; and its signing keys change without
//! anybody being signed out.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path, thread, time::Duration};

use logbook::{
    accounts::{claims::Claims, role::Role},
    auth::tokens::Tokens,
};
use logbook_tests::{
    TestServer,
    jose::{jws, own_keys},
    on_both,
    wait::wait_until,
};
use serde_json::json;

fn claims(seconds: i64) -> Claims {
    let mut claims = Claims::new("token:test".into(), "test".into(), seconds);
    claims.everywhere = Some(Role::Admin);
    claims
}

#[track_caller]
fn refused(server: &TestServer, token: &str, code: &str) {
    let answer = server.bearer(token).get("/workspaces").expect(401);
    assert_eq!(answer.code(), code, "{token}");
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
}

#[track_caller]
fn accepted(server: &TestServer, token: &str) {
    server.bearer(token).get("/workspaces").expect(200);
}

fn tokens(folder: &Path) -> Tokens {
    Tokens::from_data_dir(folder).expect("keys")
}

on_both!(an_expired_token_says_so, |server| {
    accepted(&server, &server.sign(&claims(600)));
    refused(&server, &server.sign(&claims(-60)), "token_expired");
});

on_both!(a_token_is_accepted_in_the_authorization_header_only, |server| {
    let good = server.sign(&claims(600));
    let basic = server.nobody().with_header("authorization", "Basic YWRtaW46YWRtaW4=");
    assert_eq!(basic.get("/workspaces").expect(401).code(), "unauthenticated");
    server.nobody().with_header("authorization", &format!("bEARER  {good}")).get("/workspaces").expect(200);
    server.nobody().get(&format!("/workspaces?access_token={good}")).expect(401);
    server.nobody().with_header("cookie", &format!("access_token={good}")).get("/workspaces").expect(401);
});

on_both!(a_token_is_good_only_where_its_key_is, |server| {
    let other = TestServer::sqlite();
    refused(&other, &server.sign(&claims(600)), "unauthenticated");
    refused(&server, &other.sign(&claims(600)), "unauthenticated");
    for file in ["token-keys.json", "token-keys.lock"] {
        let mode = fs::metadata(server.data.data_dir.join(file)).expect("the keys").mode();
        assert_eq!(mode & 0o777, 0o600, "only the server reads its keys");
    }
});

on_both!(a_running_server_takes_a_new_key_and_signs_nobody_out, |server| {
    let folder = &server.data.data_dir;
    let before = server.sign(&claims(600));
    accepted(&server, &before);
    let by_hand = tokens(folder);
    let rotated = claims(0).iat;
    let until = by_hand.rotate(false).expect("a new key").expect("a time");
    // A session's longest life, and a minute for clocks that differ.
    assert!((rotated + 960..=claims(0).iat + 960).contains(&until), "{until}, rotated at {rotated}");
    let keys = own_keys(folder);
    assert_eq!(keys.len(), 2);
    // At once, though the server has just read its keys: it does not know the new key's name.
    let after = by_hand.sign_for_long(&server.known(&claims(600))).expect("a token");
    assert_ne!(before.split('.').next(), after.split('.').next(), "each names its key");
    accepted(&server, &after);
    accepted(&server, &before);
    // A second later the server signs with the new key as well.
    let signs_with_it = || server.sign(&claims(600)).split('.').next() == after.split('.').next();
    wait_until("the server signs with the new key", signs_with_it);
});

on_both!(a_key_outlives_the_longest_token_that_it_signed, |server| {
    let folder = &server.data.data_dir;
    let by_hand = tokens(folder);
    let month = 30 * 86_400;
    let earliest = claims(month).exp;
    let long = by_hand.sign_for_long(&server.known(&claims(month))).expect("a token");
    by_hand.sign_for_long(&server.known(&claims(3600))).expect("a token");
    let until = by_hand.rotate(false).expect("a new key").expect("a time");
    assert!((earliest..=claims(month).exp).contains(&until), "{until}, not {earliest}");
    // As if the first rotation had been 20 minutes ago: the long token keeps its key alive.
    age(folder, 1200);
    by_hand.rotate(false).expect("a new key");
    assert_eq!(own_keys(folder).len(), 3);
    accepted(&server, &long);
    // The second key signed no long token: 20 minutes later it is gone, and the first is still there.
    age(folder, 1200);
    let middle = own_keys(folder)[1].kid.clone();
    by_hand.rotate(false).expect("a new key");
    let names: Vec<_> = own_keys(folder).into_iter().map(|key| key.kid).collect();
    assert!(!names.contains(&middle) && names.len() == 3, "{names:?}");
    accepted(&server, &long);
});

/// Makes every key older, in the file.
fn age(folder: &Path, seconds: i64) {
    let path = folder.join("token-keys.json");
    let mut keys: serde_json::Value = serde_json::from_slice(&fs::read(&path).expect("keys")).expect("JSON");
    for key in keys.as_array_mut().expect("keys") {
        key["created_at"] = (key["created_at"].as_i64().expect("a time") - seconds).into();
    }
    fs::write(&path, keys.to_string()).expect("written");
}

on_both!(a_key_that_is_given_up_verifies_nothing_at_once, |server| {
    let folder = &server.data.data_dir;
    let long = tokens(folder).sign_for_long(&server.known(&claims(86_400))).expect("a token");
    accepted(&server, &long);
    assert_eq!(tokens(folder).rotate(true).expect("a new key"), None);
    wait_until("the key is given up", || server.bearer(&long).get("/workspaces").status == 401);
    refused(&server, &long, "unauthenticated");
    accepted(&server, &tokens(folder).sign(&server.known(&claims(600))).expect("a token"));
});

on_both!(a_file_that_cannot_be_read_leaves_the_known_keys, |server| {
    let path = server.data.data_dir.join("token-keys.json");
    let good = server.sign(&claims(600));
    for broken in ["", "{", "[]", r#"[{"kid": "a", "secret": "c2hvcnQ", "created_at": 1}]"#] {
        fs::write(&path, broken).expect("written");
        // It looks at the file once a second.
        thread::sleep(Duration::from_millis(1100));
        accepted(&server, &good);
        assert!(Tokens::from_data_dir(&server.data.data_dir).is_err(), "{broken} starts no server");
    }
});

#[test]
fn the_key_of_version_0_1_goes_on_verifying() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = "0.1 wrote 43 characters of base64url in here";
    fs::write(folder.path().join("token.key"), secret).expect("written");
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    let old = |header: serde_json::Value| {
        let payload = serde_json::to_string(&claims(86_400)).expect("JSON");
        jws(header.to_string(), payload, &key, jsonwebtoken::Algorithm::HS256)
    };
    // Its tokens name no key.
    let token = old(json!({"typ": "JWT", "alg": "HS256"}));
    let tokens = tokens(folder.path());
    assert!(!folder.path().join("token.key").exists(), "the secret is in one file only");
    tokens.verify(&token).expect("good");
    tokens.verify(&tokens.sign(&claims(600)).expect("a token")).expect("good");
    tokens.rotate(false).expect("a new key");
    tokens.verify(&token).expect("good as long as it would have been");
    assert!(tokens.verify(&old(json!({"alg": "HS256", "kid": "other"}))).is_err());
    tokens.rotate(true).expect("a new key");
    wait_until("the key is given up", || tokens.verify(&token).is_err());
}

#[test]
fn servers_that_start_together_agree_on_one_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let signed: Vec<String> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| tokens(folder.path()).sign(&claims(600)).expect("a token")))
            .collect();
        started.into_iter().map(|server| server.join().expect("it starts")).collect()
    });
    let tokens = tokens(folder.path());
    assert!(signed.iter().all(|token| tokens.verify(token).is_ok()));
    assert_eq!(own_keys(folder.path()).len(), 1);
}
