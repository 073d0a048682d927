//! An OpenID Connect provider for the stories, on a port of its own. It can do what a real one never would: sign nonsense,
//! go away, publish secrets. The browser tests sign in at a real one.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, mpsc},
    thread,
};

use logbook::{accounts::secret::token_hash, config::OidcConfig};
use logbook_engine::db::timestamp::Timestamp;

use crate::jose::{KeyPair, base64url};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use serde_json::{Value, json};

pub const AUDIENCE: &str = "logbook-api";
pub const CLIENT_ID: &str = "logbook";
pub const CLIENT_SECRET: &str = "a secret of 32 characters or more";

/// What the token endpoint answers a code with.
#[derive(Clone)]
pub struct Code {
    /// The PKCE challenge of the authorization request.
    pub challenge: String,
    pub id_token: String,
}

#[derive(Default)]
pub struct State {
    /// The published keys.
    pub keys: Vec<Value>,
    /// Every answer is 503.
    pub away: bool,
    /// Requests for the keys are redirected there.
    pub keys_moved_to: Option<String>,
    pub codes: HashMap<String, Code>,
    /// Claims by access token, which is the code.
    pub userinfo: HashMap<String, Value>,
    /// Members of the discovery document that differ from the usual ones.
    pub description: BTreeMap<String, Value>,
    /// Requests to each path.
    asked: BTreeMap<String, usize>,
}

pub struct Issuer {
    pub url: String,
    /// Published under the name `ed`.
    pub key: KeyPair,
    state: Arc<Mutex<State>>,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Issuer {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn({
            let state = state.clone();
            move || {
                actix_web::rt::System::new().block_on(async move {
                    let app = move || {
                        let data = web::Data::from(state.clone());
                        App::new().app_data(data).default_service(web::to(answer))
                    };
                    let server = HttpServer::new(app).workers(1).bind("127.0.0.1:0").expect("a free port");
                    let address = server.addrs()[0];
                    let server = server.run();
                    sender.send((address, server.handle())).expect("the test waits");
                    server.await.expect("the issuer runs");
                });
            }
        });
        let (address, handle) = receiver.recv().expect("the issuer starts");
        let key = KeyPair::ed25519();
        let issuer = Self { url: format!("http://{address}"), key, state, handle, thread: Some(thread) };
        issuer.state().keys = vec![issuer.key.public("ed")];
        issuer
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic in the issuer")
    }

    /// Requests to a path so far.
    pub fn asked(&self, path: &str) -> usize {
        self.state().asked.get(path).copied().unwrap_or_default()
    }

    /// A server's settings for this provider.
    pub fn config(&self) -> OidcConfig {
        OidcConfig {
            oidc_issuer: Some(self.url.clone()),
            oidc_audience: vec![AUDIENCE.into()],
            oidc_jwks_url: None,
            oidc_public_key: None,
            oidc_algorithms: ["RS256", "ES256", "EdDSA"].map(str::to_owned).to_vec(),
            oidc_roles_claim: "logbook_roles".into(),
            oidc_client_id: Some(CLIENT_ID.into()),
            oidc_client_secret: Some(CLIENT_SECRET.into()),
            oidc_name: "Clinic ID".into(),
            oidc_scopes: ["openid", "email", "profile"].map(str::to_owned).to_vec(),
            oidc_session_hours: 12,
        }
    }

    /// The claims of a valid bearer token with these roles.
    pub fn claims(&self, roles: Value) -> Value {
        let now = Timestamp::now().micros() / 1_000_000;
        json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "248289761001", "name": "Asha Rao",
            "iat": now, "exp": now + 600, "logbook_roles": roles,
        })
    }

    /// A valid bearer token with these roles.
    pub fn token(&self, roles: Value) -> String {
        self.key.sign("ed", &self.claims(roles))
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn answer(request: HttpRequest, body: web::Bytes, state: web::Data<Mutex<State>>) -> HttpResponse {
    let mut state = state.lock().expect("no panic elsewhere");
    *state.asked.entry(request.path().to_owned()).or_default() += 1;
    if state.away {
        return HttpResponse::ServiceUnavailable().finish();
    }
    let host = format!("http://{}", request.connection_info().host());
    match request.path() {
        "/.well-known/openid-configuration" => {
            let mut description = json!({
                "issuer": host,
                "jwks_uri": format!("{host}/jwks"),
                "authorization_endpoint": format!("{host}/authorize"),
                "token_endpoint": format!("{host}/token"),
                "userinfo_endpoint": format!("{host}/userinfo"),
            });
            for (name, value) in &state.description {
                description[name] = value.clone();
            }
            HttpResponse::Ok().json(description)
        }
        "/jwks" => match &state.keys_moved_to {
            Some(url) => HttpResponse::Found().insert_header(("location", url.as_str())).finish(),
            None => HttpResponse::Ok().json(json!({"keys": state.keys})),
        },
        "/token" => token(&request, &body, &mut state),
        "/userinfo" => {
            let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
            let code = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
            match state.userinfo.get(code) {
                Some(claims) => HttpResponse::Ok().json(claims),
                None => HttpResponse::Unauthorized().finish(),
            }
        }
        _ => HttpResponse::NotFound().finish(),
    }
}

/// RFC 6749, section 4.1.3, and RFC 7636, section 4.6: a code is valid once, for the client and with the verifier.
fn token(request: &HttpRequest, body: &[u8], state: &mut State) -> HttpResponse {
    let form: HashMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let secret: String = url::form_urlencoded::byte_serialize(CLIENT_SECRET.as_bytes()).collect();
    let known = format!("Basic {}", base64_standard(&format!("{CLIENT_ID}:{secret}")));
    let client = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if client != Some(&known) || field("grant_type") != "authorization_code" {
        return HttpResponse::Unauthorized().json(json!({"error": "invalid_client"}));
    }
    let code = state.codes.remove(field("code"));
    match code.filter(|code| code.challenge == challenge(field("code_verifier"))) {
        Some(Code { id_token, .. }) => HttpResponse::Ok().json(json!({
            "access_token": field("code"), "token_type": "Bearer", "expires_in": 60, "id_token": id_token,
        })),
        None => HttpResponse::BadRequest().json(json!({"error": "invalid_grant"})),
    }
}

fn base64_standard(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// The challenge of a verifier by the method S256.
fn challenge(verifier: &str) -> String {
    let hex = token_hash(verifier);
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
    base64url((0..hex.len()).step_by(2).map(byte).collect::<Vec<_>>())
}
