/**
 * Who lives. A process that has events in a spool listens on a socket of its own there, and the system stops listening when
 * the process dies, however it dies. Node has no file locks; process ids mean nothing in another container.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import * as net from "node:net";
import { join, relative } from "node:path";

/** What a system takes as the path of a socket, in bytes: 104 on macOS, 108 on Linux, with a zero at its end. */
const MAX_PATH = 103;
const NAME_LENGTH = 16;

export class Owner {
  readonly name: string;
  readonly #server: net.Server;

  private constructor(name: string, server: net.Server) {
    this.name = name;
    this.#server = server;
  }

  static async create(folder: string): Promise<Owner> {
    await fs.mkdir(folder, { mode: 0o700, recursive: true });
    const name = randomBytes(NAME_LENGTH / 2).toString("hex");
    const server = net.createServer((socket) => socket.destroy());
    // Else the primary of a cluster would listen in the place of its workers.
    server.listen({ path: socketOf(folder, name), exclusive: true });
    await once(server, "listening");
    server.unref();
    return new Owner(name, server);
  }

  /** Stops listening; Node deletes the socket. */
  async release(): Promise<void> {
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Whether an owner lives. When in doubt it does. */
export function lives(folder: string, name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: socketOf(folder, name) });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
    });
  });
}

/** Deletes the socket of an owner that is dead. */
export async function bury(folder: string, name: string): Promise<void> {
  await fs.rm(join(folder, `${name}.sock`), { force: true });
}

/** Throws a RangeError for a folder whose sockets would have too long a path. */
export function checkLength(folder: string): void {
  const length = Buffer.byteLength(socketOf(folder, "x".repeat(NAME_LENGTH)));
  if (length > MAX_PATH) throw new RangeError(`the path of the spool is ${length - MAX_PATH} bytes too long`);
}

/** The shorter one of the absolute path and the one from here. */
function socketOf(folder: string, name: string): string {
  const absolute = join(folder, `${name}.sock`);
  const fromHere = relative(process.cwd(), absolute);
  return fromHere.length < absolute.length ? fromHere : absolute;
}
