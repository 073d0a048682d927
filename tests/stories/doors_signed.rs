//! Doors of vendors that sign: by a secret that both sides know, or with a key of their own.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{Algorithm, EncodingKey};
use logbook_engine::db::timestamp::Timestamp;
use logbook_tests::{
    jose::{KeyPair, base64url, jws, with},
    on_both,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::sources::{PATH, how};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The HMAC of a body, as vendors send it.
fn signed(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(body.as_bytes());
    hex(&mac.finalize().into_bytes())
}

on_both!(a_vendor_that_signs_is_checked_and_needs_no_key, |server| {
    server.workspace("clinic");
    let new = json!({"name": "kc", "kind": "keycloak", "secret": "a long secret"});
    let key = server.admin().post(PATH, new).expect(201).json["key"].as_str().expect("a key").to_owned();
    let path = format!("{PATH}/kc/events");
    let body =
        json!({"id": "k1", "time": 1_764_000_000_000_i64, "type": "LOGIN", "realmId": "acme", "userId": "u"})
            .to_string();
    let send = |signature: Option<&str>, body: &str| {
        let nobody = server.nobody();
        let client = match signature {
            Some(signature) => nobody.with_header("x-keycloak-signature", signature),
            None => nobody,
        };
        client.send("POST", &path, "application/json", body.as_bytes())
    };
    send(Some(&signed("a long secret", &body)), &body).expect(200);
    assert_eq!(how(&server, "kc")["events"], 1);
    send(None, &body).expect(401);
    send(Some(&signed("another secret", &body)), &body).expect(401);
    send(Some(&signed("a long secret", "{}")), &body).expect(401);
    send(Some(""), &body).expect(401);
    // With the key alone neither.
    server.bearer(&key).send("POST", &path, "application/json", body.as_bytes()).expect(401);
    // What is sent again is the same event.
    send(Some(&signed("a long secret", &body)), &body).expect(200);
    let now = how(&server, "kc");
    assert_eq!(
        (&now["events"], &now["duplicates"], &now["has_secret"]),
        (&json!(1), &json!(1), &json!(true))
    );
    assert!(!now.to_string().contains("a long secret"));
});

on_both!(a_realm_that_signs_with_its_own_key_is_checked, |server| {
    server.workspace("clinic");
    let (first, second, stranger) = (KeyPair::ed25519(), KeyPair::p256(), KeyPair::ed25519());
    let rsa = json!({"kty": "RSA", "use": "enc", "kid": "enc", "n": "AQAB", "e": "AQAB"});
    let set = json!({"keys": [rsa, first.public("one"), second.public("two")]}).to_string();
    // A set that could never verify anything is refused where it is entered.
    let useless = json!({"name": "kc", "kind": "keycloak", "secret": "{\"keys\": [{\"kty\": \"oct\", \"k\": \"AAAA\"}]}"});
    let refused = server.admin().post(PATH, useless).expect(422);
    assert_eq!(refused.json["errors"][0]["pointer"], "/secret");
    server.admin().post(PATH, json!({"name": "kc", "kind": "keycloak", "secret": set})).expect(201);
    server.admin().patch(&format!("{PATH}/kc"), json!({"secret": "{\"keys\": []}"})).expect(422);

    let path = format!("{PATH}/kc/events");
    let body =
        json!({"id": "k1", "time": 1_764_000_000_000_i64, "type": "LOGIN", "realmId": "acme", "userId": "u"})
            .to_string();
    let now = Timestamp::now().micros() / 1_000_000;
    // As keycloak-events makes them.
    let claims = json!({
        "jti": "1", "iss": "https://id.example.com/realms/acme", "iat": now, "exp": now + 300,
        "request_body_sha256": hex(&Sha256::digest(&body)),
    });
    let send = |token: &str, body: &str| {
        server.bearer(token).send("POST", &path, "application/json", body.as_bytes())
    };
    send(&first.sign("one", &claims), &body).expect(200);
    // After the realm has changed its key, what it sent before is the same event.
    send(&second.sign("two", &with(&claims, "aud", json!("logbook"))), &body).expect(200);
    let found = how(&server, "kc");
    assert_eq!((&found["events"], &found["duplicates"]), (&json!(1), &json!(1)));

    let right = first.sign("one", &claims);
    let hs256 = r#"{"typ": "JWT", "alg": "HS256", "kid": "one"}"#;
    for (what, token, body) in [
        ("another body", right.clone(), body.replace("LOGIN", "LOGOUT")),
        ("a space more", right.clone(), format!("{body} ")),
        (
            "a part of the hash",
            first.sign("one", &with(&claims, "request_body_sha256", json!("00"))),
            body.clone(),
        ),
        ("no hash", first.sign("one", &with(&claims, "request_body_sha256", Value::Null)), body.clone()),
        ("expired", first.sign("one", &with(&claims, "exp", json!(now - 60))), body.clone()),
        ("for ever", first.sign("one", &with(&claims, "exp", Value::Null)), body.clone()),
        ("a stranger's key", stranger.sign("one", &claims), body.clone()),
        ("the name of another key", first.sign("two", &claims), body.clone()),
        ("an unknown name", first.sign("three", &claims), body.clone()),
        (
            "the public key as a secret",
            jws(hs256, claims.to_string(), &EncodingKey::from_secret(set.as_bytes()), Algorithm::HS256),
            body.clone(),
        ),
        (
            "unsigned",
            format!("{}.{}.", base64url(r#"{"alg":"none"}"#), base64url(claims.to_string())),
            body.clone(),
        ),
        ("no token", "x".into(), body.clone()),
    ] {
        assert_eq!(send(&token, &body).status, 401, "{what}");
    }
    server.nobody().send("POST", &path, "application/json", body.as_bytes()).expect(401);
    // The set is no secret: it signs nothing.
    let mac = server.nobody().with_header("x-keycloak-signature", &signed(&set, &body));
    mac.send("POST", &path, "application/json", body.as_bytes()).expect(401);
    assert_eq!(how(&server, "kc")["events"], 1);
});
