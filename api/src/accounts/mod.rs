//! People, their identities, sessions and roles, invitations, keys and tokens, workspaces and members: rows and queries.

pub mod api_keys;
pub mod browsers;
pub mod claims;
pub mod exports;
pub mod grants;
pub mod identities;
pub mod invitations;
pub mod masking;
pub mod member;
pub mod members;
pub mod notes;
pub mod passwords;
pub mod permissions;
pub mod role;
pub mod script_tokens;
pub mod second_factors;
pub mod secret;
pub mod sessions;
pub mod sign_in_links;
pub mod source_kind;
pub mod sources;
pub mod users;
pub mod views;
pub mod workspaces;
