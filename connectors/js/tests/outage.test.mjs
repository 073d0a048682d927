// A Logbook that is away, slow, or not the right one, and a disk without room: the app goes on, and what was kept arrives.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, before, beforeEach, test } from "node:test";
import { limits } from "../dist/backlog.js";
import { Logbook } from "../dist/index.js";
import { times } from "../dist/sender.js";
import { makeFolder, newFolder, Proxy, runProgram, Server, Told, waitFor } from "./harness.mjs";

let server, source, told;
const usual = { limits: { ...limits }, times: { ...times } };
before(async () => {
  server = await Server.start();
});
beforeEach(async () => {
  source = await server.newSource();
  told = new Told();
});
afterEach(() => {
  Object.assign(limits, usual.limits);
  Object.assign(times, usual.times);
});

const numbers = (from, to) => Array.from({ length: to - from }, (_, index) => String(from + index));
const write = (logbook, record_id, more = {}) =>
  logbook.application({ action: "create", model: "record", record_id, ...more });
const writeAll = (logbook, ids) => Promise.all(ids.map((id) => write(logbook, id)));
const open = (options = {}) => new Logbook({ ...source.address, log: told, ...options });

for (const onDisk of [true, false]) {
  test(`what was written meanwhile arrives in order, ${onDisk ? "on disk" : "in memory"}`, async () => {
    await server.kill();
    const logbook = open(onDisk ? { spool: newFolder() } : {});
    assert.ok((await writeAll(logbook, numbers(0, 2000))).every(Boolean));
    await waitFor("the error", async () => (await logbook.status()).failing);
    const status = await logbook.status();
    assert.deepEqual([status.waiting, status.onDisk, status.sequence], [2000, onDisk, 2000]);
    assert.ok(Math.abs(Date.now() - status.oldest.getTime()) < 30_000);
    assert.match(status.lastError, /ECONNREFUSED/);
    assert.equal(await logbook.flush(100), false);
    await server.start();
    // Not awaited: what was called before counts.
    void writeAll(logbook, numbers(2000, 2010));
    assert.equal(await logbook.flush(60_000), true);
    assert.deepEqual([(await logbook.status()).waiting, (await logbook.status()).failing], [0, false]);
    await logbook.close();
    assert.deepEqual(await source.ids(), numbers(0, 2010));
    assert.deepEqual((await source.state()).gaps, []);
    // Told once, however often it was tried.
    assert.equal(told.lines.length, 1);
  });
}

test("lost answers double nothing", async () => {
  times.firstRetry = 20;
  limits.batchEvents = 10;
  for (const spool of [newFolder(), undefined]) {
    const proxy = await Proxy.to(server.url);
    const logbook = open({ url: proxy.url, spool });
    proxy.loseAnswers = 4;
    await writeAll(logbook, numbers(0, 100));
    assert.equal(await logbook.flush(30_000), true);
    const { accepted, duplicates } = await logbook.status();
    assert.ok(accepted < 100 && duplicates > 0);
    await logbook.close();
  }
  assert.deepEqual((await source.ids()).sort(), [...numbers(0, 100), ...numbers(0, 100)].sort());
  assert.deepEqual((await source.state()).gaps, []);
});

test("a poison event goes to quarantine and blocks nothing", async () => {
  const logbook = open({ spool: newFolder(), heartbeat: 50 });
  await write(logbook, "0");
  await logbook.access({ event_type: "NOT SNAKE" });
  await write(logbook, "1", { metadata: { big: "x".repeat(300_000) } });
  await write(logbook, "2");
  await logbook.flush();
  assert.equal((await logbook.status()).rejected, 2);
  await logbook.close();
  assert.deepEqual(await source.ids(), ["0", "2"]);
  // What is in quarantine has not come yet.
  const { gaps, rejected } = await source.state();
  assert.deepEqual([gaps.map(({ from, to }) => [from, to]), rejected], [[[2, 3]], 2]);
});

test("an event that a proxy refuses is set aside", async () => {
  const spool = newFolder();
  const proxy = await Proxy.to(server.url);
  proxy.instead = (_path, body) => (body.length > 3000 ? { status: 413, headers: {}, body: "" } : undefined);
  const logbook = open({ url: proxy.url, spool });
  await write(logbook, "0");
  await write(logbook, "1", { metadata: { text: "x".repeat(3000) } });
  await write(logbook, "2");
  await logbook.flush();
  assert.equal((await logbook.status()).setAside, 1);
  await logbook.close();
  assert.deepEqual(await source.ids(), ["0", "2"]);
  const aside = readFileSync(
    join(spool, "js", source.address.workspace, source.name, "set-aside.ndjson"),
    "utf8",
  );
  assert.equal(JSON.parse(aside).record_id, "1");
});

const asideOf = (spool) =>
  readFileSync(join(spool, "js", source.address.workspace, source.name, "set-aside.ndjson"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).record_id);

test("an event that a firewall refuses is set aside", async () => {
  const spool = newFolder();
  const proxy = await Proxy.to(server.url);
  proxy.instead = (_path, body) =>
    body.includes("UNION SELECT") ? { status: 403, headers: {}, body: "<html>Forbidden" } : undefined;
  const logbook = open({ url: proxy.url, spool });
  const attack = { record_name: "' UNION SELECT 1" };
  // Alone, and with others.
  await write(logbook, "0", attack);
  assert.equal(await logbook.flush(), true);
  await writeAll(logbook, numbers(1, 5));
  await write(logbook, "5", attack);
  await write(logbook, "6", attack);
  await write(logbook, "7");
  assert.equal(await logbook.flush(), true);
  const { setAside, accepted, duplicates, waiting, failing } = await logbook.status();
  assert.deepEqual([setAside, accepted, duplicates, waiting, failing], [3, 5, 0, 0, false]);
  await logbook.close();
  assert.deepEqual(await source.ids(), ["1", "2", "3", "4", "7"]);
  assert.deepEqual(asideOf(spool), ["0", "5", "6"]);
  // Each is told once, with who refused it.
  assert.deepEqual(
    told.lines.map((line) => line.includes("403: <html>Forbidden")),
    [true, true, true],
  );
});

test("what is set aside is bounded", async () => {
  const spool = newFolder();
  const proxy = await Proxy.to(server.url);
  proxy.instead = (_path, body) => (body.length > 3000 ? { status: 413, headers: {}, body: "" } : undefined);
  const large = { metadata: { text: "x".repeat(3000) } };
  const first = open({ url: proxy.url, spool, maxBytes: 40_000 });
  for (const id of numbers(0, 4)) {
    await write(first, id, large);
    assert.equal(await first.flush(), true);
  }
  const { setAside, dropped, waiting, epoch, lastError } = await first.status();
  await first.close();
  // A quarter of the bytes has room for three.
  assert.deepEqual([setAside, dropped, waiting], [3, 1, 0]);
  const lost = told.lines.filter((line) => line.includes("it is lost"));
  assert.deepEqual(lost, [`error logbook: ${lastError}`]);
  assert.ok(lastError.includes(`${epoch}-4`));
  assert.deepEqual(asideOf(spool), ["0", "1", "2"]);
  // It takes room of what waits, of the next process too.
  proxy.hangs = true;
  const before = proxy.times.length;
  const second = open({ url: proxy.url, spool, maxBytes: 40_000 });
  await waitFor("its heartbeat", () => proxy.times.length > before);
  const some = numbers(4, 100);
  const results = await Promise.all(
    some.map((id) => write(second, id, { metadata: { text: "x".repeat(500) } })),
  );
  const { waitingBytes } = await second.status();
  assert.ok(waitingBytes > 29_000 && waitingBytes < 31_000, String(waitingBytes));
  await second.close(0);
  proxy.hangs = false;
  const kept = some.filter((_, index) => results[index]);
  const third = open({ spool });
  await waitFor("what waited", async () => (await third.status()).accepted === kept.length);
  await third.close();
  // In memory there is no room for it at all.
  const memory = open({ url: proxy.url });
  await write(memory, "1000", large);
  assert.equal(await memory.flush(), true);
  const status = await memory.status();
  assert.deepEqual([status.setAside, status.dropped], [0, 1]);
  await memory.close();
  assert.deepEqual(await source.ids(), kept);
});

test("what refuses everything is waited for", async () => {
  times.lastRetry = 10;
  const proxy = await Proxy.to(server.url);
  // Heartbeats pass: the events themselves are what tells.
  proxy.instead = (path) => (path.endsWith("/events") ? { status: 403, headers: {}, body: "" } : undefined);
  const logbook = open({ url: proxy.url, spool: newFolder() });
  await writeAll(logbook, numbers(0, 10));
  await waitFor("some tries", () => proxy.times.length > 6);
  const { setAside, waiting } = await logbook.status();
  assert.deepEqual([setAside, waiting], [0, 10]);
  proxy.instead = () => undefined;
  assert.equal(await logbook.flush(), true);
  await logbook.close();
  assert.deepEqual(await source.ids(), numbers(0, 10));
});

test("what refuses for a moment costs no event", async () => {
  const proxy = await Proxy.to(server.url);
  let refusals = 1;
  proxy.instead = (_path, body) =>
    body.includes("record_id") && refusals-- > 0 ? { status: 403, headers: {}, body: "" } : undefined;
  const logbook = open({ url: proxy.url, spool: newFolder() });
  await write(logbook, "0");
  assert.equal(await logbook.flush(), true);
  assert.equal((await logbook.status()).setAside, 0);
  await logbook.close();
  assert.deepEqual(await source.ids(), ["0"]);
});

test("a wrong key is told loudly and loses nothing", async () => {
  const spool = newFolder();
  const wrong = open({ key: "lbk_wrong", spool });
  // Before the first event.
  await waitFor("the error", async () => (await wrong.status()).failing);
  await writeAll(wrong, numbers(0, 10));
  await wrong.close();
  assert.match((await wrong.status()).lastError, /^401/);
  assert.equal(told.lines.length, 1);
  assert.match(told.lines[0], /^error logbook: events cannot be sent and wait: 401/);
  const right = open({ spool });
  await waitFor("what waited", async () => (await right.status()).accepted === 10);
  await right.close();
  assert.deepEqual(await source.ids(), numbers(0, 10));
});

test("it waits as long as Logbook asks", async () => {
  times.firstRetry = 10;
  const proxy = await Proxy.to(server.url);
  proxy.instead = () =>
    proxy.times.length <= 2 ? { status: 503, headers: { "retry-after": "1" }, body: "" } : undefined;
  const logbook = open({ url: proxy.url });
  await waitFor("three requests", () => proxy.times.length >= 3);
  const [one, two, three] = proxy.times;
  assert.ok(two - one > 990 && three - two > 990);
  await logbook.close();
});

test("a Logbook that hangs does not hold up the app", async () => {
  const proxy = await Proxy.to(server.url);
  proxy.hangs = true;
  const logbook = open({ url: proxy.url, spool: newFolder(), timeout: 30_000 });
  const begin = performance.now();
  await writeAll(logbook, numbers(0, 1000));
  await logbook.close(200);
  assert.ok(performance.now() - begin < 5000);
});

const TEN = `
  const logbook = new Logbook();
  for (let number = 0; number < 10; number++) {
    logbook.application({ action: "create", model: "record", record_id: String(number) });
  }`;

for (const onDisk of [true, false]) {
  test(`a process that has nothing more to do sends first, ${onDisk ? "from disk" : "from memory"}`, async () => {
    const spool = newFolder();
    assert.equal(await runProgram(TEN, { ...source.environment, LOGBOOK_SPOOL: onDisk ? spool : "" }), 0);
    assert.deepEqual(await source.ids(), numbers(0, 10));
    assert.deepEqual(
      readdirSync(spool, { recursive: true }).filter((path) => path.includes("ndjson")),
      [],
    );
  });
}

test("a process ends without Logbook, and the next one sends", async () => {
  const spool = newFolder();
  await server.kill();
  const begin = performance.now();
  assert.equal(await runProgram(TEN, { ...source.environment, LOGBOOK_SPOOL: spool }), 0);
  assert.ok(performance.now() - begin < 5000);
  await server.start();
  const logbook = open({ spool });
  await waitFor("what waited", async () => (await logbook.status()).accepted === 10);
  await logbook.close();
  assert.deepEqual(await source.ids(), numbers(0, 10));
});

test("what happens now does not wait behind what a dead process left", async () => {
  const spool = newFolder();
  const quiet = "{ info() {}, warn() {}, error() {} }";
  const left = TEN.replace("Logbook()", `Logbook({ url: "http://127.0.0.1:9", log: ${quiet} })`).replace(
    "< 10;",
    "< 300;",
  );
  assert.equal(await runProgram(left, { ...source.environment, LOGBOOK_SPOOL: spool }), 0);
  limits.batchEvents = 10;
  const logbook = open({ spool });
  await write(logbook, "9999");
  await waitFor("all of it", async () => (await logbook.status()).accepted === 301);
  await logbook.close();
  assert.ok((await source.ids()).indexOf("9999") < 200);
});

test("it says that it is alive", async () => {
  const logbook = open({ heartbeat: 50 });
  const first = await waitFor("a heartbeat", async () => (await source.state()).last_heartbeat_at);
  await waitFor("the next one", async () => (await source.state()).last_heartbeat_at > first);
  await logbook.close();
  assert.deepEqual(await source.ids(), []);
});

/** Calls `use` with a folder that takes some 100 KiB, and with a function that gives it twice as much. */
async function withFullDisk(context, use) {
  const folder = makeFolder(join(newFolder(), "disk"));
  const mount = (options) => spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]).status === 0;
  if (!mount("size=128k,mode=700"))
    return context.skip("only root mounts a tmpfs, and not in every container");
  try {
    await use(folder, () => assert.ok(mount("remount,size=256k")));
  } finally {
    spawnSync("umount", ["-l", folder]);
  }
}

const sized = (number) => ({ metadata: { text: "x".repeat(number % 700) } });

test("the caller is told that the disk is full, and nothing else is lost", async (context) => {
  await withFullDisk(context, async (spool, grow) => {
    await server.kill();
    const logbook = open({ spool, whenFull: "reject" });
    const kept = [];
    const refused = [];
    const tryToWrite = async (id) => {
      try {
        if (await write(logbook, id, sized(Number(id)))) kept.push(id);
      } catch (error) {
        assert.equal(error.code, "ENOSPC");
        refused.push(id);
      }
    };
    // Some one by one, and most together.
    for (const id of numbers(0, 50)) await tryToWrite(id);
    await Promise.all(numbers(50, 1000).map(tryToWrite));
    assert.ok(kept.length > 50 && refused.length > 50);
    // Somebody makes room, and what follows is no part of a line that was cut off.
    const before = kept.length;
    grow();
    for (const id of numbers(1000, 2000)) await tryToWrite(id);
    assert.ok(kept.length > before + 50 && refused.includes("1999"));
    await server.start();
    // There is room again once Logbook has them.
    assert.equal(await logbook.flush(60_000), true);
    assert.equal(await write(logbook, "9999"), true);
    await logbook.close();
    assert.deepEqual((await source.ids()).sort(), [...kept, "9999"].sort());
    assert.deepEqual((await source.state()).gaps, []);
  });
});

test("what is dropped is a gap that Logbook reports", async (context) => {
  await withFullDisk(context, async (spool) => {
    await server.kill();
    const logbook = open({ spool, heartbeat: 100 });
    const ids = numbers(0, 2000);
    const results = await Promise.all(ids.map((id) => write(logbook, id, sized(Number(id)))));
    const kept = ids.filter((_, index) => results[index]);
    assert.ok(kept.length > 50 && kept.length < 1950);
    const status = await logbook.status();
    assert.deepEqual([status.waiting, status.dropped], [kept.length, 2000 - kept.length]);
    await server.start();
    assert.equal(await logbook.flush(60_000), true);
    assert.equal((await logbook.status()).sequence, 2000);
    // The last ones that were dropped are seen through a heartbeat.
    const missing = async () =>
      (await source.state()).gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    await waitFor("the gaps", async () => (await missing()) === status.dropped);
    await logbook.close();
    assert.deepEqual((await source.ids()).sort(), kept.sort());
    assert.equal(told.lines.filter((line) => line.includes("an event is lost")).length, 1);
  });
});

test("what waits is bounded", async () => {
  await server.kill();
  for (const spool of [newFolder(), undefined]) {
    const logbook = open({ spool, maxBytes: 20_000 });
    // A burst that is not awaited is bounded too.
    const results = await Promise.all(numbers(0, 100).map((id) => write(logbook, id, sized(699))));
    assert.ok(results.filter(Boolean).length < 40);
    const { waitingBytes } = await logbook.status();
    assert.ok(waitingBytes > 18_000 && waitingBytes <= 20_000);
    await logbook.close(0);
  }
  await server.start();
});

test("an app starts and runs without its spool", async () => {
  const spool = join(newFolder(), "file");
  writeFileSync(spool, "");
  const logbook = open({ spool });
  assert.deepEqual(await Promise.all([write(logbook, "1"), write(logbook, "2")]), [false, false]);
  const { dropped, waiting } = await logbook.status();
  assert.deepEqual([dropped, waiting], [2, 0]);
  assert.equal(told.lines.filter((line) => line.includes("an event is lost")).length, 1);
  // It is tried again each time.
  rmSync(spool);
  assert.equal(await write(logbook, "3"), true);
  await logbook.flush();
  await logbook.close();
  assert.deepEqual(await source.ids(), ["3"]);
});

test("nobody has to wait for a promise", async () => {
  const program = `
    const logbook = new Logbook({ whenFull: "reject", maxBytes: 10 });
    logbook.access({ event_type: "login" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.error("alive");`;
  assert.equal(await runProgram(program, source.environment), 0);
});
