//! The handlers, by what they are about. `app` has their addresses.

pub mod api_keys;
pub mod doors;
pub mod exports;
pub mod health;
pub mod invitations;
pub mod logs;
pub mod masking;
pub mod members;
pub mod notes;
pub mod oidc;
pub mod password;
pub mod records;
pub mod second_factor;
pub mod sessions;
pub mod sign_in;
pub mod sources;
pub mod suggest;
pub mod timeline;
pub mod users;
pub mod views;
pub mod workspaces;
