/** What `Logbook` and the stand-in for tests have in common: an event, with what the context adds, as JSON. */
import { MAX_EVENT_BYTES } from "./backlog.js";
import { type Context, fieldsFor, runWith } from "./context.js";
import type { NewAccessEvent, NewApplicationEvent, NewFrameworkEvent } from "./events.js";
import { express, type Middleware } from "./express.js";

export type LogName = "access" | "application" | "framework";

/** The package counts, and makes a dedupe key of its count. */
const OWN = { log: undefined, dedupe_key: undefined, epoch: undefined, sequence: undefined };

/** JSON numbers are doubles in RFC 8785. Logbook refuses larger ones, which may not be exact. */
const MAX_EXACT = 2 ** 53;

/**
 * Writes events of the three logs.
 *
 * Each method returns a promise of whether the event is kept and will be sent. It throws a TypeError for what is no JSON,
 * such as an event that contains itself, and a RangeError for more than 512 KiB. Sets become arrays, maps objects,
 * and bigints and numbers beyond 2^53, which JSON does not keep exactly, texts.
 */
export abstract class Producer {
  /** Who came in: a sign-in, a sign-out, a failed sign-in. */
  access(event: NewAccessEvent): Promise<boolean> {
    return this.#record("access", event);
  }

  /** What changed in the data: a record was created, updated, deleted, or this was denied. */
  application(event: NewApplicationEvent): Promise<boolean> {
    return this.#record("application", event);
  }

  /** What the platform did: a job failed, a release was applied. */
  framework(event: NewFrameworkEvent): Promise<boolean> {
    return this.#record("framework", event);
  }

  /**
   * Calls `fn` and returns what it returns. The events that are written within get these fields, where they do not have them
   * themselves, also after an `await` and in callbacks. What `fields` does not have is that of the context around.
   */
  with<T>(fields: Context, fn: () => T): T {
    return runWith(fields, fn);
  }

  /** A middleware for Express and what is like it: each request is the context of its events. */
  express(): Middleware {
    return express;
  }

  #record(log: LogName, event: object): Promise<boolean> {
    const composed: Record<string, unknown> = {
      occurred_at: undefined,
      ...fieldsFor(log),
      ...event,
      ...OWN,
      log,
    };
    composed["occurred_at"] ??= new Date();
    const text = wellFormed(JSON.stringify(composed, plain));
    const size = Buffer.byteLength(text);
    if (size > MAX_EVENT_BYTES) {
      throw new RangeError(`an event has at most ${MAX_EVENT_BYTES >> 10} KiB, this one has ${size >> 10}`);
    }
    return this.keep(text);
  }

  /** Keeps an event that is a JSON object. */
  protected abstract keep(event: string): Promise<boolean>;
}

/**
 * JSON with U+FFFD for each half of a surrogate pair, which no UTF-8 text can have. `JSON.stringify` writes these alone as
 * escapes, in keys too.
 */
function wellFormed(json: string): string {
  if (!json.includes("\\ud")) return json;
  return json.replace(/\\(ud[89a-f]..|.)/g, (escape) => (escape.length > 2 ? "\ufffd" : escape));
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Set) return [...value];
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Error) return String(value);
  if (typeof value === "number" && !(Math.abs(value) <= MAX_EXACT)) return String(value);
  return value;
}
