// Waiting for another process.
import type { ChildProcess } from "node:child_process";
import { setTimeout } from "node:timers/promises";

const LIMIT_MS = 120_000;

/** Waits until `condition` holds. Throws `failure()` when the process exits first, or after two minutes. */
export async function waitUntil(process: ChildProcess, condition: () => unknown, failure: () => string) {
  const deadline = Date.now() + LIMIT_MS;
  while (!(await condition())) {
    if (process.exitCode !== null || Date.now() > deadline) throw new Error(failure());
    await setTimeout(100);
  }
}
