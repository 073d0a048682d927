//! Bearer tokens: signed by this server (JWT, HS256), short-lived, with the permissions of their holder.

use std::path::Path;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    jwt,
    signing_keys::{self, KeyFile, SigningKeys},
};
use crate::{
    accounts::claims::{AUDIENCE, Claims, ISSUER},
    http::error::{Code, Problem, Result},
};

/// Data that is signed as a token is, for another use.
#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    content: T,
}

/// A signing key in the form that the library takes.
struct Key {
    kid: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// Signs and checks tokens.
pub struct Tokens {
    keys: KeyFile<Vec<Key>>,
    bearer: Validation,
}

fn validation(audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    // The library's defaults are lax: it accepts tokens that expired a minute ago and requires only `exp`.
    validation.leeway = 5;
    validation.validate_nbf = true;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation
}

impl Tokens {
    /// Reads the keys in `<data dir>/token-keys.json`, which is created when it is missing.
    ///
    /// # Errors
    /// The file's.
    pub fn from_data_dir(data_dir: &Path) -> std::io::Result<Self> {
        Ok(Self { keys: KeyFile::open(data_dir, prepare)?, bearer: validation(AUDIENCE) })
    }

    pub fn sign(&self, claims: &Claims) -> Result<String> {
        sign_with(&self.keys.keys()[0], claims)
    }

    /// Signs a token that may live longer than a session's: its key is kept for as long.
    ///
    /// # Errors
    /// `internal` when the key file cannot be written.
    pub fn sign_for_long(&self, claims: &Claims) -> Result<String> {
        let keys = self.keys.keys_now();
        self.keys.note_expiry(&keys[0].kid, claims.exp).map_err(unwritten)?;
        sign_with(&keys[0], claims)
    }

    /// Creates a new key to sign with. Running servers use it within a second. Returns when the earlier keys stop
    /// verifying, in seconds since 1970; None when `at_once` stopped them now.
    ///
    /// # Errors
    /// `internal` when the key file cannot be written.
    pub fn rotate(&self, at_once: bool) -> Result<Option<i64>> {
        let keys = self.keys.rotate(at_once).map_err(unwritten)?;
        Ok(keys.windows(2).map(|pair| signing_keys::valid_until(&pair[1], &pair[0])).max())
    }

    /// # Errors
    /// `token_expired`; `unauthenticated` for anything else that is wrong with it.
    pub fn verify(&self, token: &str) -> Result<Claims> {
        self.decode(token, &self.bearer)
    }

    /// Signs data that a client has to return unchanged within some seconds. The result is not a bearer token.
    pub fn seal<T: Serialize>(&self, audience: &str, seconds: i64, content: &T) -> Result<String> {
        let Claims { iss, sub, iat, nbf, exp, .. } = Claims::new(audience.into(), String::new(), seconds);
        sign_with(&self.keys.keys()[0], &Sealed { iss, aud: audience.into(), sub, iat, nbf, exp, content })
    }

    /// # Errors
    /// As [`Tokens::verify`].
    pub fn unseal<T: DeserializeOwned>(&self, audience: &str, token: &str) -> Result<T> {
        self.decode::<Sealed<T>>(token, &validation(audience)).map(|sealed| sealed.content)
    }

    fn decode<T: DeserializeOwned>(&self, token: &str, validation: &Validation) -> Result<T> {
        let header = jwt::header(token)?;
        let kid = signing_keys::kid_or_first(header.kid.as_deref());
        let decode = |keys: &[Key]| {
            let key = keys.iter().find(|key| key.kid == kid)?;
            Some(jsonwebtoken::decode::<T>(token, &key.decoding, validation))
        };
        let decoded = decode(&self.keys.keys()).or_else(|| decode(&self.keys.keys_now()));
        let decoded = decoded.ok_or_else(jwt::refused)?;
        decoded.map(|data| data.claims).map_err(|error| jwt::problem(&error))
    }
}

fn prepare(keys: &SigningKeys) -> std::io::Result<Vec<Key>> {
    keys.iter()
        .map(|key| {
            let secret = key.secret()?;
            let (encoding, decoding) = (EncodingKey::from_secret(&secret), DecodingKey::from_secret(&secret));
            Ok(Key { kid: key.kid.clone(), encoding, decoding })
        })
        .collect()
}

fn sign_with(key: &Key, claims: &impl Serialize) -> Result<String> {
    let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, claims, &key.encoding).map_err(|error| {
        tracing::error!(%error, "a token could not be signed");
        Problem::new(Code::Internal, "the token could not be signed")
    })
}

fn unwritten(error: std::io::Error) -> Problem {
    Problem::new(Code::Internal, format!("the keys of tokens cannot be changed: {error}"))
}
