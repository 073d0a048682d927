import { expect, fixtureCounts, test } from "./fixtures.ts";

test("The overview shows the three logs and links to each", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp?range=all");
  for (const [log, title, number] of [
    ["Access log", "Total Access Logs", fixtureCounts.access.total],
    ["Access log", "Failed Attempts", fixtureCounts.access.failed],
    ["Access log", "Denied", 0],
    ["Application log", "Total Changes", fixtureCounts.application.total],
    ["Application log", "Created", fixtureCounts.application.created],
    ["Application log", "Updated", fixtureCounts.application.updated],
    ["Application log", "Deleted", fixtureCounts.application.deleted],
    ["Framework log", "Total Events", fixtureCounts.framework.total],
    ["Framework log", "Failed", fixtureCounts.framework.failed],
  ] as const) {
    const card = page.getByRole("region", { name: log }).getByRole("group", { name: title, exact: true });
    await expect(card).toContainText(new RegExp(`${number}$`));
  }
  for (const [log, title] of [
    ["access", "Access log"],
    ["application", "Application log"],
    ["framework", "Framework log"],
  ] as const) {
    const section = page.getByRole("region", { name: title });
    await expect(section.getByRole("listitem").first()).toBeVisible();
    await section.getByRole("link", { name: title }).first().click();
    await expect(page).toHaveURL(new RegExp(`/w/peerapp/${log}`));
    await page.goBack();
  }
});

test("The workspace menu switches to another workspace", async ({ signedIn: page, clinic }) => {
  await page.goto("/w/peerapp/application");
  await page.getByRole("button", { name: /Workspace/ }).click();
  await page.getByRole("menuitem", { name: new RegExp(clinic.name) }).click();
  await expect(page).toHaveURL(/\/w\/lakeside/);
});
