import { expect, facts, test } from "./fixtures.ts";

test("The overview shows the three logs, filled, and leads into each", async ({ signedIn: page }) => {
  await page.goto("/w/peerapp?range=all");
  for (const [title, number] of [
    ["Total Access Logs", facts.access.total],
    ["Failed Attempts", facts.access.failed],
    ["Total Changes", facts.application.total],
    ["Created", facts.application.created],
    ["Updated", facts.application.updated],
    ["Deleted", facts.application.deleted],
    ["Total Events", facts.framework.total],
    ["Failed", facts.framework.failed],
  ] as const) {
    await expect(page.getByRole("group", { name: title, exact: true })).toContainText(new RegExp(`${number}$`));
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

test("The workspace switcher goes from one workspace to another", async ({ signedIn: page, clinic }) => {
  await page.goto("/w/peerapp/application");
  await page.getByRole("button", { name: /Workspace/ }).click();
  await page.getByRole("menuitem", { name: new RegExp(clinic.name) }).click();
  await expect(page).toHaveURL(/\/w\/lakeside/);
});
