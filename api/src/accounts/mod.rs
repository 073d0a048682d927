//! People, their identities and roles, API keys, workspaces and members: rows and queries.

pub mod api_keys;
pub mod claims;
pub mod grants;
pub mod identities;
pub mod member;
pub mod members;
pub mod permissions;
pub mod refresh_tokens;
pub mod role;
pub mod secret;
pub mod sign_in_links;
pub mod users;
pub mod workspaces;
