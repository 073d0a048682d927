// Events that somebody picks out of a list: to copy them, or to say something about all of them.
import type { Page } from "@playwright/test";
import { expect, expectAccessible, expectAccessibleInAllViews, expectNothingBeside, test } from "./fixtures.ts";
import type { Server } from "./server.ts";

const SLUG = "picked-ward";
const rows = (page: Page, name = "Access log") => page.getByRole("grid", { name }).getByRole("row").filter({ has: page.getByRole("gridcell") });
const chosen = (page: Page) => page.getByRole("row", { selected: true });
const bar = (page: Page) => page.getByRole("region", { name: "Selection" });
const details = (page: Page) => page.getByRole("dialog", { name: "Event details" });
const clipboard = (page: Page) => page.evaluate(() => navigator.clipboard.readText());
const said = (page: Page) => bar(page).getByRole("status").first();

/** A new workspace of one login after another, the last of them by User 0. */
async function fillWithLogins(server: Server, slug: string, name: string, count: number) {
  server.logbook("workspace", "create", slug, "--name", name);
  const logins = Array.from({ length: count }, (_, index) => ({
    event_type: "login",
    user: { id: String(index), name: `User ${index}` },
    occurred_at: new Date(Date.UTC(2026, 9, 1, 9, 59 - index)).toISOString(),
  }));
  const response = await fetch(`${server.url}/api/v1/workspaces/${slug}/logs/access`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${server.token("writer", slug)}` },
    body: JSON.stringify(logins),
  });
  expect(response.status).toBe(201);
}

test("Events are selected, copied and noted together", async ({ signedIn: page, server, pageErrors }) => {
  // The server is said to be away for one request.
  pageErrors.allow(/status of 503/);
  await fillWithLogins(server, SLUG, "Picked Ward", 60);

  await page.goto(`/w/${SLUG}/access`);
  await expect(rows(page).first()).toContainText("User 0");
  await expect(bar(page)).toBeHidden();
  // By key: the first row, and two more.
  await page.keyboard.press("j");
  await page.keyboard.press("Space");
  await page.keyboard.press("Shift+J");
  await page.keyboard.press("Shift+ArrowDown");
  await expect(bar(page)).toContainText("3 selected");
  await expect(chosen(page)).toHaveCount(3);
  await page.keyboard.press("Shift+K");
  await expect(chosen(page)).toHaveCount(2);
  // By pointer: another one, and those up to it.
  const cell = (index: number) => rows(page).nth(index).getByRole("gridcell").first();
  await cell(4).click({ modifiers: ["Control"] });
  await cell(6).click({ modifiers: ["Shift"] });
  await expect(chosen(page)).toHaveCount(5);
  await cell(4).click({ modifiers: ["Control"] });
  await expect(bar(page)).toContainText("4 selected");
  await expect(details(page)).toBeHidden();
  expect(await page.evaluate(() => getSelection()?.toString())).toBe("");

  await bar(page).getByRole("button", { name: "Copy as table" }).click();
  await expect(bar(page)).toContainText("Copied");
  const table = (await clipboard(page)).split("\n");
  expect(table[0]).toContain("| Time | Event | Actor |");
  expect(table.slice(2).map((line) => /User \d+/.exec(line)?.[0])).toEqual(["User 0", "User 1", "User 5", "User 6"]);
  await bar(page).getByRole("button", { name: "Copy JSON" }).click();
  await expect.poll(() => clipboard(page)).toMatch(/^\[/);
  const json = JSON.parse(await clipboard(page)) as { user: { name: string } }[];
  expect(json.map(({ user }) => user.name)).toEqual(["User 0", "User 1", "User 5", "User 6"]);
  await expectAccessibleInAllViews(page, "selection");
  await page.setViewportSize({ width: 1440, height: 900 });

  await bar(page).getByRole("button", { name: "Add a note" }).click();
  const dialog = page.getByRole("dialog", { name: "Note on 4 events" });
  await dialog.getByLabel("New note").fill("All from the same ward.");
  // While the server is away, the text stays, and it is said why.
  await page.route("**/notes", (route) => route.fulfill({ status: 503, body: "" }));
  await dialog.getByRole("button", { name: "Add note" }).click();
  await expect(dialog.getByRole("alert")).toContainText("server");
  await page.unroute("**/notes");
  await dialog.getByRole("button", { name: "Add note" }).click();
  await expect(dialog).toBeHidden();
  await expect(bar(page)).toContainText("The note is added");
  await cell(0).click();
  await expect(details(page).getByRole("list", { name: "Notes" })).toContainText("also on 3 other events");
  await page.keyboard.press("Escape");
  await expect(details(page)).toBeHidden();

  // More than a note can be about.
  await page.keyboard.press("Shift+End");
  await expect(bar(page).getByRole("button", { name: "Add a note" })).toBeDisabled();
  await expect(bar(page)).toContainText("A note is about 50 events at most");
  await page.keyboard.press("Escape");
  await expect(bar(page)).toBeHidden();
  // The same without a move.
  await cell(3).click({ modifiers: ["Control"] });
  await bar(page).getByRole("button", { name: "Select all 60" }).click();
  await expect(said(page)).toHaveText("60 selected");
  await page.screenshot({ path: "results/screenshots/selection-all-1440-light.png" });
  await bar(page).getByRole("button", { name: "Clear the selection" }).click();
  await expect(bar(page)).toBeHidden();
  // Another question has no selection.
  await cell(0).click({ modifiers: ["Control"] });
  await expect(bar(page)).toContainText("1 selected");
  await page.getByRole("searchbox").fill("User 1");
  await expect(rows(page)).toHaveCount(11);
  await expect(bar(page)).toBeHidden();
});

test.describe("On a phone", () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });

  test("Events are selected by taps, copied and noted", async ({ signedIn: page }) => {
    await page.goto("/w/peerapp/access");
    await expect(rows(page).first()).toBeVisible();
    await page.getByRole("button", { name: "Select events" }).tap();
    await expect(bar(page).getByRole("status").first()).toHaveText("0 selected");
    await expect(bar(page).getByRole("button", { name: "Copy JSON" })).toBeDisabled();
    await rows(page).nth(0).tap();
    await rows(page).nth(3).tap();
    await rows(page).nth(2).tap();
    await rows(page).nth(3).tap();
    await expect(bar(page).getByRole("status").first()).toHaveText("2 selected");
    await expect(chosen(page)).toHaveCount(2);
    await expect(page.getByRole("checkbox", { name: /^Select / }).nth(2)).toBeChecked();
    await expect(details(page)).toBeHidden();
    // What a finger has to hit.
    for (const target of [page.getByRole("button", { name: "Done" }), ...(await bar(page).getByRole("button").all()), page.getByRole("checkbox", { name: /^Select / }).first()]) {
      const box = await target.boundingBox();
      expect(box?.width).toBeGreaterThanOrEqual(44);
      expect(box?.height).toBeGreaterThanOrEqual(44);
    }
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))));
      await page.screenshot({ path: `results/screenshots/selection-touch-390-${colorScheme}.png` });
      await expectAccessible(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    }

    await bar(page).getByRole("button", { name: "Copy JSON" }).tap();
    await expect(bar(page)).toContainText("Copied");
    expect(JSON.parse(await clipboard(page))).toHaveLength(2);
    await bar(page).getByRole("button", { name: "Add a note" }).tap();
    const dialog = page.getByRole("dialog", { name: "Note on 2 events" });
    await dialog.getByLabel("New note").fill("Both from my phone.");
    await dialog.getByRole("button", { name: "Add note" }).tap();
    await expect(bar(page)).toContainText("The note is added");

    await bar(page).getByRole("button", { name: "Clear the selection" }).tap();
    await expect(bar(page).getByRole("status").first()).toHaveText("0 selected");
    await page.getByRole("button", { name: "Done" }).tap();
    await expect(bar(page)).toBeHidden();
    await expect(page.getByRole("checkbox", { name: /^Select / })).toHaveCount(0);
    await rows(page).first().tap();
    await expect(details(page)).toContainText("Both from my phone.");
  });

  test("All events that are loaded are selected together", async ({ signedIn: page, server }) => {
    await fillWithLogins(server, "crowded-ward", "Crowded Ward", 620);
    const grid = page.getByRole("grid", { name: "Access log" });
    const all = bar(page).getByRole("button", { name: /^Select (all|the first)/ });
    const clear = bar(page).getByRole("button", { name: "Clear the selection" });

    // A log that is loaded as a whole.
    await page.goto("/w/peerapp/access");
    await page.getByRole("button", { name: "Select events" }).tap();
    await expect(all).toHaveText("Select all 81");
    await expect(clear).toHaveText("Clear");
    await expect(clear).toHaveAttribute("aria-disabled", "true");
    const place = await all.boundingBox();
    await all.tap();
    await expect(said(page)).toHaveText("81 selected");
    await expect(bar(page)).toContainText("A note is about 50 events at most");
    await expect(page.getByRole("checkbox", { name: /^Select /, checked: false })).toHaveCount(0);
    // Nothing to do any more, and it has not moved under the finger.
    await expect(all).toHaveAttribute("aria-disabled", "true");
    expect(await all.boundingBox()).toEqual(place);
    for (const button of [all, clear]) {
      const box = await button.boundingBox();
      expect(box?.width).toBeGreaterThanOrEqual(44);
      expect(box?.height).toBeGreaterThanOrEqual(44);
    }
    await bar(page).getByRole("button", { name: "Copy JSON" }).tap();
    await expect.poll(async () => (JSON.parse((await clipboard(page)) || "[]") as unknown[]).length).toBe(81);
    await rows(page).nth(1).tap();
    await expect(said(page)).toHaveText("80 selected");
    await all.tap();
    await expect(said(page)).toHaveText("81 selected");
    await clear.tap();
    await expect(said(page)).toHaveText("0 selected");
    await expect(chosen(page)).toHaveCount(0);
    await expect(page.getByRole("checkbox", { name: /^Select /, checked: true })).toHaveCount(0);

    // One of which there are more than are loaded.
    await page.goto("/w/crowded-ward/access");
    await page.getByRole("button", { name: "Select events" }).tap();
    await all.and(page.getByText("Select all 300 loaded")).tap();
    await expect(said(page)).toHaveText("300 selected, all that are loaded");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [320, 390]) {
        await page.setViewportSize({ width, height: 844 });
        await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))));
        await page.screenshot({ path: `results/screenshots/selection-all-${width}-${colorScheme}.png` });
        await expectAccessible(page);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      }
    }
    // And of which there are more than can be selected.
    await expect(async () => {
      await grid.evaluate((element) => element.parentElement?.scrollTo(0, element.scrollHeight));
      await expect(all).toHaveText("Select the first 500", { timeout: 1_000 });
    }).toPass();
    await all.tap();
    await expect(said(page)).toHaveText("500 selected, which is the most");
    await page.screenshot({ path: "results/screenshots/selection-most-390-dark.png" });
    await bar(page).getByRole("button", { name: "Copy JSON" }).tap();
    await expect.poll(async () => (JSON.parse(await clipboard(page)) as unknown[]).length).toBe(500);
    expect((JSON.parse(await clipboard(page)) as { user: { name: string } }[]).at(-1)?.user.name).toBe("User 499");
    await page.getByRole("button", { name: "Done" }).tap();
    await expect(bar(page)).toBeHidden();
  });

  test("A finger that stays on an event selects it", async ({ signedIn: page, ward }) => {
    await page.goto(`/w/${ward.slug}/timeline?actor=user%3A17`);
    const row = rows(page, "Timeline").nth(1);
    const box = await row.boundingBox();
    const finger = await page.context().newCDPSession(page);
    const touchPoints = [{ x: (box?.x ?? 0) + 100, y: (box?.y ?? 0) + 20 }];
    await finger.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
    await expect(bar(page)).toContainText("1 selected");
    await finger.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await rows(page, "Timeline").nth(3).tap();
    await expect(bar(page)).toContainText("2 selected");
    await expect(row).toHaveAttribute("aria-selected", "true");
    await expect(details(page)).toBeHidden();
    // Another question has no selection.
    await page.getByRole("searchbox").fill("login");
    await expect(bar(page)).toBeHidden();
    await expect(page.getByRole("button", { name: "Select events" })).toBeVisible();
  });

  test("Where there is room for columns, a button above them begins it", async ({ signedIn: page, ward }) => {
    await page.setViewportSize({ width: 1024, height: 768 });
    await page.goto(`/w/${ward.slug}/application`);
    await expect(rows(page, "Application log").first()).toBeVisible();
    await page.getByRole("button", { name: "Select events" }).tap();
    // On a value, which would be a filter otherwise.
    await rows(page, "Application log").nth(1).getByRole("gridcell").nth(2).tap({ force: true });
    await expect(bar(page)).toContainText("1 selected");
    await expect(page).toHaveURL(/application$/);
    await page.screenshot({ path: "results/screenshots/selection-touch-1024-light.png" });
    await bar(page).getByRole("button", { name: /^Select all \d+$/ }).tap();
    await expect(said(page)).toHaveText(`${await chosen(page).count()} selected`);
    await expect(page.getByRole("checkbox", { name: /^Select /, checked: false })).toHaveCount(0);
    await expectAccessible(page);
    await expectNothingBeside(page);
    await page.getByRole("button", { name: "Done" }).tap();
    await expect(bar(page)).toBeHidden();
  });
});

test("The timeline has selections too", async ({ signedIn: page, ward }) => {
  await page.goto(`/w/${ward.slug}/timeline?actor=user%3A17`);
  const first = rows(page, "Timeline").first();
  await first.getByRole("gridcell").first().click({ modifiers: ["Control"] });
  await rows(page, "Timeline").nth(2).getByRole("gridcell").first().click({ modifiers: ["Shift"] });
  await expect(bar(page)).toContainText("3 selected");
  await bar(page).getByRole("button", { name: "Copy as table" }).click();
  await expect(bar(page)).toContainText("Copied");
  expect((await clipboard(page)).split("\n")).toHaveLength(5);
  const all = bar(page).getByRole("button", { name: /^Select all \d+$/ });
  await all.click();
  await expect(said(page)).toHaveText(`${/\d+/.exec(await all.innerText())?.[0]} selected`);
});
