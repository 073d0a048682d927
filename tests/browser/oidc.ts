// A real OpenID Provider, and a Logbook server that uses it.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Server } from "./server.ts";
import { waitUntil } from "./wait.ts";

/** A self-signed certificate for localhost. */
export class Certificate {
  readonly #home = mkdtempSync(join(tmpdir(), "logbook-tls-"));
  readonly key = join(this.#home, "key.pem");
  readonly path = join(this.#home, "certificate.pem");

  constructor() {
    const command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost";
    const extensions = ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"];
    execFileSync("openssl", [...command.split(" "), ...extensions, "-keyout", this.key, "-out", this.path], { stdio: "ignore" });
  }

  remove() {
    rmSync(this.#home, { recursive: true, force: true });
  }
}

export class IdentityProvider {
  readonly #process: ChildProcess;
  readonly #certificate: Certificate | undefined;
  #output = "";
  url = "";

  private constructor(certificate?: Certificate) {
    this.#certificate = certificate;
    const files = certificate ? [certificate.key, certificate.path] : [];
    const program = join(import.meta.dirname, "oidc-process.mjs");
    this.#process = spawn(process.execPath, [program, ...files], { stdio: ["pipe", "pipe", "ignore"] });
    this.#process.stdout?.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
  }

  /** Starts a provider and a server that trusts it. `audience` is the audience of its access tokens. */
  static async start(
    audience: string,
    certificate?: Certificate,
    settings?: NodeJS.ProcessEnv,
  ): Promise<{ provider: IdentityProvider; server: Server }> {
    const provider = new IdentityProvider(certificate);
    await provider.#until(() => (provider.url = /^http\S+/.exec(provider.#output)?.[0] ?? ""));
    const server = await Server.start({
      LOGBOOK_OIDC_ISSUER: provider.url,
      LOGBOOK_OIDC_AUDIENCE: audience,
      LOGBOOK_OIDC_CLIENT_ID: "logbook",
      LOGBOOK_OIDC_CLIENT_SECRET: "a secret of the browser's test",
      LOGBOOK_OIDC_NAME: "Clinic ID",
      ...settings,
    });
    provider.#process.stdin?.write(`${server.url}/api/v1/auth/oidc/callback\n`);
    await provider.#until(() => provider.#output.includes("ready"));
    return { provider, server };
  }

  #until(condition: () => unknown) {
    return waitUntil(this.#process, condition, () => `the identity provider did not start:\n${this.#output}`);
  }

  /** An access token for a job (RFC 6749, section 4.4, and RFC 8707). */
  async jobToken(audience: string): Promise<string> {
    const form = new URLSearchParams({ grant_type: "client_credentials", resource: audience }).toString();
    const headers = {
      authorization: `Basic ${btoa("job:a+secret+of+a+nightly+job")}`,
      "content-type": "application/x-www-form-urlencoded",
    };
    if (!this.#certificate) {
      const response = await fetch(`${this.url}/token`, { method: "POST", headers, body: form });
      return accessToken(await response.text());
    }
    // fetch cannot be given a certificate.
    const ca = readFileSync(this.#certificate.path);
    return new Promise((resolve, reject) => {
      const post = request(`${this.url}/token`, { method: "POST", headers, ca }, (response) => void text(response).then(accessToken).then(resolve, reject));
      post.on("error", reject).end(form);
    });
  }

  async stop() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGTERM");
    await exited;
  }
}

function accessToken(body: string): string {
  const { access_token } = JSON.parse(body) as { access_token?: string };
  if (!access_token) throw new Error(body);
  return access_token;
}
