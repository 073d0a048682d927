// The spool alone: torn and damaged files, dead processes, and several that want the same.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import builtin from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { limits } from "../dist/backlog.js";
import { Run } from "../dist/runs.js";
import { Spool } from "../dist/spool.js";
import { makeFolder, newFolder } from "./harness.mjs";

const usual = { ...limits };
afterEach(() => Object.assign(limits, usual));

/** Numbers from 0 to 1 that are the same for each seed. */
function randomOf(seed) {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const event = (number, random = Math.random) =>
  JSON.stringify({ log: "access", n: number, text: "é\n".repeat(random() * 30) });

/** The numbers of a run's events, as a sender takes them; perhaps with a new process after each batch. */
async function read(path, restarts = false) {
  const numbers = [];
  let run = await new Run(path).open();
  for (let batch = await run.batch(); batch; batch = await run.batch()) {
    assert.deepEqual(await run.batch(), batch);
    numbers.push(...batch.events.map((text) => JSON.parse(text).n));
    await run.done(batch);
    if (restarts) run = await new Run(path).open();
  }
  assert.equal(run.waitingBytes, 0);
  rmSync(path, { recursive: true });
  return numbers;
}

function makeRun(folder, segments) {
  const path = makeFolder(join(folder, `${"0".repeat(16)}.${randomBytes(16).toString("hex")}`));
  for (const [index, parts] of segments.entries()) {
    const name = `${String(index + 1).padStart(8, "0")}.ndjson`;
    writeFileSync(join(path, name), Buffer.concat(parts.map((part) => Buffer.from(part))));
  }
  return path;
}

const GARBAGE = [
  (random) => Buffer.from(Array.from({ length: 1 + random() * 300 }, () => 11 + random() * 245)),
  (random) => "\0".repeat(1 + random() * 5000),
  (random) => event(-1).slice(0, 1 + random() * 9),
  () => "",
  () => "[]",
  () => "null",
  () => '{"n": NaN}',
  () => Buffer.from([0x7b, 0x22, 0x6e, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]),
  () => "[".repeat(10_000),
  () => "x".repeat(3 * limits.batchBytes),
];

for (const restarts of [false, true]) {
  test(`no whole line is lost among damaged ones${restarts ? ", with a new process after each batch" : ""}`, async () => {
    const folder = newFolder();
    for (let seed = 0; seed < 150; seed++) {
      const random = randomOf(seed);
      const one = (list) => list[Math.floor(random() * list.length)];
      limits.batchEvents = one([1, 2, 7, 2000]);
      limits.batchBytes = one([200, 1000, 1024 * 1024]);
      const written = [];
      const segments = [];
      for (let count = random() * 4; count >= 1; count--) {
        const parts = [];
        for (let lines = random() * 12; lines >= 1; lines--) {
          if (random() < 0.7) {
            parts.push(event(written.length, random), "\n");
            written.push(written.length);
          } else {
            parts.push(one(random() < 0.1 ? GARBAGE : GARBAGE.slice(0, -2))(random), "\n");
          }
        }
        // Torn within ASCII or within a character.
        const torn = Buffer.from(event(-1, random));
        if (random() < 0.5) parts.push(torn.subarray(0, 1 + random() * (torn.length - 1)));
        segments.push(parts);
      }
      const path = makeRun(folder, segments);
      if (random() < 0.3) writeFileSync(join(path, "sent"), randomBytes(random() * 40));
      assert.deepEqual(await read(path, restarts), written, `seed ${seed}`);
    }
  });
}

test("a file may end anywhere", async () => {
  const folder = newFolder();
  const whole = Buffer.from([0, 1, 2, 3].map((number) => `${event(number)}\n`).join(""));
  for (let end = 0; end < whole.length; end++) {
    const cut = whole.subarray(0, end);
    let lines = cut.filter((byte) => byte === 10).length;
    // Without its newline alone, a line is whole all the same.
    if (end > 0 && whole[end] === 10) lines += 1;
    assert.deepEqual(await read(makeRun(folder, [[cut]])), [0, 1, 2, 3].slice(0, lines), `cut at ${end}`);
  }
});

test("what was sent is not read again", async () => {
  const lines = (from) => Array.from({ length: 3000 }, (_, index) => `${event(from + index)}\n`);
  const path = makeRun(newFolder(), [lines(0), lines(3000)]);
  const run = await new Run(path).open();
  assert.equal(run.written, 6000);
  for (let batches = 0; batches < 3; batches++) await run.done(await run.batch());
  const { sent } = run;
  assert.ok(sent > 0);
  assert.equal((await new Run(path).open()).written, 6000 - sent);
  assert.deepEqual(
    await read(path),
    Array.from({ length: 6000 - sent }, (_, index) => sent + index),
  );
});

const newSpool = (
  root,
  { sync = false, epoch = randomBytes(16).toString("hex"), maxBytes = 1024 * 1024 } = {},
) => new Spool(root, "w/s", epoch, maxBytes, sync);

/** What a process left that was killed. */
function leaveRuns(root, count) {
  const epochs = Array.from({ length: count }, () => randomBytes(16).toString("hex"));
  const program = `
    import { Spool } from ${JSON.stringify(new URL("../dist/spool.js", import.meta.url))};
    const spools = ${JSON.stringify(epochs)}.map((epoch) => new Spool(${JSON.stringify(root)}, "w/s", epoch, 1 << 20, false));
    for (const spool of spools) await spool.append('{"n":1}');
    process.kill(process.pid, "SIGKILL");`;
  const done = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { stdio: "inherit" });
  assert.equal(done.signal, "SIGKILL");
  return epochs;
}

test("the run of a dead process has one heir", async () => {
  const root = newFolder();
  const epochs = leaveRuns(root, 20);
  const heirs = Array.from({ length: 8 }, () => newSpool(root));
  await Promise.all(heirs.map((heir) => heir.adopt()));
  const inherited = heirs.flatMap((heir) => heir.runs().map((run) => run.epoch));
  assert.deepEqual(inherited.sort(), epochs.sort());
  for (const heir of heirs) await heir.close();
  // Nobody has sent them, so they wait for the next one.
  const last = newSpool(root);
  assert.equal(await last.adopt(), epochs.length);
  const sockets = readdirSync(join(root, "js")).filter((name) => name.endsWith(".sock"));
  assert.equal(sockets.length, 1);
  await last.close();
});

test("what cannot be taken over holds up nothing else", async () => {
  const root = newFolder();
  const epochs = leaveRuns(root, 6);
  // A run that cannot be renamed, and one that cannot be opened. Tests may run as root.
  const [fixed, closed] = epochs;
  const real = { rename: builtin.rename, readdir: builtin.readdir };
  const denied = () => Promise.reject(error("EACCES"));
  builtin.rename = (path, target) => (path.endsWith(fixed) ? denied() : real.rename(path, target));
  builtin.readdir = (path, ...rest) => (path.endsWith(closed) ? denied() : real.readdir(path, ...rest));
  syncBuiltinESMExports();
  const told = [];
  const tell = (line) => void told.push(line);
  const heir = new Spool(root, "w/s", randomBytes(16).toString("hex"), 1024 * 1024, false, tell);
  try {
    assert.deepEqual([await heir.adopt(), await heir.adopt()], [4, 0]);
  } finally {
    Object.assign(builtin, real);
    syncBuiltinESMExports();
  }
  assert.equal(told.length, 2);
  // They are tried again.
  assert.equal(await heir.adopt(), 2);
  assert.deepEqual(
    heir
      .runs()
      .map((run) => run.epoch)
      .sort(),
    epochs.sort(),
  );
  await heir.close();
});

test("the living keep what is theirs", async () => {
  const root = newFolder();
  const living = newSpool(root);
  await living.append('{"n":1}');
  assert.equal(await newSpool(root).adopt(), 0);
  await living.close();
  assert.equal(await newSpool(root).adopt(), 1);
});

test("half a line is not read", async () => {
  const writer = newSpool(newFolder());
  await writer.append('{"n":1}');
  const [run] = writer.runs();
  const probe = await fs.open(newFolder() + "/probe", "w");
  const prototype = Object.getPrototypeOf(probe);
  await probe.close();
  const { write } = prototype;
  const seen = [];
  prototype.write = async function (data, from, length) {
    const written = await write.call(this, data, from, Math.min(length, 7));
    seen.push(await run.batch());
    return written;
  };
  await writer.append('{"n":2}').finally(() => (prototype.write = write));
  assert.ok(seen.length > 10 && seen.every((batch) => batch.lines === 1));
  assert.equal((await run.batch()).events.length, 2);
  await writer.close();
});

/** What handles of files have in common, so that a test can put something else in the place of one of their methods. */
async function handles() {
  const probe = await fs.open(newFolder() + "/probe", "w");
  await probe.close();
  return Object.getPrototypeOf(probe);
}

const error = (code) => Object.assign(new Error(code), { code });
const openFiles = () => readdirSync("/proc/self/fd").length;

test("a spool that fails to open is opened with the next event", async () => {
  const prototype = await handles();
  const { sync } = prototype;
  const root = newFolder();
  // Each sync fails once.
  for (let allowed = 0, calls = Infinity; calls > allowed; allowed++) {
    const writer = newSpool(root, { sync: true });
    const before = openFiles();
    calls = 0;
    prototype.sync = function () {
      return calls++ === allowed ? Promise.reject(error("EMFILE")) : sync.call(this);
    };
    // It is tried again, event by event.
    await writer.append('{"n":1}').finally(() => (prototype.sync = sync));
    const [run] = writer.runs();
    assert.deepEqual([run.written, writer.sequence], [1, 1]);
    await run.done(await run.batch());
    await writer.close();
    assert.deepEqual(readdirSync(join(root, "js/w/s")), []);
    assert.equal(openFiles(), before);
  }
});

test("a segment that cannot be begun is tried again", async () => {
  const prototype = await handles();
  const { sync } = prototype;
  limits.segmentBytes = 1;
  const writer = newSpool(newFolder(), { sync: true });
  await writer.append('{"n":1}');
  const before = openFiles();
  prototype.sync = () => Promise.reject(error("EMFILE"));
  await assert.rejects(writer.append('{"n":2}'));
  await assert.rejects(writer.append('{"n":2}'));
  assert.equal(openFiles(), before);
  prototype.sync = sync;
  await writer.append('{"n":2}');
  const [run] = writer.runs();
  const found = [];
  for (let batch = await run.batch(); batch; batch = await run.batch()) {
    found.push(...batch.events.map((text) => JSON.parse(text).n));
    await run.done(batch);
  }
  assert.deepEqual(found, [1, 2]);
  await writer.close();
});

test("a file system that does not sync folders is one", async () => {
  const prototype = await handles();
  const { sync } = prototype;
  prototype.sync = () => Promise.reject(error("EINVAL"));
  const writer = newSpool(newFolder(), { sync: true });
  await writer.append('{"n":1}').finally(() => (prototype.sync = sync));
  await writer.close();
});

test("others cannot read it", async () => {
  const root = join(newFolder(), "spool");
  const writer = newSpool(root);
  await writer.append('{"n":1}');
  const paths = readdirSync(join(root, "js/w"), { recursive: true }).map((path) => join("js/w", path));
  for (const path of ["", "js", "js/w", ...paths])
    assert.equal(statSync(join(root, path)).mode & 0o077, 0, path);
  await writer.close();
});

for (const sync of [false, true]) {
  test(`who writes at once shares one sequence${sync ? ", on disk" : ""}`, async () => {
    limits.segmentBytes = 2000;
    const root = newFolder();
    const writer = newSpool(root, { sync });
    const sequences = [];
    const write = async (task) => {
      for (let number = 0; number < 100; number++) {
        await writer.append(`{"task":${task}}`);
        // Kept is: in a file.
        if (number === 50)
          assert.ok(textOf(join(root, "js/w")).includes(`"task":${task}`) || sequences.length);
      }
    };
    const writers = Promise.all([0, 1, 2, 3].map(write));
    while (sequences.length < 400) {
      for (const run of writer.runs()) {
        const batch = await run.batch();
        if (!batch) continue;
        sequences.push(...batch.events.map((text) => JSON.parse(text).sequence));
        await run.done(batch);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writers;
    assert.deepEqual(
      sequences,
      Array.from({ length: 400 }, (_, index) => index + 1),
    );
    await writer.close();
    assert.deepEqual(readdirSync(join(root, "js/w/s")), []);
  });
}

test("a lost event takes a sequence, and one that was refused none", async () => {
  const root = newFolder();
  const writer = newSpool(root, { maxBytes: 500 });
  await writer.append('{"n":1}');
  await assert.rejects(writer.append(`{"n":"${"x".repeat(500)}"}`), { name: "SpoolFull" });
  writer.skip();
  await writer.append('{"n":3}');
  const [run] = writer.runs();
  assert.deepEqual(
    (await run.batch()).events.map((text) => JSON.parse(text).sequence),
    [1, 3],
  );
  await writer.close();
});

test("a path that is too long for a socket is refused at once", () => {
  assert.throws(() => newSpool(`/tmp/${"x".repeat(100)}`), RangeError);
});

/** Everything that is in the files of a folder. */
function textOf(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((path) => path.endsWith(".ndjson"));
  return files.map((path) => readFileSync(join(folder, path), "utf8")).join("");
}
