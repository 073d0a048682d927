// Checks the accessibility of every view with axe, in both themes, and its width, and keeps screenshots in results/.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Page, test as baseTest } from "@playwright/test";
import { expect, expectAccessible, expectNothingBeside, test } from "./fixtures.ts";
import { Server } from "./server.ts";

const screenshots = join(import.meta.dirname, "results/screenshots");
mkdirSync(screenshots, { recursive: true });

const openFirstEvent = async (page: Page) => {
  await page.getByRole("grid").getByRole("row").nth(1).getByRole("gridcell").first().click();
  await expect(page.getByRole("dialog", { name: "Event details" })).toBeVisible();
};
const hasRows = async (page: Page) => expect(page.getByRole("gridcell").first()).toBeVisible();

/** Waits for the charts, which load after the rest of the page. */
const expectCharts = (page: Page) =>
  expect(page.getByRole("figure").filter({ hasNot: page.locator("canvas"), hasNotText: "No events" })).toHaveCount(0);

interface View {
  path: string;
  signedOut?: boolean;
  ready: (page: Page, width: number) => Promise<unknown>;
}

const views: Record<string, View> = {
  "sign-in": { path: "/sign-in", signedOut: true, ready: (page) => expect(page.getByRole("heading", { name: "Sign in to Logbook" })).toBeVisible() },
  overview: { path: "/w/peerapp?range=all", ready: (page) => expect(page.getByRole("group", { name: "Total Changes" })).toContainText("178") },
  access: { path: "/w/peerapp/access", ready: hasRows },
  application: { path: "/w/lakeside/application", ready: hasRows },
  "application-update": { path: "/w/lakeside/application", ready: (page) => hasRows(page).then(() => openFirstEvent(page)) },
  "application-create": { path: "/w/peerapp/application?order=asc", ready: (page) => hasRows(page).then(() => openFirstEvent(page)) },
  framework: { path: "/w/peerapp/framework", ready: hasRows },
  "framework-details": { path: "/w/peerapp/framework", ready: (page) => hasRows(page).then(() => openFirstEvent(page)) },
  denied: { path: "/w/ward/application?status=denied&not_model=visit", ready: hasRows },
  "wide-event": {
    path: "/w/ward/application?target=group:7",
    ready: (page) => hasRows(page).then(() => openFirstEvent(page)),
  },
  "wide-access": { path: "/w/ward/access?not_ip_address=192.0.2.0%2F24", ready: hasRows },
  activity: { path: "/w/ward/settings/activity", ready: (page) => expect(page.getByText("No events yet")).toBeVisible() },
  filtered: { path: "/w/peerapp/application?q=李雷&model=patient&action=update", ready: hasRows },
  nothing: { path: "/w/peerapp/application?q=nowhere", ready: (page) => expect(page.getByRole("status").filter({ hasText: /[Nn]o/ }).first()).toBeVisible() },
  empty: { path: "/w/lakeside/framework", ready: (page) => expect(page.getByText(/curl/).first()).toBeVisible() },
  "settings-members": { path: "/w/lakeside/settings/members", ready: (page) => expect(page.getByText("asha@lakeside.test")).toBeVisible() },
  "settings-keys": { path: "/w/lakeside/settings/keys", ready: (page) => expect(page.getByText("Vector in Mumbai")).toBeVisible() },
  "settings-new-key": {
    path: "/w/peerapp/settings/keys",
    ready: async (page) => {
      await page.getByRole("button", { name: "New key" }).click();
      await page.getByLabel("Name").fill("Vector in Mumbai");
      await page.getByRole("button", { name: "Create key" }).click();
      await expect(page.getByRole("region", { name: "API key", exact: true })).toBeVisible();
    },
  },
  "settings-general": { path: "/w/lakeside/settings/general", ready: (page) => expect(page.getByLabel("Time zone")).toBeVisible() },
  sources: { path: "/w/doors/settings/sources", ready: (page) => expect(page.getByRole("link", { name: "keycloak" })).toBeVisible() },
  "sources-new": {
    path: "/w/doors/settings/sources",
    ready: async (page) => {
      await page.getByRole("button", { name: "New source" }).click();
      await page.getByLabel("What sends").selectOption("keycloak");
      await page.getByLabel("Report silence after").selectOption("Another time…");
    },
  },
  "source-gap": { path: "/w/doors/settings/sources/billing", ready: (page) => page.getByText("1 gap").click() },
  "source-waiting": { path: "/w/doors/settings/sources/okta", ready: (page) => expect(page.getByText("Waiting for the first event")).toBeVisible() },
  "source-quarantine": {
    path: "/w/doors/settings/sources/keycloak",
    ready: async (page) => {
      await page.getByText("What was sent").first().click();
      await expect(page.getByRole("region", { name: "record 1" })).toBeVisible();
      await page.getByRole("heading", { name: "Connect it" }).click();
    },
  },
  "source-mapping": {
    path: "/w/doors/settings/sources/keycloak/mapping?rejected=1",
    ready: async (page) => {
      await expect(page.getByRole("region", { name: "record 1" })).toBeVisible();
      await expect(page.getByRole("list", { name: "Why it goes into quarantine" })).toBeVisible();
    },
  },
  onboarding: { path: "/w/no-doors", ready: (page) => expect(page.getByRole("button", { name: "Make another key" })).toBeVisible() },
  "source-problems": { path: "/w/doors", ready: (page) => expect(page.getByRole("list", { name: "Sources with problems" })).toBeVisible() },
  "sessions-app": { path: "/w/ward/sessions", ready: (page) => expect(page.getByRole("table", { name: "Sessions" })).toBeVisible() },
  timeline: { path: "/w/ward/timeline?actor=user%3A17", ready: hasRows },
  record: { path: "/w/ward/records/patient/92", ready: (page) => expect(page.getByRole("navigation", { name: "Versions" })).toBeVisible() },
  exports: { path: "/w/ward/exports", ready: (page) => expect(page.getByRole("heading", { name: "Exports", exact: true })).toBeVisible() },
  sessions: { path: "/account/sessions", ready: (page) => expect(page.getByText("this one")).toBeVisible() },
  users: { path: "/users", ready: (page) => expect(page.getByText("asha@lakeside.test")).toBeVisible() },
  "users-disable": {
    path: "/users",
    ready: async (page) => {
      await page.getByRole("button", { name: "Actions for Asha Rao" }).click();
      await page.getByRole("menuitem", { name: "Disable account…" }).click();
      await expect(page.getByRole("dialog", { name: "Disable account" })).toBeVisible();
    },
  },
  range: {
    path: "/w/lakeside/application",
    ready: async (page) => {
      await hasRows(page);
      await page.getByRole("button", { name: /^Time range/ }).click();
      await expect(page.getByRole("dialog", { name: "Time range" })).toBeVisible();
    },
  },
};

for (const [name, { path, signedOut, ready }] of Object.entries(views)) {
  for (const theme of ["light", "dark"] as const) {
    test(`${name}, ${theme}`, async ({ page, admin, server, clinic, ward, doors }) => {
      expect([clinic.slug, ward.slug, doors.slug]).toEqual(["lakeside", "ward", "doors"]);
      await page.emulateMedia({ colorScheme: theme });
      if (!signedOut) {
        const response = await page.context().request.post(`${server.url}/api/v1/auth/login`, { data: admin });
        expect(response.status()).toBe(200);
      }
      for (const width of [1440, 1024, 390]) {
        await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
        await page.goto(path);
        await ready(page, width);
        await expectCharts(page);
        await page.waitForLoadState("networkidle");
        await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))));
        await page.screenshot({ path: join(screenshots, `${name}-${width}-${theme}.png`) });
        // What axe finds at this width, it finds at the others.
        if (width === 1024) await expectNothingBeside(page);
        else await expectAccessible(page);
        // The page does not scroll sideways.
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
      }
    });
  }
}

test("Nothing is beside the page at 200 %", async ({ signedIn: page, clinic }) => {
  await page.setViewportSize({ width: 720, height: 450 });
  for (const name of ["overview", "application", "application-update", "filtered", "settings-members", "settings-general", "range"]) {
    const { path, ready } = views[name] as View;
    await page.goto(path.replace("lakeside", clinic.slug));
    await ready(page, 720);
    await expectAccessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  }
});

test("In colours that a person has set for everything, what is chosen is still told apart", async ({ signedIn: page }) => {
  await page.emulateMedia({ forcedColors: "active" });
  await page.goto("/w/peerapp/application?action=update&view=top");
  const model = page.getByRole("group", { name: "Model" });
  const action = page.getByRole("group", { name: "Action", exact: true });
  const tick = (box: typeof model, name: RegExp) => box.getByRole("checkbox", { name }).locator("xpath=..").locator("svg").first();
  await expect(tick(action, /Update/)).toHaveCSS("visibility", "visible");
  await expect(tick(model, /patient/)).toHaveCSS("visibility", "hidden");
  const outline = (name: string) => page.getByRole("button", { name, exact: true }).evaluate((button) => getComputedStyle(button).outlineStyle);
  expect(await outline("Top values")).toBe("solid");
  expect(await outline("Events")).toBe("none");
  await page.screenshot({ path: join(screenshots, "forced-colours.png") });
});

if (process.env.UPDATE_SCREENSHOT) {
  baseTest("The screenshot of the README", async ({ page }) => {
    const server = await Server.start();
    try {
      server.logbook("demo");
      await page.goto(await server.signInLink());
      await page.getByRole("button", { name: "Not now" }).click();
      // Opens the event with the most changed fields among the latest ones.
      const response = await fetch(`${server.url}/api/v1/workspaces/clinic/logs/application?limit=14`, {
        headers: { authorization: `Bearer ${server.token("viewer", "clinic")}` },
      });
      const { data } = (await response.json()) as { data: { id: string; action: string; changes: object[] }[] };
      const updates = data.filter(({ action }) => action === "update");
      const best = updates.toSorted((one, other) => other.changes.length - one.changes.length)[0];
      await page.goto(`${server.url}/w/clinic/application?event=${best?.id}`);
      await hasRows(page);
      await expect(page.getByRole("dialog", { name: "Event details" })).toBeVisible();
      await expectCharts(page);
      await page.waitForLoadState("networkidle");
      await page.screenshot({ path: resolve(import.meta.dirname, "../../docs/screenshot.png") });
    } finally {
      await server.stop();
    }
  });
}
