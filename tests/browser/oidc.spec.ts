// Signing in at a real identity provider, and its tokens.
import { type Page, test as story } from "@playwright/test";
import { expect, expectAccessible, test as base } from "./fixtures.ts";
import { Certificate, IdentityProvider } from "./oidc.ts";
import type { Server } from "./server.ts";

const audience = "https://logbook.example";

const test = base.extend<object, { there: { provider: IdentityProvider; server: Server } }>({
  there: [
    async ({}, use) => {
      const there = await IdentityProvider.start(audience);
      there.server.importFixture();
      await use(there);
      await there.provider.stop();
      await there.server.stop();
    },
    { scope: "worker" },
  ],
  // The way leads over another host, which the watch over a page would call a fault.
  quiet: async ({}, use) => use({ allow: () => {} }),
});

test("Somebody signs in there and comes back to where they wanted to be", async ({ page, there: { provider, server } }) => {
  await page.goto(`${server.url}/w/peerapp/application?q=李雷&order=asc`);
  await expect(page.getByRole("heading", { name: "Sign in to Logbook" })).toBeVisible();
  const wanted = page.getByRole("link", { name: "Sign in with Clinic ID" });
  await expect(wanted).toBeVisible();
  await expectAccessible(page);
  await page.screenshot({ path: "results/pictures/sign-in-provider.png" });

  await wanted.click();
  await page.waitForURL(`${provider.url}/**`);
  await page.locator("input[name=login]").fill("asha");
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  // The provider asks once whether Logbook may know who this is.
  await page.getByRole("button", { name: "Continue" }).click();

  await expect(page.getByRole("group", { name: "Total Changes" })).toContainText("18");
  expect(new URL(page.url()).origin).toBe(server.url);
  expect(decodeURI(page.url())).toBe(`${server.url}/w/peerapp/application?q=李雷&order=asc`);
  // What waited for the way back is gone; scripts see no cookie at all.
  const cookies = (await page.context().cookies(server.url + "/api/v1/auth/oidc/x")).map(({ name }) => name);
  expect(cookies).toEqual(["logbook_refresh"]);
  expect(await page.evaluate(() => document.cookie)).toBe("");

  // The session outlives the page, and knows who it is.
  await page.reload();
  await expect(page.getByRole("group", { name: "Total Changes" })).toContainText("18");
  await page.getByRole("button", { name: /Account/ }).click();
  await expect(page.getByText("asha@clinic.test")).toBeVisible();
  await page.getByRole("menuitem", { name: "Sign out" }).click();

  // The provider still knows them: one click is enough.
  await page.getByRole("link", { name: "Sign in with Clinic ID" }).click();
  await expect(page.getByRole("banner")).toBeVisible();
});

test("Who changes their mind there is told, and may try again", async ({ page, there: { provider, server } }) => {
  await page.goto(`${server.url}/sign-in`);
  await page.getByRole("link", { name: "Sign in with Clinic ID" }).click();
  await page.waitForURL(`${provider.url}/**`);
  await page.getByRole("link", { name: /Cancel/ }).click();
  await expect(page.getByRole("alert")).toContainText("did not sign you in");
  expect(page.url()).toContain(server.url);
  await expectAccessible(page);
  await expect(page.getByRole("link", { name: "Sign in with Clinic ID" })).toBeVisible();
});

test("Whom the provider gives a role is in the list of members, and overridden there", async ({ page, browser, there: { provider, server } }) => {
  const theirs = await (await browser.newContext()).newPage();
  await theirs.goto(`${server.url}/w/peerapp/access`);
  await theirs.getByRole("link", { name: "Sign in with Clinic ID" }).click();
  await theirs.waitForURL(`${provider.url}/**`);
  await theirs.locator("input[name=login]").fill("ravi");
  await theirs.locator("input[name=password]").fill("any");
  await theirs.locator("button[type=submit]").click();
  await theirs.getByRole("button", { name: "Continue" }).click();
  await expect(theirs.getByRole("link", { name: "Access" })).toBeVisible();

  const made = server.logbook("user", "create", "--email", "amy@clinic.test", "--name", "Amy", "--workspace", "peerapp", "--role", "admin", "--public-url", server.url);
  await page.goto(made.trim().split("\n").at(-1) ?? "");
  await page.getByRole("button", { name: "Not now" }).click();
  await page.goto(`${server.url}/w/peerapp/settings/members`);
  const row = page.getByRole("listitem").filter({ hasText: "ravi@clinic.test" });
  await expect(row).toContainText("identity provider");
  await expect(row).toContainText("auditor");
  await expect(row).toContainText(/Role until \d\d\/\d\d\/\d{4} \d\d:\d\d/);
  // Neither changed nor removed: a role that is given here counts instead.
  await expect(row.getByRole("combobox")).toHaveCount(0);
  await expect(row.getByRole("button")).toHaveText(["Override"]);
  await look(page, "settings-members-provider");
  await row.getByRole("button", { name: "Override" }).click();
  const dialog = page.getByRole("dialog", { name: "Override role" });
  await expect(dialog).toContainText("the role auditor");
  await dialog.getByLabel("Role").selectOption("writer");
  await look(page, "settings-override");
  await dialog.getByRole("button", { name: "Override role" }).click();
  await expect(row.getByLabel(/^Role of/)).toHaveValue("writer");
  await expect(row).toContainText("The identity provider grants auditor until");
  await look(page, "settings-members-overridden");
  await theirs.reload();
  await expect(theirs.getByRole("heading", { name: "Your role cannot read the logs" })).toBeVisible();

  await row.getByRole("button", { name: "Remove" }).click();
  const sure = page.getByRole("dialog", { name: "Remove member" });
  await expect(sure).toContainText("will have the role from the identity provider again: auditor");
  await sure.getByRole("button", { name: "Remove" }).click();
  await expect(row.getByRole("button")).toHaveText(["Override"]);
  await theirs.goto(`${server.url}/w/peerapp/access`);
  await expect(theirs.getByRole("link", { name: "Access" })).toBeVisible();
  await theirs.context().close();
});

/** In both themes, wide and narrow: axe has nothing to say, nothing sticks out, and a picture is kept. */
async function look(page: Page, name: string) {
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme });
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
      await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))));
      await page.screenshot({ path: `results/pictures/${name}-${width}-${theme}.png` });
      await expectAccessible(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
}

const status = async (server: Server, path: string, token: string) =>
  (await fetch(`${server.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })).status;

story("A job's token is good for its workspace, and stays so while the provider is away", async () => {
  const { provider, server } = await IdentityProvider.start(audience);
  try {
    server.importFixture();
    const token = await provider.jobToken(audience);
    expect(await status(server, "/workspaces/peerapp/logs/access", token)).toBe(200);
    expect(await status(server, "/workspaces/elsewhere/logs/access", token)).toBe(404);
    expect(await status(server, "/workspaces", await provider.jobToken("https://other.example"))).toBe(401);
    await provider.stop();
    expect(await status(server, "/workspaces/peerapp/logs/access", token)).toBe(200);
  } finally {
    await provider.stop();
    await server.stop();
  }
});

story("A provider is asked by TLS, and trusted where its certificate is", async () => {
  const certificate = new Certificate();
  const trusting = await IdentityProvider.start(audience, certificate, { SSL_CERT_FILE: certificate.path });
  const wary = await IdentityProvider.start(audience, certificate);
  try {
    expect(trusting.provider.url).toMatch(/^https:/);
    expect(await status(trusting.server, "/workspaces", await trusting.provider.jobToken(audience))).toBe(200);
    expect(await status(wary.server, "/workspaces", await wary.provider.jobToken(audience))).toBe(503);
  } finally {
    for (const { provider, server } of [trusting, wary]) {
      await provider.stop();
      await server.stop();
    }
    certificate.remove();
  }
});
