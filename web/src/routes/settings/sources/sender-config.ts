import type { SourceKind } from "../../../api/types";

export interface Sender {
  /** Logbook's address, without a slash at the end. */
  origin: string;
  workspace: string;
  source: string;
  key: string;
  /** The source has a secret: every request is signed with it, and a key is not needed. */
  signed: boolean;
}

export interface Snippet {
  title: string;
  text: string;
  /** What must be known before it works. */
  note?: string;
}

const TRY = "Try it with curl";
const EXAMPLE = `{"log": "access", "event_type": "login", "user": {"id": "17", "name": "Asha Rao"}, "ip_address": "198.51.100.4"}`;

// For the shell, inside single quotes: what is pasted again is another event, and no duplicate.
const SECONDS = "'$(date +%s)'";
const TIME = "'$(date -u +%FT%TZ)'";

function door({ origin, workspace, source }: Sender): string {
  return `${origin}/api/v1/workspaces/${workspace}/sources/${source}/events`;
}

/** The header in which a kind signs, and what stands before the digits. */
function signature(kind: SourceKind): string {
  return kind === "keycloak" ? "X-Keycloak-Signature: " : "X-Hub-Signature-256: sha256=";
}

/** Lines for the shell that send one event to the door of a source, in the shape of its kind. */
function curl(kind: SourceKind, sender: Sender, body: string, type = "application/json"): Snippet {
  const request = (authentication: string, data: string) =>
    `curl -sS '${door(sender)}' \\\n  -H ${authentication} \\\n  -H 'Content-Type: ${type}' \\\n  -d ${data}`;
  if (!sender.signed)
    return { title: TRY, text: request(`'Authorization: Bearer ${sender.key}'`, `'${body}'`) };
  const lines = [
    "secret='the secret of this source'",
    `body='${body}'`,
    `signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "$secret" -r | cut -d ' ' -f 1)`,
    request(`"${signature(kind)}$signature"`, '"$body"'),
  ];
  return { title: TRY, text: lines.join("\n") };
}

const BY_KIND: Record<SourceKind, (sender: Sender) => Snippet[]> = {
  api: (sender) => [curl("api", sender, EXAMPLE)],
  hec: ({ origin, key }) => [
    {
      title: TRY,
      text: `curl -sS '${origin}/services/collector/event' \\\n  -H 'Authorization: Splunk ${key}' \\\n  -d '{"time": ${SECONDS}, "event": {"action": "login", "user": "asha", "src_ip": "198.51.100.4"}}'`,
    },
    {
      title: "Vector",
      text: `[sinks.logbook]\ntype = "splunk_hec_logs"\ninputs = ["audit"]\nendpoint = "${origin}"\ndefault_token = "${key}"\nencoding.codec = "json"\nacknowledgements.enabled = true`,
    },
    {
      title: "Fluent Bit",
      text: `[OUTPUT]\n    Name         splunk\n    Match        audit.*\n    Host         ${new URL(origin).hostname}\n    Port         ${portOf(origin)}\n    TLS          ${origin.startsWith("https") ? "On" : "Off"}\n    Splunk_Token ${key}\n    Retry_Limit  no_limits`,
    },
  ],
  otlp: (sender) => [
    {
      title: TRY,
      text: `curl -sS '${sender.origin}/v1/logs' \\\n  -H 'Authorization: Bearer ${sender.key}' \\\n  -H 'Content-Type: application/json' \\\n  -d '{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "${SECONDS}000000000", "eventName": "user.login", "attributes": [{"key": "audit.actor.id", "value": {"stringValue": "17"}}]}]}]}]}'`,
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
  cloudevents: (sender) => [
    curl(
      "cloudevents",
      sender,
      `{"specversion": "1.0", "id": "curl-${SECONDS}", "source": "/billing", "type": "invoice.deleted", "subject": "invoice/77", "time": "${TIME}", "data": {"actor": {"id": "17"}}}`,
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
      note: sender.signed
        ? "It signs each request in the header X-Keycloak-Signature. Because this source has a secret, what is not signed is refused; a key is not needed."
        : "It signs in the header X-Keycloak-Signature and cannot send a key: set a secret in the settings of this source first. From then on every request must be signed, and the key alone is refused.",
    },
    {
      title: "A webhook that signs with the realm's key",
      text: `url   ${door(sender)}`,
      note: "Each request has a token that the realm signs, with the hash of the body. As the secret of this source, enter the realm's key set: all that …/realms/{realm}/protocol/openid-connect/certs shows. Enter it again before the realm changes its key.",
    },
    {
      ...curl(
        "keycloak",
        sender,
        `{"id": "curl-${SECONDS}", "time": ${SECONDS}000, "type": "LOGIN", "realmId": "main", "userId": "17"}`,
      ),
      ...(sender.signed && {
        note: "With the shared secret of a webhook. Where the secret is a realm's key set, only the realm can sign.",
      }),
    },
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
    curl(
      "github",
      sender,
      `{"@timestamp": ${SECONDS}000, "_document_id": "curl-${SECONDS}", "action": "org.update_member", "actor": "bob", "org": "acme"}`,
    ),
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
      text: `const workos = new WorkOS("${key}", {\n  apiHostname: "${new URL(origin).hostname}",\n  port: ${portOf(origin)},\n  https: ${String(origin.startsWith("https"))},\n});`,
    },
  ],
};

function portOf(origin: string): string {
  return new URL(origin).port || (origin.startsWith("https") ? "443" : "80");
}

/** How a sender is told of Logbook: a line to try, and the configuration of what sends. */
export function snippets(kind: SourceKind, sender: Sender): Snippet[] {
  return BY_KIND[kind](sender);
}
