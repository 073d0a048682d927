/** A stand-in for tests: it keeps events in memory, and says what was written. */
import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import { FIELDS } from "./events.js";
import { type LogName, Producer } from "./producer.js";

export type WrittenEvent = Record<string, unknown> & { log: LogName };

/**
 * Takes the place of a `Logbook`. `events` has what would have been sent.
 *
 * An event that lacks a field or has one that Logbook does not know is an AssertionError where it is written; Logbook would
 * put it into quarantine.
 *
 *     const logbook = new RecordedLogbook();
 *     await closePatient(logbook, "92");
 *     logbook.assertWritten({ log: "application", action: "update", record_id: "92", changes: [{ field: "status", new: "closed" }] });
 */
export class RecordedLogbook extends Producer {
  readonly events: WrittenEvent[] = [];

  /**
   * Asserts that an event with these fields was written, and returns the first one. Of an object, such as `actor`, only the
   * members that are given are compared; of a list, such as `changes`, each item.
   */
  assertWritten(fields: Record<string, unknown>): WrittenEvent {
    let closest: { differences: string[]; event: WrittenEvent } | undefined;
    for (const event of this.events) {
      const differences = compare(fields, event, "");
      if (!differences.length) return event;
      if (!closest || differences.length < closest.differences.length) closest = { differences, event };
    }
    if (!closest) throw fail("no event was written", this.assertWritten);
    const lines = closest.differences.map((line) => `  ${line}`).join("\n");
    const message = `none of the ${this.events.length} events is such. The closest differs in\n${lines}\nand is\n${pretty(closest.event)}`;
    throw fail(message, this.assertWritten);
  }

  /** Asserts that no event with these fields was written. */
  assertNotWritten(fields: Record<string, unknown>): void {
    const found = this.events.find((event) => !compare(fields, event, "").length);
    if (found) throw fail(`this event was written\n${pretty(found)}`, this.assertNotWritten);
  }

  async flush(_timeout?: number): Promise<boolean> {
    return true;
  }

  async close(_timeout?: number): Promise<void> {}

  protected keep(text: string): Promise<boolean> {
    const event = JSON.parse(text) as WrittenEvent;
    const { required, known }: { required: readonly string[]; known: readonly string[] } = FIELDS[event.log];
    const missing = required.filter((field) => !(field in event));
    const unknown = Object.keys(event).filter((field) => field !== "log" && !known.includes(field));
    if (missing.length)
      throw fail(`an event of the ${event.log} log needs ${missing.join(", ")}\n${pretty(event)}`, this.keep);
    if (unknown.length)
      throw fail(
        `an event of the ${event.log} log has no ${unknown.join(", ")}\n${pretty(event)}`,
        this.keep,
      );
    this.events.push(event);
    return Promise.resolve(true);
  }
}

function compare(expected: unknown, found: unknown, path: string): string[] {
  if (Array.isArray(expected) && Array.isArray(found) && expected.length === found.length) {
    return expected.flatMap((one, index) => compare(one, found[index], `${path}[${index}]`));
  }
  if (isObject(expected) && isObject(found)) {
    return Object.entries(expected).flatMap(([key, value]) =>
      compare(value, found[key], path ? `${path}.${key}` : key),
    );
  }
  if (isDeepStrictEqual(expected, found)) return [];
  return [`${path}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fail(message: string, stackStartFn: (...args: never[]) => unknown): AssertionError {
  return new AssertionError({ message, stackStartFn });
}

function pretty(event: object): string {
  return JSON.stringify(event, null, 2);
}
