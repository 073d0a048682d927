// Processes that are killed in the middle of everything. What they were told is kept arrives once.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Logbook } from "../dist/index.js";
import { newFolder, Proxy, Server, Source, waitFor } from "./harness.mjs";
import { readdirSync } from "node:fs";

const KILLS = Number(process.env.KILLS ?? 20);
const WRITER = fileURLToPath(new URL("writer.mjs", import.meta.url));
const TASKS = 4;

let server;
before(async () => {
  server = await Server.start();
});

/** A process that writes; what it printed is in a file. */
class Writer {
  constructor(source, spool, out, durable = "process") {
    this.out = out;
    const file = openSync(out, "w");
    const name = out.split("/").at(-1);
    this.process = spawn(process.execPath, [WRITER, spool, name, durable], {
      env: source.environment,
      stdio: ["ignore", file, "inherit"],
    });
    closeSync(file);
  }

  get printed() {
    return statSync(this.out).size;
  }

  /** Kills it some time after its first event. */
  async kill() {
    await waitFor("the first event", () => this.printed || this.process.exitCode !== null);
    await sleep(Math.random() * 150);
    assert.equal(this.process.exitCode, null);
    this.process.kill("SIGKILL");
    await once(this.process, "exit");
  }

  acknowledged() {
    // The last line may be cut off.
    return readFileSync(this.out, "utf8").split("\n").slice(0, -1);
  }
}

/** Takes over what all others left, and sends it. */
async function drain(source, spool) {
  const logbook = new Logbook({ ...source.address, spool });
  const folder = join(spool, "js", source.address.workspace, source.name);
  await waitFor(
    "the spool to be empty",
    async () => (await logbook.flush()) && readdirSync(folder).length === 0,
  );
  await logbook.close();
}

/** Compares what arrived with what was acknowledged. */
async function assertEachArrivedOnce(source, writers) {
  const arrived = await source.ids();
  const acknowledged = writers.flatMap((writer) => writer.acknowledged());
  assert.ok(acknowledged.length);
  const found = new Set(arrived);
  assert.deepEqual(
    acknowledged.filter((name) => !found.has(name)),
    [],
  );
  assert.equal(found.size, arrived.length);
  // Whoever is killed between the write and the answer has one event more, in each of its tasks.
  assert.ok(arrived.length - acknowledged.length <= TASKS * writers.length);
  const { gaps, gaps_complete, rejected, duplicates } = await source.state();
  assert.deepEqual({ gaps, gaps_complete, rejected }, { gaps: [], gaps_complete: true, rejected: 0 });
  console.log(
    `${writers.length} kills, ${acknowledged.length} acknowledged, ${arrived.length} arrived, ${duplicates} sent again`,
  );
}

test("killed processes lose and double nothing", async () => {
  const [source, spool, out] = [await server.newSource(), newFolder(), newFolder()];
  const done = [];
  const living = [];
  for (let number = 0; number < KILLS; number++) {
    living.push(new Writer(source, spool, join(out, `w${number}`)));
    if (living.length < 2) continue;
    const [writer] = living.splice(Math.random() * 2, 1);
    await writer.kill();
    done.push(writer);
  }
  for (const writer of living) await writer.kill();
  await drain(source, spool);
  await assertEachArrivedOnce(source, [...done, ...living]);
});

test("so it is when the disk is waited for", async () => {
  const [source, spool, out] = [await server.newSource(), newFolder(), newFolder()];
  const writers = [0, 1].map((number) => new Writer(source, spool, join(out, `d${number}`), "disk"));
  for (const writer of writers) await writer.kill();
  await drain(source, spool);
  await assertEachArrivedOnce(source, writers);
});

test("a batch under way is sent again and stored once", async () => {
  const [source, spool, out] = [await server.newSource(), newFolder(), newFolder()];
  const proxy = await Proxy.to(server.url);
  const way = new Source(server, source.name, source.address.key);
  way.address.url = proxy.url;
  const writer = new Writer(way, spool, join(out, "a"));
  // Killed when Logbook has the events and the process does not know it, which kills at random may miss.
  await new Promise((resolve) => {
    proxy.answered = async (body) => {
      if (!body.includes("accepted") || !writer.printed || writer.process.signalCode) return;
      writer.process.kill("SIGKILL");
      await once(writer.process, "exit");
      resolve();
    };
  });
  await drain(source, spool);
  await assertEachArrivedOnce(source, [writer]);
  assert.ok((await source.state()).duplicates > 0);
});

test("a killed server takes nothing along", async () => {
  const [source, spool, out] = [await server.newSource(), newFolder(), newFolder()];
  const writer = new Writer(source, spool, join(out, "s"));
  for (let kills = 0; kills < 3; kills++) {
    const { events } = await source.state();
    await waitFor("events that arrive", async () => (await source.state()).events > events);
    await server.kill();
    const before = writer.printed;
    await waitFor("events that are written", () => writer.printed > before + 1000);
    await server.start();
  }
  await writer.kill();
  await drain(source, spool);
  await assertEachArrivedOnce(source, [writer]);
});
