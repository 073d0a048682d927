// A real server on a free port, in a temporary folder that is deleted when the server stops.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { waitUntil } from "./wait.ts";

const root = resolve(import.meta.dirname, "../..");
const binary = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/logbook");

export class Server {
  readonly #home: string;
  #process: ChildProcess;
  readonly #environment: NodeJS.ProcessEnv;
  #output = "";
  url = "";

  private constructor(home: string, settings: NodeJS.ProcessEnv) {
    this.#home = home;
    this.#environment = {
      ...process.env,
      LOGBOOK_LISTEN: "127.0.0.1:0",
      // The tests count events, so Logbook must not add events about itself.
      LOGBOOK_AUDIT: "false",
      LOGBOOK_DATA_DIR: home,
      LOGBOOK_DATABASE_URL: `sqlite://${home}/logbook.db`,
      LOGBOOK_WEB_DIR: process.env.LOGBOOK_WEB_DIR ?? join(root, "web/dist"),
      ...settings,
    };
    this.#process = this.#spawn();
  }

  #spawn(settings: NodeJS.ProcessEnv = {}): ChildProcess {
    const env = { ...this.#environment, ...settings };
    const child = spawn(binary, ["serve"], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    const collect = (chunk: Buffer) => (this.#output += chunk.toString());
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    return child;
  }

  static async start(settings: NodeJS.ProcessEnv = {}): Promise<Server> {
    const server = new Server(mkdtempSync(join(tmpdir(), "logbook-browser-")), settings);
    await server.#until(() => (server.url = /listens on (\S+)/.exec(server.#output)?.[1] ?? ""));
    await server.#until(async () => (await fetch(`${server.url}/readyz`).catch(() => undefined))?.ok);
    return server;
  }

  /** The one-time link that the first start prints. */
  async signInLink(): Promise<string> {
    await this.#until(() => this.#link());
    return this.#link() ?? "";
  }

  #link() {
    return /Sign in: (\S+#link=\S+)/.exec(this.#output)?.[1];
  }

  #until(condition: () => unknown) {
    return waitUntil(this.#process, condition, () => `the server did not start:\n${this.#output}`);
  }

  /** Runs `logbook …` on the database of this server and returns its output. */
  logbook(...args: string[]): string {
    return execFileSync(binary, args, { cwd: root, env: this.#environment, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Imports rows of a real Zango database as the workspace "peerapp". */
  importFixture() {
    this.logbook("import", "zango", "--from", "tests/fixtures/zango", "--schema", "peerapp", "--workspace", "peerapp");
  }

  token(role: string, workspace: string): string {
    return this.logbook("token", "--role", role, "--workspace", workspace).trim().split("\n").at(-1) ?? "";
  }

  /** Ends the process. Pages that are open do not reach it until `startAgain`. */
  async halt() {
    if (this.#process.exitCode !== null) return;
    const exited = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGTERM");
    await exited;
  }

  /** A new process, at the same address. */
  async startAgain() {
    this.#process = this.#spawn({ LOGBOOK_LISTEN: new URL(this.url).host });
    await this.#until(async () => (await fetch(`${this.url}/readyz`).catch(() => undefined))?.ok);
  }

  async stop() {
    await this.halt();
    rmSync(this.#home, { recursive: true, force: true });
  }
}
