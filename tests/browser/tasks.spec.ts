// Twelve questions that bring people to the logs, each with the clicks and keys that its answer takes.
import type { Locator, Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import type { Server } from "./server.ts";

const SLUG = "rounds";
const DAY_MS = 86_400_000;
const session = "s-4711";

/** Sign-ins, changes and policy syncs of the last two weeks. */
async function fill(server: Server) {
  server.logbook("workspace", "create", SLUG, "--name", "Rounds", "--timezone", "Asia/Kolkata");
  const token = server.token("writer", SLUG);
  const ago = (days: number, minutes = 0) => new Date(Date.now() - days * DAY_MS - minutes * 60_000).toISOString();
  const post = async (log: string, events: object[]) => {
    const response = await fetch(`${server.url}/api/v1/workspaces/${SLUG}/logs/${log}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(events),
    });
    expect(response.status).toBe(201);
  };
  const asha = { id: "17", name: "Asha Rao" };
  const ravi = { id: "21", name: "Ravi Kumar" };
  const failure = { event_type: "login_failed", status: "failure", status_reason: "wrong_password" };
  await post("access", [
    ...Array.from({ length: 9 }, (_, index) => ({ ...failure, user: ravi, ip_address: "203.0.113.9", occurred_at: ago(2, index) })),
    ...Array.from({ length: 2 }, (_, index) => ({ ...failure, user: asha, ip_address: "198.51.100.4", occurred_at: ago(3, index) })),
    { event_type: "login", user: asha, session_id: session, ip_address: "198.51.100.4", occurred_at: ago(1, 30) },
    { event_type: "logout", user: asha, session_id: session, ip_address: "198.51.100.4", occurred_at: ago(1, 2) },
  ]);
  const change = { action: "update", actor: { type: "user", ...asha }, role: "Nurse", session_id: session };
  const noise = { action: "update", actor: { type: "service", id: "sync", name: "Nightly sync" }, model: "counter", record_id: "1" };
  await post("application", [
    { ...change, model: "patient", record_id: "92", record_name: "Li Lei", changes: [{ field: "status", old: "open", new: "closed" }], occurred_at: ago(1, 20) },
    { ...change, model: "patient", record_id: "92", record_name: "Li Lei", changes: [{ field: "ward", old: "A", new: "B" }], occurred_at: ago(1, 15) },
    { ...change, model: "visit", record_id: "92", record_name: "Visit 92", changes: [{ field: "status", old: "open", new: "missed" }], occurred_at: ago(1, 10) },
    ...Array.from({ length: 30 }, (_, index) => ({ ...noise, occurred_at: ago(1 + (index % 6), index) })),
    ...Array.from({ length: 10 }, (_, index) => ({ ...noise, occurred_at: ago(8 + (index % 6), index) })),
  ]);
  const policy = { action: "policy_synced", component: { type: "policy", id: "2", name: "OpsAccess" } };
  await post("framework", [
    { ...policy, status: "success", occurred_at: ago(3) },
    { ...policy, status: "failure", error: "role Physician does not exist", occurred_at: ago(0, 120) },
  ]);
}

const test12 = test.extend<object, { filled: string }>({
  filled: [
    async ({ server }, use) => {
      await fill(server);
      await use(SLUG);
    },
    { scope: "worker" },
  ],
});

/** Counts what somebody does. */
class Hands {
  clicks = 0;
  keys = 0;

  constructor(private readonly page: Page) {}

  async click(target: Locator) {
    this.clicks += 1;
    await target.click();
  }

  async press(key: string) {
    this.keys += 1;
    await this.page.keyboard.press(key);
  }

  async type(text: string) {
    this.keys += text.length;
    await this.page.keyboard.type(text);
  }

  expect(clicks: number, keys: number) {
    expect({ clicks: this.clicks, keys: this.keys }).toEqual({ clicks, keys });
  }
}

const rows = (page: Page) => page.getByRole("grid").getByRole("row").filter({ has: page.getByRole("gridcell") });
const card = (page: Page, title: string) => page.getByRole("group", { name: title, exact: true });
const details = (page: Page) => page.getByRole("dialog", { name: "Event details" });

async function open(page: Page, path: string) {
  await page.goto(`/w/${SLUG}/${path}`);
  await expect(rows(page).first()).toBeVisible();
  return new Hands(page);
}

test12("Who failed to sign in most, and from where", async ({ signedIn: page, filled: _ }) => {
  const hands = await open(page, "access?range=7d");
  await hands.click(card(page, "Failed Attempts").getByRole("button"));
  await hands.click(page.getByRole("button", { name: "Top values" }));
  await expect(page.getByRole("region", { name: "Users" }).getByRole("listitem").first()).toContainText(/Ravi Kumar.*9.*82%/s);
  await expect(page.getByRole("region", { name: "IP addresses" }).getByRole("listitem").first()).toContainText(/203\.0\.113\.9.*9/s);
  hands.expect(2, 0);
});

test12("What Asha Rao changed", async ({ signedIn: page, filled: _ }) => {
  const hands = await open(page, "application?range=7d");
  await page.getByLabel("More filters").selectOption("Actor");
  await hands.click(page.getByRole("combobox", { name: "Actor" }));
  await hands.type("asha");
  await page.getByRole("option", { name: /Asha Rao/ }).waitFor();
  await hands.press("ArrowDown");
  await hands.press("Enter");
  await expect(rows(page)).toHaveCount(3);
  await expect(page.getByRole("list", { name: "Active filters" })).toContainText("Asha Rao (17)");
  hands.expect(1, 6);
});

test12("One record's history", async ({ signedIn: page, filled: _ }) => {
  const hands = await open(page, "application?range=7d&actor_id=17");
  await hands.click(page.getByRole("grid").getByRole("button", { name: /^Li Lei/ }).first());
  await expect(rows(page)).toHaveCount(2);
  hands.expect(1, 0);
});

test12("The last policy sync, and why it failed", async ({ signedIn: page, filled: _ }) => {
  await page.goto(`/w/${SLUG}`);
  const run = page.getByRole("list", { name: "Latest run of each component" }).getByRole("listitem").first();
  await expect(run).toContainText(/Policy synced: OpsAccess.*2 hours ago.*Failure.*role Physician does not exist/s);
});

test12("The view as a link for somebody else", async ({ signedIn: page, filled: _ }) => {
  const hands = await open(page, "application?range=7d&action=update");
  await hands.click(page.getByRole("button", { name: "Share this view" }));
  await hands.click(page.getByRole("menuitem", { name: /Link with fixed times/ }));
  await expect(page.getByRole("status").filter({ hasText: "Copied" })).toBeAttached();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain("action=update");
  expect(copied).toContain("since=");
  hands.expect(2, 0);
});

test12("Which change made a field what it is", async ({ signedIn: page, filled: _ }) => {
  const hands = await open(page, "application?range=7d");
  await page.getByLabel("More filters").selectOption("Changed to");
  await hands.click(page.getByRole("combobox", { name: "Field" }));
  await page.getByRole("option", { name: "status" }).waitFor();
  await hands.press("ArrowDown");
  await hands.press("Enter");
  await hands.press("Tab");
  await hands.type("closed");
  await hands.press("Enter");
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page).first()).toContainText("status: open → closed");
  await expect(page.getByRole("list", { name: "Active filters" })).toContainText(/status.*changed to.*closed/);
  hands.expect(1, 10);
});

test12("What is left without the noise", async ({ signedIn: page, filled: _ }) => {
  const hands = await open(page, "application?range=7d");
  const model = page.getByRole("group", { name: "Model" });
  await hands.click(model.getByRole("button", { name: "Exclude counter" }));
  await expect(card(page, "Total Changes")).toContainText(/3$/);
  hands.expect(1, 0);
});

test12("This week against the last", async ({ signedIn: page, filled: _ }) => {
  const hands = await open(page, "application?range=7d&model=counter");
  await expect(card(page, "Total Changes")).toContainText(/200%.*10 of the period before.*30$/);
  await hands.click(page.getByRole("button", { name: /Compare with the period before/ }));
  await expect(page.getByRole("figure")).toContainText("Period before");
  await expect(page).toHaveURL(/compare=before/);
  hands.expect(1, 0);
});

test12("The result as a file", async ({ signedIn: page, filled: _ }) => {
  // A dialog for the place of the file would wait for somebody.
  await page.addInitScript(() => Reflect.deleteProperty(window, "showSaveFilePicker"));
  const hands = await open(page, "application?range=7d&actor_id=17");
  await hands.click(page.getByRole("button", { name: "Share this view" }));
  const download = page.waitForEvent("download");
  await hands.click(page.getByRole("menuitem", { name: "As CSV" }));
  const stream = await (await download).createReadStream();
  let text = "";
  for await (const part of stream) text += String(part);
  expect(text.trim().split("\n")).toHaveLength(4);
  expect(text).toContain("Li Lei");
  hands.expect(2, 0);
});

test12("What happens right now", async ({ signedIn: page, server, filled: _ }) => {
  const hands = await open(page, "framework?range=30d");
  await hands.click(page.getByRole("button", { name: /Live/ }));
  await expect(page.getByText("Following")).toBeVisible();
  const response = await fetch(`${server.url}/api/v1/workspaces/${SLUG}/logs/framework`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${server.token("writer", SLUG)}` },
    body: JSON.stringify([{ action: "release_applied", component: { type: "release", id: "9" } }]),
  });
  expect(response.status).toBe(201);
  await expect(rows(page).first()).toContainText("Release applied");
  hands.expect(1, 0);
});

test12("From a sign-in to everything in its session", async ({ signedIn: page, filled: _ }) => {
  const hands = await open(page, "access?range=7d&event_type=login");
  await rows(page).first().focus();
  await hands.press("s");
  await expect(page).toHaveURL(new RegExp(`timeline\\?session_id=${session}`));
  await expect(rows(page)).toHaveCount(5);
  await expect(rows(page).nth(1)).toContainText(/Application.*Update.*Visit 92/s);
  await hands.press("j");
  await hands.press("o");
  await expect(details(page)).toBeVisible();
  hands.expect(0, 3);
});

test12("All of it by keyboard", async ({ signedIn: page, filled: _ }) => {
  const hands = await open(page, "application?range=7d");
  await hands.press("Tab");
  await hands.press("Enter");
  await expect(rows(page).first()).toBeFocused();
  await hands.press("j");
  await hands.press("ArrowRight");
  await hands.press("x");
  await expect(page.getByRole("list", { name: "Active filters" }).getByRole("listitem")).toHaveCount(1);
  await hands.press("Control+k");
  await hands.type("access");
  await hands.press("Enter");
  await expect(page).toHaveURL(/\/access/);
  await expect(rows(page).first()).toBeVisible();
  hands.expect(0, 13);
});
