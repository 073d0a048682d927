import { expect, type Route, test as baseTest } from "@playwright/test";
import { test } from "./fixtures.ts";
import { Server } from "./server.ts";

baseTest("The printed link signs in once, and a password works after that", async ({ page }) => {
  const server = await Server.start();
  try {
    const link = await server.signInLink();
    await page.goto(link);
    await page.getByLabel("New password").fill("correct horse battery");
    // The token does not stay in the URL.
    expect(page.url()).not.toContain("link=");
    await page.getByRole("button", { name: "Set password" }).click();
    await expect(page.getByRole("banner")).toBeVisible();

    await page.getByRole("button", { name: /Account/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await expect(page.getByRole("heading", { name: "Sign in to Logbook" })).toBeVisible();

    await page.getByLabel("E-mail").fill("admin@localhost");
    await page.getByLabel("Password").fill("wrong horse battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toBeVisible();
    await page.getByLabel("Password").fill("correct horse battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("banner")).toBeVisible();

    await page.context().clearCookies();
    await page.goto("about:blank");
    await page.goto(link);
    await expect(page.getByRole("alert")).toBeVisible();
  } finally {
    await server.stop();
  }
});

test("Nobody sees events without signing in", async ({ page }) => {
  await page.goto("/w/peerapp/access?status=failure");
  await expect(page.getByRole("heading", { name: "Sign in to Logbook" })).toBeVisible();
  await expect(page.getByText("81")).toHaveCount(0);
});

test("An expired session leads to sign-in and back to the same URL", async ({ signedIn: page, admin }) => {
  await page.goto("/w/peerapp/application?q=李雷&order=asc");
  await expect(page.getByRole("group", { name: "Total Changes" })).toContainText("18");
  const address = page.url();

  await page.context().clearCookies();
  const expired = (route: Route) =>
    route.fulfill({
      status: 401,
      contentType: "application/problem+json",
      json: { type: "about:blank", title: "Token expired", status: 401, detail: "", code: "token_expired", request_id: "r-1", errors: [] },
    });
  await page.route("**/api/v1/workspaces/**", expired);
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(page.getByRole("heading", { name: "Sign in to Logbook" })).toBeVisible();
  await page.unroute("**/api/v1/workspaces/**", expired);

  await page.getByLabel("E-mail").fill(admin.email);
  await page.getByLabel("Password").fill(admin.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("group", { name: "Total Changes" })).toContainText("18");
  expect(page.url()).toBe(address);
});
