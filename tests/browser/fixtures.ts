// The fixtures of the browser tests: a server with imported events, a signed-in user, and a check for errors in the console.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { test as base, expect, type Page } from "@playwright/test";
import type { AxeResults } from "axe-core";
import { clinic, fillClinic } from "./clinic.ts";
import { doors, fillDoors } from "./doors.ts";
import { Server } from "./server.ts";
import { fillWard, ward } from "./ward.ts";

export { expect };

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The numbers of events in the fixture, counted by hand. */
export const fixtureCounts = {
  access: { total: 81, failed: 20 },
  application: { total: 178, created: 140, updated: 25, deleted: 13 },
  framework: { total: 121, failed: 0 },
} as const;

interface Credentials {
  email: string;
  password: string;
}

interface TestFixtures {
  /** Fails on errors in the console, uncaught exceptions and requests to other hosts, except for what a test allows. */
  pageErrors: { allow(pattern: RegExp): void };
  /** A page where the administrator is signed in. */
  signedIn: Page;
}

interface WorkerFixtures {
  server: Server;
  /** The administrator of the first start. */
  admin: Credentials;
  /** The second workspace, with its events. */
  clinic: typeof clinic;
  /** The third workspace, with every kind of event. */
  ward: typeof ward;
  /** Workspaces with sources. */
  doors: typeof doors;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    async ({}, use) => {
      const server = await Server.start();
      server.importFixture();
      await use(server);
      await server.stop();
    },
    { scope: "worker" },
  ],

  admin: [
    async ({ server }, use) => {
      // Signs in with the link that the first start prints, and sets a password.
      const token = new URL(await server.signInLink()).hash.replace("#link=", "");
      const { access_token, user } = (await send("POST", "/auth/link", { token })) as { access_token: string; user: Credentials };
      const admin = { email: user.email, password: "correct horse battery" };
      await send("PUT", "/auth/password", { password: admin.password }, access_token);
      await use(admin);

      async function send(method: string, path: string, body: object, token?: string): Promise<unknown> {
        const response = await fetch(`${server.url}/api/v1${path}`, {
          method,
          headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
          body: JSON.stringify(body),
        });
        if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
        return response.status === 204 ? undefined : response.json();
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

  ward: [
    async ({ server }, use) => {
      await fillWard(server);
      await use(ward);
    },
    { scope: "worker" },
  ],

  doors: [
    async ({ server }, use) => {
      await fillDoors(server);
      await use(doors);
    },
    { scope: "worker" },
  ],

  baseURL: async ({ server }, use) => use(server.url),

  pageErrors: [
    async ({ page, server }, use) => {
      const errors: string[] = [];
      const allowed: RegExp[] = [/Failed to load resource: the server responded with a status of 401/];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
      });
      page.on("pageerror", (error) => errors.push(error.stack ?? error.message));
      page.on("request", (request) => {
        if (/^https?:/.test(request.url()) && !request.url().startsWith(server.url)) errors.push(`request to ${request.url()}`);
      });
      await use({ allow: (pattern) => allowed.push(pattern) });
      expect(errors.filter((error) => !allowed.some((pattern) => pattern.test(error)))).toEqual([]);
    },
    { auto: true },
  ],

  signedIn: async ({ page, admin, server }, use) => {
    // The page restores its session from the cookies, which it shares with the context.
    const response = await page.context().request.post(`${server.url}/api/v1/auth/login`, { data: admin });
    expect(response.status()).toBe(200);
    await use(page);
  },
});

/** Checks a page against WCAG 2.2 AA with axe. */
export async function expectAccessible(page: Page) {
  await page.evaluate(axe);
  const results = await page.evaluate(
    () =>
      (window as unknown as { axe: { run(context: Document, options: object): Promise<AxeResults> } }).axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
      }),
  );
  const violations = results.violations.flatMap(({ id, help, nodes }) => nodes.slice(0, 5).map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`));
  // Soft, so that the test goes on to the other widths.
  expect.soft(violations).toEqual([]);
}

/** Neither the page nor a part of it scrolls sideways, but for what is code or says that it goes on. */
export async function expectNothingBeside(page: Page) {
  const beside = () =>
    [document.documentElement, ...document.querySelectorAll("main, main *, [role=dialog] *")]
      .filter((element) => element.scrollWidth > element.clientWidth + 1 && !element.matches("pre, textarea, nav"))
      .filter((element) => element === document.documentElement || /auto|scroll/.test(getComputedStyle(element).overflowX))
      .map((element) => `${element.tagName} ${element.className}: ${element.scrollWidth} in ${element.clientWidth}`);
  expect.soft(await page.evaluate(beside)).toEqual([]);
}

/** Checks the accessibility and the width of a page in both themes and at two widths, and keeps screenshots. */
export async function expectAccessibleInAllViews(page: Page, name: string) {
  // A small laptop, or a window beside another one.
  await page.setViewportSize({ width: 1024, height: 768 });
  await page.screenshot({ path: `results/screenshots/${name}-1024-light.png` });
  await expectNothingBeside(page);
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme });
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
      await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))));
      await page.screenshot({ path: `results/screenshots/${name}-${width}-${theme}.png` });
      await expectAccessible(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
}
