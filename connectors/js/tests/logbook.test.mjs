// What becomes of an event on its way; the stand-in for tests; and what is not configured.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import * as http from "node:http";
import { before, beforeEach, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Logbook } from "../dist/index.js";
import { RecordedLogbook } from "../dist/testing.js";
import { newFolder, Server, Told, waitFor } from "./harness.mjs";

let server, source;
before(async () => {
  server = await Server.start();
});
beforeEach(async () => {
  source = await server.newSource();
});

const ASHA = { type: "user", id: "17", name: "Asha Rao" };
const read = (record_id) => ({ action: "read", model: "record", record_id });

test("the three logs", async () => {
  const logbook = new Logbook({ ...source.address, spool: newFolder() });
  await logbook.access({ event_type: "login_failed", username: "asha", status_reason: "wrong password" });
  const changes = [
    { field: "status", old: "open", new: "closed" },
    { field: "roles", added: ["Nurse"], removed: [] },
  ];
  await logbook.application({ action: "update", model: "patient", record_id: "92", actor: ASHA, changes });
  await logbook.framework({
    action: "task_failed",
    component: { type: "task", id: "report" },
    error: "out of paper",
  });
  await logbook.close();
  const [access] = await source.log("access");
  assert.deepEqual([access.event_type, access.status, access.username], ["login_failed", "failure", "asha"]);
  const [application] = await source.log("application");
  assert.deepEqual([application.actor, application.changes.length], [ASHA, 2]);
  const [framework] = await source.log("framework");
  assert.deepEqual([framework.status, framework.component.id], ["failure", "report"]);
  const counts = (await source.feed()).map(({ epoch, sequence }) => [epoch, sequence]);
  assert.deepEqual(
    counts,
    [1, 2, 3].map((number) => [access.epoch, number]),
  );
});

test("the context fills in what an event lacks, and follows await", async () => {
  const logbook = new Logbook(source.address);
  const outer = {
    actor: { type: "agent", id: "triage-2" },
    correlation_id: "r1",
    ip_address: "198.51.100.4",
  };
  await logbook.with(outer, async () => {
    await turn();
    const inner = {
      on_behalf_of: { id: "17", name: "Asha Rao" },
      purpose: "INC-4711",
      correlation_id: "r2",
      role: undefined,
    };
    logbook.with(inner, () => void logbook.application(read("1")));
    void logbook.application({ ...read("2"), actor: { type: "system" } });
    void logbook.access({ event_type: "login" });
  });
  void logbook.application(read("3"));
  await Promise.all(
    Array.from({ length: 20 }, (_, number) =>
      logbook.with({ correlation_id: `c${number}` }, async () => {
        await turn();
        await logbook.framework({ action: "task_done", component: { type: "task", id: `c${number}` } });
      }),
    ),
  );
  await logbook.close();
  const [one, two, three] = await source.log("application");
  assert.deepEqual(
    [one.actor.id, one.on_behalf_of.id, one.purpose, one.correlation_id],
    ["triage-2", "17", "INC-4711", "r2"],
  );
  assert.deepEqual(
    [two.actor.type, two.on_behalf_of, two.correlation_id, two.ip_address],
    ["system", null, "r1", "198.51.100.4"],
  );
  assert.deepEqual([three.actor.type, three.correlation_id], ["system", null]);
  assert.equal((await source.log("access"))[0].user.id, "triage-2");
  const tasks = await source.log("framework");
  assert.equal(tasks.length, 20);
  for (const task of tasks) assert.equal(task.correlation_id, task.component.id);
});

test("a request is the context of its events", async () => {
  const logbook = new Logbook(source.address);
  const middleware = logbook.express();
  const app = http.createServer((request, response) => {
    middleware(request, response, async () => {
      await turn();
      await logbook.access({ event_type: "login" });
      response.end();
    });
  });
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  const url = `http://127.0.0.1:${app.address().port}`;
  await fetch(url, { headers: { "user-agent": "x".repeat(3000), "x-request-id": "r1" } });
  await fetch(url, { headers: { "x-request-id": "r".repeat(300) } });
  await logbook.close();
  app.close();
  app.closeAllConnections();
  const [one, two] = await source.log("access");
  assert.deepEqual([one.ip_address, one.user_agent.length, one.correlation_id], ["127.0.0.1", 2000, "r1"]);
  assert.equal(two.correlation_id.length, 36);
});

test("the zone of an address is not sent", async () => {
  const logbook = new Logbook(source.address);
  for (const ip of ["fe80::1%eth0", "nobody"]) {
    await new Promise((resolve) =>
      logbook.express()({ ip, socket: {}, headers: {} }, {}, () =>
        logbook.access({ event_type: "login" }).then(resolve),
      ),
    );
  }
  await logbook.close();
  const found = await source.log("access");
  assert.deepEqual(
    found.map((event) => event.ip_address),
    ["fe80::1", null],
  );
});

test("values that JSON does not have", async () => {
  const logbook = new Logbook(source.address);
  const when = new Date("2026-11-01T08:30:00Z");
  const metadata = {
    time: when,
    big: 2n ** 60n,
    set: new Set([1, 2]),
    map: new Map([["a", 1]]),
    error: new TypeError("no"),
    nan: NaN,
    none: undefined,
  };
  await logbook.application({ ...read("1"), metadata, occurred_at: when });
  const circle = {};
  circle.self = circle;
  assert.throws(() => logbook.application({ ...read("2"), metadata: circle }), TypeError);
  assert.throws(
    () => logbook.application({ ...read("2"), metadata: { x: "x".repeat(600_000) } }),
    RangeError,
  );
  await logbook.close();
  const [found] = await source.log("application");
  assert.match(found.occurred_at, /^2026-11-01T08:30:00/);
  assert.deepEqual(found.metadata, {
    time: "2026-11-01T08:30:00.000Z",
    big: "1152921504606846976",
    set: [1, 2],
    map: { a: 1 },
    error: "TypeError: no",
    nan: "NaN",
  });
});

test("numbers that Logbook does not keep exactly are texts", async () => {
  const logbook = new Logbook(source.address);
  const exact = [2 ** 53, -(2 ** 53), 1e-300, 0.1234567890123456, 0];
  const large = { number: 2 ** 53 + 2, in: { lists: [[-1.5e300]] }, set: new Set([2 ** 60]) };
  await logbook.application({ ...read("1"), metadata: { exact, ...large } });
  await logbook.close();
  const { accepted, rejected } = await logbook.status();
  assert.deepEqual([accepted, rejected], [1, 0]);
  assert.deepEqual((await source.log("application"))[0].metadata, {
    exact,
    number: "9007199254740994",
    in: { lists: [["-1.5e+300"]] },
    set: ["1152921504606847000"],
  });
});

test("half a surrogate pair costs no event", async () => {
  const logbook = new Logbook(source.address);
  const metadata = {
    half: "\ud83d, \ude00\ud83d",
    pair: "😀",
    text: "\\ud83d \\\\ud83d \n\u001f",
    "\udc00": ["\ud83d"],
  };
  await logbook.application({ ...read("1"), record_name: "😀".slice(0, 1), metadata });
  await logbook.close();
  assert.equal((await logbook.status()).accepted, 1);
  const [found] = await source.log("application");
  assert.equal(found.record_name, "\ufffd");
  assert.deepEqual(found.metadata, {
    half: "\ufffd, \ufffd\ufffd",
    pair: "😀",
    text: "\\ud83d \\\\ud83d \n\u001f",
    "\ufffd": ["\ufffd"],
  });
});

test("without a configuration nothing happens", async () => {
  const told = new Told();
  const logbook = new Logbook({ url: "http://127.0.0.1:9", key: "x", log: told });
  assert.equal(await logbook.access({ event_type: "login" }), false);
  assert.equal(await logbook.flush(), true);
  assert.equal((await logbook.status()).enabled, false);
  await logbook.close();
  assert.deepEqual(told.lines, [
    "warn logbook: events are not recorded, since LOGBOOK_WORKSPACE and LOGBOOK_SOURCE is not set",
  ]);
});

test("what is written after the end is told", async () => {
  const told = new Told();
  const logbook = new Logbook({ ...source.address, log: told });
  await Promise.all([logbook.close(), logbook.close()]);
  assert.equal(await logbook.access({ event_type: "login" }), false);
  assert.equal((await logbook.status()).dropped, 1);
  const strict = new Logbook({ ...source.address, whenFull: "reject" });
  await strict.close();
  await assert.rejects(strict.access({ event_type: "login" }), { name: "SpoolFull" });
});

test("workers of a cluster have a run each", async () => {
  const spool = newFolder();
  const program = `
    import cluster from "node:cluster";
    if (cluster.isPrimary) {
      const workers = [0, 1, 2].map((number) => cluster.fork({ NUMBER: number }));
      for (const worker of workers) worker.once("message", () => worker.process.kill("SIGKILL"));
    } else {
      const logbook = new Logbook({ url: "http://127.0.0.1:9", log: { info() {}, warn() {}, error() {} } });
      await logbook.application({ action: "create", model: "record", record_id: process.env.NUMBER });
      process.send("kept");
      setInterval(() => undefined, 1000);
    }`;
  // The program is in a file, since a cluster starts it again.
  const { writeFileSync } = await import("node:fs");
  const file = `${newFolder()}/cluster.mjs`;
  writeFileSync(
    file,
    `import { Logbook } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url))};\n${program}`,
  );
  const done = spawnSync(process.execPath, [file], {
    env: { ...source.environment, LOGBOOK_SPOOL: spool },
    encoding: "utf8",
  });
  assert.equal(done.status, 0, done.stderr);
  const heir = new Logbook({ ...source.address, spool });
  await waitFor("what they left", async () => (await heir.status()).accepted === 3);
  await heir.close();
  assert.deepEqual((await source.ids()).sort(), ["0", "1", "2"]);
});

const closePatient = (logbook) =>
  logbook.with({ actor: ASHA }, async () => {
    await logbook.access({ event_type: "login" });
    const changes = [{ field: "status", old: "open", new: "closed" }];
    await logbook.application({ action: "update", model: "patient", record_id: "92", changes });
  });

test("the stand-in finds what was written", async () => {
  const logbook = new RecordedLogbook();
  await closePatient(logbook);
  const changes = [{ field: "status", new: "closed" }];
  const found = logbook.assertWritten({
    log: "application",
    action: "update",
    record_id: "92",
    actor: { id: "17" },
    changes,
  });
  assert.equal(found.changes[0].old, "open");
  logbook.assertWritten({ log: "access", user: { name: "Asha Rao" } });
  logbook.assertNotWritten({ log: "application", action: "delete" });
  assert.deepEqual(
    logbook.events.map((event) => event.log),
    ["access", "application"],
  );
});

test("the stand-in says what differs", async () => {
  const logbook = new RecordedLogbook();
  assert.throws(() => logbook.assertWritten({ log: "access" }), /no event was written/);
  await closePatient(logbook);
  assert.throws(
    () =>
      logbook.assertWritten({
        log: "application",
        record_id: "93",
        changes: [{ field: "status", new: "open" }],
      }),
    ({ message }) =>
      message.includes("none of the 2 events is such") &&
      message.includes(
        '  record_id: expected "93", found "92"\n  changes[0].new: expected "open", found "closed"\n',
      ) &&
      message.includes('"model": "patient"'),
  );
  assert.throws(() => logbook.assertNotWritten({ log: "access" }), /this event was written/);
});

test("what Logbook would not read fails where it is written", () => {
  const logbook = new RecordedLogbook();
  assert.throws(() => logbook.application({ action: "update", model: "patient" }), /needs record_id/);
  assert.throws(() => logbook.access({ event_type: "login", usr: {} }), /has no usr/);
});

test("the types are those of the contract", () => {
  const done = spawnSync(
    process.execPath,
    [new URL("../generate.mjs", import.meta.url).pathname, "--check"],
    { encoding: "utf8" },
  );
  assert.equal(done.status, 0, done.stderr);
});
