// A real Logbook server in a temporary folder, ended by its own process, and what may stand before it.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const WORKSPACE = "clinic";
const PROGRAM = process.env.LOGBOOK_BIN;

for (const name of Object.keys(process.env)) {
  if (name.startsWith("LOGBOOK_") && name !== "LOGBOOK_BIN") Reflect.deleteProperty(process.env, name);
}

/** Asks until the condition gives something, and returns that. Fails after `seconds`. */
export async function waitFor(what, condition, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(20);
  }
}

const atExit = [];
process.on("exit", () => atExit.forEach((end) => end()));

/** A folder that is gone after the tests. */
export function newFolder() {
  const folder = mkdtempSync(join(tmpdir(), "lb-"));
  atExit.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function freePort() {
  const server = http.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** A Logbook with an empty workspace. It keeps its address when it is started again. */
export class Server {
  static async start() {
    const server = new Server();
    server.folder = newFolder();
    const port = await freePort();
    server.url = `http://127.0.0.1:${port}`;
    server.environment = {
      ...process.env,
      LOGBOOK_LISTEN: `127.0.0.1:${port}`,
      LOGBOOK_DATA_DIR: server.folder,
      LOGBOOK_DATABASE_URL: `sqlite://${server.folder}/logbook.db`,
      LOGBOOK_AUDIT: "false",
      LOGBOOK_RATE_KEY: "0",
      LOGBOOK_RATE_USER: "0",
      LOGBOOK_RATE_ADDRESS: "0",
    };
    server.command("workspace", "create", WORKSPACE);
    server.token = server.command("token", "--role", "admin", "--workspace", WORKSPACE);
    await server.start();
    atExit.unshift(() => server.process.kill("SIGKILL"));
    return server;
  }

  /** Runs a command of Logbook and returns its last line. */
  command(...options) {
    const done = spawnSync(PROGRAM, options, { env: this.environment, encoding: "utf8" });
    if (done.status !== 0) throw new Error(done.stderr || String(done.error));
    return done.stdout.trim().split("\n").at(-1);
  }

  async start() {
    const path = join(this.folder, "server.log");
    const log = openSync(path, "w");
    this.process = spawn(PROGRAM, ["serve"], { env: this.environment, stdio: ["ignore", log, log] });
    closeSync(log);
    this.process.unref();
    await waitFor("the server", async () => {
      if (this.process.exitCode !== null) throw new Error(readFileSync(path, "utf8"));
      return fetch(`${this.url}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      );
    });
  }

  async kill() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.ref();
    this.process.kill("SIGKILL");
    await once(this.process, "exit");
  }

  /** A request to the workspace's API with an admin's token. */
  async api(path, body) {
    const answer = await fetch(`${this.url}/api/v1/workspaces/${WORKSPACE}${path}`, {
      method: body ? "POST" : "GET",
      // A connection that stays open would be closed while a program runs that blocks this process.
      headers: {
        authorization: `Bearer ${this.token}`,
        "content-type": "application/json",
        connection: "close",
      },
      body: body && JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async newSource() {
    const name = `app-${randomBytes(4).toString("hex")}`;
    const { key } = await this.api("/sources", { name, kind: "api" });
    return new Source(this, name, key);
  }
}

/** A source of its own for a test, and what has arrived from it. */
export class Source {
  constructor(server, name, key) {
    this.server = server;
    this.name = name;
    this.address = { url: server.url, workspace: WORKSPACE, source: name, key };
  }

  get environment() {
    const entries = Object.entries(this.address).map(([name, value]) => [
      `LOGBOOK_${name.toUpperCase()}`,
      value,
    ]);
    return { ...process.env, ...Object.fromEntries(entries) };
  }

  state() {
    return this.server.api(`/sources/${this.name}`);
  }

  /** All its events, with the names that all logs share, in the order in which they were stored. */
  async feed() {
    const found = [];
    for (let after = 0, more = true; more;) {
      const page = await this.server.api(`/logs/feed?after=${after}&limit=1000`);
      found.push(...page.data.filter((event) => event.source === this.name));
      after = page.next_cursor;
      more = page.has_more;
    }
    return found;
  }

  /** What the tests number their events by, in the order in which they were stored. */
  async ids() {
    return (await this.feed()).map((event) => event.target.id);
  }

  /** Its events of one log, with the names of that log, in the order in which they happened. */
  async log(name) {
    return (await this.server.api(`/logs/${name}?source=${this.name}&order=asc&limit=1000`)).data;
  }
}

/**
 * What stands between a producer and its Logbook. `instead(path, body)` may return an answer, `loseAnswers` counts down, and
 * while `hangs` nothing is answered.
 */
export class Proxy {
  instead = () => undefined;
  /** Told what Logbook answered, before the producer is. */
  answered = async (_body) => {};
  loseAnswers = 0;
  hangs = false;
  times = [];

  static async to(target) {
    const proxy = new Proxy();
    const server = http.createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      proxy.times.push(performance.now());
      if (proxy.hangs) return;
      const answer =
        proxy.instead(request.url, body) ?? (await forward(target + request.url, request.headers, body));
      await proxy.answered(answer.body);
      if (proxy.loseAnswers) {
        proxy.loseAnswers -= 1;
        request.socket.destroy();
        return;
      }
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    proxy.url = `http://127.0.0.1:${server.address().port}`;
    server.unref();
    return proxy;
  }
}

async function forward(url, { authorization, ...headers }, body) {
  const kept = { authorization, "content-type": headers["content-type"] };
  if (headers["content-encoding"]) kept["content-encoding"] = headers["content-encoding"];
  const answer = await fetch(url, { method: "POST", headers: kept, body });
  return { status: answer.status, headers: {}, body: await answer.text() };
}

/** A log that remembers. */
export class Told {
  lines = [];
  info() {}
  warn(line) {
    this.lines.push(`warn ${line}`);
  }
  error(line) {
    this.lines.push(`error ${line}`);
  }
}

/** Runs a program of JavaScript that finds the package as `logbook`. Returns how it ended. */
export async function runProgram(text, env) {
  const code = `import { Logbook } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url))};\n${text}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [status, signal] = await once(child, "exit");
  return status ?? signal;
}

export function makeFolder(path) {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}
