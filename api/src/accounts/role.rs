//! Roles in a workspace.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the holder may do in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads the three logs that producers write.
    Viewer,
    /// Reads all logs, the activity log too, and exports them. Proofs are planned.
    Auditor,
    /// Appends events, and nothing else.
    Writer,
    /// Everything, including members and settings.
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
            Self::Writer => "writer",
            Self::Admin => "admin",
        }
    }

    pub fn reads(self) -> bool {
        matches!(self, Self::Viewer | Self::Auditor | Self::Admin)
    }

    /// The activity log shows who reads what, and from where.
    pub fn reads_activity(self) -> bool {
        matches!(self, Self::Auditor | Self::Admin)
    }

    pub fn exports(self) -> bool {
        matches!(self, Self::Auditor | Self::Admin)
    }

    pub fn writes(self) -> bool {
        matches!(self, Self::Writer | Self::Admin)
    }

    pub fn manages(self) -> bool {
        self == Self::Admin
    }
}

impl std::str::FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "auditor" => Ok(Self::Auditor),
            "writer" => Ok(Self::Writer),
            "admin" => Ok(Self::Admin),
            _ => Err(()),
        }
    }
}
