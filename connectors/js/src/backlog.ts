/** What the spool on disk and the one in memory have in common: the sender finds the events that wait in runs. */

/** An event may be this long, in bytes; one beyond Logbook's own limit of 256 KiB goes into Logbook's quarantine. */
export const MAX_EVENT_BYTES = 512 * 1024;

/** Which part of the bytes that may wait may be set aside. */
export const ASIDE_PART = 4;

/** Bounds of what is sent and written at once. Tests make them small. */
export const limits = {
  /** More than the longest event, so that a batch always has one. */
  batchBytes: 1024 * 1024,
  batchEvents: 2000,
  /** A segment is deleted when all of it was sent, so a run that has nothing to send takes less than this. */
  segmentBytes: 4 * 1024 * 1024,
};

/** The events that wait take as much as they may. */
export class SpoolFull extends Error {
  override name = "SpoolFull";
}

/** Events to send, as JSON. `lines` and `size` say how much of the run they are, in lines and bytes. */
export interface Batch {
  events: string[];
  lines: number;
  size: number;
}

/** The events of one epoch, in the order of their sequence. `batch` and `done` are for the sender alone. */
export interface Waiting {
  readonly epoch: string;
  /** Events that were written, since this process has the run. */
  readonly written: number;
  /** Events of these that Logbook has. */
  readonly sent: number;
  /** The next events: the same ones until `done` is called. */
  batch(): Promise<Batch | undefined>;
  /** Logbook has them. */
  done(batch: Batch): Promise<void>;
  /** The first event that waits, as JSON. */
  oldest(): Promise<string | undefined>;
}

/** A spool. */
export interface Backlog {
  readonly onDisk: boolean;
  readonly epoch: string;
  /** The last one that was given. */
  readonly sequence: number;
  /** Damaged lines that were passed over. */
  readonly unreadable: number;
  readonly waitingBytes: number;
  /**
   * Keeps an event, which is a JSON object with at least one member, with the next sequence. Rejects with `SpoolFull`, and
   * with errors of the disk; then the sequence is not used.
   */
  append(event: string): Promise<void>;
  /** Uses a sequence for an event that is lost, so that Logbook reports a gap. */
  skip(): void;
  /** Keeps an event that cannot be sent. Rejects with `SpoolFull`, and with errors of the disk. */
  setAside(event: string): Promise<void>;
  /** Resolves when everything that was given to `append` is kept or rejected. */
  settled(): Promise<void>;
  /** The runs of which events may wait, the own one last. */
  runs(): Waiting[];
  /** Takes over the runs of dead processes and returns their number. */
  adopt(): Promise<number>;
  /** Removes the adopted runs of which nothing waits. */
  forgetFinished(): Promise<void>;
  /** Leaves what waits to others. */
  close(): Promise<void>;
}

/** The line of an event. No other event has this epoch and sequence, so they are its dedupe key too. */
export function finished(event: string, epoch: string, sequence: number): string {
  return `${event.slice(0, -1)},"dedupe_key":"${epoch}-${sequence}","epoch":"${epoch}","sequence":${sequence}}\n`;
}

/** Keeps events in memory: what waits is lost when the process ends. */
export class MemorySpool implements Backlog, Waiting {
  readonly onDisk = false;
  readonly unreadable = 0;
  readonly epoch: string;
  sequence = 0;
  written = 0;
  sent = 0;
  waitingBytes = 0;
  readonly #maxBytes: number;
  #lines: string[] = [];

  constructor(epoch: string, maxBytes: number) {
    this.epoch = epoch;
    this.#maxBytes = maxBytes;
  }

  async append(event: string): Promise<void> {
    const line = finished(event, this.epoch, this.sequence + 1);
    const size = Buffer.byteLength(line);
    if (this.waitingBytes + size > this.#maxBytes) throw full(this.#maxBytes);
    this.#lines.push(line);
    this.waitingBytes += size;
    this.written += 1;
    this.sequence += 1;
  }

  skip(): void {
    this.sequence += 1;
  }

  runs(): Waiting[] {
    return [this];
  }

  async batch(): Promise<Batch | undefined> {
    const events = [];
    let size = 0;
    for (const line of this.#lines.slice(0, limits.batchEvents)) {
      const bytes = Buffer.byteLength(line);
      if (size + bytes > limits.batchBytes) break;
      events.push(line.slice(0, -1));
      size += bytes;
    }
    return events.length ? { events, lines: events.length, size } : undefined;
  }

  async done(batch: Batch): Promise<void> {
    this.#lines = this.#lines.slice(batch.lines);
    this.waitingBytes -= batch.size;
    this.sent += batch.lines;
  }

  async oldest(): Promise<string | undefined> {
    return this.#lines[0];
  }

  async setAside(): Promise<void> {
    throw new SpoolFull("there is no spool on disk");
  }

  async settled(): Promise<void> {}

  async adopt(): Promise<number> {
    return 0;
  }

  async forgetFinished(): Promise<void> {}

  async close(): Promise<void> {}
}

export function full(maxBytes: number): SpoolFull {
  return new SpoolFull(`${maxBytes} bytes of events wait for Logbook or were set aside already`);
}
