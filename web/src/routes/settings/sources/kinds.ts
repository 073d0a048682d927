import type { SourceKind } from "../../../api/types";

interface KindText {
  name: string;
  what: string;
  /** What the secret is of a kind that signs. */
  secret?: string;
}

/** What each kind is, in the words of those who choose one. A kind that the API adds is a type error here. */
export const KINDS: Record<SourceKind, KindText> = {
  api: { name: "Your own code", what: "Logbook's API: the typed endpoints, or one for mixed logs" },
  hec: { name: "Splunk HEC", what: "Vector, Fluent Bit, and whatever can send to Splunk" },
  otlp: { name: "OpenTelemetry", what: "Log records over HTTP, from an SDK or the Collector" },
  cloudevents: { name: "CloudEvents", what: "Webhooks of CloudEvents 1.0" },
  kubernetes: { name: "Kubernetes", what: "The audit webhook of an API server" },
  keycloak: {
    name: "Keycloak",
    what: "User and admin events, by a webhook",
    secret: "The shared secret of the webhook, or the key set (JSON) of a realm that signs with its own key",
  },
  auth0: { name: "Auth0", what: "A log stream by a custom webhook" },
  okta: { name: "Okta", what: "Event hooks, and pages of the System Log" },
  github: {
    name: "GitHub",
    what: "The audit log stream of an enterprise",
    secret: "The secret with which GitHub signs",
  },
  retraced: { name: "Retraced", what: "Apps that publish to Retraced or BoxyHQ" },
  workos: { name: "WorkOS", what: "Apps that send WorkOS audit log events" },
};

export const KIND_NAMES = Object.keys(KINDS) as SourceKind[];
