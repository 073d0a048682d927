//! Somebody with a role in a workspace, as they are served.

use logbook_engine::db::timestamp::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{identities::GivenRole, role::Role, users::User};

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Member {
    #[schema(example = "17")]
    pub id: String,
    #[schema(example = "Asha Rao")]
    pub name: String,
    /// Null when the identity provider gives no verified address.
    #[schema(required, example = "asha@clinic.test")]
    pub email: Option<String>,
    /// Their role in the workspace: `viewer`, `auditor`, `writer` or `admin`.
    #[schema(value_type = String, example = "viewer")]
    pub role: Role,
    /// Where the role comes from: `member` for an admin of Logbook, `provider` for the identity provider.
    #[schema(value_type = String, example = "member")]
    pub source: Source,
    /// The role that the identity provider gives them now. A role that an admin sets takes precedence.
    #[schema(required)]
    pub provider: Option<ProviderRole>,
    /// When they last began to use a session in this workspace; null when they never did. Sign-ins elsewhere are not told.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_sign_in_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    Member,
    Provider,
}

/// A role that the identity provider gives somebody.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProviderRole {
    /// `viewer`, `auditor`, `writer` or `admin`.
    #[schema(value_type = String, example = "viewer")]
    pub role: Role,
    /// Whether they have it in every workspace.
    pub everywhere: bool,
    /// When it ends, unless they sign in at the provider again.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
}

impl ProviderRole {
    /// True for a role that no other one takes away: an admin of every workspace is one.
    pub(super) fn stays(&self) -> bool {
        self.everywhere && self.role == Role::Admin
    }
}

impl From<GivenRole> for ProviderRole {
    fn from(GivenRole { role, everywhere, ends_at }: GivenRole) -> Self {
        Self { role, everywhere, ends_at }
    }
}

impl Member {
    /// Somebody who was given this role here.
    pub fn new(user: User, role: Role) -> Self {
        let email = user.known_email().map(str::to_owned);
        let User { id, name, .. } = user;
        Self {
            id: id.to_string(),
            name,
            email,
            role,
            source: Source::Member,
            provider: None,
            last_sign_in_at: None,
        }
    }

    pub(super) fn of_provider(user: User, given: GivenRole) -> Self {
        Self { source: Source::Provider, provider: Some(given.into()), ..Self::new(user, given.role) }
    }
}
