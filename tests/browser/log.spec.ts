import type { Page } from "@playwright/test";
import { expect, fixtureCounts, test } from "./fixtures.ts";

const card = (page: Page, title: string) => page.getByRole("group", { name: title, exact: true });
const grid = (page: Page, title = "Application log") => page.getByRole("grid", { name: title });
const rows = (page: Page, title?: string) => grid(page, title).getByRole("row").filter({ has: page.getByRole("gridcell") });
const details = (page: Page) => page.getByRole("dialog", { name: "Event details" });
const search = (page: Page) => new URL(page.url()).searchParams;

/** Clicks the first cell: the time, which unlike most values is not a button. */
async function openRow(page: Page, index: number, title?: string) {
  await rows(page, title).nth(index).getByRole("gridcell").first().click();
  await expect(details(page)).toBeVisible();
}

test.describe("the cards of each log show the counts of the fixture", () => {
  for (const [log, cards] of Object.entries({
    access: { "Total Access Logs": fixtureCounts.access.total, "Failed Attempts": fixtureCounts.access.failed, Denied: 0 },
    application: {
      "Total Changes": fixtureCounts.application.total,
      Created: fixtureCounts.application.created,
      Updated: fixtureCounts.application.updated,
      Deleted: fixtureCounts.application.deleted,
      Failed: 0,
      Denied: 0,
    },
    framework: { "Total Events": fixtureCounts.framework.total, Failed: fixtureCounts.framework.failed, Denied: 0 },
  })) {
    test(log, async ({ signedIn: page }) => {
      await page.goto(`/w/peerapp/${log}`);
      for (const [title, number] of Object.entries(cards)) await expect(card(page, title)).toContainText(new RegExp(`${number}$`));
    });
  }
});

test("A card sets and clears its filter", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/access");
  await card(page, "Failed Attempts").getByRole("button").click();
  await expect(card(page, "Total Access Logs")).toContainText(/20$/);
  expect(page.url()).toContain("failure");
  await card(page, "Total Access Logs").getByRole("button").click();
  await expect(card(page, "Total Access Logs")).toContainText(/81$/);
});

test("A facet filters, and its chip and Back undo it", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application");
  await page.getByRole("group", { name: "Model" }).getByRole("checkbox", { name: /visit/ }).check();
  await expect(card(page, "Total Changes")).toContainText(/76$/);
  await expect(card(page, "Deleted")).toContainText(/6$/);
  const chips = page.getByRole("list", { name: "Active filters" });
  await expect(chips.getByRole("listitem")).toHaveCount(1);
  await page.getByRole("group", { name: "Action" }).getByRole("checkbox", { name: /Delete/ }).check();
  await expect(card(page, "Total Changes")).toContainText(/6$/);
  await expect(rows(page)).toHaveCount(6);

  await page.getByRole("button", { name: "Remove filter Model is visit" }).click();
  await expect(card(page, "Total Changes")).toContainText(/13$/);
  await page.goBack();
  await expect(chips.getByRole("listitem")).toHaveCount(2);
  await page.getByRole("button", { name: "Clear all" }).click();
  await expect(card(page, "Total Changes")).toContainText(/178$/);
});

for (const [text, number] of [
  ["李雷", 18],
  ['O\'Brien "Jo"', 13],
  ["José Núñez", 27],
  ["JOSÉ núñez", 27],
] as const) {
  test(`Search finds ${text}`, async ({ signedIn: page }) => {
    await page.goto("/w/peerapp/application");
    await expect(rows(page).first()).toBeVisible();
    await page.keyboard.press("/");
    await expect(page.getByRole("searchbox", { name: "Search" })).toBeFocused();
    await page.keyboard.type(text);
    await expect(card(page, "Total Changes")).toContainText(new RegExp(`${number}$`));
    await expect(grid(page)).toHaveAttribute("aria-rowcount", String(number + 1));
    expect(search(page).get("q")).toBe(text);
  });
}

test("A search without results says so and can be cleared", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application?q=100%25");
  await expect(page.getByRole("status").filter({ hasText: /[Nn]o/ }).first()).toBeVisible();
  await page.getByRole("button", { name: /Clear/ }).first().click();
  await expect(card(page, "Total Changes")).toContainText(/178$/);
});

test("Dragging over the chart sets the time range", async ({ signedIn: page, clinic }) => {
  await page.goto(`/w/${clinic.slug}/application`);
  const brush = page.getByRole("listbox", { name: /Events over time/ });
  const box = await brush.boundingBox();
  if (!box) throw new Error("no chart");
  await page.mouse.move(box.x + box.width * 0.25, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 8 });
  await page.mouse.up();
  await expect(page).toHaveURL(/since=.*until=/);
  await expect(card(page, "Total Changes")).not.toContainText(/300$/);
  expect(Date.parse(search(page).get("since") ?? "")).toBeLessThan(Date.parse(search(page).get("until") ?? ""));
});

test("The keyboard sets the time range, too", async ({ signedIn: page, clinic }) => {
  await page.goto(`/w/${clinic.slug}/application`);
  const brush = page.getByRole("listbox", { name: /Events over time/ });
  await brush.focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("Shift+ArrowLeft");
  await expect(brush.getByRole("option", { selected: true })).toHaveCount(3);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/since=/);
  await expect(card(page, "Total Changes")).not.toContainText(/300$/);
});

test("Dates are typed as dd/mm/yyyy and are days in the workspace's zone", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application");
  await page.getByRole("button", { name: /^Time range/ }).click();
  const form = page.getByRole("dialog", { name: "Time range" });
  await form.getByLabel("From", { exact: true }).fill("31/02/2026");
  await form.getByRole("button", { name: "Apply" }).click();
  await expect(form.getByRole("alert")).toContainText("dd/mm/yyyy");
  // The events are from 22/11 in UTC, which is 23/11 in Kolkata.
  await form.getByLabel("From", { exact: true }).fill("23/11/2026");
  await form.getByLabel("To", { exact: true }).fill("23/11/2026");
  await form.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByRole("button", { name: "Time range: 23/11/2026" })).toBeVisible();
  await expect(card(page, "Total Changes")).toContainText(/178$/);
  await expect(rows(page).first()).toContainText("23/11/2026");

  await page.getByRole("button", { name: /^Time range/ }).click();
  await form.getByLabel("From", { exact: true }).fill("22/11/2026");
  await form.getByLabel("To", { exact: true }).fill("22/11/2026");
  await form.getByRole("button", { name: "Apply" }).click();
  await expect(card(page, "Total Changes")).toContainText(/0$/);
});

test("The order can be reversed", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application");
  await expect(rows(page).first()).toContainText("visit 70");
  await grid(page).getByRole("button", { name: /Time/ }).click();
  await expect(page).toHaveURL(/order=asc/);
  await expect(rows(page).first()).toContainText("Asha Rao");
  await expect(grid(page).getByRole("columnheader", { name: /Time/ })).toHaveAttribute("aria-sort", "ascending");
});

test("The list loads all pages", async ({ signedIn: page, clinic }) => {
  await page.goto(`/w/${clinic.slug}/application`);
  await expect(rows(page).first()).toContainText("visit 150");
  await rows(page).first().focus();
  // Each End loads the next page. The table knows its number of rows once all pages are loaded.
  await expect
    .poll(async () => {
      await page.keyboard.press("End");
      return grid(page).getAttribute("aria-rowcount");
    })
    .toBe(String(clinic.events + 1));
  await page.keyboard.press("End");
  await expect(rows(page).last()).toContainText("visit 1");
});

test("An event opens, leads to the next and previous one, and has a URL", async ({ signedIn: page, clinic, context }) => {
  await page.goto(`/w/${clinic.slug}/application`);
  await openRow(page, 1);
  await expect(details(page)).toContainText("visit 150");
  await expect(page).toHaveURL(/event=/);
  const first = page.url();
  await details(page).getByRole("button", { name: "Next event" }).click();
  await expect(details(page)).toContainText("visit 149");
  expect(page.url()).not.toBe(first);
  await details(page).getByRole("button", { name: "Previous event" }).click();
  await expect(details(page)).toContainText("visit 150");

  const other = await context.newPage();
  await other.goto(first);
  await expect(details(other)).toContainText("visit 150");
  await other.close();

  await page.keyboard.press("Escape");
  await expect(details(page)).toBeHidden();
  await expect(page).not.toHaveURL(/event=/);
});

test("A URL opens an event that is not on a loaded page", async ({ signedIn: page, server, clinic }) => {
  const response = await fetch(`${server.url}/api/v1/workspaces/${clinic.slug}/logs/application?order=asc&limit=1`, {
    headers: { authorization: `Bearer ${server.token("viewer", clinic.slug)}` },
  });
  const { data } = (await response.json()) as { data: { id: string }[] };
  await page.goto(`/w/${clinic.slug}/application?event=${data[0]?.id}`);
  await expect(details(page)).toContainText("visit 1");
});

test("Back closes the event, then removes the filter", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application");
  await page.getByRole("group", { name: "Model" }).getByRole("checkbox", { name: /patient/ }).check();
  await expect(card(page, "Total Changes")).toContainText(/102$/);
  await openRow(page, 0);
  await page.goBack();
  await expect(details(page)).toBeHidden();
  await expect(card(page, "Total Changes")).toContainText(/102$/);
  await page.goBack();
  await expect(card(page, "Total Changes")).toContainText(/178$/);
  await page.goForward();
  await expect(card(page, "Total Changes")).toContainText(/102$/);
});

test("An update shows the changed fields, and masks secrets", async ({ signedIn: page, clinic }) => {
  await page.goto(`/w/${clinic.slug}/application`);
  await openRow(page, 0);
  const changes = details(page).getByRole("list", { name: "Changed fields" });
  await expect(changes.getByRole("deletion").first()).toContainText("open");
  await expect(changes.getByRole("insertion").first()).toContainText("closed");
  await expect(changes.getByRole("deletion").nth(1)).toContainText("Trainee");
  await expect(changes.getByRole("insertion").nth(1)).toContainText("Nurse");
  await expect(changes.getByRole("listitem").filter({ hasText: "access_token" })).toContainText("masked");
  await expect(page.locator("body")).not.toContainText("0123456789abcdef");
});

test("A created record shows its initial values", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application?order=asc");
  await openRow(page, 0);
  const values = details(page).getByRole("list", { name: "Values" });
  await expect(values.getByRole("listitem").filter({ hasText: "email" })).toContainText("asha@example.com");
});

test("The raw event can be copied", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application?q=李雷");
  await openRow(page, 0);
  await details(page).getByRole("tab", { name: "Raw JSON" }).click();
  await details(page).getByRole("button", { name: /Copy.*JSON/ }).click();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as Record<string, unknown>;
  expect(copied.record_name).toBe("李雷");
  expect(copied.id).toBe(search(page).get("event"));
});

test("A click on a value filters by it", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application");
  await rows(page).first().getByRole("button", { name: "visit, filter by model" }).click();
  await expect(card(page, "Total Changes")).toContainText(/76$/);
});

test("The list can be used by keyboard alone", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp/application");
  await rows(page).first().focus();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await expect(rows(page).nth(1)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(details(page)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(rows(page).nth(1)).toBeFocused();
});
