// The transport against a real Logbook, alone and behind something that answers in its place.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Misconfigured, Transport, Unavailable, Unsendable } from "../dist/transport.js";
import { Proxy, Server, waitFor } from "./harness.mjs";

let server, source;
before(async () => {
  server = await Server.start();
  source = await server.newSource();
});

const numbers = (from, to) => Array.from({ length: to - from }, (_, index) => from + index);
/** An event that is the same each time it is made. */
const event = (number, more = {}) =>
  JSON.stringify({
    log: "application",
    action: "create",
    model: "record",
    record_id: String(number),
    occurred_at: "2026-11-01T08:00:00Z",
    dedupe_key: `key-${number}`,
    ...more,
  });
const received = (counts) => ({ accepted: 0, duplicates: 0, skipped: 0, rejected: 0, ...counts });
const transport = (change = {}, timeout = 10_000) => new Transport({ ...source.address, ...change }, timeout);

test("a batch that is sent twice is stored once", async () => {
  source = await server.newSource();
  const way = transport();
  const batch = numbers(0, 3).map((number) => event(number));
  assert.deepEqual(await way.send(batch), received({ accepted: 3 }));
  assert.deepEqual(await way.send(batch), received({ duplicates: 3 }));
  assert.deepEqual(await source.ids(), ["0", "1", "2"]);
  way.close();
});

test("what cannot be read costs nothing else", async () => {
  source = await server.newSource();
  const way = transport();
  const poison = [
    event(1, { action: "NOT SNAKE" }),
    event(2, { unknown: 1 }),
    event(3, { model: "\0" }),
    event(4, { role: "\ud800" }),
  ];
  assert.deepEqual(await way.send([event(0), ...poison, event(5)]), received({ accepted: 2, rejected: 4 }));
  // A key that another event has; and what is no JSON.
  assert.deepEqual(
    await way.send([event(1), event(1, { role: "other" })]),
    received({ accepted: 1, rejected: 1 }),
  );
  assert.deepEqual(await way.send(['{"log":"access",', event(6)]), received({ accepted: 1, rejected: 1 }));
  assert.deepEqual(await source.ids(), ["0", "5", "1", "6"]);
  way.close();
});

test("text comes as it was", async () => {
  source = await server.newSource();
  const text = '😀 李雷 "quoted" \\ \n \u2028';
  const way = transport();
  await way.send([event(0, { record_name: text })]);
  assert.equal((await source.log("application"))[0].record_name, text);
  way.close();
});

test("large bodies are compressed and larger ones split", async () => {
  source = await server.newSource();
  const proxy = await Proxy.to(server.url);
  const way = transport({ url: proxy.url });
  const starts = [];
  proxy.instead = (_path, body) => void starts.push(body.subarray(0, 2).toString("hex"));
  await way.send(numbers(0, 300).map((number) => event(number, { metadata: { text: "x".repeat(500) } })));
  assert.deepEqual(starts, ["1f8b"]);
  // As nginx does with `client_max_body_size`.
  proxy.instead = (_path, body) =>
    body.length > 2000 ? { status: 413, headers: {}, body: "<html>too large</html>" } : undefined;
  assert.deepEqual(
    await way.send(numbers(1000, 1040).map((number) => event(number))),
    received({ accepted: 40 }),
  );
  assert.deepEqual((await source.ids()).slice(-40), numbers(1000, 1040).map(String));
  const large = [event(2000), event(2001, { record_name: "x".repeat(2000) }), event(2002)];
  await assert.rejects(way.send(large), (error) => error instanceof Unsendable && error.index === 1);
  way.close();
});

test("an idle connection that was closed is opened again", async () => {
  source = await server.newSource();
  const proxy = await Proxy.to(server.url);
  const way = transport({ url: proxy.url });
  assert.deepEqual(await way.send([event(0)]), received({ accepted: 1 }));
  proxy.loseAnswers = 1;
  // The first answer is lost on a connection that was open: the second try is silent.
  assert.deepEqual(await way.send([event(1)]), received({ duplicates: 1 }));
  way.close();
  const another = transport({ url: proxy.url });
  proxy.loseAnswers = 1;
  await assert.rejects(another.send([event(2)]), Unavailable);
  assert.deepEqual(await source.ids(), ["0", "1", "2"]);
  another.close();
});

test("nothing is tried again once it is closed", async () => {
  const proxy = await Proxy.to(server.url);
  const way = transport({ url: proxy.url });
  // A connection that was used before: its failure may be that it was idle for too long.
  await way.heartbeat("e", 1);
  proxy.hangs = true;
  const sending = way.send([event(0)]);
  const refused = assert.rejects(sending, Unavailable);
  await waitFor("the request", () => proxy.times.length === 2);
  way.close();
  await refused;
  await assert.rejects(way.send([event(0)]), Unavailable);
  assert.equal(proxy.times.length, 2);
});

test("a wrong configuration is told", async () => {
  for (const change of [{ key: "lbk_nobody" }, { source: "other" }, { workspace: "other" }]) {
    const way = transport(change);
    await assert.rejects(
      way.send([event(0)]),
      (error) => error instanceof Misconfigured && /^40[14]/.test(error.message),
    );
    await assert.rejects(way.heartbeat("e", 1), Misconfigured);
    way.close();
  }
});

test("what cannot be an address is refused", () => {
  const wrong = [
    { url: "logbook.example" },
    { url: "ftp://logbook.example" },
    { url: "https://logbook.example?x=1" },
    { workspace: "Clinic" },
    { source: "../x" },
    { key: "two words" },
    { key: "line\n" },
  ];
  for (const change of wrong) assert.throws(() => transport(change), undefined, JSON.stringify(change));
});

test("only Logbook's own count is an acknowledgement", async () => {
  const proxy = await Proxy.to(server.url);
  const way = transport({ url: proxy.url });
  const answers = [
    { status: 200, headers: {}, body: "<html>Please sign in to the network</html>" },
    { status: 200, headers: {}, body: '{"accepted": 0, "duplicates": 0, "skipped": 0}' },
    { status: 200, headers: {}, body: '{"accepted": true, "duplicates": 0, "skipped": 0, "rejected": 0}' },
    { status: 200, headers: {}, body: '{"accepted": 2, "duplicates": -1, "skipped": 0, "rejected": 0}' },
    { status: 200, headers: {}, body: '{"accepted": 2, "duplicates": 0, "skipped": 0, "rejected": 0}' },
    { status: 200, headers: {}, body: "[]" },
    { status: 204, headers: {}, body: "" },
    { status: 302, headers: { location: "https://elsewhere.example" }, body: "" },
  ];
  for (const answer of answers) {
    proxy.instead = () => answer;
    await assert.rejects(way.send([event(0)]), Misconfigured);
  }
  way.close();
});

test("what Logbook does not count is in quarantine", async () => {
  const proxy = await Proxy.to(server.url);
  const way = transport({ url: proxy.url });
  for (const accepted of [0, 1]) {
    proxy.instead = () => ({ status: 200, headers: {}, body: JSON.stringify(received({ accepted })) });
    assert.deepEqual(await way.send([event(0), event(1)]), received({ accepted, rejected: 2 - accepted }));
  }
  way.close();
});

test("Logbook says when to try again", async () => {
  const proxy = await Proxy.to(server.url);
  const way = transport({ url: proxy.url });
  const askedToWait = async (status, headers) => {
    proxy.instead = () => ({ status, headers, body: "no" });
    const error = await way.send([event(0)]).catch((error) => error);
    assert.ok(error instanceof Unavailable);
    return error.retryAfter;
  };
  assert.equal(await askedToWait(503, { "retry-after": "7" }), 7000);
  assert.equal(await askedToWait(429, { "retry-after": "0" }), 0);
  assert.equal(await askedToWait(502, { "retry-after": "soon" }), undefined);
  assert.equal(await askedToWait(500, {}), undefined);
  assert.ok((await askedToWait(503, { "retry-after": new Date(4e12).toUTCString() })) > 1e11);
  way.close();
});

test("a server that is not there or does not answer is unavailable", async () => {
  const nobody = transport({ url: "http://127.0.0.1:9" });
  await assert.rejects(nobody.send([event(0)]), Unavailable);
  const proxy = await Proxy.to(server.url);
  proxy.hangs = true;
  const way = transport({ url: proxy.url }, 100);
  await assert.rejects(way.send([event(0)]), Unavailable);
  way.close();
});
