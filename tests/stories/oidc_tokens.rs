//! Bearer tokens of an OpenID Connect provider: what they allow, and which are refused.

use std::time::Instant;

use jsonwebtoken::{Algorithm, EncodingKey};
use logbook::accounts::role::Role;
use logbook_tests::{
    Issuer,
    jose::{KeyPair, OTHER_RSA, OwnKey, RSA, base64url, jws, own_keys, with},
    with_issuer,
};
use serde_json::{Value, json};

fn everywhere() -> Value {
    json!({"*": "admin"})
}

with_issuer!(a_token_is_good_under_each_algorithm, |server, issuer| {
    issuer.state().keys.extend([RSA.public("rsa"), KeyPair::p256().public("other")]);
    let ec = KeyPair::p256();
    issuer.state().keys.push(ec.public("ec"));
    for (key, kid) in [(&issuer.key, "ed"), (&*RSA, "rsa"), (&ec, "ec")] {
        let token = key.sign(kid, &issuer.claims(everywhere()));
        server.bearer(&token).get("/workspaces").expect(200);
        let access = json!({"typ": "at+JWT", "alg": format!("{:?}", key.alg), "kid": kid});
        server.bearer(&key.sign_as(&access, &issuer.claims(everywhere()))).get("/workspaces").expect(200);
    }
    let several = with(&issuer.claims(everywhere()), "aud", json!(["other", "logbook-api"]));
    server.bearer(&issuer.key.sign("ed", &several)).get("/workspaces").expect(200);
    // The server still accepts its own tokens.
    server.admin().get("/workspaces").expect(200);
});

with_issuer!(claims_say_who_may_do_what_where, |server, issuer| {
    let clinic = server.workspace("clinic");
    server.workspace("shop");
    let event = json!([{"event_type": "login"}]);
    for (roles, reads, writes) in [
        (json!({"clinic": "viewer"}), 200, 403),
        (json!({"clinic": ["auditor"], "nowhere": "admin", "*": "root"}), 200, 403),
        (json!({"clinic": "writer"}), 403, 201),
        (json!(["staff", "logbook:clinic:admin"]), 200, 201),
        (json!({"*": "admin"}), 200, 201),
        (json!({"*": "viewer", "clinic": "writer"}), 403, 201),
        (json!({"shop": "admin"}), 404, 404),
        (json!({"CLINIC": "admin", "clinic ": "admin", "clinic/../clinic": "admin", "%": "admin"}), 404, 404),
        (json!({"1": "admin", clinic.id.to_string(): "admin"}), 404, 404),
        (json!({}), 404, 404),
        (json!("admin"), 404, 404),
    ] {
        let client = server.bearer(&issuer.token(roles.clone()));
        assert_eq!(client.get("/workspaces/clinic/logs/access").status, reads, "{roles}");
        assert_eq!(client.post("/workspaces/clinic/logs/access", event.clone()).status, writes, "{roles}");
        assert_eq!(client.post("/workspaces", json!({"slug": "new", "name": "x"})).status, 403, "{roles}");
    }
    let client = server.bearer(&issuer.token(json!({"clinic": "viewer", "nowhere": "admin"})));
    let me = client.get("/me").expect(200).json;
    assert_eq!(
        me["user"],
        json!({"id": "provider:248289761001", "name": "Asha Rao", "email": null, "has_password": false})
    );
    assert_eq!(
        (me["platform_admin"].clone(), me["workspaces"].as_array().map(Vec::len)),
        (json!(false), Some(1))
    );
    let admin = server.bearer(&issuer.token(json!({"*": "platform_admin"})));
    admin.post("/workspaces", json!({"slug": "new", "name": "New"})).expect(201);
    // A new workspace counts at once.
    let later = server.bearer(&issuer.token(json!({"new": "viewer"})));
    later.get("/workspaces/new/logs/access").expect(200);
});

with_issuer!(
    the_roles_claim_can_have_another_name,
    |config| { config.oidc.oidc_roles_claim = "realm_access.roles".into() },
    |server, issuer| {
        server.workspace("clinic");
        let claims =
            with(&issuer.claims(everywhere()), "realm_access", json!({"roles": ["logbook:clinic:viewer"]}));
        let client = server.bearer(&issuer.key.sign("ed", &claims));
        client.get("/workspaces/clinic/logs/access").expect(200);
        assert_eq!(client.get("/workspaces").expect(200).data().len(), 1);
    }
);

with_issuer!(a_provider_cannot_name_one_of_our_users, |server, issuer| {
    let mut conn = server.db.conn().expect("a connection");
    let admin = logbook::accounts::users::first_admin(&mut conn).expect("the first admin");
    for subject in [format!("user:{}", admin.id), format!("token:{}", admin.id), "admin@localhost".into()] {
        let claims = with(&issuer.claims(json!({})), "sub", json!(subject));
        let client = server.bearer(&issuer.key.sign("ed", &claims));
        let me = client.get("/me").expect(200).json;
        assert_eq!(
            (&me["user"]["id"], &me["platform_admin"]),
            (&json!(format!("provider:{subject}")), &json!(false))
        );
        let answer = client.put("/auth/password", json!({"password": "correct horse battery"})).expect(403);
        assert_eq!(answer.code(), "forbidden");
    }
    // Our own claims mean nothing in its tokens.
    let mut claims = issuer.claims(json!({}));
    claims["platform_admin"] = json!(true);
    claims["everywhere"] = json!("admin");
    claims["roles"] = json!({"1": "admin"});
    let client = server.bearer(&issuer.key.sign("ed", &claims));
    assert!(client.get("/workspaces").expect(200).data().is_empty());
    client.get("/metrics").expect(403);
});

with_issuer!(forged_and_broken_tokens_are_refused, |server, issuer| {
    let (secret, weak, encrypts, other) = (
        b"a symmetric key that is published, of all things",
        KeyPair::rsa(1024),
        KeyPair::p256(),
        Issuer::start(),
    );
    let pinned = KeyPair::rsa(2048);
    let signs_only = KeyPair::p256();
    {
        let mut state = issuer.state();
        let mut jwk = pinned.public("pinned");
        jwk["alg"] = json!("RS256");
        let mut enc = encrypts.public("enc");
        enc["use"] = json!("enc");
        let mut ops = signs_only.public("ops");
        ops.as_object_mut().expect("an object").remove("use");
        ops["key_ops"] = json!(["sign"]);
        let oct = json!({"kty": "oct", "kid": "oct", "k": base64url(secret), "alg": "HS256", "use": "sig"});
        state.keys.extend([RSA.public("rsa"), jwk, weak.public("weak"), enc, ops, oct]);
        state.keys.extend([
            json!(null),
            json!("x"),
            json!({"kty": "new", "kid": "new"}),
            json!({"kty": "RSA"}),
        ]);
    }
    let claims = issuer.claims(everywhere());
    let (ed, rsa) = (&issuer.key, &*RSA);
    let good = ed.sign("ed", &claims);
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let OwnKey { kid: own_kid, secret: own_secret } = own_keys(&server.data.data_dir).remove(0);
    let hs = |kid: &str, secret: &[u8]| {
        let header = json!({"typ": "JWT", "alg": "HS256", "kid": kid}).to_string();
        jws(header, claims.to_string(), &EncodingKey::from_secret(secret), Algorithm::HS256)
    };
    let attackers = |name: &str, value: Value| {
        let header = with(&OTHER_RSA.header("rsa"), name, value);
        OTHER_RSA.sign_as(&header, &claims)
    };
    let own = json!({"typ": "JWT", "alg": "EdDSA", "kid": own_kid});
    let modulus = base64_decode(rsa.jwk["n"].as_str().expect("a modulus"));
    let es = |signature: &[u8]| {
        format!("{}.{payload}.{}", base64url(signs_only.header("ops").to_string()), base64url(signature))
    };
    let mut forged = vec![
        ("another's key under a known name", OTHER_RSA.sign("rsa", &claims)),
        ("another's key under no name", KeyPair::ed25519().sign_as(&json!({"alg": "EdDSA"}), &claims)),
        ("an unknown name", ed.sign("unknown", &claims)),
        ("no name where two keys fit", rsa.sign_as(&json!({"alg": "RS256"}), &claims)),
        ("the name of a key of another kind", ed.sign("rsa", &claims)),
        ("a name that is a path", OTHER_RSA.sign("../../jwks", &claims)),
        ("a name that is a statement", OTHER_RSA.sign("' OR 1=1 --", &claims)),
        ("our own key's name", ed.sign_as(&own, &claims)),
        ("another issuer's key", other.key.sign("ed", &claims)),
        ("another issuer's token", other.token(everywhere())),
        ("HS256 with the public key in PEM", hs("rsa", rsa.pem.as_bytes())),
        ("HS256 with the public key in PEM, trimmed", hs("rsa", rsa.pem.trim().as_bytes())),
        ("HS256 with the modulus", hs("rsa", &modulus)),
        ("HS256 with the JWK", hs("rsa", rsa.jwk.to_string().as_bytes())),
        ("HS256 with the Ed25519 key", hs("ed", &base64_decode(ed.jwk["x"].as_str().expect("x")))),
        ("HS256 with the published secret", hs("oct", secret)),
        ("HS256 with the client's secret", hs("rsa", logbook_tests::issuer::CLIENT_SECRET.as_bytes())),
        ("the provider's claims under our own key", hs(&own_kid, &own_secret)),
        ("an RSA key that is too short", weak.sign("weak", &claims)),
        ("a key for encryption", encrypts.sign("enc", &claims)),
        ("a key that is not for checking", signs_only.sign("ops", &claims)),
        ("another algorithm than the key's", pinned.as_alg(Algorithm::PS256).sign("pinned", &claims)),
        ("an algorithm that is not configured", rsa.as_alg(Algorithm::RS512).sign("rsa", &claims)),
        ("a key in the token itself", attackers("jwk", OTHER_RSA.public("rsa"))),
        ("a link to keys", attackers("jku", json!(format!("{}/jwks", other.url)))),
        ("a link to a certificate", attackers("x5u", json!(format!("{}/chain", other.url)))),
        ("a certificate in the token", attackers("x5c", json!(["MIIB"]))),
        (
            "an extension that must be understood",
            ed.sign_as(&with(&ed.header("ed"), "crit", json!(["b64"])), &claims),
        ),
        ("an unencoded payload", ed.sign_as(&with(&ed.header("ed"), "b64", json!(false)), &claims)),
        ("a logout token", ed.sign_as(&with(&ed.header("ed"), "typ", json!("logout+jwt")), &claims)),
        ("no algorithm", format!("{}.{payload}.", base64url(json!({"alg": "none"}).to_string()))),
        ("signature stripped", format!("{header}.{payload}.")),
        ("signature cut", format!("{header}.{payload}.{}", &signature[..signature.len() - 2])),
        ("signature padded", format!("{good}==")),
        ("signature of zeros", format!("{header}.{payload}.{}", base64url([0; 64]))),
        ("ECDSA of zeros", es(&[0; 64])),
        ("ECDSA in DER", es(&[0x30, 6, 2, 1, 1, 2, 1, 1])),
        ("another payload", {
            let more = base64url(with(&claims, "logbook_roles", json!({"*": "platform_admin"})).to_string());
            format!("{header}.{more}.{signature}")
        }),
        ("a payload that is a list", jws(ed.header("ed").to_string(), "[]", &ed.private, ed.alg)),
        (
            "a payload that is not UTF-8",
            jws(ed.header("ed").to_string(), b"{\"sub\":\"\xff\"}", &ed.private, ed.alg),
        ),
        ("lists in lists", jws(ed.header("ed").to_string(), deep(&claims), &ed.private, ed.alg)),
        (
            "two subjects",
            jws(
                ed.header("ed").to_string(),
                claims.to_string().replacen('{', "{\"sub\":\"x\",", 1),
                &ed.private,
                ed.alg,
            ),
        ),
        ("a huge token", ed.sign("ed", &with(&claims, "padding", json!("x".repeat(20_000))))),
    ];
    let now = claims["iat"].as_i64().expect("a time");
    for (name, bad) in [
        (
            "iss",
            json!([
                null,
                "",
                format!("{}/", issuer.url),
                issuer.url.to_uppercase(),
                "logbook",
                [issuer.url],
                1
            ]),
        ),
        ("aud", json!([null, "", "logbook", "LOGBOOK-API", ["other"], [], {"logbook-api": 1}, 1])),
        ("sub", json!([null, "", ["248289761001"], 1, "x".repeat(256), "a\0b"])),
        ("exp", json!([null, (now + 600).to_string(), [now + 600], true])),
        ("nbf", json!([now + 600, now.to_string(), [now], true])),
    ] {
        for bad in bad.as_array().expect("values") {
            forged.push((name, ed.sign("ed", &with(&claims, name, bad.clone()))));
        }
    }
    assert!(forged.len() > 60);
    let started = Instant::now();
    for (what, token) in forged {
        let answer = server.bearer(&token).get("/workspaces");
        assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{what}: {}", answer.text);
    }
    let expired = ed.sign("ed", &with(&claims, "exp", json!(now - 60)));
    assert_eq!(server.bearer(&expired).get("/workspaces").expect(401).code(), "token_expired");
    // All these tokens made the server fetch the set once, and once more a minute for the unknown names. It followed no link.
    let minutes = started.elapsed().as_secs() as usize / 60;
    assert!((2..=2 + minutes).contains(&issuer.asked("/jwks")), "{} times", issuer.asked("/jwks"));
    assert_eq!((other.asked("/jwks"), other.asked("/chain")), (0, 0));
    for token in [good, rsa.sign("rsa", &claims), pinned.sign("pinned", &claims)] {
        server.bearer(&token).get("/workspaces").expect(200);
    }
});

fn base64_decode(text: &str) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// The claims with nested lists, 1,000 deep.
fn deep(claims: &Value) -> String {
    claims.to_string().replacen('{', &format!("{{\"deep\":{}{},", "[".repeat(1000), "]".repeat(1000)), 1)
}

with_issuer!(
    without_an_audience_no_token_of_the_provider_is_accepted,
    |config| { config.oidc.oidc_audience.clear() },
    |server, issuer| {
        let claims = issuer.claims(everywhere());
        for claims in
            [claims.clone(), with(&claims, "aud", json!(null)), with(&claims, "aud", json!("logbook"))]
        {
            server.bearer(&issuer.key.sign("ed", &claims)).get("/workspaces").expect(401);
        }
        assert_eq!(issuer.asked("/jwks"), 0);
        let clinic = server.workspace("clinic");
        server.member(&clinic, Role::Viewer).get("/workspaces/clinic/logs/access").expect(200);
    }
);
