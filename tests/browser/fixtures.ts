// What every browser test starts from: a server with real rows, somebody signed in, and an eye on what goes wrong unseen.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { test as base, expect, type Page } from "@playwright/test";
import type { AxeResults } from "axe-core";
import { clinic, fillClinic } from "./clinic.ts";
import { Server } from "./server.ts";

export { expect };

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The fixture's rows, counted by hand. */
export const facts = {
  access: { total: 81, failed: 20 },
  application: { total: 178, created: 140, updated: 25, deleted: 13 },
  framework: { total: 121, failed: 0 },
} as const;

interface Person {
  email: string;
  password: string;
}

interface PerTest {
  /** Nothing is written to the console as an error, thrown, or asked of another host. */
  quiet: { allow(pattern: RegExp): void };
  /** A page of somebody who is signed in. */
  signedIn: Page;
}

interface PerWorker {
  server: Server;
  person: Person;
  /** The second workspace, filled. */
  clinic: typeof clinic;
}

export const test = base.extend<PerTest, PerWorker>({
  server: [
    async ({}, use) => {
      const server = await Server.start();
      server.importFixture();
      await use(server);
      await server.stop();
    },
    { scope: "worker" },
  ],

  person: [
    async ({ server }, use) => {
      // The first start's administrator, who comes in by the printed link and chooses a password.
      const token = new URL(await server.signInLink()).hash.replace("#link=", "");
      const { access_token, user } = (await ask("POST", "/auth/link", { token })) as { access_token: string; user: Person };
      const person = { email: user.email, password: "correct horse battery" };
      await ask("PUT", "/auth/password", { password: person.password }, access_token);
      await use(person);

      async function ask(method: string, path: string, body: object, token?: string): Promise<unknown> {
        const answer = await fetch(`${server.url}/api/v1${path}`, {
          method,
          headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
          body: JSON.stringify(body),
        });
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
        return answer.status === 204 ? undefined : answer.json();
      }
    },
    { scope: "worker" },
  ],

  clinic: [
    async ({ server }, use) => {
      await fillClinic(server);
      await use(clinic);
    },
    { scope: "worker" },
  ],

  baseURL: async ({ server }, use) => use(server.url),

  quiet: [
    async ({ page, server }, use) => {
      const faults: string[] = [];
      const allowed: RegExp[] = [/Failed to load resource: the server responded with a status of 401/];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
      });
      page.on("pageerror", (error) => faults.push(error.stack ?? error.message));
      page.on("request", (request) => {
        if (/^https?:/.test(request.url()) && !request.url().startsWith(server.url)) faults.push(`asked ${request.url()}`);
      });
      await use({ allow: (pattern) => allowed.push(pattern) });
      expect(faults.filter((fault) => !allowed.some((pattern) => pattern.test(fault)))).toEqual([]);
    },
    { auto: true },
  ],

  signedIn: async ({ page, person, server }, use) => {
    // The context shares its cookies with the page, which restores the session from them.
    const answer = await page.context().request.post(`${server.url}/api/v1/auth/login`, { data: person });
    expect(answer.status()).toBe(200);
    await use(page);
  },
});

/** Fails with what axe finds against WCAG 2.2 AA. */
export async function expectAccessible(page: Page) {
  await page.evaluate(axe);
  const results = await page.evaluate(
    () =>
      (window as unknown as { axe: { run(where: Document, how: object): Promise<AxeResults> } }).axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
      }),
  );
  const found = results.violations.flatMap(({ id, help, nodes }) => nodes.slice(0, 5).map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`));
  // Soft, so that every width is looked at.
  expect.soft(found).toEqual([]);
}
