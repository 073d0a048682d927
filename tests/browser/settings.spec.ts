// Settings of a workspace, and what each role is offered.
import type { Page } from "@playwright/test";
import { expect, expectAccessible, test } from "./fixtures.ts";

const PASSWORD = "correct horse battery";

/** A member's own browser: invited through the API, signed in by their link, with a password. */
async function join(page: Page, url: string, token: string, slug: string, name: string, role: string) {
  const email = `${name.toLowerCase()}-${slug}@clinic.test`;
  const ask = (method: string, path: string, bearer: string | undefined, body: object) =>
    fetch(`${url}/api/v1${path}`, {
      method,
      headers: { "content-type": "application/json", ...(bearer && { authorization: `Bearer ${bearer}` }) },
      body: JSON.stringify(body),
    });
  const invited = await ask("POST", `/workspaces/${slug}/members`, token, { email, name, role });
  expect(invited.status).toBe(201);
  const { sign_in_link } = (await invited.json()) as { sign_in_link: string };
  const link = await ask("POST", "/auth/link", undefined, { token: sign_in_link.split("#link=")[1] ?? "" });
  const { access_token } = (await link.json()) as { access_token: string };
  expect((await ask("PUT", "/auth/password", access_token, { password: PASSWORD })).status).toBe(204);
  const answer = await page.context().request.post(`${url}/api/v1/auth/login`, { data: { email, password: PASSWORD } });
  expect(answer.status()).toBe(200);
}

const place = (role: string) => {
  const slug = `place-${role}-${Math.random().toString(36).slice(2, 8)}`;
  return { slug, name: `Place of a ${role}` };
};

test("A key is made, shown once, used, and revoked", async ({ signedIn: page, server }) => {
  const { slug, name } = place("key");
  server.logbook("workspace", "create", slug, "--name", name);
  await page.goto(`/w/${slug}`);
  await page.getByRole("navigation", { name: "Workspace" }).getByRole("link", { name: "Settings" }).click();
  await page.getByRole("link", { name: "API keys" }).click();
  await expect(page.getByText("No API keys yet")).toBeVisible();
  await page.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog", { name: "New API key" });
  await dialog.getByLabel("Name").fill("Vector in Mumbai");
  await dialog.getByLabel("Role").selectOption("writer");
  await dialog.getByLabel("Good for").selectOption("90 days");
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
  // It is nowhere on the page any more.
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
  const sure = page.getByRole("dialog", { name: "Revoke key" });
  await sure.getByRole("button", { name: "Cancel" }).click();
  expect((await append()).status).toBe(201);
  await row.getByRole("button", { name: "Revoke" }).click();
  await sure.getByRole("button", { name: "Revoke" }).click();
  await expect(row).toContainText("Revoked");
  await expect(row.getByRole("button")).toHaveCount(0);
  expect((await append()).status).toBe(401);
});

test("Keys made at the command line are the same keys", async ({ signedIn: page, server }) => {
  const { slug, name } = place("cli");
  server.logbook("workspace", "create", slug, "--name", name);
  const made = server.logbook("keys", "create", "--workspace", slug, "--role", "writer", "--name", "shipper", "--days", "7");
  const token = made.trim().split("\n").at(-1) ?? "";
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
  await expect(page.getByRole("listitem").filter({ hasText: "shipper" })).toContainText("by command line");
  server.logbook("keys", "revoke", "--workspace", slug, prefix);
  await expect.poll(async () => (await append()).status).toBe(401);
  expect(() => server.logbook("keys", "revoke", "--workspace", slug, "k7w2m9x4c1qd")).toThrow(/no such key/);
});

test("Somebody is invited, comes in, gets another role and is removed", async ({ signedIn: page, server, browser, quiet }) => {
  quiet.allow(/status of 409/);
  const { slug, name } = place("member");
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
  await dialog.getByRole("button", { name: "Done" }).click();
  const row = page.getByRole("listitem").filter({ hasText: "Jo March" });
  await expect(row).toContainText("Has not come yet");

  // The last admin stays, and the list shows what is true.
  await row.getByLabel("Role of Jo March").selectOption("viewer");
  await expect(page.getByRole("alert")).toContainText("make somebody else an admin first");
  await expect(row.getByLabel("Role of Jo March")).toHaveValue("admin");

  const theirs = await (await browser.newContext()).newPage();
  await theirs.goto(link);
  await theirs.getByRole("button", { name: "Not now" }).click();
  await expect(theirs.getByRole("navigation", { name: "Workspace" }).getByRole("link", { name: "Settings" })).toBeVisible();

  await page.getByRole("button", { name: "Invite member" }).click();
  await dialog.getByLabel("E-mail").fill("jo@clinic.test");
  await dialog.getByRole("button", { name: "Invite" }).click();
  await expect(dialog.getByRole("alert")).toContainText("already");
  await dialog.getByLabel("E-mail").fill("amy@clinic.test");
  await dialog.getByLabel("Role").selectOption("admin");
  await dialog.getByRole("button", { name: "Invite" }).click();
  await dialog.getByRole("button", { name: "Done" }).click();

  await row.getByLabel("Role of Jo March").selectOption("viewer");
  await expect(row.getByLabel("Role of Jo March")).toHaveValue("viewer");
  await expect(row).toContainText("Signed in");
  await theirs.reload();
  await expect(theirs.getByRole("link", { name: "Overview" })).toBeVisible();
  await expect(theirs.getByRole("link", { name: "Settings" })).toHaveCount(0);

  await row.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog", { name: "Remove member" }).getByRole("button", { name: "Remove" }).click();
  await expect(row).toHaveCount(0);
  await theirs.goto(`${server.url}/w/${slug}`);
  await expect(theirs.getByRole("heading", { name: "No such workspace" })).toBeVisible();
  await theirs.context().close();
});

test("A platform admin renames a workspace and moves it to another address", async ({ signedIn: page, server, quiet }) => {
  quiet.allow(/status of 409/);
  const { slug, name } = place("general");
  server.logbook("workspace", "create", slug, "--name", name);
  await page.goto(`/w/${slug}/settings/general`);
  await page.getByLabel("Short name").fill("peerapp");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toContainText("already");
  await page.getByLabel("Name", { exact: true }).fill("Riverside");
  await page.getByLabel("Short name").fill(`${slug}-2`);
  await page.getByLabel("Time zone").fill("Asia/Kolkata");
  await page.getByLabel("Dates are written").selectOption("yyyy-mm-dd");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(`/w/${slug}-2/settings/general`);
  await expect(page.getByRole("button", { name: "Workspace: Riverside" })).toBeVisible();
  await page.reload();
  await expect(page.getByLabel("Time zone")).toHaveValue("Asia/Kolkata");
  await expect(page.getByLabel("Dates are written")).toHaveValue("yyyy-mm-dd");
});

for (const role of ["viewer", "auditor", "writer", "admin"] as const) {
  test(`What ${role}s may not do is not offered to them`, async ({ page, server }) => {
    const { slug, name } = place(role);
    server.logbook("workspace", "create", slug, "--name", name);
    await join(page, server.url, server.token("admin", slug), slug, "Asha", role);
    const refused: string[] = [];
    page.on("response", (response) => {
      if (response.status() === 403 || response.status() === 404) refused.push(response.url());
    });
    await page.goto("/");
    // With one workspace there is nothing to choose.
    await expect(page).toHaveURL(`/w/${slug}`);
    const tabs = page.getByRole("navigation", { name: "Workspace" }).getByRole("link");
    const reads = role !== "writer";
    const manages = role === "admin";
    await expect(tabs).toHaveText([
      ...(reads ? ["Overview", "Access", "Application", "Framework"] : []),
      ...(manages ? ["Settings"] : []),
    ]);
    if (!reads) await expect(page.getByRole("heading", { name: "You append here, and do not read" })).toBeVisible();
    await page.getByRole("button", { name: `Workspace: ${name}` }).click();
    await expect(page.getByRole("menuitem", { name })).toBeVisible();
    await expect(page.getByRole("menuitem", { name: "New workspace…" })).toHaveCount(0);
    await page.keyboard.press("Escape");

    for (const tab of ["members", "keys", "general"]) {
      await page.goto(`/w/${slug}/settings/${tab}`);
      if (manages) {
        await expect(page.getByRole("heading", { name: "Settings" })).toBeVisible();
        await expect(page.getByRole("heading", { level: 2 }).first()).toBeVisible();
      } else {
        const told = reads ? "Settings are for admins" : "You append here, and do not read";
        await expect(page.getByRole("heading", { name: told })).toBeVisible();
      }
    }
    // The address is the platform's to give.
    if (manages) await expect(page.getByLabel("Short name")).toHaveCount(0);
    await page.waitForLoadState("networkidle");
    await expectAccessible(page);
    expect(refused).toEqual([]);
  });
}
