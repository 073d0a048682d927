// Exclusions, denied events, metadata filters, labels and the people behind an actor.
import type { Page } from "@playwright/test";
import { expect, expectAccessible, test } from "./fixtures.ts";

const card = (page: Page, title: string) => page.getByRole("group", { name: title, exact: true });
const grid = (page: Page) => page.getByRole("grid");
const rows = (page: Page) => grid(page).getByRole("row").filter({ has: page.getByRole("gridcell") });
const details = (page: Page) => page.getByRole("dialog", { name: "Event details" });
const chips = (page: Page) => page.getByRole("list", { name: "Active filters" }).getByRole("listitem");
const search = (page: Page) => new URL(page.url()).searchParams;

async function openRow(page: Page, text: string | RegExp) {
  await rows(page).filter({ hasText: text }).getByRole("gridcell").first().click();
  await expect(details(page)).toBeVisible();
}

test("A facet's value is excluded and included with the mouse", async ({ signedIn: page, ward }) => {
  await page.goto(`/w/${ward.slug}/application`);
  await expect(card(page, "Total Changes")).toContainText(/5$/);
  const role = page.getByRole("group", { name: "Role", exact: true });
  await role.getByRole("checkbox", { name: /Nurse/ }).hover();
  await role.getByRole("button", { name: "Exclude Nurse" }).click();
  await expect(card(page, "Total Changes")).toContainText(/2$/);
  expect(search(page).getAll("not_role")).toEqual(["Nurse"]);
  await expect(chips(page)).toHaveText([/Role.*is not.*Nurse/]);
  await expect(role.getByRole("button", { name: "Exclude Nurse" })).toHaveAttribute("aria-pressed", "true");
  await expect(role.getByRole("checkbox", { name: /Nurse.*excluded/ })).not.toBeChecked();

  await role.getByRole("checkbox", { name: /Nurse/ }).check();
  await expect(card(page, "Total Changes")).toContainText(/3$/);
  expect(search(page).has("not_role")).toBe(false);
  await expect(chips(page)).toHaveText([/Role.*is.*Nurse/]);
  await expect(rows(page)).toHaveCount(3);
});

test("A facet's value is excluded with the keyboard", async ({ signedIn: page, ward }) => {
  await page.goto(`/w/${ward.slug}/application`);
  const model = page.getByRole("group", { name: "Model" });
  await model.getByRole("checkbox", { name: /patient/ }).focus();
  await page.keyboard.press("Tab");
  await expect(model.getByRole("button", { name: "Exclude patient" })).toBeFocused();
  await expect(model.getByRole("button", { name: "Exclude patient" })).toHaveCSS("opacity", "1");
  await page.keyboard.press("Enter");
  await expect(card(page, "Total Changes")).toContainText(/2$/);
  await page.keyboard.press("Enter");
  await expect(card(page, "Total Changes")).toContainText(/5$/);
});

test("A chip turns into its opposite, is removed, and all are cleared", async ({ signedIn: page, ward }) => {
  await page.goto(`/w/${ward.slug}/application?role=Nurse&not_model=patient`);
  await expect(chips(page)).toHaveText([/Role.*is.*Nurse/, /Model.*is not.*patient/]);
  await expect(card(page, "Total Changes")).toContainText(/1$/);
  await chips(page).filter({ hasText: "Model" }).getByRole("button", { name: /^is not/ }).click();
  await expect(page).toHaveURL(/model=patient/);
  await expect(card(page, "Total Changes")).toContainText(/2$/);
  await page.getByRole("button", { name: "Remove filter Model is patient" }).click();
  await expect(chips(page)).toHaveCount(1);
  await page.getByRole("button", { name: "Clear all" }).click();
  await expect(chips(page)).toHaveCount(0);
  await expect(card(page, "Total Changes")).toContainText(/5$/);
});

test("A click on a value in a row includes it, and its button or Alt and a click excludes it", async ({ signedIn: page, ward }) => {
  await page.goto(`/w/${ward.slug}/application`);
  const row = rows(page).filter({ hasText: "visit" });
  await row.getByRole("button", { name: "visit, filter by model" }).hover();
  await row.getByRole("button", { name: "Exclude model visit" }).click();
  await expect(chips(page)).toHaveText([/Model.*is not.*visit/]);
  await expect(rows(page)).toHaveCount(4);
  await page.goBack();
  await expect(rows(page)).toHaveCount(5);
  await row.getByRole("button", { name: "visit, filter by model" }).click({ modifiers: ["Alt"] });
  await expect(chips(page)).toHaveText([/Model.*is not.*visit/]);
});

test("The values of an open event are included and excluded with the keyboard", async ({ signedIn: page, ward }) => {
  await page.goto(`/w/${ward.slug}/application`);
  await openRow(page, "Appointment 88");
  const value = details(page).getByRole("button", { name: "Nurse, filter by role" });
  await value.focus();
  await page.keyboard.press("Tab");
  await expect(details(page).getByRole("button", { name: "Exclude role Nurse" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(chips(page)).toHaveText([/Role.*is not.*Nurse/]);
  await page.goBack();
  await details(page).getByRole("button", { name: "Nurse, filter by role" }).press("Enter");
  await expect(chips(page)).toHaveText([/Role.*is.*Nurse/]);
});

test("Denied events have a card of their own in every log", async ({ signedIn: page, ward }) => {
  for (const [log, total, number] of [
    ["access", "Total Access Logs", 1],
    ["application", "Total Changes", 2],
    ["framework", "Total Events", 1],
  ] as const) {
    await page.goto(`/w/${ward.slug}/${log}`);
    await expect(card(page, "Denied")).toContainText(new RegExp(`${number}$`));
    await card(page, "Denied").getByRole("button").click();
    await expect(rows(page)).toHaveCount(number);
    await expect(rows(page).first().getByRole("button", { name: /^Denied/ })).toBeVisible();
    await expect(chips(page)).toHaveText([/Status.*is.*Denied/]);
    await expect(card(page, "Denied").getByRole("button")).toHaveAttribute("aria-pressed", "true");
    await card(page, total).getByRole("button").click();
    await expect(chips(page)).toHaveCount(0);
  }
});

test("Metadata is filtered by path, from the event and by typing", async ({ signedIn: page, ward }) => {
  await page.goto(`/w/${ward.slug}/application`);
  await openRow(page, "Appointment 88");
  await details(page).getByRole("button", { name: "eu-west, filter by request.region" }).click();
  await expect(chips(page)).toHaveText([/request\.region.*is.*eu-west/]);
  expect(search(page).get("metadata.request.region")).toBe("eu-west");
  await expect(rows(page)).toHaveCount(1);

  await page.getByRole("button", { name: "Clear all" }).click();
  const form = page.getByRole("form", { name: "Add a filter" });
  await form.getByLabel("More filters").selectOption("Metadata");
  await form.getByLabel("Comparison").selectOption("is not");
  await form.getByLabel("Path").fill("request.region");
  await form.getByLabel("Value").fill("eu-west");
  await form.getByLabel("Value").press("Enter");
  await expect(chips(page)).toHaveText([/request\.region.*is not.*eu-west/]);
  await expect(rows(page)).toHaveCount(4);
  // A link holds the filter.
  await page.reload();
  await expect(chips(page)).toHaveText([/request\.region.*is not.*eu-west/]);
  await expect(rows(page)).toHaveCount(4);
});

test("A network filters addresses, and the server's error about another text is at the field", async ({ signedIn: page, ward, pageErrors }) => {
  pageErrors.allow(/status of 400/);
  await page.goto(`/w/${ward.slug}/access`);
  const form = page.getByRole("form", { name: "Add a filter" });
  await form.getByLabel("More filters").selectOption("IP address");
  const field = form.getByRole("textbox", { name: "IP address" });
  await field.fill("10.0.0.0/99");
  await field.press("Enter");
  await expect(form.getByRole("alert")).not.toBeEmpty();
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await expect(field).toHaveValue("10.0.0.0/99");
  await expect(chips(page)).toHaveCount(0);
  await expectAccessible(page);
  await field.fill("10.0.0.0/8");
  await form.getByRole("button", { name: "Add" }).click();
  await expect(chips(page)).toHaveText([/IP address.*is.*10\.0\.0\.0\/8/]);
  await expect(rows(page)).toHaveCount(2);
});

test("Changes show names, with the bare values beside them", async ({ signedIn: page, ward }) => {
  await page.goto(`/w/${ward.slug}/application`);
  await openRow(page, "Appointment 88");
  const changes = details(page).getByRole("list", { name: "Changed fields" }).getByRole("listitem");
  const doctor = changes.filter({ hasText: "Doctor" });
  await expect(doctor.getByRole("deletion")).toHaveText("was Asha Rao");
  await expect(doctor.getByRole("insertion")).toHaveText("now Ben Kim");
  await expect(doctor).toContainText("doctor_id");
  await expect(changes.filter({ hasText: "Care team" }).getByRole("insertion")).toContainText("Ben Kim, Mara Olsen");
});

test("An open event says for whom, why, to what and from where", async ({ signedIn: page, ward }) => {
  await page.goto(`/w/${ward.slug}/application`);
  await expect(rows(page).filter({ hasText: "Appointment 88" })).toContainText(/Support Bot.*Agent.*for.*Asha Rao/);
  await openRow(page, "Appointment 88");
  await expect(details(page).getByRole("heading", { name: /Support Bot for Asha Rao changed/ })).toBeVisible();
  await expect(details(page)).toContainText("INC-4711: move the ward round");
  await expect(details(page)).toContainText("4711, epoch pod-7");
  await details(page).getByRole("button", { name: /^Night shift.*filter by target/ }).click();
  await expect(page).toHaveURL(/target=group(:|%3A)7/);
  await expect(chips(page)).toHaveText([/Target.*is.*Night shift/]);
  await expect(rows(page)).toHaveCount(1);
});
