//! Path parameters that several routes share.

use serde::Deserialize;
use utoipa::IntoParams;

/// The path parameter of everything in a workspace.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WorkspacePath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
}

/// The path parameters of one event.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EventPath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
    /// The event's id.
    #[param(example = "01935fb2-8e31-8000-8000-040000000029")]
    pub id: String,
}
