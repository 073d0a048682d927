// The sessions of the app's users: who was signed in, from when to when, and how it ended.
import { expect, expectAccessibleInAllViews, test } from "./fixtures.ts";
import type { Server } from "./server.ts";

const SLUG = "night-ward";
const at = (minute: number) => new Date(Date.UTC(2026, 9, 1, 22, minute)).toISOString();
const asha = { type: "user", id: "17", name: "Asha Rao" };
const ravi = { type: "user", id: "21", name: "Ravi Kumar" };
const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";

/** Two sessions of Asha (one that she ended) and one of Ravi without an id. */
async function fill(server: Server) {
  server.logbook("workspace", "create", SLUG, "--name", "Night Ward");
  const token = server.token("writer", SLUG);
  const post = async (log: string, events: object[]) => {
    const response = await fetch(`${server.url}/api/v1/workspaces/${SLUG}/logs/${log}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(events),
    });
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  };
  const login = { event_type: "login", role: "Nurse", user_agent: CHROME };
  await post("access", [
    { ...login, occurred_at: at(0), user: asha, session_id: "s-1", ip_address: "198.51.100.4" },
    { event_type: "logout", occurred_at: at(25), user: asha, session_id: "s-1", ip_address: "198.51.100.4" },
    { ...login, occurred_at: at(30), user: ravi, ip_address: "10.1.2.3" },
    { ...login, occurred_at: at(40), user: asha, session_id: "s-2", ip_address: "10.1.2.4" },
  ]);
  const change = { action: "update", model: "visit", record_id: "5" };
  await post("application", [
    { ...change, occurred_at: at(5), actor: asha, session_id: "s-1" },
    { ...change, occurred_at: at(35), actor: ravi },
  ]);
}

const test1 = test.extend<object, { filled: true }>({
  filled: [
    async ({ server }, use) => {
      await fill(server);
      await use(true);
    },
    { scope: "worker" },
  ],
});

test1("Sessions are listed, filtered and followed", async ({ signedIn: page, filled: _ }) => {
  await page.goto(`/w/${SLUG}`);
  await page.getByRole("region", { name: "Access log" }).getByRole("link", { name: "Sessions" }).click();
  await expect(page).toHaveURL(/sessions\?range=30d/);
  await page.goto(`/w/${SLUG}/sessions`);
  const rows = page.getByRole("table", { name: "Sessions" }).getByRole("row").filter({ has: page.getByRole("link") });
  await expect(rows).toHaveCount(3);
  const ended = rows.filter({ hasText: "Signed out" });
  await expect(ended).toContainText(/Asha Rao.*Nurse.*25 min.*Chrome 141 on Windows.*198\.51\.100\.4.*3.*1/s);
  await expectAccessibleInAllViews(page, "workspace-sessions");
  await page.setViewportSize({ width: 1440, height: 900 });

  const users = rows.getByRole("link");
  await expect(users).toHaveText(["Asha Rao", "Ravi Kumar", "Asha Rao"]);
  await expect(rows.first()).not.toContainText("Signed out");
  await page.getByRole("button", { name: /Signed in.*newest first/ }).click();
  await expect(page).toHaveURL(/order=asc/);
  await expect(rows.first()).toContainText("Signed out");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("button", { name: /Signed in.*oldest first/ }).click();
  await expect(page).not.toHaveURL(/order/);
  await expect(rows.first()).not.toContainText("Signed out");
  await page.setViewportSize({ width: 1440, height: 900 });

  await page.getByRole("combobox", { name: "User" }).fill("asha");
  await page.getByRole("listbox", { name: "Suggestions" }).getByRole("option").first().click();
  await expect(page).toHaveURL(/user_id=17/);
  await expect(rows).toHaveCount(2);
  await page.getByLabel("IP address or network").fill("10.0.0.0/8");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(rows).toHaveCount(1);
  await page.getByRole("button", { name: "Remove the user" }).click();
  await expect(rows).toHaveCount(2);
  await rows.filter({ hasText: "Ravi" }).getByRole("link").click();
  await expect(page).toHaveURL(/timeline\?actor=user%3A21&since=/);
  await expect(page.getByRole("grid", { name: "Timeline" }).getByRole("row").filter({ has: page.getByRole("gridcell") })).toHaveCount(2);
  await page.goBack();
  await expect(rows).toHaveCount(2);
});

test1("An event leads to its session, and a wrong address says so", async ({ signedIn: page, filled: _, pageErrors }) => {
  pageErrors.allow(/status of 400/);
  await page.goto(`/w/${SLUG}/access?session_id=s-1`);
  await page.getByRole("grid").getByRole("row").nth(1).getByRole("gridcell").first().click();
  await page.getByRole("navigation", { name: "Timeline" }).getByRole("link", { name: "Session", exact: true }).click();
  await expect(page).toHaveURL(/sessions\?session_id=s-1/);
  const rows = page.getByRole("table", { name: "Sessions" }).getByRole("row");
  await expect(rows).toHaveCount(2);
  await rows.nth(1).getByRole("link").click();
  await expect(page).toHaveURL(/timeline\?session_id=s-1/);

  await page.goto(`/w/${SLUG}/sessions`);
  await page.getByLabel("IP address or network").fill("nowhere");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page.getByRole("alert")).toContainText("must be an IP address");
  await page.goto(`/w/${SLUG}/sessions?user_id=nobody`);
  await expect(page.getByText("No sessions match")).toBeVisible();
});
