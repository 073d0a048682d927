import type { SourceKind } from "../../../api/types";

export interface Sender {
  /** Logbook's address, without a slash at the end. */
  origin: string;
  workspace: string;
  source: string;
  key: string;
}

export interface Snippet {
  title: string;
  text: string;
}

const EXAMPLE = `{"log": "access", "event_type": "login", "user": {"id": "17", "name": "Asha Rao"}, "ip_address": "198.51.100.4"}`;

function door({ origin, workspace, source }: Sender): string {
  return `${origin}/api/v1/workspaces/${workspace}/sources/${source}/events`;
}

/** A line for the shell that sends one event in the shape of the kind. */
function curl(sender: Sender, body: string, type = "application/json"): Snippet {
  return {
    title: "Try it with curl",
    text: `curl -sS '${door(sender)}' \\\n  -H 'Authorization: Bearer ${sender.key}' \\\n  -H 'Content-Type: ${type}' \\\n  -d '${body}'`,
  };
}

const BY_KIND: Record<SourceKind, (sender: Sender, now: string) => Snippet[]> = {
  api: (sender) => [curl(sender, EXAMPLE)],
  hec: ({ origin, key }, now) => [
    {
      title: "Try it with curl",
      text: `curl -sS '${origin}/services/collector/event' \\\n  -H 'Authorization: Splunk ${key}' \\\n  -d '{"time": ${Math.floor(Date.parse(now) / 1000)}, "event": {"action": "login", "user": "asha", "src_ip": "198.51.100.4"}}'`,
    },
    {
      title: "Vector",
      text: `[sinks.logbook]\ntype = "splunk_hec_logs"\ninputs = ["audit"]\nendpoint = "${origin}"\ndefault_token = "${key}"\nencoding.codec = "json"\nacknowledgements.enabled = true`,
    },
    {
      title: "Fluent Bit",
      text: `[OUTPUT]\n    Name         splunk\n    Match        audit.*\n    Host         ${new URL(origin).hostname}\n    Port         ${new URL(origin).port || (origin.startsWith("https") ? "443" : "80")}\n    TLS          ${origin.startsWith("https") ? "On" : "Off"}\n    Splunk_Token ${key}\n    Retry_Limit  no_limits`,
    },
  ],
  otlp: (sender, now) => [
    {
      title: "Try it with curl",
      text: `curl -sS '${sender.origin}/v1/logs' \\\n  -H 'Authorization: Bearer ${sender.key}' \\\n  -H 'Content-Type: application/json' \\\n  -d '{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "${Date.parse(now)}000000", "eventName": "user.login", "attributes": [{"key": "audit.actor.id", "value": {"stringValue": "17"}}]}]}]}]}'`,
    },
    {
      title: "An SDK, by its environment",
      text: `export OTEL_EXPORTER_OTLP_LOGS_ENDPOINT='${sender.origin}/v1/logs'\nexport OTEL_EXPORTER_OTLP_LOGS_HEADERS='Authorization=Bearer%20${sender.key}'\nexport OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf`,
    },
    {
      title: "The Collector",
      text: `exporters:\n  otlphttp/logbook:\n    logs_endpoint: ${sender.origin}/v1/logs\n    headers:\n      Authorization: Bearer ${sender.key}\n    sending_queue:\n      storage: file_storage`,
    },
  ],
  cloudevents: (sender, now) => [
    curl(
      sender,
      `{"specversion": "1.0", "id": "1", "source": "/billing", "type": "invoice.deleted", "subject": "invoice/77", "time": "${now}", "data": {"actor": {"id": "17"}}}`,
      "application/cloudevents+json",
    ),
  ],
  kubernetes: (sender) => [
    {
      title: "The file of --audit-webhook-config-file",
      text: `apiVersion: v1\nkind: Config\nclusters:\n  - name: logbook\n    cluster:\n      server: ${door(sender)}\nusers:\n  - name: api-server\n    user:\n      token: ${sender.key}\ncontexts:\n  - name: logbook\n    context:\n      cluster: logbook\n      user: api-server\ncurrent-context: logbook`,
    },
  ],
  keycloak: (sender) => [
    {
      title: "The HTTP sender of Phase Two's keycloak-events",
      text: `targetUri      ${door(sender)}\nsharedSecret   the secret of this source`,
    },
    curl(sender, `{"id": "1", "time": 1764000000000, "type": "LOGIN", "realmId": "main", "userId": "17"}`),
  ],
  auth0: (sender) => [
    {
      title: "Monitoring → Streams → Custom Webhook",
      text: `Payload URL           ${door(sender)}\nAuthorization Token   Bearer ${sender.key}\nContent Type          application/json\nContent Format        JSON Array`,
    },
  ],
  okta: (sender) => [
    {
      title: "Workflow → Event Hooks",
      text: `Endpoint URL           ${door(sender)}\nAuthentication field   Authorization\nAuthentication secret  Bearer ${sender.key}`,
    },
  ],
  github: (sender) => [
    {
      title: "Try it with curl",
      text: curl(
        sender,
        `{"@timestamp": 1764000000000, "_document_id": "1", "action": "org.update_member", "actor": "bob", "org": "acme"}`,
      ).text,
    },
  ],
  retraced: ({ origin, key }) => [
    {
      title: "retraced-js",
      text: `const retraced = new Client({\n  endpoint: "${origin}",\n  projectId: "logbook",\n  apiKey: "${key}",\n});`,
    },
  ],
  workos: ({ origin, key }) => [
    {
      title: "@workos-inc/node",
      text: `const workos = new WorkOS("${key}", {\n  apiHostname: "${new URL(origin).hostname}",\n  port: ${new URL(origin).port || (origin.startsWith("https") ? "443" : "80")},\n  https: ${String(origin.startsWith("https"))},\n});`,
    },
  ],
};

/** How a sender is told of Logbook: a line to try, and the configuration of what sends. */
export function snippets(kind: SourceKind, sender: Sender, now: string): Snippet[] {
  return BY_KIND[kind](sender, now);
}
