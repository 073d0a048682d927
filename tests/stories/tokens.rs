//! Access tokens: only those that this server signed, only while they are good.

use logbook::auth::{
    Role,
    tokens::{Claims, Tokens},
};
use logbook_tests::{TestServer, on_both};

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

on_both!(an_expired_token_says_so, |server| {
    server.bearer(&server.sign(&claims(60))).get("/workspaces").expect(200);
    refused(&server, &server.sign(&claims(-60)), "token_expired");
});

on_both!(a_token_that_is_not_ours_is_refused, |server| {
    let good = server.sign(&claims(60));
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    // {"alg":"none"}, {"typ":"JWT","alg":"none"}, {"alg":"HS512","typ":"JWT"}
    let none = [
        "eyJhbGciOiJub25lIn0",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0",
        "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9",
    ];
    let mut tokens: Vec<String> = none
        .iter()
        .flat_map(|none| [format!("{none}.{payload}."), format!("{none}.{payload}.{signature}")])
        .collect();
    tokens.push(
        Tokens::new(b"another server's key, long enough to be one").sign(&claims(60)).expect("a token"),
    );
    tokens.push(Tokens::new(b"").sign(&claims(60)).expect("a token"));
    tokens.push(format!("{header}.{payload}."));
    tokens.push(format!("{header}.{payload}"));
    tokens.push(format!("{header}.{payload}.{}", signature.chars().rev().collect::<String>()));
    // The payload of a viewer's token under an admin's signature.
    let viewer = server.sign(&Claims { everywhere: Some(Role::Viewer), ..claims(60) });
    tokens.push(format!("{header}.{}.{signature}", viewer.split('.').nth(1).expect("a payload")));
    tokens.extend(["".into(), "x".into(), "..".into(), good.to_uppercase()]);
    for token in &tokens {
        refused(&server, token, "unauthenticated");
    }
    for (change, what) in [
        (Claims { iss: "other".into(), ..claims(60) }, "issuer"),
        (Claims { aud: "other".into(), ..claims(60) }, "audience"),
        (Claims { nbf: claims(0).nbf + 600, ..claims(900) }, "not yet"),
    ] {
        assert_eq!(
            server.bearer(&server.sign(&change)).get("/workspaces").expect(401).code(),
            "unauthenticated",
            "{what}"
        );
    }
    let basic = server.nobody().with_header("authorization", "Basic YWRtaW46YWRtaW4=");
    assert_eq!(basic.get("/workspaces").expect(401).code(), "unauthenticated");
    server.nobody().with_header("authorization", &format!("bEARER  {good}")).get("/workspaces").expect(200);
    server.nobody().get(&format!("/workspaces?access_token={good}")).expect(401);
});

on_both!(a_token_in_one_servers_folder_is_good_there_only, |server| {
    let other = TestServer::sqlite();
    refused(&other, &server.sign(&claims(60)), "unauthenticated");
    refused(&server, &other.sign(&claims(60)), "unauthenticated");
    let key = server.data.data_dir.join("token.key");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(key).expect("the key"));
    assert_eq!(mode & 0o777, 0o600, "only the server reads its key");
});
