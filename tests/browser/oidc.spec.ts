// Sign-in with a real identity provider, and its tokens.
import { test as baseTest } from "@playwright/test";
import { expect, expectAccessible, expectAccessibleInAllViews, test as fixtureTest } from "./fixtures.ts";
import { Certificate, IdentityProvider } from "./oidc.ts";
import type { Server } from "./server.ts";

const audience = "https://logbook.example";

const test = fixtureTest.extend<object, { oidc: { provider: IdentityProvider; server: Server } }>({
  oidc: [
    async ({}, use) => {
      const oidc = await IdentityProvider.start(audience);
      oidc.server.importFixture();
      await use(oidc);
      await oidc.provider.stop();
      await oidc.server.stop();
    },
    { scope: "worker" },
  ],
  // Sign-in makes requests to another host, which the usual fixture reports as errors.
  pageErrors: async ({}, use) => use({ allow: () => {} }),
});

test("Sign-in with the provider leads back to the page that was opened first", async ({ page, oidc: { provider, server } }) => {
  await page.goto(`${server.url}/w/peerapp/application?q=李雷&order=asc`);
  await expect(page.getByRole("heading", { name: "Sign in to Logbook" })).toBeVisible();
  const providerLink = page.getByRole("link", { name: "Sign in with Clinic ID" });
  await expect(providerLink).toBeVisible();
  await expectAccessible(page);
  await page.screenshot({ path: "results/screenshots/sign-in-provider.png" });

  await providerLink.click();
  await page.waitForURL(`${provider.url}/**`);
  await page.locator("input[name=login]").fill("asha");
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  // The provider asks for consent once.
  await page.getByRole("button", { name: "Continue" }).click();

  await expect(page.getByRole("group", { name: "Total Changes" })).toContainText("18");
  expect(new URL(page.url()).origin).toBe(server.url);
  expect(decodeURI(page.url())).toBe(`${server.url}/w/peerapp/application?q=李雷&order=asc`);
  // The cookie for the redirect is deleted, and scripts see no cookie at all.
  const cookies = (await page.context().cookies(server.url + "/api/v1/auth/oidc/x")).map(({ name }) => name);
  expect(cookies).toEqual(["logbook_refresh"]);
  expect(await page.evaluate(() => document.cookie)).toBe("");

  // The session survives a reload.
  await page.reload();
  await expect(page.getByRole("group", { name: "Total Changes" })).toContainText("18");
  await page.getByRole("button", { name: /Account/ }).click();
  await expect(page.getByText("asha@clinic.test")).toBeVisible();
  await page.getByRole("menuitem", { name: "Sign out" }).click();

  // The session at the provider still exists, so one click is enough.
  await page.getByRole("link", { name: "Sign in with Clinic ID" }).click();
  await expect(page.getByRole("banner")).toBeVisible();
});

test("Cancelling at the provider shows a message, and sign-in can be tried again", async ({ page, oidc: { provider, server } }) => {
  await page.goto(`${server.url}/sign-in`);
  await page.getByRole("link", { name: "Sign in with Clinic ID" }).click();
  await page.waitForURL(`${provider.url}/**`);
  await page.getByRole("link", { name: /Cancel/ }).click();
  await expect(page.getByRole("alert")).toContainText("did not sign you in");
  expect(page.url()).toContain(server.url);
  await expectAccessible(page);
  await expect(page.getByRole("link", { name: "Sign in with Clinic ID" })).toBeVisible();
});

test("A member with a role from the provider is listed, and the role can be overridden", async ({ page, browser, oidc: { provider, server } }) => {
  const memberPage = await (await browser.newContext()).newPage();
  await memberPage.goto(`${server.url}/w/peerapp/access`);
  await memberPage.getByRole("link", { name: "Sign in with Clinic ID" }).click();
  await memberPage.waitForURL(`${provider.url}/**`);
  await memberPage.locator("input[name=login]").fill("ravi");
  await memberPage.locator("input[name=password]").fill("any");
  await memberPage.locator("button[type=submit]").click();
  await memberPage.getByRole("button", { name: "Continue" }).click();
  await expect(memberPage.getByRole("link", { name: "Access" })).toBeVisible();

  const output = server.logbook("user", "create", "--email", "amy@clinic.test", "--name", "Amy", "--workspace", "peerapp", "--role", "admin", "--public-url", server.url);
  await page.goto(output.trim().split("\n").at(-1) ?? "");
  await page.getByRole("button", { name: "Not now" }).click();
  await page.goto(`${server.url}/w/peerapp/settings/members`);
  const row = page.getByRole("listitem").filter({ hasText: "ravi@clinic.test" });
  await expect(row).toContainText("identity provider");
  await expect(row).toContainText("auditor");
  await expect(row).toContainText(/Role until \d\d\/\d\d\/\d{4} \d\d:\d\d/);
  // A role from the provider can be neither changed nor removed here, only overridden.
  await expect(row.getByRole("combobox")).toHaveCount(0);
  await expect(row.getByRole("button")).toHaveText(["Override"]);
  await expectAccessibleInAllViews(page, "settings-members-provider");
  await row.getByRole("button", { name: "Override" }).click();
  const dialog = page.getByRole("dialog", { name: "Override role" });
  await expect(dialog).toContainText("the role auditor");
  await dialog.getByLabel("Role").selectOption("writer");
  await expectAccessibleInAllViews(page, "settings-override");
  await dialog.getByRole("button", { name: "Override role" }).click();
  await expect(row.getByLabel(/^Role of/)).toHaveValue("writer");
  await expect(row).toContainText("The identity provider grants auditor until");
  await expectAccessibleInAllViews(page, "settings-members-overridden");
  await memberPage.reload();
  await expect(memberPage.getByRole("heading", { name: "Your role cannot read the logs" })).toBeVisible();

  await row.getByRole("button", { name: "Remove" }).click();
  const confirmation = page.getByRole("dialog", { name: "Remove member" });
  await expect(confirmation).toContainText("will have the role from the identity provider again: auditor");
  await confirmation.getByRole("button", { name: "Remove" }).click();
  await expect(row.getByRole("button")).toHaveText(["Override"]);
  await memberPage.goto(`${server.url}/w/peerapp/access`);
  await expect(memberPage.getByRole("link", { name: "Access" })).toBeVisible();
  await memberPage.context().close();
});

const status = async (server: Server, path: string, token: string) =>
  (await fetch(`${server.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })).status;

baseTest("A job's token works in its workspace, also while the provider is down", async () => {
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

baseTest("A provider with TLS is used only if its certificate is trusted", async () => {
  const certificate = new Certificate();
  const trusting = await IdentityProvider.start(audience, certificate, { SSL_CERT_FILE: certificate.path });
  const untrusting = await IdentityProvider.start(audience, certificate);
  try {
    expect(trusting.provider.url).toMatch(/^https:/);
    expect(await status(trusting.server, "/workspaces", await trusting.provider.jobToken(audience))).toBe(200);
    expect(await status(untrusting.server, "/workspaces", await untrusting.provider.jobToken(audience))).toBe(503);
  } finally {
    for (const { provider, server } of [trusting, untrusting]) {
      await provider.stop();
      await server.stop();
    }
    certificate.remove();
  }
});
