/**
 * The spool: events wait on disk until Logbook has them.
 *
 *     SPOOL/js/
 *       4be1….sock                  its owner, one `Spool` of one process, listens on it for as long as it lives
 *       WORKSPACE/SOURCE/
 *         4be1….9a07…/              the run of the epoch 9a07…, which belongs to the owner 4be1…
 *           00000001.ndjson         segments: one event a line, in the order of their sequence
 *           sent                    up to where Logbook has them: the segment, and the offset in bytes
 *         set-aside.ndjson          events that cannot be sent, for somebody to look at
 *
 * Several processes share the folder. Each writes files of its own, so nobody waits for another. Whoever lives renames the
 * runs of a dead owner to its own name and sends them. A rename succeeds once, so each run has one owner at any time.
 *
 * What `append` wrote stays when the process is killed. With `sync` it also stays when the machine loses power.
 */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { ASIDE_PART, type Backlog, finished, full, SpoolFull, type Waiting } from "./backlog.js";
import { bury, checkLength, lives, Owner } from "./owner.js";
import { OwnRun, Run } from "./runs.js";

const RUN = /^([0-9a-f]{16})\.([0-9a-f]{32})$/;

/** An event that is to be written, or one that is lost and takes only its sequence. */
interface Pending {
  event?: string;
  size: number;
  resolve?: () => void;
  reject?: (error: unknown) => void;
}

export class Spool implements Backlog {
  readonly onDisk = true;
  readonly epoch: string;
  sequence = 0;
  readonly #sockets: string;
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #sync: boolean;
  #owner: Promise<Owner> | undefined;
  #own: OwnRun | undefined;
  #adopted: Run[] = [];
  /** Renamed, and not opened yet. */
  #taken: string[] = [];
  /** Of the runs that are no longer there. */
  #unreadable = 0;
  readonly #aside: string;
  /** What all processes set aside, as it was when this one last looked. */
  #asideBytes = 0;
  readonly #tell: (message: string) => void;
  /** What could not be adopted, which is told once. */
  readonly #told = new Set<string>();
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | undefined;

  /**
   * Nothing is written before the first event. `maxBytes` bounds what waits, with what was adopted, and what was set aside,
   * which is at most a quarter of it. `tell` logs what cannot be adopted.
   */
  constructor(
    root: string,
    source: string,
    epoch: string,
    maxBytes: number,
    sync: boolean,
    tell: (message: string) => void = () => undefined,
  ) {
    this.#sockets = join(root, "js");
    checkLength(this.#sockets);
    this.#folder = join(this.#sockets, source);
    this.#aside = join(this.#folder, "set-aside.ndjson");
    this.epoch = epoch;
    this.#maxBytes = maxBytes;
    this.#sync = sync;
    this.#tell = tell;
  }

  append(event: string): Promise<void> {
    const size = Buffer.byteLength(finished(event, this.epoch, this.sequence));
    if (this.waitingBytes + this.#pendingBytes + this.#asideBytes + size > this.#maxBytes)
      return Promise.reject(full(this.#maxBytes));
    this.#pendingBytes += size;
    return new Promise((resolve, reject) => this.#push({ event, size, resolve, reject }));
  }

  skip(): void {
    this.#push({ size: 0 });
  }

  async setAside(event: string): Promise<void> {
    const limit = Math.floor(this.#maxBytes / ASIDE_PART);
    const line = Buffer.from(`${event}\n`);
    const file = await fs.open(this.#aside, "a", 0o600);
    try {
      this.#asideBytes = (await file.stat()).size;
      if (this.#asideBytes + line.length > limit) {
        const much = `${this.#asideBytes} of ${limit} bytes`;
        throw new SpoolFull(`${this.#aside} has ${much} already; look into it, and remove it`);
      }
      await file.appendFile(line);
      this.#asideBytes += line.length;
    } finally {
      await file.close();
    }
  }

  async settled(): Promise<void> {
    await this.#writing;
  }

  get unreadable(): number {
    return this.#adopted.reduce((sum, run) => sum + run.unreadable, this.#unreadable);
  }

  get waitingBytes(): number {
    return this.#all().reduce((sum, run) => sum + run.waitingBytes, 0);
  }

  runs(): Waiting[] {
    return this.#all();
  }

  async adopt(): Promise<number> {
    // Somebody may have removed it.
    this.#asideBytes = await fs.stat(this.#aside).then(
      ({ size }) => size,
      () => 0,
    );
    const names = await fs.readdir(this.#folder).catch(() => []);
    const owners = new Set(names.flatMap((name) => RUN.exec(name)?.[1] ?? []));
    const mine = (await this.#owner)?.name;
    for (const owner of owners) {
      if (owner === mine || (await lives(this.#sockets, owner))) continue;
      const runs = names.filter((name) => name.startsWith(`${owner}.`));
      let all = true;
      for (const name of runs) all = (await this.#telling(name, () => this.#takeOver(name))) && all;
      if (all) await this.#telling(owner, () => bury(this.#sockets, owner));
    }
    let adopted = 0;
    for (const path of [...this.#taken]) {
      await this.#telling(path, async () => {
        this.#adopted.push(await new Run(path).open());
        this.#taken = this.#taken.filter((other) => other !== path);
        adopted += 1;
      });
    }
    return adopted;
  }

  /** Tells once that something cannot be adopted, and returns false. It is tried again, and holds up nothing else. */
  async #telling(what: string, take: () => Promise<void>): Promise<boolean> {
    try {
      await take();
      return true;
    } catch (error) {
      if (!this.#told.has(what)) {
        this.#told.add(what);
        this.#tell(`logbook: cannot take over ${what}: ${(error as Error).message}`);
      }
      return false;
    }
  }

  async forgetFinished(): Promise<void> {
    for (const run of this.#adopted.filter((run) => !run.waitingBytes)) {
      await run.remove();
      this.#adopted = this.#adopted.filter((other) => other !== run);
      this.#unreadable += run.unreadable;
    }
  }

  async close(): Promise<void> {
    await this.settled();
    const runs = this.#all();
    const [own, owner] = [this.#own, await this.#owner];
    this.#own = this.#owner = undefined;
    this.#adopted = [];
    await own?.close();
    for (const run of runs) if (!run.waitingBytes) await run.remove();
    await owner?.release();
  }

  #all(): Run[] {
    return this.#own ? [...this.#adopted, this.#own] : this.#adopted;
  }

  async #takeOver(name: string): Promise<void> {
    const epoch = name.slice(name.indexOf(".") + 1);
    const path = await this.#path(epoch);
    try {
      await fs.rename(join(this.#folder, name), path);
      this.#taken.push(path);
    } catch (error) {
      // Somebody else was faster.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  /** Where a run of this process lies. */
  async #path(epoch: string): Promise<string> {
    this.#owner ??= Owner.create(this.#sockets);
    // Tried again with the next event.
    this.#owner.catch(() => (this.#owner = undefined));
    return join(this.#folder, `${(await this.#owner).name}.${epoch}`);
  }

  #push(pending: Pending): void {
    this.#pending.push(pending);
    this.#writing ??= this.#write();
  }

  /** Writes what came while the write before was on its way, at once. */
  async #write(): Promise<void> {
    // What is written in the same turn of the event loop comes along.
    await Promise.resolve();
    while (this.#pending.length) {
      const group = this.#pending;
      this.#pending = [];
      try {
        await this.#writeGroup(group);
      } catch {
        // There may be room for some of them.
        for (const one of group) await this.#writeGroup([one]).catch((error: unknown) => one.reject?.(error));
      }
      for (const { size } of group) this.#pendingBytes -= size;
    }
    // In the same turn in which nothing more was found, so that what comes next begins another write.
    this.#writing = undefined;
  }

  async #writeGroup(group: Pending[]): Promise<void> {
    let sequence = this.sequence;
    const lines = [];
    for (const { event } of group) {
      sequence += 1;
      if (event !== undefined) lines.push(finished(event, this.epoch, sequence));
    }
    if (lines.length) {
      this.#own ??= await new OwnRun(await this.#path(this.epoch), this.#sync).open();
      await this.#own.append(Buffer.from(lines.join("")), lines.length);
    }
    this.sequence = sequence;
    for (const { resolve } of group) resolve?.();
  }
}
