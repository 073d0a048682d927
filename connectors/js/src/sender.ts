/** Sends what waits, in order, and never gives up. */
import { type Backlog, type Batch, SpoolFull, type Waiting } from "./backlog.js";
import { Misconfigured, type Received, type Transport, Unavailable, Unsendable } from "./transport.js";

/** In milliseconds. Tests make them small. */
export const times = {
  /** Requests begin so far apart, unless a full batch waits: events gather in between. */
  pace: 100,
  /** How long to wait after an error, twice as long each time. */
  firstRetry: 500,
  lastRetry: 30_000,
  /** How often it is looked whether another process has died. */
  adoptEvery: 10_000,
  /** When an error that goes on is logged again. */
  tellEvery: 600_000,
};

/** Where the package logs what it cannot tell the caller. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

interface Sending {
  run: Waiting;
  batch: Batch;
  /** What is sent until it is acknowledged, the same each time. */
  events: string[];
}

export class Sender {
  readonly received: Received = { accepted: 0, duplicates: 0, skipped: 0, rejected: 0 };
  /** Events that cannot be sent: kept aside, and lost for want of room. */
  setAside = 0;
  lost = 0;
  lastSentAt: Date | undefined;
  lastError: string | undefined;
  lastErrorAt: Date | undefined;
  readonly #backlog: Backlog;
  readonly #transport: Transport;
  readonly #heartbeat: number;
  readonly #log: Log;
  readonly #wake = new Bell();
  readonly #hurry = new Bell();
  readonly #progress = new Set<() => void>();
  #sending: Sending | undefined;
  #turn = 0;
  #nextAdoption = 0;
  #nextHeartbeat = 0;
  #failures = 0;
  #told: { name: string; at: number } | undefined;
  #stopping = false;
  /** The time for stopping is over. */
  #givenUp = false;
  readonly #ended: Promise<void>;

  /** `heartbeat` is how many milliseconds nothing is sent until Logbook is told that the producer is alive. */
  constructor(backlog: Backlog, transport: Transport, heartbeat: number, log: Log) {
    this.#backlog = backlog;
    this.#transport = transport;
    this.#heartbeat = heartbeat;
    this.#log = log;
    this.#ended = this.#run();
  }

  /** Whether the last request failed. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  /** Something waits. */
  wake(): void {
    this.#wake.ring();
  }

  /** Waits until Logbook has everything that waits now. False after `timeout` milliseconds. */
  async flush(timeout: number): Promise<boolean> {
    await this.#backlog.settled();
    const goals = this.#backlog.runs().map((run) => ({ run, goal: run.written }));
    const reached = () => goals.every(({ run, goal }) => run.sent >= goal);
    this.#hurry.ring();
    this.#wake.ring();
    if (reached()) return true;
    return new Promise((resolve) => {
      const look = () => {
        if (reached()) end(true);
      };
      const end = (result: boolean) => {
        clearTimeout(timer);
        this.#progress.delete(look);
        resolve(result);
      };
      // It keeps the process alive, as what is waited for does.
      const timer = setTimeout(() => end(false), timeout);
      this.#progress.add(look);
    });
  }

  /**
   * Sends what waits, for at most `timeout` milliseconds, and ends. With a spool on disk the first error ends it: the next
   * process sends what waits.
   */
  async stop(timeout: number): Promise<void> {
    await this.#backlog.settled();
    this.#stopping = true;
    this.#hurry.ring();
    this.#wake.ring();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeout)));
    await Promise.race([this.#ended, late]);
    clearTimeout(timer);
    this.#givenUp = true;
    this.#transport.close();
  }

  async #run(): Promise<void> {
    // The constructor returns first.
    await Promise.resolve();
    for (;;) {
      this.#wake.reset();
      let { pause, rest } = { pause: 0, rest: 0 };
      try {
        ({ pause, rest } = await this.step());
      } catch (error) {
        // A disk that cannot be read, or a mistake of ours: neither may end this.
        pause = this.#failed(error as Error);
      }
      if (this.#stopping) {
        if (this.#givenUp || (this.#backlog.onDisk && this.#failures) || !this.#backlog.waitingBytes) return;
        pause = Math.min(pause, times.firstRetry);
      }
      if (pause) await this.#hurry.wait(pause);
      this.#hurry.reset();
      if (rest) await this.#wake.wait(rest);
    }
  }

  /** Sends one batch. Returns for how many milliseconds to pause, and for how many to rest if no event comes. */
  async step(): Promise<{ pause: number; rest: number }> {
    const now = performance.now();
    if (now >= this.#nextAdoption) {
      this.#nextAdoption = now + times.adoptEvery;
      const adopted = await this.#backlog.adopt();
      if (adopted) this.#log.info(`logbook: took over the events of ${adopted} processes that ended`);
    }
    // Read before it is known that nothing waits: a heartbeat must not count what is written meanwhile.
    const { sequence, epoch } = this.#backlog;
    this.#sending ??= await this.#nextBatch();
    const sending = this.#sending;
    const isDue = now >= this.#nextHeartbeat;
    let isFull = false;
    try {
      if (sending) isFull = await this.#send(sending);
      else if (isDue) await this.#transport.heartbeat(epoch, sequence);
    } catch (error) {
      return { pause: this.#failed(error as Error), rest: 0 };
    }
    if (this.#failures) this.#log.info("logbook: Logbook is reachable again");
    this.#failures = 0;
    this.#told = undefined;
    if (sending || isDue) this.#nextHeartbeat = now + this.#heartbeat;
    if (sending) {
      this.#sending = undefined;
      return { pause: isFull ? 0 : times.pace, rest: 0 };
    }
    await this.#backlog.forgetFinished();
    return { pause: 0, rest: Math.max(10, Math.min(this.#nextHeartbeat, this.#nextAdoption) - now) };
  }

  /** The runs take turns, so that the long backlog of a dead process does not hold up what happens now. */
  async #nextBatch(): Promise<Sending | undefined> {
    const runs = this.#backlog.runs();
    this.#turn += 1;
    for (let index = 0; index < runs.length; index++) {
      const run = runs[(this.#turn + index) % runs.length] as Waiting;
      const batch = await run.batch();
      if (batch) return { run, batch, events: [...batch.events] };
    }
    return undefined;
  }

  /** Sends a batch and returns whether as much waits in its run. Throws as the transport. */
  async #send({ run, batch, events }: Sending): Promise<boolean> {
    while (events.length) {
      try {
        this.#count(await this.#transport.send(events));
        break;
      } catch (error) {
        if (!(error instanceof Unsendable)) throw error;
        await this.#setAside(events[error.index] as string, error.message);
        // Those before it are durable.
        events.splice(0, error.index + 1);
        this.#count(error.received);
      }
    }
    await run.done(batch);
    this.lastSentAt = new Date();
    for (const look of [...this.#progress]) look();
    return run.written - run.sent >= batch.events.length;
  }

  /** Keeps an event that cannot be sent. Where the disk fails, it is tried again. */
  async #setAside(event: string, why: string): Promise<void> {
    const { dedupe_key } = JSON.parse(event) as { dedupe_key?: string };
    const what = `the event ${dedupe_key}, of ${Buffer.byteLength(event)} bytes, ${why}`;
    try {
      await this.#backlog.setAside(event);
      this.setAside += 1;
      this.#log.error(`logbook: ${what}; it was set aside`);
    } catch (error) {
      if (!(error instanceof SpoolFull)) throw error;
      this.lost += 1;
      this.#note(`${what}; it is lost: ${error.message}`);
      this.#log.error(`logbook: ${this.lastError}`);
    }
  }

  #note(error: string): void {
    this.lastError = error;
    this.lastErrorAt = new Date();
  }

  #count(received: Received): void {
    this.received.accepted += received.accepted;
    this.received.duplicates += received.duplicates;
    this.received.skipped += received.skipped;
    this.received.rejected += received.rejected;
    if (received.rejected) {
      this.#log.warn(
        `logbook: ${received.rejected} events could not be read; they are in the source's quarantine`,
      );
    }
  }

  /** Notes an error and returns for how many milliseconds to pause. */
  #failed(error: Error): number {
    this.#failures += 1;
    this.#note(error.message);
    const now = performance.now();
    if (this.#told?.name !== error.name || now - this.#told.at > times.tellEvery) {
      this.#told = { name: error.name, at: now };
      if (error instanceof Unavailable) {
        this.#log.warn(`logbook: Logbook cannot be reached, events wait: ${error.message}`);
      } else {
        this.#log.error(`logbook: events cannot be sent and wait: ${error.message}`);
      }
    }
    if (error instanceof Misconfigured) return times.lastRetry;
    if (error instanceof Unavailable && error.retryAfter !== undefined) {
      return Math.min(Math.max(error.retryAfter, times.firstRetry), 10 * times.lastRetry);
    }
    const pause = Math.min(times.lastRetry, times.firstRetry * 2 ** Math.min(this.#failures - 1, 10));
    // Many producers that lost Logbook at once do not come back at once.
    return pause * (0.5 + Math.random() / 2);
  }
}

/** Wakes who waits for it, or who will wait next. Waiting keeps no process alive. */
class Bell {
  #rung = false;
  #end: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#end?.();
  }

  reset(): void {
    this.#rung = false;
  }

  wait(milliseconds: number): Promise<void> {
    if (this.#rung) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end?.(), milliseconds);
      timer.unref();
      this.#end = () => {
        clearTimeout(timer);
        this.#end = undefined;
        resolve();
      };
    });
  }
}
