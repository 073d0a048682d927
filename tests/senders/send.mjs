// Clients for JavaScript send to a server at BASE_URL, each four good events and one that cannot be read. Each client's key is in
// KEY_<NAME>.
import http from "node:http";
import { createRequire } from "node:module";
import { OTLPLogExporter as JsonExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtobufExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { CloudEvent, HTTP } from "cloudevents";
import { WorkOS } from "@workos-inc/node";

const require = createRequire(import.meta.url);
const { Client: Retraced } = require("@retracedhq/retraced");
const { Logger: SplunkLogger } = require("splunk-logging");

const base = new URL(process.env.BASE_URL);
const origin = base.origin;
const key = (name) => process.env[`KEY_${name.toUpperCase().replaceAll("-", "_")}`];
/** No action can be made of this. */
const POISON = "!!!";
const actions = ["user.login", "user.login", POISON, "user.logout", "user.login"];

async function splunk() {
  const logger = new SplunkLogger({ url: origin, token: key("js-splunk"), maxBatchCount: 0 });
  actions.forEach((action, n) => logger.send({ message: { action, user: `u${n}` }, metadata: { time: Date.now() / 1000 } }));
  await new Promise((done, fail) => logger.flush((error, response, body) => (error ? fail(error) : done(body))));
}

async function otel(name, Exporter) {
  const url = `${origin}/v1/logs`;
  const exporter = new Exporter({ url, headers: { Authorization: `Bearer ${key(name)}` } });
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
  const logger = provider.getLogger("audit", "1");
  actions.forEach((action, n) =>
    logger.emit({ eventName: action, body: "said", attributes: { "audit.actor.id": `u${n}`, n } }),
  );
  await provider.forceFlush();
  await provider.shutdown();
}

function post(path, headers, body) {
  return new Promise((done, fail) => {
    const request = http.request(new URL(path, origin), { method: "POST", headers }, (response) => {
      response.resume();
      response.on("end", () => (response.statusCode < 300 ? done() : fail(new Error(String(response.statusCode)))));
    });
    request.on("error", fail);
    request.end(body);
  });
}

async function cloudevents(name, encode) {
  const path = `/api/v1/workspaces/${process.env.WORKSPACE}/sources/${name}/events`;
  for (const [n, action] of actions.entries()) {
    const event = new CloudEvent({ type: action, source: "/test", subject: `invoice/${n}`, data: { actor: { id: `u${n}` } } });
    const { headers, body } = encode(event);
    await post(path, { ...headers, Authorization: `Bearer ${key(name)}` }, typeof body === "string" ? body : JSON.stringify(body));
  }
}

async function retraced() {
  const client = new Retraced({ endpoint: origin, projectId: "test", apiKey: key("js-retraced") });
  const event = (action, n) => ({ action, crud: "c", actor: { id: `u${n}`, name: "Bob" }, group: { id: "g:1" }, target: { id: `t=${n}` }, created: new Date(), source_ip: "192.0.2.1", fields: { "a%b": "c;d", z: "1" }, external_id: `e${n}` });
  // It throws where the hash in the response is not its own.
  await client.reportEvent(event(actions[0], 0));
  await client.reportEvents(actions.slice(1).map((action, n) => event(action, n + 1)));
}

async function workos() {
  const client = new WorkOS(key("js-workos"), { apiHostname: base.hostname, port: Number(base.port), https: false });
  for (const [n, action] of actions.entries()) {
    await client.auditLogs.createEvent(
      "org_1",
      { action, occurredAt: new Date(), actor: { id: `u${n}`, type: "user", name: "Bob" }, targets: [{ id: "t", type: "team" }], context: { location: "192.0.2.1" } },
      { idempotencyKey: `k${n}` },
    );
  }
}

await splunk();
await otel("js-otlp-json", JsonExporter);
await otel("js-otlp-protobuf", ProtobufExporter);
await cloudevents("js-cloudevents-binary", HTTP.binary);
await cloudevents("js-cloudevents-structured", HTTP.structured);
await retraced();
await workos();
