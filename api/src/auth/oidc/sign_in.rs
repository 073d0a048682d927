//! Signing people in: OpenID Connect Core 1.0, section 3.1, the authorization code flow with PKCE (RFC 7636).

use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointNotSet, EndpointSet, ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RevocationErrorResponseType, Scope, StandardErrorResponse, StandardRevocableToken,
    StandardTokenIntrospectionResponse, StandardTokenResponse, TokenResponse as _, TokenUrl,
    basic::{BasicErrorResponse, BasicTokenType},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::{Client, Description, Provider, name, text, unavailable};
use crate::{
    accounts::{grants::Grants, identities::Person, secret::random_token},
    auth::jwt,
    http::error::Result,
};

/// What the browser keeps for us until it comes back.
#[derive(Serialize, Deserialize)]
pub struct Started {
    pub state: String,
    nonce: String,
    verifier: String,
    /// Where the person wanted to go: a path of ours.
    pub next: String,
}

/// What a token endpoint adds for OpenID Connect.
#[derive(Debug, Serialize, Deserialize)]
struct IdToken {
    id_token: String,
}

impl ExtraTokenFields for IdToken {}

type TokenResponse = StandardTokenResponse<IdToken, BasicTokenType>;
type OAuth2Client = oauth2::Client<
    BasicErrorResponse,
    TokenResponse,
    StandardTokenIntrospectionResponse<EmptyExtraTokenFields, BasicTokenType>,
    StandardRevocableToken,
    StandardErrorResponse<RevocationErrorResponseType>,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

fn oauth2_client(client: &Client, description: &Description) -> OAuth2Client {
    // The default of the standard, as long as the provider says nothing else.
    let methods = description.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
    let has = |method: &str| methods.iter().any(|known| known == method);
    let in_body = has("client_secret_post") && !has("client_secret_basic");
    let known = oauth2::Client::new(ClientId::new(client.id.clone()));
    let known = match &client.secret {
        Some(secret) => known.set_client_secret(ClientSecret::new(secret.clone())),
        None => known,
    };
    known
        .set_auth_type(if in_body { AuthType::RequestBody } else { AuthType::BasicAuth })
        .set_auth_uri(AuthUrl::from_url(description.authorization_endpoint.clone()))
        .set_token_uri(TokenUrl::from_url(description.token_endpoint.clone()))
        .set_redirect_uri(RedirectUrl::from_url(client.redirect_url.clone()))
}

impl Provider {
    /// Where the provider asks the person who they are, and what to keep until they come back.
    ///
    /// # Errors
    /// `provider_unavailable`
    pub async fn start(&self, client: &Client, next: String) -> Result<(Url, Started)> {
        let description = self.description().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = random_token();
        // `openid` is always among them; nothing else makes it OpenID Connect.
        let others = client.scopes.iter().filter(|scope| *scope != "openid").cloned();
        let (url, state) = oauth2_client(client, &description)
            .authorize_url(CsrfToken::new_random)
            .add_scope(Scope::new("openid".into()))
            .add_scopes(others.map(Scope::new))
            .add_extra_param("nonce", &nonce)
            .set_pkce_challenge(challenge)
            .url();
        let started = Started { state: state.into_secret(), nonce, verifier: verifier.into_secret(), next };
        Ok((url, started))
    }

    /// Who the person is that came back with this code.
    ///
    /// # Errors
    /// `provider_unavailable`; `unauthenticated` for whatever the provider or its ID token says against it.
    pub async fn finish(&self, client: &Client, started: &Started, code: String) -> Result<Person> {
        let description = self.description().await?;
        let oauth2_client = oauth2_client(client, &description);
        let verifier = PkceCodeVerifier::new(started.verifier.clone());
        let http = self.source.http.clone();
        let given = self.source.off_thread(move || {
            let exchanged = oauth2_client
                .exchange_code(AuthorizationCode::new(code))
                .set_pkce_verifier(verifier)
                .request(&|request| http.send(request));
            exchanged.map_err(|error| match error {
                oauth2::RequestTokenError::Request(error) => unavailable(&error),
                // Its words may name what it was sent.
                error => {
                    tracing::warn!(error = %kind_of(&error), "the identity provider does not take the code");
                    jwt::refused()
                }
            })
        });
        let given: TokenResponse = given.await?;
        let mut claims = self.id_token(client, started, &given.extra_fields().id_token).await?;
        if let Some(url) = description.userinfo_endpoint {
            let http = self.source.http.clone();
            let access_token = given.access_token().secret().clone();
            let ask = move || -> Result<Map<String, Value>> {
                http.get(&url, Some(&access_token)).map_err(|error| unavailable(&error))
            };
            let more = self.source.off_thread(ask).await?;
            // Of another person it says nothing here (Core, section 5.3.2).
            if text(&more, "sub") != text(&claims, "sub") {
                return Err(jwt::refused());
            }
            for (name, value) in more {
                claims.entry(name).or_insert(value);
            }
        }
        Ok(self.person(&claims))
    }

    /// The claims of an ID token, checked as Core, section 3.1.3.7 says.
    async fn id_token(&self, client: &Client, started: &Started, token: &str) -> Result<Map<String, Value>> {
        let claims = self.verify(token, std::slice::from_ref(&client.id)).await?;
        let one_audience = match claims.get("aud") {
            Some(Value::Array(many)) => many.len() == 1,
            _ => true,
        };
        // For several audiences it has to say which one asked.
        let party = text(&claims, "azp").map_or(one_audience, |party| party == client.id);
        let nonce = text(&claims, "nonce") == Some(&started.nonce);
        if party && nonce {
            Ok(claims)
        } else {
            tracing::warn!(party, nonce, "an ID token was not made for this sign-in");
            Err(jwt::refused())
        }
    }

    fn person(&self, claims: &Map<String, Value>) -> Person {
        let subject = text(claims, "sub").unwrap_or_default();
        // Some say it as a text.
        let verified = match claims.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(verified)) => verified == "true",
            _ => false,
        };
        // An address that is not ASCII is none: in lower case it might become somebody else's.
        let plain = |email: &&str| {
            email.len() <= 320 && email.is_ascii() && email.contains('@') && !email.contains('\0')
        };
        let email = text(claims, "email").filter(plain).filter(|_| verified);
        Person {
            issuer: self.settings.issuer.clone(),
            subject: subject.to_owned(),
            name: name(claims).unwrap_or(subject).to_owned(),
            verified_email: email.map(str::to_owned),
            grants: Grants::from_claims(claims, &self.settings.roles_claim),
        }
    }

    async fn description(&self) -> Result<Description> {
        let source = self.source.clone();
        self.source.off_thread(move || source.describe().map_err(|error| unavailable(&error))).await
    }
}

/// Which part of the answer was wrong, without the answer.
fn kind_of<R: std::error::Error + 'static>(
    error: &oauth2::RequestTokenError<R, BasicErrorResponse>,
) -> String {
    match error {
        oauth2::RequestTokenError::ServerResponse(said) => said.error().to_string(),
        oauth2::RequestTokenError::Parse(error, _) => error.to_string(),
        error => error.to_string(),
    }
}
