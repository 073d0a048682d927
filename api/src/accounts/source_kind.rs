//! The kinds of sources.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// In which shape a source sends.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ToSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Kind {
    /// Logbook's own events, to the typed endpoints or to the source's door.
    Api,
    /// Splunk's HTTP Event Collector, which most shippers speak.
    #[serde(alias = "splunk_hec")]
    Hec,
    /// OpenTelemetry logs over HTTP, as protobuf or JSON.
    Otlp,
    /// CloudEvents 1.0, one or many, structured or binary.
    Cloudevents,
    /// The audit webhook of a Kubernetes API server.
    Kubernetes,
    /// User and admin events of Keycloak.
    Keycloak,
    /// A log stream of Auth0.
    Auth0,
    /// Event hooks and pages of the System Log of Okta.
    Okta,
    /// The audit log stream of GitHub.
    Github,
    /// Events as Retraced's clients publish them.
    Retraced,
    /// Audit events as WorkOS's clients send them.
    Workos,
}

impl Kind {
    pub const ALL: &[Self] = &[
        Self::Api,
        Self::Hec,
        Self::Otlp,
        Self::Cloudevents,
        Self::Kubernetes,
        Self::Keycloak,
        Self::Auth0,
        Self::Okta,
        Self::Github,
        Self::Retraced,
        Self::Workos,
    ];

    /// For how many days sources of this kind may send an event again; None is for ever. GitHub keeps a stream's events for 7
    /// days, Okta's System Log has 90.
    pub fn replay_days(self) -> Option<i32> {
        match self {
            Self::Okta => Some(90),
            _ => Some(7),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Hec => "hec",
            Self::Otlp => "otlp",
            Self::Cloudevents => "cloudevents",
            Self::Kubernetes => "kubernetes",
            Self::Keycloak => "keycloak",
            Self::Auth0 => "auth0",
            Self::Okta => "okta",
            Self::Github => "github",
            Self::Retraced => "retraced",
            Self::Workos => "workos",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or(())
    }
}
