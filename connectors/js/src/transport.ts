/**
 * Sends batches of events to a source's own door, over one connection that is kept open.
 *
 * The door answers once every event of the batch is durable: stored, or in quarantine where it cannot be read. Each error
 * below means that the batch is to be kept. To send the same batch again is always safe, because Logbook stores an event
 * with a known dedupe key once.
 */
import * as http from "node:http";
import * as https from "node:https";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

export const MAX_EVENTS = 10_000;
export const MAX_BYTES = 16 * 1024 * 1024;
/** Logbook reads smaller bodies without handing them to another thread, so there compression would slow it down. */
const GZIP_FROM = 64 * 1024;
const SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/;
const SOURCE = /^[a-z0-9][a-z0-9._-]{0,62}$/;

const compress = promisify(gzip);

/** Logbook cannot be reached or has no room now: send the same batch again. */
export class Unavailable extends Error {
  override name = "Unavailable";
  /** What Logbook asks to wait, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(detail: string, retryAfter?: number) {
    super(detail);
    this.retryAfter = retryAfter;
  }
}

/** The address, the workspace, the source or the key is wrong. Somebody has to mend the configuration. */
export class Misconfigured extends Error {
  override name = "Misconfigured";
  /** Of the response. */
  readonly status: number;

  constructor(status: number, detail: string) {
    super(`${status}: ${detail}`);
    this.status = status;
  }
}

/** One event alone cannot be sent. All events before it in the batch are durable. */
export class Unsendable extends Error {
  override name = "Unsendable";
  /** Its place in the batch. */
  readonly index: number;
  /** What became of those before it. */
  readonly received: Received;

  constructor(index: number, why: string, received: Received) {
    super(why);
    this.index = index;
    this.received = received;
  }
}

/** The body is larger than Logbook, or a proxy before it, accepts. */
class TooLarge extends Error {}

/** What became of a batch, in events. */
export interface Received {
  /** Stored now. */
  accepted: number;
  /** Stored before. */
  duplicates: number;
  /** No events, as the mapping of the source says. */
  skipped: number;
  /** In quarantine. */
  rejected: number;
}

export interface Address {
  /** Logbook's public address, perhaps with a path. */
  url: string;
  /** The workspace's slug. */
  workspace: string;
  /** The source's name. */
  source: string;
  /** The source's key. */
  key: string;
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export class Transport {
  readonly #base: URL;
  readonly #headers: Record<string, string>;
  readonly #timeout: number;
  readonly #agent: http.Agent;
  #closed = false;

  /** `timeout` is in milliseconds. Throws for an address, a workspace or a source that cannot be. */
  constructor({ url, workspace, source, key }: Address, timeout: number) {
    const base = new URL(url);
    if (!/^https?:$/.test(base.protocol) || base.search || base.hash) {
      throw new RangeError(`${url} is not the address of a Logbook: it begins with http:// or https://`);
    }
    if (!SLUG.test(workspace)) throw new RangeError(`${workspace} cannot be the slug of a workspace`);
    if (!SOURCE.test(source)) throw new RangeError(`${source} cannot be the name of a source`);
    if (!/^[!-~]+$/.test(key)) throw new RangeError("the key is not one of Logbook's");
    base.pathname = `${base.pathname.replace(/\/+$/, "")}/api/v1/workspaces/${workspace}/sources/${source}/`;
    this.#base = base;
    this.#headers = {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "user-agent": "logbook-producer",
    };
    this.#timeout = timeout;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = base.protocol === "https:" ? new https.Agent(options) : new http.Agent(options);
  }

  /**
   * Sends events that are JSON objects. A batch that is too large, or is refused for one event, is sent in parts. Throws
   * `Unavailable`, `Misconfigured` and `Unsendable`; parts may be durable then, and the whole batch may be sent again.
   */
  async send(events: readonly string[]): Promise<Received> {
    const received = { accepted: 0, duplicates: 0, skipped: 0, rejected: 0 };
    // Places of parts in the batch, the next one last, and whether it was refused before, alone or with others.
    const parts: [number, number, boolean][] = events.length ? [[0, events.length, false]] : [];
    for (let part = parts.pop(); part; part = parts.pop()) {
      const [first, end, again] = part;
      try {
        const answer = await this.#sendPart(events.slice(first, end));
        for (const name of COUNTS) received[name] += answer[name];
      } catch (error) {
        const tooLarge = error instanceof TooLarge;
        if (!tooLarge) await this.#throwUnlessOfOneEvent(error);
        if (end - first === 1 && (tooLarge || again)) {
          const why = tooLarge ? "is too large to be sent" : `is refused on its way (${String(error)})`;
          throw new Unsendable(first, why, received);
        }
        // One event is tried twice: what refused it may have refused everything for a moment.
        const middle = (first + end) >> 1;
        if (middle < end) parts.push([middle, end, again || !tooLarge]);
        if (first < middle) parts.push([first, middle, again || !tooLarge]);
      }
    }
    return received;
  }

  /** Says that the producer is alive, and how far it has counted. Throws `Unavailable` and `Misconfigured`. */
  async heartbeat(epoch: string, sequence: number): Promise<void> {
    const answer = await this.#post("heartbeat", JSON.stringify({ epoch, sequence }));
    if (answer.status !== 204) throw notLogbook(answer);
  }

  /** Ends the request that is under way. Each later one throws `Unavailable`. */
  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }

  /**
   * Logbook quarantines an event that it cannot read. Where a batch without events passes, the address and the key are
   * right, and it is the text of an event that a firewall before Logbook refuses.
   */
  async #throwUnlessOfOneEvent(error: unknown): Promise<void> {
    if (!(error instanceof Misconfigured) || error.status < 400 || error.status === 401) throw error;
    await this.#sendPart([]);
  }

  async #sendPart(events: readonly string[]): Promise<Received> {
    if (events.length > MAX_EVENTS) throw new TooLarge();
    // One event a line: Logbook goes on at the next line after a damaged one.
    const answer = await this.#post("events", `[${events.join(",\n")}]`);
    // Some other server, or a proxy, may answer 200 as well. Only Logbook's counts say that the events are durable.
    const received = counts(answer.body);
    if (answer.status !== 200 || !received) throw notLogbook(answer);
    const uncounted = events.length - COUNTS.reduce((sum, name) => sum + received[name], 0);
    if (uncounted < 0) throw notLogbook(answer);
    // Older servers do not count an event with the dedupe key of another one, which is in quarantine.
    return { ...received, rejected: received.rejected + uncounted };
  }

  async #post(action: string, text: string): Promise<Answer> {
    let body: Buffer = Buffer.from(text);
    if (body.length > MAX_BYTES) throw new TooLarge();
    const headers = { ...this.#headers };
    if (body.length >= GZIP_FROM) {
      body = await compress(body, { level: 1 });
      headers["content-encoding"] = "gzip";
    }
    const answer = await this.#request(new URL(action, this.#base), body, headers);
    const { status } = answer;
    if ([408, 425, 429].includes(status) || status >= 500) {
      throw new Unavailable(`${status}: ${detail(answer)}`, milliseconds(answer.headers["retry-after"]));
    }
    if (status === 413) throw new TooLarge();
    if (status >= 300 && status < 400) {
      throw new Misconfigured(status, `the address redirects to ${answer.headers.location}; use that one`);
    }
    if (status >= 400) throw new Misconfigured(status, detail(answer));
    return answer;
  }

  /** Requests once more where a connection that was idle turns out to be closed by the server. */
  async #request(url: URL, body: Buffer, headers: Record<string, string>): Promise<Answer> {
    const begin = () => (this.#closed ? CLOSED : this.#exchange(url, body, headers));
    const first = await begin();
    if (!("error" in first)) return first;
    const second = first.reused ? await begin() : first;
    if ("error" in second) throw new Unavailable(second.error.message || second.error.name);
    return second;
  }

  #exchange(url: URL, body: Buffer, headers: Record<string, string>): Promise<Answer | Failure> {
    return new Promise((resolve) => {
      const { request: begin } = url.protocol === "https:" ? https : http;
      const length = { "content-length": body.length };
      const options = {
        method: "POST",
        agent: this.#agent,
        headers: { ...headers, ...length },
        timeout: this.#timeout,
      };
      let timedOut = false;
      const fail = (error: Error) => resolve({ error, reused: request.reusedSocket && !timedOut });
      const request = begin(url, options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", fail);
        response.on("end", () => {
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, body: Buffer.concat(chunks).toString() });
        });
      });
      request.on("timeout", () => {
        timedOut = true;
        request.destroy(new Error(`no answer within ${this.#timeout} ms`));
      });
      request.on("error", fail);
      request.end(body);
    });
  }
}

interface Failure {
  error: Error;
  /** Whether the connection had been used before. */
  reused: boolean;
}

const CLOSED: Failure = { error: new Error("the producer is closed"), reused: false };

const COUNTS = ["accepted", "duplicates", "skipped", "rejected"] as const;

/** What Logbook counted; undefined for an answer that is not Logbook's. */
function counts(body: string): Received | undefined {
  const answer = parsed(body);
  const isCount = (count: unknown) => Number.isInteger(count) && (count as number) >= 0;
  if (!COUNTS.every((name) => isCount(answer?.[name]))) return undefined;
  const { accepted, duplicates, skipped, rejected } = answer as Received;
  return { accepted, duplicates, skipped, rejected };
}

function notLogbook({ status, body }: Answer): Misconfigured {
  return new Misconfigured(status, `this is no answer of Logbook: ${body.slice(0, 200)}`);
}

/** What a problem (RFC 9457) says, or the beginning of whatever else was answered. */
function detail({ body }: Answer): string {
  const told = parsed(body)?.["detail"];
  return typeof told === "string" ? told : body.slice(0, 200);
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- JSON of somebody else
function parsed(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Retry-After in milliseconds: it is seconds, or a date (RFC 9110). */
function milliseconds(retryAfter: string | undefined): number | undefined {
  if (!retryAfter) return undefined;
  const wait = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
