// New events of a log, as they are stored.
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import type { Server } from "./server.ts";

const rows = (page: Page) => page.getByRole("grid", { name: "Access log" }).getByRole("row").filter({ has: page.getByRole("gridcell") });
const details = (page: Page) => page.getByRole("dialog", { name: "Event details" });
const total = (page: Page) => page.getByRole("group", { name: "Total Access Logs" });

/** A workspace of its own for each test, and how to append logins to it. */
async function workspace(server: Server, slug: string) {
  server.logbook("workspace", "create", slug, "--name", "Watched ward");
  const token = server.token("writer", slug);
  return async (...names: string[]) => {
    const response = await fetch(`${server.url}/api/v1/workspaces/${slug}/logs/access`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(names.map((name) => ({ event_type: "login", user: { id: name, name } }))),
    });
    expect(response.status).toBe(201);
  };
}

async function follow(page: Page, slug: string) {
  await page.goto(`/w/${slug}/access?range=24h`);
  await expect(rows(page)).not.toHaveCount(0);
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await expect(page.getByText("Following")).toBeVisible();
}

test("New events come in at the top, and the figures move along", async ({ signedIn: page, server }) => {
  const login = await workspace(server, "live-rows");
  await login("Asha");
  await follow(page, "live-rows");
  await login("Ravi");
  await expect(rows(page).first()).toContainText("Ravi");
  await login("Mara");
  await expect(rows(page).first()).toContainText("Mara");
  await expect(rows(page)).toHaveCount(3);
  await expect(total(page)).toContainText(/3$/);
  // What comes later matches the filter or is not shown.
  await page.getByRole("searchbox").fill("Ravi");
  await expect(rows(page)).toHaveCount(1);
  await expect(page.getByText("Following")).toBeVisible();
  await login("Li", "Ravi Kumar");
  await expect(rows(page)).toHaveCount(2);
  await expect(rows(page).first()).toContainText("Ravi Kumar");
});

test("While it is paused, new events are only counted", async ({ signedIn: page, server }) => {
  const login = await workspace(server, "live-pause");
  await login("Asha");
  await follow(page, "live-pause");
  await page.keyboard.press("p");
  await expect(page.getByText("Paused", { exact: true })).toBeVisible();
  await login("Ravi", "Mara");
  const pill = page.getByRole("button", { name: "2 new events" });
  await expect(pill).toBeVisible();
  await expect(rows(page)).toHaveCount(1);
  await page.keyboard.press("p");
  await expect(page.getByText("Following")).toBeVisible();
  await expect(rows(page)).toHaveCount(3);
  await expect(pill).toBeHidden();
});

test("An open event does not move", async ({ signedIn: page, server }) => {
  const login = await workspace(server, "live-open");
  await login("Asha");
  await follow(page, "live-open");
  await rows(page).first().getByRole("gridcell").first().click();
  await expect(details(page)).toBeVisible();
  await login("Ravi", "Mara");
  const pill = page.getByRole("button", { name: "2 new events" });
  await expect(pill).toBeVisible();
  await expect(rows(page)).toHaveCount(1);
  await expect(page.getByText("New events wait while you read")).toBeVisible();
  await pill.click();
  await expect(rows(page)).toHaveCount(3);
  await expect(details(page)).toContainText("Asha");
});

test("After the server was away, nothing is missing or there twice", async ({ signedIn: page, server, pageErrors }) => {
  pageErrors.allow(/Failed to load resource/);
  const login = await workspace(server, "live-resume");
  await login("Asha");
  await follow(page, "live-resume");
  await login("Ravi");
  await expect(rows(page)).toHaveCount(2);
  await server.halt();
  await expect(page.getByText("Reconnecting…")).toBeVisible();
  await server.startAgain();
  await login("Mara", "Li");
  await expect(page.getByText("Following")).toBeVisible();
  await expect(rows(page)).toHaveCount(4);
  await login("Zoë");
  await expect(rows(page)).toHaveCount(5);
  await expect(rows(page).first()).toContainText("Zoë");
});

test("A burst is bounded: the list is loaded again", async ({ signedIn: page, server }) => {
  const login = await workspace(server, "live-burst");
  await login("Asha");
  await follow(page, "live-burst");
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  const burst = (from: number) => login(...Array.from({ length: 700 }, (_, index) => `User ${from + index}`));
  await burst(1000);
  const pill = page.getByRole("button", { name: "More than 500 new events" });
  await expect(pill).toBeVisible();
  await pill.click();
  await expect(rows(page).first()).toContainText("User 1699");
  await expect(pill).toBeHidden();
  await page.getByRole("button", { name: "Follow", exact: true }).click();
  await burst(2000);
  await expect(rows(page).first()).toContainText("User 2699");
  await expect(total(page)).toContainText("1,401");
});

test("A timeline follows what belongs to it", async ({ signedIn: page, server }) => {
  const login = await workspace(server, "live-timeline");
  await login("Asha");
  await page.goto("/w/live-timeline/timeline?actor=user%3AAsha");
  const events = page.getByRole("grid", { name: "Timeline" }).getByRole("row").filter({ has: page.getByRole("gridcell") });
  await expect(events).toHaveCount(1);
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await expect(page.getByText("Following")).toBeVisible();
  // One transaction, so that what is not of the timeline came as well.
  await login("Ravi", "Asha");
  await expect(events).toHaveCount(2);
  await page.keyboard.press("p");
  await expect(page.getByText("Paused", { exact: true })).toBeVisible();
  await login("Asha");
  await page.getByRole("button", { name: "1 new event" }).click();
  await expect(events).toHaveCount(3);
  await page.getByRole("button", { name: "Follow", exact: true }).click();
  await events.first().getByRole("gridcell").first().click();
  await expect(details(page)).toBeVisible();
  await login("Asha");
  await expect(page.getByText("New events wait while you read")).toBeVisible();
  await expect(page.getByRole("button", { name: "1 new event" })).toBeVisible();
  await expect(events).toHaveCount(3);
  await page.getByRole("button", { name: "1 new event" }).click();
  await expect(events).toHaveCount(4);
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await login("Asha");
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(events).toHaveCount(5);

  // A timeline around an event has an end.
  await events.first().getByRole("gridcell").first().click();
  await details(page).getByRole("link", { name: "5 minutes before and after" }).click();
  await expect(events).toHaveCount(6);
  await expect(page.getByRole("button", { name: "Live", exact: true })).toBeDisabled();
});

test("A range that ends before now cannot be followed", async ({ signedIn: page, server }) => {
  const login = await workspace(server, "live-past");
  await login("Asha");
  await page.goto("/w/live-past/access?until=2026-01-01");
  await expect(page.getByRole("button", { name: "Live", exact: true })).toBeDisabled();
  await page.goto("/w/live-past/access?order=asc");
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await expect(page.getByText("Following")).toBeVisible();
  await expect(page).not.toHaveURL(/order/);
});
