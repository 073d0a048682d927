//! Bearer tokens: signed by this server (JWT, HS256), short-lived, carrying what the holder may do.

use std::{collections::BTreeMap, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Role;
use crate::{
    db::types::Instant,
    error::{Code, Problem, Result},
};

const ISSUER: &str = "logbook";
const AUDIENCE: &str = "logbook";
/// How long a token of a signed-in person lives, in seconds.
pub const ACCESS_SECONDS: i64 = 15 * 60;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// `user:<id>` or `token:<name>`.
    pub sub: String,
    pub name: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    #[serde(default)]
    pub platform_admin: bool,
    /// The role in every workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub everywhere: Option<Role>,
    /// The role by workspace number.
    #[serde(default)]
    pub roles: BTreeMap<i32, Role>,
}

impl Claims {
    pub fn new(sub: String, name: String, seconds: i64) -> Self {
        let now = Instant::now().micros() / 1_000_000;
        Self {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub,
            name,
            iat: now,
            nbf: now,
            exp: now + seconds,
            platform_admin: false,
            everywhere: None,
            roles: BTreeMap::new(),
        }
    }

    pub fn role_in(&self, workspace_id: i32) -> Option<Role> {
        // An admin of everything stays one where they are a member with a lesser role.
        match self.everywhere {
            Some(Role::Admin) => self.everywhere,
            everywhere => self.roles.get(&workspace_id).copied().or(everywhere),
        }
    }

    /// The number of the signed-in person; None for a token made for a script.
    pub fn user_id(&self) -> Option<i32> {
        self.sub.strip_prefix("user:")?.parse().ok()
    }
}

/// Signs and checks tokens.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Tokens {
    pub fn new(secret: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // The library's defaults are lax: it lets expired tokens live a minute and asks for nothing but `exp`.
        validation.leeway = 5;
        validation.validate_nbf = true;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
        }
    }

    /// With the key in `<data dir>/token.key`, which is made when it is missing.
    ///
    /// # Errors
    /// The file's.
    pub fn from_data_dir(data_dir: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(data_dir)?;
        let path = data_dir.join("token.key");
        match write_new_secret(&path) {
            // Another process, or an earlier start, made it.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            result => result?,
        }
        let secret = std::fs::read(&path)?;
        if secret.len() < 32 {
            let message = format!("{} is too short to be a key; delete it to get a new one", path.display());
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, message));
        }
        Ok(Self::new(&secret))
    }

    pub fn sign(&self, claims: &Claims) -> Result<String> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.encoding).map_err(|error| {
            tracing::error!(%error, "a token could not be signed");
            Problem::new(Code::Internal, "the token could not be signed")
        })
    }

    /// # Errors
    /// `token_expired`; `unauthenticated` for anything else that is wrong with it.
    pub fn verify(&self, token: &str) -> Result<Claims> {
        jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map(|data| data.claims)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => {
                    Problem::new(Code::TokenExpired, "sign in again, or renew the token")
                }
                _ => Problem::new(Code::Unauthenticated, "the token is not valid"),
            })
    }
}

/// A secret that only its owner can read, written whole or not at all.
fn write_new_secret(path: &Path) -> std::io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    if path.exists() {
        return Err(std::io::ErrorKind::AlreadyExists.into());
    }
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(random_token().as_bytes())?;
    file.sync_all()?;
    // A link fails when the name is taken, where a rename would replace another process's key.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    linked
}

/// 256 random bits as base64url: for links, refresh tokens and keys.
pub fn random_token() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the database keeps of a random token.
pub fn token_hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
