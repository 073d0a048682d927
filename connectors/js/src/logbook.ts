/** `Logbook`: what an app writes its events to. */
import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { type Backlog, MemorySpool, SpoolFull } from "./backlog.js";
import { Producer } from "./producer.js";
import { type Log, Sender, times } from "./sender.js";
import { Spool } from "./spool.js";
import { Transport } from "./transport.js";

export interface Options {
  /** Logbook's address. Default: `LOGBOOK_URL`. */
  url?: string | undefined;
  /** The workspace's slug. Default: `LOGBOOK_WORKSPACE`. */
  workspace?: string | undefined;
  /** The source's name. Default: `LOGBOOK_SOURCE`. */
  source?: string | undefined;
  /** The source's key. Default: `LOGBOOK_KEY`. */
  key?: string | undefined;
  /**
   * A folder on a local disk; several processes may share it. Default: `LOGBOOK_SPOOL`. Without one, events wait in memory,
   * and those that wait are lost when the process ends without `close`.
   */
  spool?: string | undefined;
  /**
   * An event in the spool is kept once it survives the end of the process, or the loss of power. The latter waits for the
   * disk, some milliseconds. Default: `process`.
   */
  durable?: "process" | "disk";
  /**
   * What to do with an event for which there is no room, on disk or within `maxBytes`. `drop` counts it, logs an error and
   * leaves a gap in the sequence, which Logbook reports; the promise resolves to false. `reject` rejects with `SpoolFull`
   * or an error of the disk, for an app that must not act without a record. Default: `drop`.
   */
  whenFull?: "drop" | "reject";
  /** How many bytes of events may wait. Default: 256 MiB. */
  maxBytes?: number;
  /** Of a request, in milliseconds. Default: 10,000. */
  timeout?: number;
  /** After how many milliseconds without an event Logbook is told that the producer is alive. Default: 60,000. */
  heartbeat?: number;
  /** Default: the console, without `info`. */
  log?: Log;
}

/** How a producer is. Counts begin with the process. */
export interface Status {
  /** False: it is not known where to send, and nothing is kept. */
  enabled: boolean;
  /** Whether events wait on disk, and stay when the process is killed. */
  onDisk: boolean;
  /** Events that wait, with those that were taken over from dead processes. */
  waiting: number;
  waitingBytes: number;
  /** When the first event that waits happened. */
  oldest: Date | undefined;
  accepted: number;
  /** Events that Logbook had already: they were sent again because its answer was lost. */
  duplicates: number;
  /** Events in the quarantine of the source. */
  rejected: number;
  /** Events that are too large to be sent, or that a firewall before Logbook refuses: in `set-aside.ndjson` of the spool. */
  setAside: number;
  /** Events that could not be kept, or set aside. Logbook reports the gap. */
  dropped: number;
  /** Damaged lines of the spool, as a kill in the middle of a write leaves one. No such event was acknowledged. */
  unreadable: number;
  /** Whether the last request failed. */
  failing: boolean;
  lastSentAt: Date | undefined;
  lastError: string | undefined;
  lastErrorAt: Date | undefined;
  epoch: string;
  /** The last one that was given to an event. */
  sequence: number;
}

/* eslint-disable no-console -- where an app that gives no log of its own finds it */
const CONSOLE: Log = {
  info: () => undefined,
  warn: (message) => console.warn(message),
  error: (message) => console.error(message),
};
/* eslint-enable no-console */

/**
 * Writes events to a spool and sends them in the background.
 *
 *     const logbook = new Logbook({ spool: "/var/lib/app/logbook" }); // the rest from LOGBOOK_URL, _WORKSPACE, _SOURCE, _KEY
 *     await logbook.access({ event_type: "login", user: { id: "17", name: "Asha Rao" } });
 *
 * A promise that is not awaited does no harm. Without an address, workspace, source or key it warns once and does nothing.
 * Nothing is thrown or rejected because Logbook is out of reach.
 */
export class Logbook extends Producer {
  readonly #log: Log;
  readonly #raises: boolean;
  readonly #backlog: Backlog;
  readonly #sender: Sender | undefined;
  readonly #atExit = () => void this.close();
  #dropped = 0;
  #toldAt = -Infinity;
  #closed: Promise<void> | undefined;

  /** Throws for an address, a workspace or a source that cannot be, and for a spool whose path is too long. */
  constructor(options: Options = {}) {
    super();
    this.#log = options.log ?? CONSOLE;
    this.#raises = options.whenFull === "reject";
    const maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
    const epoch = randomBytes(16).toString("hex");
    const [url, workspace, source, key, spool] = SETTINGS.map((name) => setting(options, name)) as Five;
    const missing = SETTINGS.slice(0, 4).filter((name) => !setting(options, name));
    if (missing.length) {
      this.#log.warn(
        `logbook: events are not recorded, since ${missing.map(variable).join(" and ")} is not set`,
      );
      this.#backlog = new MemorySpool(epoch, 0);
      return;
    }
    const transport = new Transport({ url, workspace, source, key }, options.timeout ?? 10_000);
    const onDisk = spool && process.platform !== "win32";
    if (spool && !onDisk) this.#log.warn("logbook: a spool needs Unix; events wait in memory");
    if (onDisk) {
      const root = resolve(spool);
      const [own, sync] = [join(workspace, source), options.durable === "disk"];
      this.#backlog = new Spool(root, own, epoch, maxBytes, sync, (message) => this.#log.error(message));
    } else {
      this.#backlog = new MemorySpool(epoch, maxBytes);
    }
    this.#sender = new Sender(this.#backlog, transport, options.heartbeat ?? 60_000, this.#log);
    process.once("beforeExit", this.#atExit);
  }

  /** How it is now. It may read the first line of what waits from disk. */
  async status(): Promise<Status> {
    const runs = this.#backlog.runs();
    const first = await Promise.all(runs.map((run) => run.oldest().then(occurredAt, () => undefined)));
    const oldest = first
      .filter((time) => time !== undefined)
      .sort((one, other) => one.getTime() - other.getTime())[0];
    const sender = this.#sender;
    return {
      enabled: sender !== undefined,
      onDisk: this.#backlog.onDisk,
      waiting: runs.reduce((sum, run) => sum + Math.max(0, run.written - run.sent), 0),
      waitingBytes: this.#backlog.waitingBytes,
      oldest,
      accepted: sender?.received.accepted ?? 0,
      duplicates: sender?.received.duplicates ?? 0,
      rejected: sender?.received.rejected ?? 0,
      setAside: sender?.setAside ?? 0,
      dropped: this.#dropped + (sender?.lost ?? 0),
      unreadable: this.#backlog.unreadable,
      failing: sender?.failing ?? false,
      lastSentAt: sender?.lastSentAt,
      lastError: sender?.lastError,
      lastErrorAt: sender?.lastErrorAt,
      epoch: this.#backlog.epoch,
      sequence: this.#backlog.sequence,
    };
  }

  /** Waits until Logbook has what is kept so far. False when it has not after `timeout` milliseconds. */
  async flush(timeout = 10_000): Promise<boolean> {
    return (await this.#sender?.flush(timeout)) ?? true;
  }

  /**
   * Sends what waits, for at most `timeout` milliseconds, and ends. It is called when the process has nothing more to do;
   * call it before `process.exit()`.
   *
   * What waits on disk then is sent by the next process that uses the spool. What is written later is dropped.
   */
  close(timeout = 5_000): Promise<void> {
    this.#closed ??= this.#close(timeout);
    return this.#closed;
  }

  async #close(timeout: number): Promise<void> {
    process.off("beforeExit", this.#atExit);
    await this.#sender?.stop(timeout);
    // What cannot be removed is found by the next process.
    await this.#backlog.close().catch(() => undefined);
  }

  protected keep(event: string): Promise<boolean> {
    if (!this.#sender) return Promise.resolve(false);
    const kept = this.#keep(event, this.#sender);
    // Whoever awaits it sees the error; whoever does not must not be ended by it.
    kept.catch(() => undefined);
    return kept;
  }

  async #keep(event: string, sender: Sender): Promise<boolean> {
    try {
      if (this.#closed) throw new SpoolFull("the producer is closed");
      await this.#backlog.append(event);
    } catch (error) {
      if (this.#raises) throw error;
      this.#drop(error as Error);
      return false;
    }
    sender.wake();
    return true;
  }

  #drop(error: Error): void {
    this.#backlog.skip();
    this.#dropped += 1;
    if (performance.now() - this.#toldAt < times.tellEvery) return;
    this.#toldAt = performance.now();
    this.#log.error(`logbook: an event is lost, ${this.#dropped} so far: ${error.message}`);
  }
}

const SETTINGS = ["url", "workspace", "source", "key", "spool"] as const;
type Five = [string, string, string, string, string];

function variable(name: string): string {
  return `LOGBOOK_${name.toUpperCase()}`;
}

function setting(options: Options, name: (typeof SETTINGS)[number]): string {
  return options[name] || (process.env[variable(name)] ?? "").trim();
}

function occurredAt(event: string | undefined): Date | undefined {
  if (!event) return undefined;
  const time = new Date((JSON.parse(event) as { occurred_at: string }).occurred_at);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
