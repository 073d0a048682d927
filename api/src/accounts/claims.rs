//! Who sends a request, and what they may do, according to their token or API key.

use std::collections::BTreeMap;

use logbook_engine::db::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::role::Role;

pub const ISSUER: &str = "logbook";
pub const AUDIENCE: &str = "logbook";
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
    /// The id of a script's token, by which it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The session of a person's token: the token ends with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// How that session began: `password`, `link` or `provider`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    #[serde(default)]
    pub platform_admin: bool,
    /// The role in every workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub everywhere: Option<Role>,
    /// The source that an API key belongs to. No token has one.
    #[serde(skip)]
    pub source: Option<String>,
    /// The role by workspace number.
    #[serde(default)]
    pub roles: BTreeMap<i32, Role>,
}

impl Claims {
    pub fn new(sub: String, name: String, seconds: i64) -> Self {
        let now = Timestamp::now().micros() / 1_000_000;
        Self {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub,
            name,
            jti: None,
            sid: None,
            method: None,
            iat: now,
            nbf: now,
            exp: now + seconds,
            platform_admin: false,
            everywhere: None,
            source: None,
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

    /// The id of the signed-in person; None for API keys and for tokens of scripts.
    pub fn user_id(&self) -> Option<i32> {
        self.sub.strip_prefix("user:")?.parse().ok()
    }
}
