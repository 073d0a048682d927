/** The files of one run: segments of events, one a line, and how far they were sent. */
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Batch, limits, type Waiting } from "./backlog.js";

const SEGMENT = /^(\d{8})\.ndjson$/;
const POSITION = /^(\d{8}) (\d{16})\n/;
const NEWLINE = 0x0a;
/** From the folder around the spool down to the run. */
const FOLDERS = 5;

/**
 * A run that a dead process left: it is only read.
 *
 * A process may be killed, and a machine lose power, in the middle of a line. What is no JSON object is passed over and
 * counted; no whole line is lost with it. Every method may reject with an error of the disk.
 */
export class Run implements Waiting {
  readonly path: string;
  readonly epoch: string;
  written = 0;
  sent = 0;
  writtenBytes = 0;
  sentBytes = 0;
  unreadable = 0;
  protected segments: number[] = [];
  #offset = 0;

  constructor(path: string) {
    this.path = path;
    this.epoch = basename(path).split(".")[1] ?? "";
  }

  /** Finds out what waits. To be called before anything else. */
  async open(): Promise<this> {
    const names = await fs.readdir(this.path);
    this.segments = names.flatMap((name) => SEGMENT.exec(name)?.[1] ?? []).map(Number);
    this.segments.sort((one, other) => one - other);
    const [segment, offset] = await this.#readPosition();
    while (this.segments[0] !== undefined && this.segments[0] < segment)
      await this.#delete(this.segments.shift());
    this.#offset = this.segments[0] === segment ? offset : 0;
    await this.#count();
    return this;
  }

  get waitingBytes(): number {
    return this.writtenBytes - this.sentBytes;
  }

  async batch(): Promise<Batch | undefined> {
    for (let segment = this.segments[0]; segment !== undefined; segment = this.segments[0]) {
      const chunk = await this.#read(segment, this.#offset, this.end(segment));
      if (!chunk.length) {
        if (!(await this.finish(segment))) return undefined;
        continue;
      }
      const { lines, size } = split(chunk);
      const batch = { events: lines.flatMap((line) => text(line) ?? []), lines: lines.length, size };
      if (batch.events.length) return batch;
      await this.done(batch);
    }
    return undefined;
  }

  async done(batch: Batch): Promise<void> {
    this.#offset += batch.size;
    this.unreadable += batch.lines - batch.events.length;
    this.sentBytes += batch.size;
    this.sent += batch.lines;
    await this.#writePosition();
  }

  async oldest(): Promise<string | undefined> {
    const segment = this.segments[0];
    if (segment === undefined || !this.waitingBytes) return undefined;
    // It may have been sent a moment ago.
    const chunk = await this.#read(segment, this.#offset, undefined).catch(() => Buffer.alloc(0));
    return chunk.length ? text(chunk.subarray(0, chunk.indexOf(NEWLINE))) : undefined;
  }

  /** Deletes the files of a run of which nothing waits. */
  async remove(): Promise<void> {
    await fs.rm(this.path, { recursive: true, force: true });
  }

  /** Up to where a segment may be read; undefined: to its end. */
  protected end(_segment: number): number | undefined {
    return undefined;
  }

  /** Deletes a segment that was sent. False when the next event would come into this one. */
  protected async finish(segment: number): Promise<boolean> {
    const { size } = await fs.stat(this.file(segment));
    if (this.#offset >= size) {
      await this.#delete(this.segments.shift());
      this.#offset = 0;
    }
    return true;
  }

  protected file(segment: number): string {
    return join(this.path, `${String(segment).padStart(8, "0")}.ndjson`);
  }

  async #delete(segment: number | undefined): Promise<void> {
    if (segment !== undefined) await fs.rm(this.file(segment), { force: true });
  }

  async #read(segment: number, from: number, end: number | undefined): Promise<Buffer> {
    const most = end === undefined ? limits.batchBytes : Math.min(limits.batchBytes, Math.max(0, end - from));
    if (!most) return Buffer.alloc(0);
    const file = await fs.open(this.file(segment));
    try {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(most), 0, most, from);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  /** Counts the lines and bytes that were not sent yet. */
  async #count(): Promise<void> {
    for (const [index, segment] of this.segments.entries()) {
      let last = NEWLINE;
      for (let from = index ? 0 : this.#offset; ;) {
        const chunk = await this.#read(segment, from, undefined);
        if (!chunk.length) break;
        for (const byte of chunk) if (byte === NEWLINE) this.written += 1;
        this.writtenBytes += chunk.length;
        last = chunk[chunk.length - 1] ?? NEWLINE;
        from += chunk.length;
      }
      if (last !== NEWLINE) this.written += 1;
    }
  }

  async #readPosition(): Promise<[number, number]> {
    const position = POSITION.exec(await fs.readFile(join(this.path, "sent"), "latin1").catch(() => ""));
    return position ? [Number(position[1]), Number(position[2])] : [0, 0];
  }

  async #writePosition(): Promise<void> {
    const segment = String(this.segments[0]).padStart(8, "0");
    const position = `${segment} ${String(this.#offset).padStart(16, "0")}\n`;
    // One write over the same bytes, so that a kill leaves the old position or the new one. Where it fails, events are
    // sent again after a restart, and stored once.
    const file = await fs
      .open(join(this.path, "sent"), fs.constants.O_WRONLY | fs.constants.O_CREAT, 0o600)
      .catch(() => undefined);
    await file?.write(position, 0).catch(() => undefined);
    await file?.close();
  }
}

/** The run that this process writes. `append` is called once at a time. */
export class OwnRun extends Run {
  readonly #sync: boolean;
  #handle: fs.FileHandle | undefined;
  /** The segment that is written, and up to where it has whole lines. */
  #segment = 0;
  #size = 0;

  /** `sync`: a line is kept once it survives the loss of power. */
  constructor(path: string, sync: boolean) {
    super(path);
    this.#sync = sync;
  }

  override async open(): Promise<this> {
    await fs.mkdir(this.path, { mode: 0o700, recursive: true });
    try {
      await this.#nextSegment();
      if (this.#sync) {
        // Each folder of the spool may be new, and is an entry of the one above.
        for (let folder = dirname(this.path), count = 0; count < FOLDERS; folder = dirname(folder), count++) {
          await syncFolder(folder).catch(unlessForbidden);
        }
      }
    } catch (error) {
      // The next event tries it again, and must find nothing.
      await this.close().catch(() => undefined);
      await this.remove().catch(() => undefined);
      throw error;
    }
    return this;
  }

  /** Writes lines at once. After an error nothing of them is there. */
  async append(lines: Buffer, count: number): Promise<void> {
    if (this.#size >= limits.segmentBytes) await this.#nextSegment();
    try {
      await this.#write(lines);
    } catch (error) {
      // A full disk gets back what this segment takes, if all of it was sent.
      if (!this.#size || this.waitingBytes) throw error;
      const full = this.#segment;
      await this.#nextSegment();
      await fs.truncate(this.file(full));
      await this.#write(lines);
    }
    this.writtenBytes += lines.length;
    this.written += count;
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }

  async #write(lines: Buffer): Promise<void> {
    const handle = this.#handle as fs.FileHandle;
    let written = 0;
    try {
      while (written < lines.length) {
        written += (await handle.write(lines, written, lines.length - written)).bytesWritten;
      }
      if (this.#sync) await handle.datasync();
    } catch (error) {
      if (written) await handle.truncate(this.#size);
      throw error;
    }
    this.#size += lines.length;
  }

  async #nextSegment(): Promise<void> {
    const segment = this.#segment + 1;
    const flags = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_APPEND;
    const handle = await fs.open(this.file(segment), flags, 0o600);
    try {
      if (this.#sync) await syncFolder(this.path);
    } catch (error) {
      await handle.close();
      await fs.rm(this.file(segment), { force: true });
      throw error;
    }
    const before = this.#handle;
    this.#handle = handle;
    this.segments.push(segment);
    this.#segment = segment;
    this.#size = 0;
    await before?.close();
  }

  protected override end(segment: number): number | undefined {
    return segment === this.#segment ? this.#size : undefined;
  }

  protected override async finish(segment: number): Promise<boolean> {
    return segment !== this.#segment && (await super.finish(segment));
  }
}

/**
 * The whole lines at the beginning of a chunk, and their bytes. A chunk without a newline is one line: what a killed
 * process left of it, or damage without an end.
 */
function split(chunk: Buffer): { lines: Buffer[]; size: number } {
  const lines = [];
  let size = 0;
  for (
    let end = chunk.indexOf(NEWLINE);
    end !== -1 && lines.length < limits.batchEvents;
    end = chunk.indexOf(NEWLINE, size)
  ) {
    lines.push(chunk.subarray(size, end));
    size = end + 1;
  }
  return lines.length ? { lines, size } : { lines: [chunk], size: chunk.length };
}

async function syncFolder(path: string): Promise<void> {
  const folder = await fs.open(path);
  try {
    await folder.sync();
  } catch (error) {
    // Some file systems do not sync folders.
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
  } finally {
    await folder.close();
  }
}

function unlessForbidden(error: NodeJS.ErrnoException): void {
  if (error.code !== "EACCES") throw error;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A line as text, if it is a JSON object, so that it can be sent with others. */
function text(line: Buffer): string | undefined {
  try {
    const text = utf8.decode(line);
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? text : undefined;
  } catch {
    return undefined;
  }
}
