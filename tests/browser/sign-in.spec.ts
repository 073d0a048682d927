import { expect, test as story } from "@playwright/test";
import { test } from "./fixtures.ts";
import { Server } from "./server.ts";

story("The printed link signs in once, a password after that", async ({ page }) => {
  const server = await Server.start();
  try {
    const link = await server.signInLink();
    await page.goto(link);
    await page.getByLabel("New password").fill("correct horse battery");
    // What came in by the address does not stay in it, nor in the history.
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

test("Nobody gets in without signing in", async ({ page }) => {
  await page.goto("/w/peerapp/access?status=failure");
  await expect(page.getByRole("heading", { name: "Sign in to Logbook" })).toBeVisible();
  await expect(page.getByText("81")).toHaveCount(0);
});

test("A session that ends leads to sign-in and back to the very place", async ({ signedIn: page, person }) => {
  await page.goto("/w/peerapp/application?q=李雷&order=asc");
  await expect(page.getByRole("group", { name: "Total Changes" })).toContainText("18");
  const address = page.url();

  await page.context().clearCookies();
  const expired = (route: import("@playwright/test").Route) =>
    route.fulfill({
      status: 401,
      contentType: "application/problem+json",
      json: { type: "about:blank", title: "Token expired", status: 401, detail: "", code: "token_expired", request_id: "r-1", errors: [] },
    });
  await page.route("**/api/v1/workspaces/**", expired);
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(page.getByRole("heading", { name: "Sign in to Logbook" })).toBeVisible();
  await page.unroute("**/api/v1/workspaces/**", expired);

  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("group", { name: "Total Changes" })).toContainText("18");
  expect(page.url()).toBe(address);
});
