// The activity log: what happens in Logbook itself, for admins and auditors.
import { test as baseTest } from "@playwright/test";
import { expect, expectAccessible } from "./fixtures.ts";
import { Server } from "./server.ts";

baseTest("The settings have the activity log", async ({ page }) => {
  const server = await Server.start({ LOGBOOK_AUDIT: "true" });
  try {
    server.logbook("workspace", "create", "ward", "--name", "Ward Nine");
    await page.goto(await server.signInLink());
    await page.getByRole("button", { name: "Not now" }).click();
    const tabs = page.getByRole("navigation", { name: "Settings" });
    await page.goto(`${server.url}/w/ward/framework`);
    // What Logbook records of itself does not fill the logs of the app.
    await expect(page.getByText("No events yet")).toBeVisible();
    await page.getByRole("link", { name: "Settings" }).click();
    await tabs.getByRole("link", { name: "Activity" }).click();
    const rows = page.getByRole("grid", { name: "Activity log" }).getByRole("row");
    const created = rows.filter({ hasText: "Workspace created" });
    await expect(created).toHaveCount(1);
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await expect(created).toBeVisible();
      await expectAccessible(page);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    await created.getByRole("gridcell").first().click();
    const details = page.getByRole("dialog", { name: "Event details" });
    await expect(details.getByRole("heading", { name: /^Workspace created/ })).toBeVisible();
    await expect(page).toHaveURL(/\/settings\/activity\?event=/);
    await expectAccessible(page);
    await details.getByRole("button", { name: "Workspace created, filter by action" }).click();
    await expect(page).toHaveURL(/\/settings\/activity\?action=workspace_created/);
    await expect(page.getByRole("group", { name: "Total Activity" })).toContainText(/1$/);
  } finally {
    await server.stop();
  }
});
