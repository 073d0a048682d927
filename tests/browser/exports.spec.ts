// Exports: a file at once, or one that is written in the background.
import { gunzipSync } from "node:zlib";
import type { Download, Locator, Page } from "@playwright/test";
import { expect, expectAccessibleInAllViews, test } from "./fixtures.ts";
import { openAnotherPageOf } from "./people.ts";

const rows = (page: Page) => page.getByRole("list", { name: "Exports" }).getByRole("listitem");
const notice = (page: Page) => page.getByRole("dialog", { name: "The export runs in the background" });

/** A dialog for the place of the file would wait for somebody. */
const saveWithoutAsking = (page: Page) => page.addInitScript(() => Reflect.deleteProperty(window, "showSaveFilePicker"));

async function share(page: Page, item: string) {
  await page.getByRole("button", { name: "Share this view" }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

async function downloaded(page: Page, button: Locator): Promise<Download> {
  const download = page.waitForEvent("download");
  await button.click();
  return download;
}

async function contentOf(download: Download): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await download.createReadStream()) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

test("An export in the background has the rows that were shown", async ({ signedIn: page, clinic }) => {
  await saveWithoutAsking(page);
  await page.goto(`/w/${clinic.slug}/application?action=update&q=visit`);
  await share(page, "CSV in the background");
  await notice(page).getByRole("link", { name: "Show exports" }).click();

  const row = rows(page).filter({ hasText: "Application log, CSV" });
  await expect(row).toContainText("“visit”, Action is Update · All time");
  await expect(row).toContainText("150 events");
  await expect(row).toContainText("Kept until");
  const download = await downloaded(page, row.getByRole("button", { name: /^Download/ }));
  expect(download.suggestedFilename()).toMatch(/^lakeside-application-\d{4}-\d\d-\d\d\.csv\.gz$/);
  const lines = gunzipSync(await contentOf(download)).toString().trim().split("\r\n");
  expect(lines).toHaveLength(151);
  expect(lines[1]).toContain("update");

  await row.getByRole("link").click();
  await expect(page).toHaveURL(/application\?q=visit&action=update/);
  await page.goBack();
  await row.getByRole("button", { name: /^Remove/ }).click();
  await page.getByRole("dialog", { name: "Remove the export" }).getByRole("button", { name: "Remove" }).click();
  await expect(page.getByRole("heading", { name: "No exports" })).toBeVisible();
});

test("Parquet comes at once, too", async ({ signedIn: page, clinic }) => {
  await saveWithoutAsking(page);
  await page.goto(`/w/${clinic.slug}/application`);
  await page.getByRole("button", { name: "Share this view" }).click();
  const download = await downloaded(page, page.getByRole("menuitem", { name: "As Parquet" }));
  expect(download.suggestedFilename()).toBe("lakeside-application.parquet");
  expect((await contentOf(download)).subarray(0, 4).toString()).toBe("PAR1");
});

test("A timeline and a record are exported with their conditions", async ({ signedIn: page, clinic }) => {
  await saveWithoutAsking(page);
  const lines = async () => {
    await page.getByRole("button", { name: "Share this view" }).click();
    const download = await downloaded(page, page.getByRole("menuitem", { name: "As NDJSON" }));
    return (await contentOf(download)).toString().trim().split("\n");
  };
  await page.goto(`/w/${clinic.slug}/timeline?session_id=session-1`);
  expect(await lines()).toHaveLength(100);
  await page.goto(`/w/${clinic.slug}/records/visit/7`);
  expect(await lines()).toHaveLength(2);
  await share(page, "Parquet in the background");
  await notice(page).getByRole("link", { name: "Show exports" }).click();
  const row = rows(page).filter({ hasText: "Timeline, Parquet" });
  await expect(row).toContainText("Record visit:7");
  await expect(row).toContainText("2 events");
});

const one = { id: "k7w2m9x4c1qdk7w2m9x4", log: "access", format: "csv", query: "format=csv&status=failure", bytes: 0, reason: null };
const whose = { owner_name: "Asha Rao", own: false, created_at: "2026-11-26T12:00:00Z", expires_at: null };

test("A running export says how far it is, and a failed one starts again", async ({ signedIn: page, clinic }) => {
  let events = 0;
  let over = false;
  const failed = { ...one, ...whose, id: "failed", state: "failed", events: 12, total: null, reason: "the server stopped" };
  const unknown = { ...one, ...whose, id: "unknown", log: "timeline", query: "format=csv&actor=user:1", state: "running", events: 70, total: null };
  await page.route(/\/api\/.*\/exports$/, (route) => {
    if (route.request().method() !== "GET") return route.continue();
    const running = { ...one, ...whose, log: "framework", state: "running", events, total: 4000 };
    const done = { ...running, state: "done", bytes: 4_200_000, expires_at: "2026-11-27T12:00:00Z" };
    return route.fulfill({ json: { data: over ? [done] : [running, unknown, failed] } });
  });
  await page.clock.install();
  await page.goto(`/w/${clinic.slug}/exports`);
  const row = rows(page).filter({ hasText: "Framework log" });
  const bar = row.getByRole("progressbar", { name: "Events written" });
  await expect(bar).toHaveAttribute("aria-valuenow", "0");
  events = 1000;
  await expect(bar).toHaveAttribute("aria-valuenow", "25");
  await expect(row).toContainText("1,000 of 4,000 events");
  await expect(row).toContainText("Status is Failure");
  await expect(rows(page).filter({ hasText: "Timeline" }).getByRole("progressbar")).not.toHaveAttribute("aria-valuenow", /./);
  await expect(rows(page).filter({ hasText: "Failed" })).toContainText("The server stopped");
  await expectAccessibleInAllViews(page, "exports");
  const started = page.waitForRequest((request) => request.method() === "POST" && request.url().includes("/logs/access/exports?format=csv&status=failure"));
  await page.getByRole("button", { name: /^Start again/ }).click();
  expect((await (await started).response())?.status()).toBe(202);

  over = true;
  await expect(row).toContainText("4 MiB");
  // Nothing runs, so nothing is asked.
  let asked = 0;
  page.on("request", (request) => (asked += Number(/\/api\/.*\/exports$/.test(request.url()))));
  await page.clock.runFor(10_000);
  expect(asked).toBe(0);
});

test("Of several that are asked for at once, each is heard of: one that the server refuses says why, and begins later", async ({ signedIn: page, clinic, pageErrors }) => {
  pageErrors.allow(/status of 503/);
  const why = "one caller may have 1 of the workspace's exports at a time; end one of yours first";
  const busy = { type: "about:blank", title: "Too many requests at once; try again", status: 503, detail: why, code: "busy", request_id: "r-1" };
  let release = () => {};
  const allAsked = new Promise<void>((resolve) => (release = resolve));
  const asked: string[] = [];
  await page.route(/\/logs\/framework\/exports\?/, async (route) => {
    const format = new URL(route.request().url()).searchParams.get("format") ?? "";
    asked.push(format);
    if (asked.length === 3) release();
    if (asked.length <= 3) await allAsked;
    // The one in the middle: what became of the last one must not hide it.
    if (format === "ndjson" && asked.length <= 4) return route.fulfill({ status: 503, json: busy, contentType: "application/problem+json" });
    if (format === "parquet") return route.fulfill({ status: 202, json: { ...one, ...whose, log: "framework", state: "running", events: 0, total: null } });
    return route.continue();
  });
  await page.goto(`/w/${clinic.slug}/framework?q=none`);
  for (const format of ["CSV", "NDJSON", "Parquet"]) await share(page, `${format} in the background`);
  const dialog = page.getByRole("dialog", { name: "An export did not begin" });
  await expect(dialog.getByRole("alert")).toHaveText("One caller may have 1 of the workspace's exports at a time; end one of yours first");
  await expect(dialog).toContainText("In the background: Framework log, CSV; Framework log, Parquet.");
  await expectAccessibleInAllViews(page, "export-refused");
  await dialog.getByRole("button", { name: "Try again: Framework log, NDJSON" }).click();
  await expect.poll(() => asked.filter((format) => format === "ndjson")).toHaveLength(2);
  await expect(dialog.getByRole("alert")).toContainText("One caller may have 1");

  // It is in the list until somebody has done with it.
  await dialog.getByRole("link", { name: "Show exports" }).click();
  const row = rows(page).filter({ hasText: "Framework log, NDJSON" });
  await expect(row).toContainText("“none” · All time");
  await expect(row.getByRole("alert")).toContainText("Not started");
  await expect(rows(page).filter({ hasText: "Framework log, CSV" })).toContainText("Kept until");
  await expectAccessibleInAllViews(page, "exports-refused");
  await row.getByRole("button", { name: /^Try again/ }).click();
  await expect(row).toContainText("Kept until");
  await expect(row.getByRole("alert")).toHaveCount(0);
  await page.getByRole("link", { name: "Framework", exact: true }).click();
  await expect(page.getByRole("searchbox")).toBeVisible();
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("Who may not export finds neither the menu nor the page", async ({ browser, server, clinic }) => {
  server.logbook("user", "create", "--email", "viewer@lakeside.test", "--name", "Vera", "--workspace", clinic.slug, "--role", "viewer");
  const page = await openAnotherPageOf(browser, server, "viewer@lakeside.test");
  await page.goto(`/w/${clinic.slug}/application`);
  await page.getByRole("button", { name: "Share this view" }).click();
  await expect(page.getByRole("menuitem", { name: "As curl" })).toBeVisible();
  await expect(page.getByRole("menuitem", { name: /CSV/ })).toHaveCount(0);
  await page.goto(`/w/${clinic.slug}/exports`);
  await expect(page.getByRole("heading", { name: "Your role cannot export the logs" })).toBeVisible();
  await page.context().close();
});

test("A refusal is told on the overview too, whatever the workspace is called", async ({ signedIn: page, server, pageErrors }) => {
  pageErrors.allow(/status of 503/);
  server.logbook("workspace", "create", "exports", "--name", "Exports");
  const busy = { type: "about:blank", title: "Too many requests at once; try again", status: 503, detail: "try again", code: "busy", request_id: "r-1" };
  let release = () => {};
  const atOverview = new Promise<void>((resolve) => (release = resolve));
  await page.route(/\/logs\/framework\/exports\?/, async (route) => {
    await atOverview;
    return route.fulfill({ status: 503, json: busy, contentType: "application/problem+json" });
  });
  await page.goto("/w/exports/framework");
  await share(page, "CSV in the background");
  await page.getByRole("link", { name: "Overview", exact: true }).click();
  await expect(page).toHaveURL(/\/w\/exports$/);
  release();
  await expect(page.getByRole("dialog", { name: "An export did not begin" }).getByRole("alert")).toHaveText("Try again");
});
