//! An identity provider beside Logbook's own users: its tokens are accepted, and it signs people in (OpenID Connect).
//!
//! Built on `oauth2`, not on `openidconnect`, for three reasons. Bearer tokens and ID tokens are checked by the same code
//! with the same keys, and `openidconnect` has no part for bearer tokens: `jsonwebtoken` would stay beside its own
//! verification of signatures. Its key sets are refreshed by the caller, so [`jwks`] would stay as well. And it adds 80
//! packages to the lock file where `oauth2` adds 25.

mod http;
mod jwks;
pub mod sign_in;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use jsonwebtoken::{Algorithm, AlgorithmFamily, Header, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use url::Url;

use super::{
    jwt,
    public_keys::{PublicKey, usable},
};
use crate::{
    accounts::{claims::Claims, grants::Grants, workspaces::Workspaces},
    http::error::{Code, Problem, Result},
};
use http::{Http, HttpError};
use jwks::Jwks;

/// How long the provider's description of itself is used.
const DESCRIPTION_AGE: Duration = Duration::from_secs(15 * 60);
/// How many sign-ins may wait for the provider at once, and how long others wait for their turn.
const MOST_AT_ONCE: usize = 8;
const TURN: Duration = Duration::from_secs(5);
/// Bearer tokens that are remembered as valid.
const MOST_VERIFIED: usize = 20_000;
/// OpenID Connect Core, section 2.
const MAX_SUBJECT_BYTES: usize = 255;

/// How the provider is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Exactly as its tokens name it.
    pub issuer: String,
    /// Bearer tokens are accepted that are for one of these. Where there are none, no bearer tokens are.
    pub audience: Vec<String>,
    /// Default: as the provider's description says.
    pub jwks_url: Option<Url>,
    /// One key in PEM instead of a set.
    pub public_key: Option<PathBuf>,
    pub algorithms: Vec<String>,
    pub roles_claim: String,
    /// For signing people in.
    pub client: Option<Client>,
}

/// How Logbook is known to the provider.
#[derive(Clone)]
pub struct Client {
    pub id: String,
    pub secret: Option<String>,
    /// What people call the provider.
    pub name: String,
    pub scopes: Vec<String>,
    /// Where the provider sends people back to.
    pub redirect_url: Url,
    /// How long a session lives, whatever its use: then the provider is asked again.
    pub session_seconds: i64,
}

/// Without the secret, which no log may have.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the provider says of itself (OpenID Connect Discovery 1.0, section 3), as far as it is needed.
#[derive(Clone, Debug, Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: Url,
    authorization_endpoint: Url,
    token_endpoint: Url,
    #[serde(default)]
    userinfo_endpoint: Option<Url>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// Sends requests to the provider, off the async threads.
#[derive(Clone)]
struct Source {
    issuer: String,
    jwks_url: Option<Url>,
    algorithms: Vec<Algorithm>,
    http: Http,
    described: Arc<RwLock<Option<(Description, Instant)>>>,
    /// Anybody may begin to sign in, and database queries use the same threads, so only a few requests run at once.
    turns: Arc<Semaphore>,
}

impl Source {
    /// The provider's description, no older than a quarter of an hour. Blocks.
    fn describe(&self) -> Result<Description, HttpError> {
        let known = self.described.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((description, read)) = known
            && read.elapsed() < DESCRIPTION_AGE
        {
            return Ok(description);
        }
        let place = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let place = Url::parse(&place).map_err(|_| HttpError::OtherIssuer(place))?;
        let description: Description = self.http.get(&place, None)?;
        // Otherwise one provider could speak for another (Discovery, section 4.3).
        if description.issuer != self.issuer {
            return Err(HttpError::OtherIssuer(description.issuer));
        }
        http::secure(&description.token_endpoint)?;
        http::secure(&description.authorization_endpoint)?;
        let known = Some((description.clone(), Instant::now()));
        *self.described.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(description)
    }

    /// The keys that it publishes. Blocks.
    fn keys(&self) -> Result<Vec<PublicKey>, HttpError> {
        let place = match &self.jwks_url {
            Some(url) => url.clone(),
            None => self.describe()?.jwks_uri,
        };
        let set = self.http.get::<KeySet>(&place, None).inspect_err(|_| {
            // They may have moved: the next attempt asks for their address, too.
            *self.described.write().unwrap_or_else(PoisonError::into_inner) = None;
        })?;
        let keys = usable(&set.keys, &self.algorithms);
        // More likely a mistake than an intention to refuse everybody.
        if keys.is_empty() {
            return Err(HttpError::NoKeys);
        }
        tracing::info!(
            published = set.keys.len(),
            usable = keys.len(),
            "the identity provider's keys are read"
        );
        Ok(keys)
    }

    /// Runs a request off the async threads, when there is a free place.
    async fn off_thread<T: Send + 'static>(
        &self,
        ask: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let busy = || Problem::new(Code::Busy, "too many people are signing in at this moment");
        let turn = tokio::time::timeout(TURN, self.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        let asked = actix_web::web::block(move || {
            let _turn = turn;
            ask()
        });
        asked.await.map_err(|_| Problem::new(Code::Unavailable, "the server is stopping"))?
    }
}

pub struct Provider {
    pub settings: Settings,
    algorithms: Vec<Algorithm>,
    keys: Jwks,
    source: Source,
    /// Digests of bearer tokens that were valid.
    verified: quick_cache::sync::Cache<[u8; 32], ()>,
}

impl Provider {
    /// Sends no request yet, so that the server starts while the provider is down.
    ///
    /// # Errors
    /// A message for the person who configured it.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let issuer = Url::parse(&settings.issuer).map_err(|error| format!("the issuer: {error}"))?;
        http::secure(&issuer).map_err(|error| format!("the issuer: {error}"))?;
        if let Some(url) = &settings.jwks_url {
            http::secure(url).map_err(|error| format!("the address of the keys: {error}"))?;
        }
        let algorithms =
            settings.algorithms.iter().map(|name| algorithm(name)).collect::<Result<Vec<_>, _>>()?;
        let keys = match &settings.public_key {
            Some(path) => Jwks::Fixed(read_key(path, &algorithms)?),
            None => Jwks::Published(Arc::default()),
        };
        let source = Source {
            issuer: settings.issuer.clone(),
            jwks_url: settings.jwks_url.clone(),
            algorithms: algorithms.clone(),
            http: Http::new(),
            described: Arc::default(),
            turns: Arc::new(Semaphore::new(MOST_AT_ONCE)),
        };
        let verified = quick_cache::sync::Cache::new(MOST_VERIFIED);
        Ok(Self { settings, algorithms, keys, source, verified })
    }

    /// True for a token that only the provider can have signed: tokens of Logbook are signed with a secret, tokens of the
    /// provider never are.
    pub fn is_issuer_of(&self, token: &str) -> bool {
        let asymmetric = |header: Header| header.alg.family() != AlgorithmFamily::Hmac;
        !self.settings.audience.is_empty() && jwt::header(token).is_ok_and(asymmetric)
    }

    /// True for a token that was valid when it was last checked. It is checked again all the same.
    pub fn verified_before(&self, token: &str) -> bool {
        self.verified.get(&digest(token)).is_some()
    }

    /// What the holder of a bearer token may do.
    ///
    /// # Errors
    /// `token_expired`; `unauthenticated` for anything else that is wrong with it; `provider_unavailable`.
    pub async fn bearer(&self, token: &str, workspaces: &Workspaces) -> Result<Claims> {
        let given = match self.verify(token, &self.settings.audience).await {
            Ok(given) => given,
            Err(problem) => {
                self.verified.remove(&digest(token));
                return Err(problem);
            }
        };
        self.verified.insert(digest(token), ());
        let grants = Grants::from_claims(&given, &self.settings.roles_claim);
        let ids = workspaces.ids(grants.by_slug.keys()).await?;
        let subject = text(&given, "sub").unwrap_or_default();
        let now = given.get("iat").and_then(Value::as_i64).unwrap_or_default();
        Ok(Claims {
            iss: self.settings.issuer.clone(),
            aud: String::new(),
            // Never named as Logbook's own users are: a provider's `user:1` is not user 1.
            sub: format!("provider:{subject}"),
            name: name(&given).unwrap_or(subject).to_owned(),
            jti: None,
            sid: None,
            method: None,
            iat: now,
            nbf: now,
            exp: given.get("exp").and_then(Value::as_f64).unwrap_or_default() as i64,
            platform_admin: grants.platform_admin,
            everywhere: grants.everywhere,
            source: None,
            roles: grants.by_slug.iter().filter_map(|(slug, role)| Some((*ids.get(slug)?, *role))).collect(),
        })
    }

    /// The claims of a token that this provider has signed for one of `audience`.
    async fn verify(&self, token: &str, audience: &[String]) -> Result<Map<String, Value>> {
        let header = jwt::header(token)?;
        // The configuration's choice, not the token's.
        if !self.algorithms.contains(&header.alg) {
            return Err(jwt::refused());
        }
        let source = self.source.clone();
        let key = self.keys.find(header.kid.as_deref(), header.alg, move || source.keys()).await?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = jwt::LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(audience);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key.decoding, &validation)
            .map_err(|error| jwt::problem(&error))?
            .claims;
        // The library takes a list that has the issuer in it, and a subject of any length.
        let one_issuer = claims.get("iss").is_some_and(Value::is_string);
        let a_subject =
            text(&claims, "sub").is_some_and(|sub| sub.len() <= MAX_SUBJECT_BYTES && !sub.contains('\0'));
        if one_issuer && a_subject { Ok(claims) } else { Err(jwt::refused()) }
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    match name.parse::<Algorithm>() {
        Ok(algorithm) if algorithm.family() != AlgorithmFamily::Hmac => Ok(algorithm),
        Ok(_) => Err(format!("{name} is symmetric: whoever can verify a token could also sign one")),
        Err(_) => Err(format!("unknown algorithm {name}; use RS256, ES256, EdDSA or another asymmetric one")),
    }
}

fn read_key(path: &Path, algorithms: &[Algorithm]) -> Result<PublicKey, String> {
    let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    PublicKey::from_pem(&pem, algorithms).map_err(|error| format!("{}: {error}", path.display()))
}

/// A claim that is a text and not empty.
fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// What people call the holder.
fn name(claims: &Map<String, Value>) -> Option<&str> {
    let plain = |text: &&str| text.len() <= 200 && !text.contains('\0');
    ["name", "preferred_username", "email"].iter().find_map(|name| text(claims, name).filter(plain))
}

fn unavailable(error: &HttpError) -> Problem {
    tracing::warn!(%error, "the identity provider cannot be reached");
    Problem::new(Code::ProviderUnavailable, "the identity provider does not respond now")
}
