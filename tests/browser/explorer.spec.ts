// What a reader of the logs may rely on: nothing on the screen is untrue, nothing moves under the pointer, and everything has a key.
import type { Page } from "@playwright/test";
import { expect, expectAccessibleInAllViews, test } from "./fixtures.ts";
import type { Server } from "./server.ts";

const grid = (page: Page, title = "Application log") => page.getByRole("grid", { name: title });
const rows = (page: Page, title?: string) => grid(page, title).getByRole("row").filter({ has: page.getByRole("gridcell") });
const details = (page: Page) => page.getByRole("dialog", { name: "Event details" });
const chips = (page: Page) => page.getByRole("list", { name: "Active filters" }).getByRole("listitem");
const scroller = (page: Page) => grid(page).locator("xpath=..");

async function append(server: Server, workspace: string, log: string, events: object[]) {
  const response = await fetch(`${server.url}/api/v1/workspaces/${workspace}/logs/${log}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${server.token("writer", workspace)}` },
    body: JSON.stringify(events),
  });
  expect(response.status).toBe(201);
}

/** The requests for pages of a list from now on. */
function listRequests(page: Page): string[] {
  const urls: string[] = [];
  page.on("request", (request) => {
    if (/\/logs\/application\?/.test(request.url())) urls.push(request.url());
  });
  return urls;
}

/** Scrolls to the end of the list until all its events are loaded. */
async function loadAll(page: Page, events: number) {
  await rows(page).first().focus();
  await expect
    .poll(async () => {
      await page.keyboard.press("End");
      return grid(page).getAttribute("aria-rowcount");
    })
    .toBe(String(events + 1));
}

test("A click on a record filters by its model and its ID", async ({ signedIn: page, server }) => {
  server.logbook("workspace", "create", "twins", "--name", "Twins");
  const event = { action: "update", record_id: "2906", actor: { type: "user", id: "17", name: "Asha Rao" } };
  await append(server, "twins", "application", [
    { ...event, model: "visit", record_name: "Visit of Jo March" },
    { ...event, model: "prescription", record_name: "Aspirin" },
  ]);
  await page.goto("/w/twins/application");
  await grid(page).getByRole("button", { name: /^Aspirin/ }).click();
  await expect(rows(page)).toHaveCount(1);
  await expect(chips(page)).toHaveText([/Record.*is.*prescription Aspirin \(2906\)/]);
  await expect(page).toHaveURL(/record=prescription%3A2906/);
});

test("A change in an event finds all changes of the field to its value", async ({ signedIn: page, clinic }) => {
  await page.goto(`/w/${clinic.slug}/application?action=update`);
  await rows(page).first().focus();
  await page.keyboard.press("Enter");
  const changes = details(page).getByRole("list", { name: "Changed fields" });
  await expect(changes.getByRole("button", { name: "Find changes of roles to Nurse" })).toBeVisible();
  // A secret is nothing to look for.
  await expect(changes.getByRole("button", { name: /Find changes of access_token/ })).toHaveCount(0);
  await expectAccessibleInAllViews(page, "find-change");
  await changes.getByRole("button", { name: "Find changes of status to closed" }).click();
  const total = page.getByRole("group", { name: "Total Changes", exact: true });
  await expect(page).toHaveURL(/changed=status%3Aclosed/);
  await expect(total).toContainText(/150$/);
  await expect(page.getByRole("button", { name: "Remove filter status changed to closed" })).toBeVisible();

  await page.getByRole("button", { name: "Remove filter Action is Update" }).click();
  await expect(total).toContainText(/150$/);
  await chips(page).getByRole("button", { name: /^changed to/ }).click();
  await expect(page).toHaveURL(/not_changed=status%3Aclosed/);
  await expect(page.getByRole("button", { name: "Remove filter status not changed to closed" })).toBeVisible();
  await expect(rows(page).first()).toContainText("status: empty → open");
  await expect(total).toContainText(/150$/);
});

test("While a search is under way, cards and facets say that they are not its answer", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application");
  await expect(rows(page).first()).toBeVisible();
  const busy = page.locator("[aria-busy=true]").filter({ has: page.getByRole("group", { name: "Total Changes" }) });
  const model = page.getByRole("group", { name: "Model" });
  await expect(model).toHaveAttribute("aria-busy", "false");
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(/\/logs\/application\/(metrics|facets)\?.*q=/, async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole("searchbox").fill("李雷");
  await expect(busy).toBeVisible();
  await expect(model).toHaveAttribute("aria-busy", "true");
  release();
  await expect(page.getByRole("group", { name: "Total Changes", exact: true })).toContainText(/18$/);
  await expect(busy).toBeHidden();
});

test("The first filter leaves the filter panel where it is", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application");
  const box = page.getByRole("group", { name: "Model" }).getByRole("checkbox", { name: /visit/ });
  await expect(box).toBeVisible();
  const before = await box.boundingBox();
  await box.check();
  await expect(chips(page)).toHaveCount(1);
  expect(await box.boundingBox()).toEqual(before);
});

test("Escape returns to the event that was stepped to", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application");
  await rows(page).first().focus();
  await page.keyboard.press("Enter");
  await expect(details(page)).toBeVisible();
  for (const expected of [1, 2, 3]) {
    await page.keyboard.press("j");
    await expect(rows(page).nth(expected)).toHaveAttribute("aria-current", "true");
  }
  await page.keyboard.press("Escape");
  await expect(rows(page).nth(3)).toBeFocused();
});

test("Back shows the list where it was, and asks for nothing", async ({ signedIn: page, clinic }) => {
  await page.goto(`/w/${clinic.slug}/application`);
  await loadAll(page, clinic.events);
  const top = 5000;
  await scroller(page).evaluate((element, y) => element.scrollTo({ top: y }), top);
  await expect(rows(page).first()).toBeVisible();

  await page.getByRole("group", { name: "Action" }).getByRole("checkbox", { name: /Update/ }).check();
  await expect(page.getByRole("group", { name: "Total Changes", exact: true })).toContainText(/150$/);
  await expect.poll(() => scroller(page).evaluate((element) => element.scrollTop)).toBe(0);
  const requests = listRequests(page);
  await page.goBack();
  await expect.poll(() => scroller(page).evaluate((element) => element.scrollTop)).toBe(top);

  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByRole("region", { name: "Access log" })).toBeVisible();
  requests.length = 0;
  await page.goBack();
  await expect.poll(() => scroller(page).evaluate((element) => element.scrollTop)).toBe(top);
  expect(requests).toEqual([]);
});

test("A skeleton is there before anything is known", async ({ signedIn: page }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/api/v1/auth/refresh", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto("/w/peerapp/application");
  await expect(page.getByRole("status").filter({ hasText: "Loading" })).toBeAttached();
  expect(await page.locator("#root").evaluate((root) => root.clientHeight > 0 && root.innerHTML.length > 200)).toBe(true);
  release();
  await expect(rows(page).first()).toBeVisible();
});

test("The open event leaves room for what changed, and its width can be changed", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application");
  await rows(page).first().getByRole("gridcell").first().click();
  await expect(details(page)).toBeVisible();
  await expect(grid(page).getByRole("columnheader", { name: "What changed" })).toBeVisible();
  const width = async () => (await details(page).boundingBox())?.width ?? 0;
  const before = await width();
  await details(page).getByRole("separator").focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await expect.poll(width).toBeGreaterThan(before + 30);
});

test("Where the open event covers the page, nothing behind it has the focus", async ({ signedIn: page }) => {
  await page.setViewportSize({ width: 1024, height: 800 });
  await page.goto("/w/peerapp/application");
  await rows(page).first().focus();
  await page.keyboard.press("o");
  await expect(details(page)).toHaveAttribute("aria-modal", "true");
  for (let press = 0; press < 12; press++) {
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.closest("#root") === null)).toBe(true);
  }
  await page.keyboard.press("Escape");
  await expect(rows(page).first()).toBeFocused();
});

test("A search marks what it found, and says where", async ({ signedIn: page, ward }) => {
  await page.goto(`/w/${ward.slug}/application?q=eu-west`);
  await expect(rows(page)).toHaveCount(1);
  const found = rows(page).first().getByRole("gridcell").last();
  await expect(found).toHaveText("request.region: eu-west");
  await expect(found.locator("mark")).toHaveText("eu-west");
});

test("Columns are chosen, ordered and kept in the link", async ({ signedIn: page, context }) => {
  await page.goto("/w/peerapp/application");
  await page.getByRole("button", { name: "Columns and rows" }).click();
  const menu = page.getByRole("dialog", { name: "Columns and rows" });
  await menu.getByRole("checkbox", { name: "Model" }).uncheck();
  await menu.getByRole("button", { name: "Move What changed to the left" }).click();
  await menu.getByRole("button", { name: "Make Record wider" }).click();
  await menu.getByRole("checkbox", { name: "Compact rows" }).check();
  await page.keyboard.press("Escape");
  const headings = ["Time", "Actor", "Action", "Record", "What changed", "Status"];
  await expect(grid(page).getByRole("columnheader")).toHaveText(headings.map((heading) => new RegExp(`^${heading}`)));
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(grid(other).getByRole("columnheader")).toHaveText(headings.map((heading) => new RegExp(`^${heading}`)));
  expect((await rows(other).first().boundingBox())?.height).toBe(28);
  await other.close();
});

test("Values have keys: exclude, alone, and back to the row", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application");
  await expect(rows(page).first()).toBeVisible();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(rows(page).first()).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("e");
  await expect(chips(page)).toHaveText([/Action.*is not/]);
  await rows(page).first().focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("x");
  await expect(chips(page)).toHaveCount(2);
  await expect(page).toHaveURL(/actor_id=/);
});

test("Control and K go anywhere, and the question mark lists the keys", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application");
  await expect(rows(page).first()).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: /Page, workspace/ })).toBeFocused();
  await page.keyboard.type("frame");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/framework/);
  await expect(rows(page, "Framework log").first()).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toContainText("Exclude it");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("zzz no page");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/application\?q=zzz\+no\+page/);
});

test("A link with fixed times shows the same later", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application?range=7d");
  await page.getByRole("button", { name: "Share this view" }).click();
  await page.getByRole("menuitem", { name: /Link with fixed times/ }).click();
  await expect(page.getByRole("status").filter({ hasText: "Copied" })).toBeAttached();
  const copied = new URL(await page.evaluate(() => navigator.clipboard.readText())).searchParams;
  expect(copied.get("range")).toBeNull();
  expect(Date.parse(copied.get("until") ?? "") - Date.parse(copied.get("since") ?? "")).toBe(7 * 86_400_000);
});

test("Cards compare with the period before", async ({ signedIn: page, clinic }) => {
  // 12 events a day: two days of updates and creates against the two before.
  await page.goto(`/w/${clinic.slug}/application?since=2026-09-03&until=2026-09-04`);
  const card = page.getByRole("group", { name: "Total Changes", exact: true });
  await expect(card).toContainText(/12$/);
  await page.goto(`/w/${clinic.slug}/application?since=2026-09-02&until=2026-09-03`);
  await expect(card).toContainText(/than the 10 of the period before.*12$/);
  await page.getByRole("button", { name: "Compare with the period before" }).click();
  await expect(page.getByRole("listbox", { name: /Events over time/ }).getByRole("option").first()).toHaveAttribute("aria-label", /^02\/09\/2026.*; before, 01\/09\/2026/);
  await page.getByRole("button", { name: "Top values" }).click();
  await expect(page.getByRole("region", { name: "Actions" })).toContainText("of the period before");
});

test("Events are grouped by two fields, each group with its course", async ({ signedIn: page, clinic }) => {
  await page.goto(`/w/${clinic.slug}/application?since=2026-09-01&until=2026-09-11&view=top`);
  const groups = page.getByRole("table", { name: "Groups" });
  await page.getByLabel("First field").selectOption({ label: "Actor" });
  await expect(groups.getByRole("columnheader")).toContainText(["Actor", "Events", "Share", "Over time"]);
  await page.getByLabel("Second field").selectOption({ label: "Action" });
  await expect(page).toHaveURL(/group=actor_id%2Caction/);
  const first = groups.getByRole("row").nth(1);
  await expect(first).toContainText(/20\s*17%/);
  await expect(first.getByRole("img")).toHaveAttribute("aria-label", /over time: lowest \d, highest \d, last \d/);
  await expectAccessibleInAllViews(page, "groups");

  await page.setViewportSize({ width: 1440, height: 900 });
  await first.getByRole("button", { name: /^Actions for/ }).click();
  await page.getByRole("menuitem", { name: /^Exclude Action/ }).click();
  await expect(page.getByRole("list", { name: "Active filters" })).toContainText(/Action is not/);
  await expect(groups.getByRole("row")).toHaveCount(4);
  await groups.getByRole("row").nth(1).getByRole("button").first().click();
  await expect(page.getByRole("list", { name: "Active filters" }).getByRole("listitem")).toHaveCount(3);
  await expect(groups.getByRole("row")).toHaveCount(2);
});

test("Events are grouped and filtered by a path of the metadata, which is suggested", async ({ signedIn: page, ward }) => {
  await page.goto(`/w/${ward.slug}/application?view=top`);
  const groups = page.getByRole("table", { name: "Groups" });
  await page.getByLabel("First field").selectOption({ label: "Metadata…" });
  const path = page.getByRole("form", { name: "Path of the metadata" }).getByRole("combobox", { name: "Path" });
  await expect(path).toBeFocused();
  await path.fill("region");
  await page.getByRole("option", { name: /^request\.region/ }).click();
  await expect(page).toHaveURL(/group=metadata\.request\.region/);
  await expect(path).toHaveCount(0);
  await expect(groups.getByRole("columnheader").first()).toHaveText("request.region");
  await expect(groups.getByRole("row").filter({ hasText: "eu-west" })).toBeVisible();
  await page.getByLabel("Second field").selectOption({ label: "Metadata…" });
  await path.fill("request.retries");
  await page.getByRole("button", { name: "Group", exact: true }).click();
  await expect(groups.getByRole("columnheader").nth(1)).toHaveText("request.retries");
  await expectAccessibleInAllViews(page, "groups-metadata");

  await page.setViewportSize({ width: 1440, height: 900 });
  const form = page.getByRole("form", { name: "Add a filter" });
  await form.getByLabel("More filters").selectOption("Metadata");
  await form.getByRole("combobox", { name: "Path" }).fill("reg");
  await form.getByRole("option", { name: /^request\.region/ }).click();
  await form.getByLabel("Value").fill("eu-west");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/metadata\.request\.region=eu-west/);
  await expect(chips(page)).toHaveText([/request\.region.*is.*eu-west/]);
});

test("A view is saved by name, shared, and opens its log", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/framework?status=success&order=asc");
  await expect(rows(page, "Framework log").first()).toBeVisible();
  await page.getByRole("button", { name: "Saved views" }).click();
  await page.getByRole("menuitem", { name: "Save this view…" }).click();
  const dialog = page.getByRole("dialog", { name: "Save this view" });
  await dialog.getByLabel("Name").fill("What went well");
  await dialog.getByRole("checkbox", { name: /Open this log with it/ }).check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();

  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("link", { name: "Framework", exact: true }).click();
  await expect(page).toHaveURL(/framework\?.*status=success.*order=asc|framework\?.*order=asc.*status=success/);
  await page.getByRole("button", { name: "Saved views" }).click();
  await page.getByRole("menuitem", { name: /Remove “What went well”/ }).click();
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("button", { name: "Saved views" }).click();
  await expect(page.getByRole("menuitem", { name: /What went well/ })).toHaveCount(0);
});

for (const [name, path] of [
  ["top-values", "application?view=top"],
  ["search", "application?q=open"],
  ["comparison", "application?since=2026-11-20&until=2026-11-25&compare=before"],
] as const) {
  test(`Every view of the explorer is accessible: ${name}`, async ({ signedIn: page }) => {
    await page.goto(`/w/peerapp/${path}`);
    await expect(page.getByRole("group", { name: "Total Changes", exact: true })).toContainText(/\d$/);
    await expectAccessibleInAllViews(page, `explorer-${name}`);
  });
}

test("The timeline and the help are accessible", async ({ signedIn: page, ward }) => {
  await page.goto(`/w/${ward.slug}/timeline?actor=user:17`);
  await expect(rows(page, "Timeline").first()).toBeVisible();
  await expectAccessibleInAllViews(page, "explorer-timeline");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await expectAccessibleInAllViews(page, "explorer-keys");
});

test("On a phone the first event is in the upper third", async ({ signedIn: page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto("/w/peerapp/application");
  await expect(rows(page).first()).toBeVisible();
  expect((await rows(page).first().boundingBox())?.y).toBeLessThan(844 / 3);
});
