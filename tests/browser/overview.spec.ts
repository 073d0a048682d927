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

test("The overview asks for figures only where there are events", async ({ signedIn: page, doors }) => {
  const asked: string[] = [];
  page.on("request", (request) => {
    const { pathname, search } = new URL(request.url());
    const [, log] = /\/workspaces\/[^/]+\/(logs\/.*|sources|timeline.*)$/.exec(pathname) ?? [];
    if (log) asked.push(log + search);
  });
  await page.goto(`/w/${doors.empty}`);
  await expect(page.getByText("Waiting for the first event")).toBeVisible();
  await page.waitForLoadState("networkidle");
  // Whether there is any event; the source that is waited for is asked for again and again.
  const metrics = ["logs/access/metrics", "logs/application/metrics", "logs/framework/metrics"];
  expect(asked.filter((path) => path !== "sources").toSorted()).toEqual(metrics);

  await page.goto("/w/peerapp");
  await expect(page.getByRole("group", { name: "Total Access Logs" })).toContainText(/\d$/);
  await page.waitForLoadState("networkidle");
  asked.length = 0;
  await page.getByRole("link", { name: "Access", exact: true }).click();
  await expect(page.getByRole("gridcell").first()).toBeVisible();
  await page.getByRole("link", { name: "Overview", exact: true }).click();
  await expect(page.getByRole("group", { name: "Total Access Logs" })).toContainText(/\d$/);
  await page.waitForLoadState("networkidle");
  // That there are some is known now.
  expect(asked.filter((path) => metrics.includes(path))).toEqual([]);
});
