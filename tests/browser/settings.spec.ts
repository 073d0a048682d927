// The settings of a workspace.
import { expect, expectAccessible, test } from "./fixtures.ts";

const newWorkspace = (subject: string) => {
  const slug = `workspace-${subject}-${Math.random().toString(36).slice(2, 8)}`;
  return { slug, name: `Workspace for ${subject}` };
};

test("A key is created, shown once, used and revoked", async ({ signedIn: page, server }) => {
  const { slug, name } = newWorkspace("key");
  server.logbook("workspace", "create", slug, "--name", name);
  await page.goto(`/w/${slug}`);
  await page.getByRole("navigation", { name: "Workspace" }).getByRole("link", { name: "Settings" }).click();
  await page.getByRole("link", { name: "API keys" }).click();
  await expect(page.getByText("No API keys yet")).toBeVisible();
  await page.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog", { name: "New API key" });
  await dialog.getByLabel("Name").fill("Vector in Mumbai");
  await dialog.getByLabel("Role").selectOption("writer");
  await dialog.getByLabel("Expiration").selectOption("90 days");
  await dialog.getByLabel("Name").press("Enter");
  const shown = dialog.getByRole("region", { name: "API key" });
  await expect(shown).toHaveText(/^lbk_[a-z0-9]{12}_\S{43}$/);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Copy API key" }).click();
  await expect(dialog.getByRole("button", { name: "Copy API key" })).toHaveText("Copied");
  await page.mouse.click(5, 5);
  const token = await page.evaluate(() => navigator.clipboard.readText());
  expect(token).toBe(await shown.textContent());
  await dialog.getByRole("button", { name: "Done" }).click();
  // The page does not contain it any more.
  expect(await page.content()).not.toContain(token);
  const row = page.getByRole("listitem").filter({ hasText: "Vector in Mumbai" });
  await expect(row).toContainText(`lbk_${token.split("_")[1]}…`);
  await expect(row).toContainText("Never used");

  const append = () =>
    fetch(`${server.url}/api/v1/workspaces/${slug}/logs/access`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify([{ event_type: "login" }]),
    });
  expect((await append()).status).toBe(201);
  await row.getByRole("button", { name: "Revoke" }).click();
  const confirmation = page.getByRole("dialog", { name: "Revoke key" });
  await confirmation.getByRole("button", { name: "Cancel" }).click();
  expect((await append()).status).toBe(201);
  await row.getByRole("button", { name: "Revoke" }).click();
  await confirmation.getByRole("button", { name: "Revoke" }).click();
  await expect(row).toContainText("Revoked");
  await expect(row.getByRole("button")).toHaveCount(0);
  expect((await append()).status).toBe(401);
});

test("Keys from the command line and from the settings are the same", async ({ signedIn: page, server }) => {
  const { slug, name } = newWorkspace("cli");
  server.logbook("workspace", "create", slug, "--name", name);
  const output = server.logbook("keys", "create", "--workspace", slug, "--role", "writer", "--name", "shipper", "--days", "7");
  const token = output.trim().split("\n").at(-1) ?? "";
  const prefix = token.split("_")[1] ?? "";
  const append = () =>
    fetch(`${server.url}/api/v1/workspaces/${slug}/logs/access`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify([{ event_type: "login" }]),
    });
  expect((await append()).status).toBe(201);
  const list = server.logbook("keys", "list", "--workspace", slug);
  expect(list).toContain(`${prefix}\twriter\tactive`);
  expect(list).not.toContain(token);
  await page.goto(`/w/${slug}/settings/keys`);
  await expect(page.getByRole("listitem").filter({ hasText: "shipper" })).toContainText("created by command line");
  server.logbook("keys", "revoke", "--workspace", slug, prefix);
  await expect.poll(async () => (await append()).status).toBe(401);
  expect(() => server.logbook("keys", "revoke", "--workspace", slug, "k7w2m9x4c1qd")).toThrow(/no such key/);
});

test("A member is invited, signs in, gets another role and is removed", async ({ signedIn: page, server, browser, pageErrors }) => {
  pageErrors.allow(/status of 409/);
  const { slug, name } = newWorkspace("member");
  server.logbook("workspace", "create", slug, "--name", name);
  await page.goto(`/w/${slug}/settings`);
  await expect(page).toHaveURL(`/w/${slug}/settings/members`);
  await page.getByRole("button", { name: "Invite member" }).click();
  const dialog = page.getByRole("dialog", { name: "Invite member" });
  await dialog.getByLabel("E-mail").fill("jo@clinic.test");
  await dialog.getByLabel("Name").fill("Jo March");
  await dialog.getByLabel("Role").selectOption("admin");
  await dialog.getByRole("button", { name: "Invite" }).click();
  const link = (await dialog.getByRole("region", { name: "sign-in link" }).textContent()) ?? "";
  expect(link).toContain(`${server.url}/sign-in#link=`);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Done" }).click();
  const invitations = page.getByRole("region", { name: "Invitations" }).getByRole("listitem");
  await expect(invitations).toHaveCount(1);
  await expect(invitations).toContainText("jo@clinic.test");
  const row = page.getByRole("listitem").filter({ hasText: "Jo March" });
  await expect(row).toHaveCount(0);

  const memberPage = await (await browser.newContext()).newPage();
  await memberPage.goto(link);
  await memberPage.getByRole("button", { name: "Not now" }).click();
  await expect(memberPage.getByRole("navigation", { name: "Workspace" }).getByRole("link", { name: "Settings" })).toBeVisible();
  await page.reload();
  await expect(row).toBeVisible();
  await expect(page.getByText("No open invitations")).toBeVisible();

  // The last admin keeps the role, and the list shows it again.
  await row.getByLabel("Role of Jo March").selectOption("viewer");
  await expect(page.getByRole("alert")).toContainText("make somebody else an admin first");
  await expect(row.getByLabel("Role of Jo March")).toHaveValue("admin");

  await page.getByRole("button", { name: "Invite member" }).click();
  await dialog.getByLabel("E-mail").fill("jo@clinic.test");
  await dialog.getByRole("button", { name: "Invite" }).click();
  await expect(dialog.getByRole("alert")).toContainText("already");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  server.logbook("user", "create", "--email", `amy@${slug}.test`, "--name", "Amy March", "--workspace", slug, "--role", "admin");

  await row.getByLabel("Role of Jo March").selectOption("viewer");
  await expect(row.getByLabel("Role of Jo March")).toHaveValue("viewer");
  await expect(row).toContainText("Last sign-in");
  await memberPage.reload();
  await expect(memberPage.getByRole("link", { name: "Overview" })).toBeVisible();
  await memberPage.getByRole("link", { name: "Settings" }).click();
  await expect(memberPage.getByRole("navigation", { name: "Settings" }).getByRole("link")).toHaveText(["Sources", "Masking"]);

  await row.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog", { name: "Remove member" }).getByRole("button", { name: "Remove" }).click();
  await expect(row).toHaveCount(0);
  await memberPage.goto(`${server.url}/w/${slug}`);
  await expect(memberPage.getByRole("heading", { name: "Workspace not found" })).toBeVisible();
  await memberPage.context().close();
});

test("A platform admin renames a workspace and moves it to another address", async ({ signedIn: page, server, pageErrors }) => {
  pageErrors.allow(/status of 409/);
  const { slug, name } = newWorkspace("general");
  server.logbook("workspace", "create", slug, "--name", name);
  await page.goto(`/w/${slug}/settings/general`);
  await page.getByLabel("Short name").fill("peerapp");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toContainText("already");
  await page.getByLabel("Name", { exact: true }).fill("Riverside");
  await page.getByLabel("Short name").fill(`${slug}-2`);
  await page.getByLabel("Time zone").fill("Asia/Kolkata");
  await page.getByLabel("Date format").selectOption("yyyy-mm-dd");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(`/w/${slug}-2/settings/general`);
  await expect(page.getByRole("button", { name: "Workspace: Riverside" })).toBeVisible();
  await page.reload();
  await expect(page.getByLabel("Time zone")).toHaveValue("Asia/Kolkata");
  await expect(page.getByLabel("Date format")).toHaveValue("yyyy-mm-dd");
});

test("Fields to mask and to keep are listed, tried and saved", async ({ signedIn: page, server, pageErrors }) => {
  pageErrors.allow(/status of 422/);
  const { slug, name } = newWorkspace("masking");
  server.logbook("workspace", "create", slug, "--name", name);
  await page.goto(`/w/${slug}/settings/members`);
  await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Masking" }).click();
  const mask = page.getByRole("region", { name: "Mask", exact: true });
  const keep = page.getByRole("region", { name: "Keep", exact: true });
  const save = page.getByRole("button", { name: "Save" });
  await expect(mask.getByText("No fields")).toBeVisible();
  await expect(save).toBeDisabled();
  await expectAccessible(page);

  await mask.getByLabel("Field to mask").fill("patient_id, address.street");
  await mask.getByLabel("Field to mask").press("Enter");
  await keep.getByLabel("Field to keep").fill("PatientId");
  await keep.getByRole("button", { name: "Add" }).click();
  await expect(mask.getByRole("listitem")).toHaveText(["patient_id", "address.street"]);
  await save.click();
  // The name that is refused says why.
  await expect(keep.getByRole("alert")).toContainText("`PatientId` is also in the list of fields to mask");
  await expectAccessible(page);
  await keep.getByRole("button", { name: "Remove PatientId from Keep" }).click();
  await keep.getByLabel("Field to keep").fill("next_token");
  await keep.getByLabel("Field to keep").press("Enter");

  const trial = page.getByRole("region", { name: "Try it" });
  await trial.getByLabel("Metadata as JSON").fill("not JSON");
  await trial.getByRole("button", { name: "Try" }).click();
  await expect(trial.getByRole("alert")).toHaveText("This is not a JSON object.");
  const metadata = { patientId: "P-1204", address: { street: "4 Hill Road", city: "Pune" } };
  await trial.getByLabel("Metadata as JSON").fill(JSON.stringify(metadata));
  await trial.getByRole("button", { name: "Try" }).click();
  const shown = trial.getByRole("region", { name: "masked metadata" });
  await expect(shown).toContainText("Pune");
  expect(JSON.parse((await shown.textContent()) ?? "")).toEqual({
    patientId: "[masked]",
    address: { street: "[masked]", city: "Pune" },
  });
  await expectAccessible(page);

  await save.click();
  await expect(page.getByRole("status").filter({ hasText: "Saved" })).toBeVisible();
  await expect(save).toBeDisabled();
  await page.reload();
  await expect(mask.getByRole("listitem")).toHaveText(["patient_id", "address.street"]);
  await expect(keep.getByRole("listitem")).toHaveText(["next_token"]);
  const response = await fetch(`${server.url}/api/v1/workspaces/${slug}/logs/access`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${server.token("writer", slug)}` },
    body: JSON.stringify([{ event_type: "login", metadata }]),
  });
  expect(response.status).toBe(201);
  await page.goto(`/w/${slug}/access`);
  await page.getByRole("gridcell").first().click();
  await expect(page.getByRole("dialog")).toContainText("Pune");
  await expect(page.getByRole("dialog")).not.toContainText("4 Hill Road");
});
