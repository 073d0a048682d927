//! A browser that signs in at the stories' OpenID Connect provider.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};
use url::Url;

use crate::{
    Answer, Client, Issuer, TestServer,
    issuer::{CLIENT_ID, Code},
};

pub const CALLBACK: &str = "/auth/oidc/callback";
static NEXT_CODE: AtomicU32 = AtomicU32::new(1);

/// A browser on its way to the provider.
pub struct Visit<'a> {
    server: &'a TestServer,
    /// The parameters of the authorization request.
    pub asked: HashMap<String, String>,
    /// The cookie that the server set for the way back.
    cookie: String,
}

impl<'a> Visit<'a> {
    #[track_caller]
    pub fn start(server: &'a TestServer, next: &str) -> Self {
        let answer = server.nobody().query("/auth/oidc/start", &[("next", next)]).expect(303);
        let place = Url::parse(&answer.headers["location"]).expect("the provider's address");
        let cookie = answer.headers["set-cookie"].split(';').next().expect("a cookie").to_owned();
        Self { server, asked: place.query_pairs().into_owned().collect(), cookie }
    }

    /// The claims of an ID token for this visit.
    pub fn claims(&self, issuer: &Issuer, subject: &str) -> Value {
        let mut claims = issuer.claims(json!({}));
        claims["aud"] = json!(CLIENT_ID);
        claims["sub"] = json!(subject);
        claims["nonce"] = json!(self.asked["nonce"]);
        claims
    }

    /// The provider signs the person in: it issues a code, and will answer it with this ID token.
    pub fn code(&self, issuer: &Issuer, id_token: String, userinfo: Value) -> String {
        let mut state = issuer.state();
        let code = format!("code-{}", NEXT_CODE.fetch_add(1, Ordering::Relaxed));
        state.codes.insert(code.clone(), Code { challenge: self.asked["code_challenge"].clone(), id_token });
        state.userinfo.insert(code.clone(), userinfo);
        code
    }

    /// The browser comes back.
    pub fn back(&self, parameters: &[(&str, &str)]) -> Answer {
        self.browser().query(CALLBACK, parameters).expect(303)
    }

    pub fn browser(&self) -> Client {
        self.server.nobody().with_header("cookie", &self.cookie)
    }

    pub fn back_with(&self, code: &str) -> Answer {
        self.back(&[("code", code), ("state", &self.asked["state"])])
    }

    /// The whole sign-in of a person with these claims.
    pub fn finish(&self, issuer: &Issuer, subject: &str, more: Value) -> Answer {
        let mut claims = self.claims(issuer, subject);
        for (name, value) in more.as_object().expect("claims") {
            claims[name] = value.clone();
        }
        let code = self.code(issuer, issuer.key.sign("ed", &claims), json!({"sub": subject}));
        self.back_with(&code)
    }
}

/// A client with the session of an answer's refresh cookie.
#[track_caller]
pub fn session(server: &TestServer, answer: &Answer) -> Client {
    let cookie = refresh_cookie(answer).unwrap_or_else(|| panic!("no session: {:?}", answer.headers));
    let renewed = refresh(server, &cookie).expect(200);
    server.bearer(renewed.json["access_token"].as_str().expect("a token"))
}

/// Renews the session of a refresh cookie.
pub fn refresh(server: &TestServer, cookie: &str) -> Answer {
    server.nobody().with_header("cookie", cookie).send("POST", "/auth/refresh", "application/json", b"")
}

/// The refresh cookie that an answer sets, as a browser sends it back.
pub fn refresh_cookie(answer: &Answer) -> Option<String> {
    let cookies = answer.headers.get("set-cookie")?.split('\n');
    let refresh = cookies.filter_map(|cookie| cookie.split(';').next());
    refresh.map(str::to_owned).find(|cookie| cookie.starts_with("logbook_refresh="))
}

/// Checks that the browser is back at the sign-in page, with this reason and no session.
#[track_caller]
pub fn failed(answer: &Answer, reason: &str, what: &str) {
    assert_eq!(refresh_cookie(answer), None, "{what}");
    let place = &answer.headers["location"];
    assert!(place.starts_with(&format!("/sign-in?failed={reason}")), "{what}: {place}");
}

/// The claims of a person with a verified e-mail address.
pub fn person(email: &str) -> Value {
    json!({"name": "Asha Rao", "email": email, "email_verified": true})
}
