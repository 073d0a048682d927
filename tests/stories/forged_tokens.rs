//! Forged tokens: every known way to be let in without the key, and every way in which a token can be broken. `oidc_tokens`
//! has the same for the tokens of an OpenID Connect provider.

use jsonwebtoken::{Algorithm, EncodingKey};
use logbook::{
    accounts::{
        claims::Claims,
        role::Role,
        sessions::{self, Beginning, Method},
    },
    http::client::ClientInfo,
};
use logbook_tests::{
    TestServer,
    jose::{OwnKey, RSA, base64url, jws, own_keys, with},
    on_both,
};
use serde_json::{Value, json};

/// What a forger knows: a valid token of their own, and in the strictest cases the key itself.
struct Forger {
    kid: String,
    key: EncodingKey,
    header: Value,
    payload: Value,
    good: String,
}

impl Forger {
    fn new(server: &TestServer) -> Self {
        let OwnKey { kid, secret } = own_keys(&server.data.data_dir).remove(0);
        let mut claims = Claims::new("token:test".into(), "test".into(), 600);
        claims.everywhere = Some(Role::Admin);
        let claims = server.known(&claims);
        Self {
            key: EncodingKey::from_secret(&secret),
            header: json!({"typ": "JWT", "alg": "HS256", "kid": kid}),
            payload: serde_json::to_value(&claims).expect("JSON"),
            good: server.sign(&claims),
            kid,
        }
    }

    fn sign(&self, header: &Value, payload: &Value) -> String {
        self.raw(header.to_string(), payload.to_string())
    }

    fn raw(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        jws(header, payload, &self.key, Algorithm::HS256)
    }

    /// Signed with another secret.
    fn with_secret(&self, secret: &[u8], header: &Value) -> String {
        jws(header.to_string(), self.payload.to_string(), &EncodingKey::from_secret(secret), Algorithm::HS256)
    }

    /// Signed correctly, with another value in the header; null removes it.
    fn header(&self, name: &str, value: Value) -> String {
        self.sign(&with(&self.header, name, value), &self.payload)
    }

    /// Signed correctly, with another claim; null removes it.
    fn claim(&self, name: &str, value: Value) -> String {
        self.sign(&self.header, &with(&self.payload, name, value))
    }

    fn now(&self) -> i64 {
        self.payload["iat"].as_i64().expect("a time")
    }
}

/// Checks that each is refused, in words that do not say why.
#[track_caller]
fn all_refused(server: &TestServer, least: usize, forged: Vec<(&str, String)>) {
    assert!(forged.len() >= least, "{}", forged.len());
    for (what, token) in forged {
        let answer = server.bearer(&token).get("/workspaces");
        assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{what}: {}", answer.text);
        assert_eq!(answer.headers["www-authenticate"], "Bearer", "{what}");
        assert_eq!(answer.json["detail"], "the token is not valid", "{what}");
    }
}

on_both!(a_token_without_the_key_is_refused, |server| {
    let forger = Forger::new(&server);
    let parts: Vec<&str> = forger.good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let mut forged = Vec::new();
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let header = base64url(with(&forger.header, "alg", none.into()).to_string());
        forged.push(("no algorithm, no signature", format!("{header}.{payload}.")));
        forged.push(("no algorithm, another's signature", format!("{header}.{payload}.{signature}")));
    }
    let viewer = base64url(with(&forger.payload, "everywhere", "viewer".into()).to_string());
    let rsa = json!({"typ": "JWT", "alg": "RS256", "kid": forger.kid});
    let mut embedded = rsa.clone();
    embedded["jwk"] = RSA.public(&forger.kid);
    let mut linked = rsa.clone();
    linked["jku"] = json!("https://attacker.test/keys");
    linked["x5u"] = json!("https://attacker.test/chain");
    forged.extend([
        (
            "another secret under the right name",
            forger.with_secret(b"another server's key, long enough", &forger.header),
        ),
        ("the empty secret", forger.with_secret(b"", &forger.header)),
        ("the key's name as its secret", forger.with_secret(forger.kid.as_bytes(), &forger.header)),
        ("signature stripped", format!("{header}.{payload}.")),
        ("two parts", format!("{header}.{payload}")),
        ("signature of another payload", format!("{header}.{viewer}.{signature}")),
        (
            "signature backwards",
            format!("{header}.{payload}.{}", signature.chars().rev().collect::<String>()),
        ),
        ("signature cut", format!("{header}.{payload}.{}", &signature[..signature.len() - 1])),
        ("half a signature", format!("{header}.{payload}.{}", &signature[..20])),
        ("signature of zeros", format!("{header}.{payload}.{}", base64url([0; 32]))),
        (
            "another family's algorithm over our signature",
            format!("{}.{payload}.{signature}", base64url(rsa.to_string())),
        ),
        ("a stranger's RSA key", RSA.sign_as(&rsa, &forger.payload)),
        ("a key in the token itself", RSA.sign_as(&embedded, &forger.payload)),
        ("a key that the token links to", RSA.sign_as(&linked, &forger.payload)),
    ]);
    // A key's name is looked up in a list: it opens no file and queries no database.
    for kid in ["../../../../../../dev/null", "/dev/null", "..\\..\\nul", "token-keys.lock", ""] {
        let header = with(&forger.header, "kid", kid.into());
        forged.push(("a file's name for a key", forger.with_secret(b"", &header)));
    }
    for kid in [
        "x' UNION SELECT 'secret' -- ",
        "' OR 1=1 --",
        "x\"; DROP TABLE events; --",
        "${jndi:ldap://attacker.test}",
    ] {
        let header = with(&forger.header, "kid", kid.into());
        forged.push(("a statement for a key's name", forger.with_secret(b"secret", &header)));
    }
    all_refused(&server, 30, forged);
    // The token that they were made of is valid.
    server.bearer(&forger.good).get("/workspaces").expect(200);
});

on_both!(a_correctly_signed_token_that_is_not_quite_ours_is_refused, |server| {
    let forger = Forger::new(&server);
    let now = forger.now();
    let hs = |alg: Algorithm| {
        let header = with(&forger.header, "alg", json!(format!("{alg:?}")));
        jws(header.to_string(), forger.payload.to_string(), &forger.key, alg)
    };
    let doubled = |name: &str, first: &str, text: String| text.replacen(name, &format!("{first},{name}"), 1);
    let payload = forger.payload.to_string();
    let header = forger.header.to_string();
    let other = TestServer::sqlite();
    let others = own_keys(&other.data.data_dir).remove(0).kid;
    let mut forged = vec![
        ("HS384 with our key", hs(Algorithm::HS384)),
        ("HS512 with our key", hs(Algorithm::HS512)),
        ("no key named", forger.header("kid", json!(null))),
        ("another server's key named", forger.header("kid", others.into())),
        ("the key's name in other letters", forger.header("kid", json!(flip_case(&forger.kid)))),
        ("the key's name and more", forger.header("kid", json!(format!("{}\0", forger.kid)))),
        ("a list of keys' names", forger.header("kid", json!([forger.kid]))),
        ("a number for a key's name", forger.header("kid", json!(1))),
        ("no algorithm named", forger.header("alg", json!(null))),
        ("a list of algorithms", forger.header("alg", json!(["HS256"]))),
        ("the algorithm in lower case", forger.header("alg", json!("hs256"))),
        ("the algorithm with a zero-width space", forger.header("alg", json!("HS256\u{200b}"))),
        ("the algorithm in full-width letters", forger.header("alg", json!("ＨＳ２５６"))),
        ("an extension that must be understood", forger.header("crit", json!(["exp"]))),
        ("an empty list of extensions", forger.header("crit", json!([]))),
        ("an unencoded payload", forger.header("b64", json!(false))),
        ("a compressed payload", forger.header("zip", json!("DEF"))),
        ("an encrypted payload", forger.header("enc", json!("A128GCM"))),
        ("a logout token", forger.header("typ", json!("logout+jwt"))),
        ("a proof of possession", forger.header("typ", json!("dpop+jwt"))),
        ("a type that is no text", forger.header("typ", json!(["JWT"]))),
        ("two algorithms", forger.raw(doubled("\"alg\"", "\"alg\":\"none\"", header.clone()), &payload)),
        ("two names of keys", forger.raw(doubled("\"kid\"", "\"kid\":\"x\"", header.clone()), &payload)),
        ("two subjects", forger.raw(&header, doubled("\"sub\"", "\"sub\":\"user:1\"", payload.clone()))),
        ("two expiries", forger.raw(&header, doubled("\"exp\"", "\"exp\":1", payload.clone()))),
        ("a payload that is a list", forger.raw(&header, "[]")),
        ("a payload that is a text", forger.raw(&header, "\"admin\"")),
        ("a payload that is null", forger.raw(&header, "null")),
        ("no payload", forger.raw(&header, "")),
        ("a payload cut off", forger.raw(&header, &payload[..payload.len() - 1])),
        ("a payload with a byte-order mark", forger.raw(&header, format!("\u{feff}{payload}"))),
        ("a payload that is not UTF-8", forger.raw(&header, b"{\"iss\":\"logbook\xff\"}")),
        ("a header that is not UTF-8", forger.raw(b"{\"alg\":\"HS256\",\"kid\":\"\xff\"}", &payload)),
        ("a header that is no JSON", forger.raw("HS256", &payload)),
        ("a header that is a list", forger.raw("[\"HS256\"]", &payload)),
        ("a payload with something behind it", forger.raw(&header, format!("{payload}{payload}"))),
        ("a huge claim", forger.claim("name", json!("x".repeat(20_000)))),
        ("a role that there is not", forger.claim("everywhere", json!("root"))),
        ("a list of roles", forger.claim("everywhere", json!(["admin"]))),
        ("roles by name of the workspace", forger.claim("roles", json!({"clinic": "admin"}))),
        ("not yet good", forger.claim("nbf", json!(now + 600))),
    ];
    for (name, bad) in [
        (
            "iss",
            json!([null, "other", "", "Logbook", "logbook ", "logbook\0", "lоgbook", ["logbook"], {"logbook": 1}, 1]),
        ),
        (
            "aud",
            json!([
                null,
                "other",
                "",
                "LOGBOOK",
                "logbook-sign-in",
                ["logbook"],
                ["other", "logbook"],
                [],
                1,
                true
            ]),
        ),
        ("sub", json!([null, ["token:test"], {"sub": "token:test"}, 1])),
        ("exp", json!([null, (now + 600).to_string(), [now + 600], "never", true, {}])),
        ("nbf", json!([null, now.to_string(), [now], "", false])),
    ] {
        for bad in bad.as_array().expect("values") {
            forged.push((name, forger.claim(name, bad.clone())));
        }
    }
    all_refused(&server, 70, forged);
    for past in [json!(now - 6), json!(0)] {
        let answer = server.bearer(&forger.claim("exp", past)).get("/workspaces").expect(401);
        assert_eq!(answer.code(), "token_expired");
    }
    // The changes are the reason: unchanged, the same token is let in.
    server.bearer(&forger.sign(&forger.header, &forger.payload)).get("/workspaces").expect(200);
    server.bearer(&forger.header("typ", json!(null))).get("/workspaces").expect(200);
});

fn flip_case(text: &str) -> String {
    let flip = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    text.chars().map(flip).collect::<String>() + "x"
}

on_both!(a_token_has_one_spelling, |server| {
    let forger = Forger::new(&server);
    let good = &forger.good;
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let mut forged = vec![
        ("padding", format!("{good}=")),
        ("padding in the middle", format!("{header}=.{payload}.{signature}")),
        ("a dot before", format!(".{good}")),
        ("a dot behind", format!("{good}.")),
        ("two dots", format!("{header}..{payload}.{signature}")),
        ("two dots later", format!("{header}.{payload}..{signature}")),
        ("only dots", "..".into()),
        ("five parts, as if encrypted", format!("{good}.{payload}.{signature}")),
        ("a space within", format!("{header}. {payload}.{signature}")),
        ("a tab within", format!("{header}.\t{payload}.{signature}")),
        ("percent for a dot", good.replace('.', "%2e")),
        ("another dot", good.replace('.', "．")),
        ("quotes", format!("\"{good}\"")),
        ("two tokens", format!("{good},{good}")),
        ("upper case", good.to_uppercase()),
        ("the JSON itself", format!("{}.{}.{signature}", forger.header, "{}")),
        ("something else altogether", "x".into()),
        ("another format", "v2.local.QAxIpVe-ECVNI1z4xQbm_qQYomyT3h8FtV8bxkz8pBJWkT8f7HtlOpbroPDEZUKop_vaglyp76CzYy375cHmKCW8e1CCkV0Lflu4GTDyXMqQdpZMM1E6OaoQW27gaRSvWBrR3IgbFIa0AkuUFw".into()),
        ("another alphabet", other_alphabet(&server)),
        ("bits beyond the end", with_spare_bits(good)),
    ];
    forged.push(("a letter that looks the same", good.replacen('e', "е", 1)));
    for (what, token) in forged {
        let answer = shown(&server, token.as_bytes());
        assert!(
            answer.starts_with("HTTP/1.1 401") && answer.contains("\"unauthenticated\""),
            "{what}: {answer}"
        );
    }
    for token in [b"".as_slice(), b"\xff\xfe\xfd", b"\x80.\x80.\x80", &[b'x'; 100_000]] {
        let answer = shown(&server, token);
        assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("\"unauthenticated\""), "{answer}");
    }
    assert!(shown(&server, good.as_bytes()).starts_with("HTTP/1.1 200"));
});

/// The answer to a bearer token of any bytes, some of which an HTTP client would not send.
fn shown(server: &TestServer, token: &[u8]) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(server.address).expect("the server listens");
    let start = b"GET /api/v1/workspaces HTTP/1.1\r\nHost: logbook.test\r\nAuthorization: Bearer ";
    let request = [start, token, b"\r\nConnection: close\r\n\r\n"].concat();
    stream.write_all(&request).expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the server answers");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A valid token in the standard base64 alphabet instead of the URL-safe one.
fn other_alphabet(server: &TestServer) -> String {
    let tokens = (0..200).map(|n| {
        server.sign(&Claims {
            name: format!("{n}"),
            everywhere: Some(Role::Admin),
            ..Claims::new("token:x".into(), String::new(), 60)
        })
    });
    let token =
        tokens.into_iter().find(|token| token.contains(['-', '_'])).expect("one of them has such a letter");
    token.replace('-', "+").replace('_', "/")
}

/// The token with other values of the two unused bits in the last letter of its signature of 32 bytes.
fn with_spare_bits(token: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = token.split_at(token.len() - 1);
    let at = ALPHABET.iter().position(|letter| *letter == last.as_bytes()[0]).expect("a letter of it");
    assert_eq!(at % 4, 0, "two bits are spare");
    format!("{rest}{}", ALPHABET[at + 1] as char)
}

on_both!(a_token_for_one_workspace_opens_no_other, |server| {
    let (clinic, shop) = (server.workspace("clinic"), server.workspace("shop"));
    let member = server.member(&clinic, Role::Admin);
    member.get("/workspaces/clinic/logs/access").expect(200);
    for path in ["/workspaces/shop/logs/access", "/workspaces/shop", "/workspaces/unknown"] {
        assert_eq!(member.get(path).expect(404).code(), "not_found");
    }
    // The signature covers the workspace.
    let (token, other) = (member, server.member(&shop, Role::Admin));
    let part = |client: &logbook_tests::Client, n: usize| {
        client.headers["authorization"]
            .trim_start_matches("Bearer ")
            .split('.')
            .nth(n)
            .expect("a part")
            .to_owned()
    };
    let mixed = format!("{}.{}.{}", part(&token, 0), part(&other, 1), part(&token, 2));
    server.bearer(&mixed).get("/workspaces/shop").expect(401);
});

on_both!(what_signs_in_is_no_access_token, |server| {
    let mut conn = server.db.conn().expect("a connection");
    let admin = logbook::accounts::users::first_admin(&mut conn).expect("the first admin");
    let link = logbook::accounts::sign_in_links::create(&mut conn, admin.id).expect("a link");
    let client_info = ClientInfo::default();
    let beginning = Beginning::new(Method::Link, &client_info);
    let new = sessions::start(&mut conn, admin, beginning).expect("a session");
    for secret in [link, new.refresh_token, new.session.id] {
        assert_eq!(server.bearer(&secret).get("/workspaces").expect(401).code(), "unauthenticated");
    }
});
