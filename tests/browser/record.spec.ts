// The page of a record: its versions, its state at each, who set what, two of them compared, gaps and the restore patch.
import type { Page } from "@playwright/test";
import { expect, expectAccessibleInAllViews, test as base } from "./fixtures.ts";

const slug = "theatre";
const at = (minute: number) => new Date(Date.UTC(2026, 9, 1, 9, minute)).toISOString();
const people = [
  { type: "user", id: "17", name: "Asha Rao" },
  { type: "user", id: "21", name: "Ravi Kumar" },
];

const note = "The patient slept well and asked for a second pillow.";
const changes = [
  [
    { field: "status", old: null, new: "open" },
    { field: "doctor_id", label: "Doctor", old: null, new: 7, new_label: "Asha Rao" },
    { field: "note", old: null, new: note },
    { field: "roles", added: ["Nurse"], removed: [] },
  ],
  [
    { field: "doctor_id", label: "Doctor", old: 7, old_label: "Asha Rao", new: 9, new_label: "Ben Kim" },
    { field: "note", old: note, new: note.replace("second pillow", "warm blanket") },
  ],
  [],
  [
    { field: "status", old: "parked", new: "closed" },
    { field: "api_token", old: null, new: "0123456789abcdef0123456789abcdef" },
  ],
];

const test = base.extend<object, { theatre: string }>({
  theatre: [
    async ({ server }, use) => {
      server.logbook("workspace", "create", slug, "--name", "Theatre", "--timezone", "Asia/Kolkata");
      const event = (index: number, model: string, record_id: string) => ({
        occurred_at: at(index),
        action: ["create", "update", "view", "update"][index],
        actor: people[index % 2],
        model,
        record_id,
        record_name: "Visit 7",
        changes: changes[index],
      });
      const events = changes.flatMap((_, index) => [event(index, "visit", "7"), event(index, "app/visit", "2026/7.b")]);
      const response = await fetch(`${server.url}/api/v1/workspaces/${slug}/logs/application`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${server.token("writer", slug)}` },
        body: JSON.stringify(events),
      });
      if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
      await use(slug);
    },
    { scope: "worker" },
  ],
});

const fields = (page: Page) => page.getByRole("table", { name: "Fields" });
const field = (page: Page, name: string) => fields(page).getByRole("row").filter({ has: page.getByRole("rowheader", { name }) });
const versions = (page: Page) => page.getByRole("navigation", { name: "Versions" });
const version = (page: Page, number: number) => versions(page).getByRole("listitem").nth(4 - number);

test("A record shows its latest state, with labels, who set each field, and gaps", async ({ signedIn: page, theatre }) => {
  await page.goto(`/w/${theatre}/records/visit/7`);
  await expect(page.getByRole("heading", { name: "Visit 7", level: 1 })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Version 4, the latest" })).toBeVisible();
  await expect(versions(page).getByRole("listitem")).toHaveCount(4);
  await expect(field(page, "Doctor")).toContainText(/Ben Kim.*9.*Ravi Kumar.*version 2.*Asha Rao/);
  await expect(field(page, "roles")).toContainText(/Nurse.*Asha Rao.*version 1/);
  await expect(field(page, "api_token")).toContainText("masked");
  await expect(field(page, "status")).toContainText("with a gap");
  const gaps = page.getByRole("note", { name: "Gaps" });
  await expect(gaps).toContainText("The log missed a write");
  await expect(gaps).toContainText(/status.*became.*parked.*from.*open/);
});

test("A record is followed through time, by list, slider and keyboard, and Back leaves it", async ({ signedIn: page, theatre }) => {
  await page.goto(`/w/${theatre}/application`);
  await page.goto(`/w/${theatre}/records/visit/7`);
  await version(page, 1).getByRole("button", { name: /Create/ }).click();
  await expect(page.getByRole("heading", { name: "Version 1", exact: true })).toBeVisible();
  await expect(field(page, "Doctor")).toContainText("Asha Rao");
  await expect(page.getByRole("note", { name: "Gaps" })).toHaveCount(0);
  expect(new URL(page.url()).searchParams.get("at")).toMatch(/^[0-9a-f-]{36}$/);
  await page.reload();
  await expect(page.getByRole("heading", { name: "Version 1", exact: true })).toBeVisible();
  const slider = page.getByRole("slider", { name: "Version" });
  await expect(slider).toHaveAttribute("aria-valuetext", /^Version 1, .*Create by Asha Rao/);
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("heading", { name: "Version 2", exact: true })).toBeVisible();
  await page.keyboard.press("End");
  await expect(page.getByRole("heading", { name: "Version 4, the latest" })).toBeVisible();
  await page.getByRole("button", { name: "Previous version" }).click();
  await expect(page.getByRole("heading", { name: "Version 3", exact: true })).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/application$/);
});

test("Two versions are compared, whichever is chosen first, word by word", async ({ signedIn: page, theatre }) => {
  await page.goto(`/w/${theatre}/records/visit/7`);
  await version(page, 1).getByRole("button", { name: "Compare with version 1" }).click();
  await expect(page.getByRole("heading", { name: "Version 1 and version 4" })).toBeVisible();
  const differences = page.getByRole("list", { name: "Differences" }).getByRole("listitem");
  await expect(differences).toHaveCount(4);
  const words = differences.filter({ hasText: "note" });
  await expect(words.getByRole("deletion")).toHaveText(["second", "pillow"]);
  await expect(words.getByRole("insertion")).toHaveText(["warm", "blanket"]);
  await expect(differences.filter({ hasText: "Doctor" })).toContainText(/Asha Rao.*Ben Kim/);
  // The other way around.
  await version(page, 1).getByRole("button", { name: /Create/ }).click();
  await version(page, 2).getByRole("button", { name: "Compare with version 2" }).click();
  await expect(page.getByRole("heading", { name: "Version 1 and version 2" })).toBeVisible();
  await expect(differences).toHaveCount(2);
  await page.getByRole("button", { name: "Stop comparing" }).click();
  await expect(page.getByRole("heading", { name: "Version 1", exact: true })).toBeVisible();
});

test("The patch that leads back to a version is copied", async ({ signedIn: page, context, theatre }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(`/w/${theatre}/records/visit/7`);
  await expect(page.getByRole("button", { name: "Copy restore patch" })).toHaveCount(0);
  await version(page, 1).getByRole("button", { name: /Create/ }).click();
  await page.getByRole("button", { name: "Copy restore patch" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Copied: 4 fields" })).toBeVisible();
  const patch: unknown = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  expect(patch).toEqual({ api_token: null, doctor_id: 7, note, status: "open" });
});

test("A record with a slash in its name has a page, and one without events says so", async ({ signedIn: page, theatre, pageErrors }) => {
  await page.goto(`/w/${theatre}/records/-/-?model=app%2Fvisit&record_id=2026%2F7.b`);
  await expect(field(page, "roles")).toContainText("Nurse");
  await version(page, 2).getByRole("button", { name: /Update/ }).click();
  await expect(page.getByRole("heading", { name: "Version 2", exact: true })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: "Version 2", exact: true })).toBeVisible();
  pageErrors.allow(/status of 404/);
  await page.goto(`/w/${theatre}/records/visit/8`);
  await expect(page.getByRole("heading", { name: "Not found" })).toBeVisible();
});

test("The page of a record is accessible", async ({ signedIn: page, theatre }) => {
  await page.goto(`/w/${theatre}/records/visit/7`);
  await expect(fields(page)).toBeVisible();
  await expectAccessibleInAllViews(page, "record");
  await version(page, 1).getByRole("button", { name: "Compare with version 1" }).click();
  await expect(page.getByRole("list", { name: "Differences" })).toBeVisible();
  await expectAccessibleInAllViews(page, "record-compare");
});
