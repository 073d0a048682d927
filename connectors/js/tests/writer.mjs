// A process that writes events until it is killed, and says which ones it was told are kept.
//
//     writer.mjs SPOOL PREFIX DURABLE
//
// Prints PREFIX-TASK-NUMBER, alone on a line, after the promise for that event has resolved.
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { limits } from "../dist/backlog.js";
import { Logbook } from "../dist/index.js";
import { times } from "../dist/sender.js";

// Small, so that kills meet each of these often: a new segment, a batch that is sent, a run that is taken over.
Object.assign(limits, { segmentBytes: 20_000, batchEvents: 25 });
Object.assign(times, { pace: 5, adoptEvery: 50 });

const [spool, prefix, durable] = process.argv.slice(2);
const logbook = new Logbook({ spool, durable });

async function write(task) {
  for (let number = 0; ; number++) {
    const name = `${prefix}-${task}-${number}`;
    const metadata = { text: "x".repeat(Math.random() * 400) };
    await logbook.application({ action: "create", model: "record", record_id: name, metadata });
    writeSync(1, `${name}\n`);
    // Some hundred a second: a faster writer tests how fast the server is.
    if (Math.random() < 0.25) await sleep(30);
  }
}

for (let task = 0; task < 4; task++) void write(task);
