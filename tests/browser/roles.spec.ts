// What each role sees on every page: actions that it may not do are missing, and no page makes a request that is rejected.
import type { Page } from "@playwright/test";
import { expect, expectAccessible, test } from "./fixtures.ts";
import type { Server } from "./server.ts";

const PASSWORD = "correct horse battery";

/** Creates a member, sets a password with the sign-in link, and signs the page in. */
async function signInAsMember(page: Page, server: Server, slug: string, name: string, role: string) {
  const { url } = server;
  const email = `${name.toLowerCase()}-${slug}@clinic.test`;
  const send = (method: string, path: string, bearer: string | undefined, body: object) =>
    fetch(`${url}/api/v1${path}`, {
      method,
      headers: { "content-type": "application/json", ...(bearer && { authorization: `Bearer ${bearer}` }) },
      body: JSON.stringify(body),
    });
  const output = server.logbook("user", "create", "--email", email, "--name", name, "--workspace", slug, "--role", role);
  const link = await send("POST", "/auth/link", undefined, { token: output.trim().split("#link=")[1] ?? "" });
  const { access_token } = (await link.json()) as { access_token: string };
  expect((await send("PUT", "/auth/password", access_token, { password: PASSWORD })).status).toBe(204);
  const response = await page.context().request.post(`${url}/api/v1/auth/login`, { data: { email, password: PASSWORD } });
  expect(response.status()).toBe(200);
}

type Role = "viewer" | "auditor" | "writer" | "admin" | "platform admin";

const LOGS = ["access", "application", "framework"] as const;
const NO_ACCESS = "Your role cannot read the logs";

/** The requests of a page that the server rejects. */
function recordRejections(page: Page): string[] {
  const rejected: string[] = [];
  page.on("response", (response) => {
    if ([401, 403, 404].includes(response.status()) && !response.url().endsWith("/auth/refresh")) {
      rejected.push(`${response.status()} ${response.url()}`);
    }
  });
  return rejected;
}

async function checkPages(page: Page, role: Role, slug: string, name: string) {
  const canRead = role !== "writer";
  const canManage = role === "admin" || role === "platform admin";
  const canReadActivity = canManage || role === "auditor";
  const isPlatformAdmin = role === "platform admin";
  const rejected = recordRejections(page);

  await page.goto(`/w/${slug}`);
  await expect(page.getByRole("navigation", { name: "Workspace" }).getByRole("link")).toHaveText([
    ...(canRead ? ["Overview", "Access", "Application", "Framework"] : []),
    ...(canRead ? ["Settings"] : []),
  ]);
  await expect(page.getByRole("heading", { name: NO_ACCESS })).toHaveCount(canRead ? 0 : 1);
  await page.getByRole("button", { name: `Workspace: ${name}` }).click();
  await expect(page.getByRole("menuitem", { name })).toBeVisible();
  await expect(page.getByRole("menuitem", { name: "New workspace…" })).toHaveCount(isPlatformAdmin ? 1 : 0);
  await page.keyboard.press("Escape");

  for (const log of LOGS) {
    await page.goto(`/w/${slug}/${log}`);
    if (canRead) await expect(page.getByRole("searchbox")).toBeVisible();
    else await expect(page.getByRole("heading", { name: NO_ACCESS })).toBeVisible();
    if (log === "framework" && canRead) {
      // An empty log shows how to send events, but only to members who may do so.
      await expect(page.getByText("No events yet")).toBeVisible();
      await expect(page.getByText(/^curl/)).toHaveCount(canManage ? 1 : 0);
    }
    await expect(page.getByRole("gridcell").first()).toBeVisible({ visible: canRead && log === "access" });
    await expectAccessible(page);
  }

  const actions = {
    members: page.getByRole("button", { name: "Invite member" }),
    keys: page.getByRole("button", { name: "New key" }),
    general: page.getByRole("button", { name: "Save" }),
  };
  for (const [tab, action] of Object.entries(actions)) {
    await page.goto(`/w/${slug}/settings/${tab}`);
    const heading = canManage ? "Settings" : canRead ? "Only admins can change settings" : NO_ACCESS;
    await expect(page.getByRole("heading", { name: heading, exact: true })).toBeVisible();
    if (canManage) await expect(action).toBeVisible();
    else await expect(page.getByRole("main").getByRole("button")).toHaveCount(0);
    await expect(page.getByRole("main").getByRole("textbox")).toHaveCount(canManage && tab === "general" ? (isPlatformAdmin ? 2 : 1) : 0);
    await expectAccessible(page);
  }
  // Everybody who reads events may know which of their fields are masked.
  await page.goto(`/w/${slug}/settings/masking`);
  await expect(page.getByRole("heading", { name: canRead ? "Masking" : NO_ACCESS, exact: true })).toBeVisible();
  if (canRead) await expect(page.getByRole("heading", { name: "Keep" })).toBeVisible();
  await expect(page.getByRole("main").getByRole("textbox")).toHaveCount(canManage ? 3 : 0);
  await expect(page.getByRole("main").getByRole("button", { name: "Save" })).toHaveCount(canManage ? 1 : 0);
  await expectAccessible(page);
  await page.goto(`/w/${slug}/settings/activity`);
  const activity = page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Activity" });
  await expect(page.getByRole("searchbox").or(page.getByRole("heading", { name: /Only admins and auditors|cannot read/ }))).toBeVisible();
  await expect(activity).toHaveCount(canReadActivity ? 1 : 0);
  await expectAccessible(page);
  await page.goto(`/w/${slug}/settings/general`);
  await expect(page.getByRole("main").getByRole("heading").first()).toBeVisible();

  // Only platform admins change short names and create workspaces.
  await expect(page.getByLabel("Short name")).toHaveCount(isPlatformAdmin ? 1 : 0);
  await page.goto("/workspaces/new");
  if (isPlatformAdmin) await expect(page.getByRole("button", { name: "Create workspace" })).toBeVisible();
  else await expect(page.getByRole("heading", { name: "Only platform admins can create workspaces" })).toBeVisible();
  await expect(page.getByRole("main").getByRole("button")).toHaveCount(isPlatformAdmin ? 1 : 0);
  await page.waitForLoadState("networkidle");
  expect(rejected).toEqual([]);
}

for (const role of ["viewer", "auditor", "writer", "admin", "platform admin"] as const) {
  test(`A ${role} sees no actions that they may not do`, async ({ page, server, admin }) => {
    const slug = `workspace-${Math.random().toString(36).slice(2, 8)}`;
    const name = `Workspace for ${role}`;
    server.logbook("workspace", "create", slug, "--name", name);
    const append = await fetch(`${server.url}/api/v1/workspaces/${slug}/logs/access`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${server.token("writer", slug)}` },
      body: JSON.stringify([{ event_type: "login" }]),
    });
    expect(append.status).toBe(201);
    if (role === "platform admin") {
      const response = await page.context().request.post(`${server.url}/api/v1/auth/login`, { data: admin });
      expect(response.status()).toBe(200);
    } else {
      await signInAsMember(page, server, slug, "Asha", role);
      await page.goto("/");
      // A single workspace opens at once.
      await expect(page).toHaveURL(`/w/${slug}`);
    }
    await checkPages(page, role, slug, name);
  });
}
