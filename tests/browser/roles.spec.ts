// What each role is offered, on every page: what one may not do is not there, and no page asks for what it is refused.
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

type Role = "viewer" | "auditor" | "writer" | "admin" | "platform admin";

const LOGS = ["access", "application", "framework"] as const;
const LOCKED = "Your role cannot read the logs";

/** Whatever a page does that is refused: an answer that a page has no use for. */
function refusals(page: Page): string[] {
  const refused: string[] = [];
  page.on("response", (response) => {
    if ([401, 403, 404].includes(response.status()) && !response.url().endsWith("/auth/refresh")) {
      refused.push(`${response.status()} ${response.url()}`);
    }
  });
  return refused;
}

async function walk(page: Page, role: Role, slug: string, name: string) {
  const reads = role !== "writer";
  const manages = role === "admin" || role === "platform admin";
  const governs = role === "platform admin";
  const refused = refusals(page);

  await page.goto(`/w/${slug}`);
  await expect(page.getByRole("navigation", { name: "Workspace" }).getByRole("link")).toHaveText([
    ...(reads ? ["Overview", "Access", "Application", "Framework"] : []),
    ...(manages ? ["Settings"] : []),
  ]);
  await expect(page.getByRole("heading", { name: LOCKED })).toHaveCount(reads ? 0 : 1);
  await page.getByRole("button", { name: `Workspace: ${name}` }).click();
  await expect(page.getByRole("menuitem", { name })).toBeVisible();
  await expect(page.getByRole("menuitem", { name: "New workspace…" })).toHaveCount(governs ? 1 : 0);
  await page.keyboard.press("Escape");

  for (const log of LOGS) {
    await page.goto(`/w/${slug}/${log}`);
    if (reads) await expect(page.getByRole("searchbox")).toBeVisible();
    else await expect(page.getByRole("heading", { name: LOCKED })).toBeVisible();
    if (log === "framework" && reads) {
      // An empty log tells those who may append how to.
      await expect(page.getByText("No events yet")).toBeVisible();
      await expect(page.getByText(/^curl/)).toHaveCount(manages ? 1 : 0);
    }
    await expect(page.getByRole("gridcell").first()).toBeVisible({ visible: reads && log === "access" });
    await expectAccessible(page);
  }

  const offers = {
    members: page.getByRole("button", { name: "Invite member" }),
    keys: page.getByRole("button", { name: "New key" }),
    general: page.getByRole("button", { name: "Save" }),
  };
  for (const [tab, offer] of Object.entries(offers)) {
    await page.goto(`/w/${slug}/settings/${tab}`);
    const told = manages ? "Settings" : reads ? "Only admins can change settings" : LOCKED;
    await expect(page.getByRole("heading", { name: told, exact: true })).toBeVisible();
    if (manages) await expect(offer).toBeVisible();
    else await expect(page.getByRole("main").getByRole("button")).toHaveCount(0);
    await expect(page.getByRole("main").getByRole("textbox")).toHaveCount(manages && tab === "general" ? (governs ? 2 : 1) : 0);
    await expectAccessible(page);
  }
  // The address is the platform's to give, as is a new workspace.
  await expect(page.getByLabel("Short name")).toHaveCount(governs ? 1 : 0);
  await page.goto("/workspaces/new");
  if (governs) await expect(page.getByRole("button", { name: "Create workspace" })).toBeVisible();
  else await expect(page.getByRole("heading", { name: "Only platform admins can create workspaces" })).toBeVisible();
  await expect(page.getByRole("main").getByRole("button")).toHaveCount(governs ? 1 : 0);
  await page.waitForLoadState("networkidle");
  expect(refused).toEqual([]);
}

for (const role of ["viewer", "auditor", "writer", "admin", "platform admin"] as const) {
  test(`What a ${role} may not do is not offered`, async ({ page, server, person }) => {
    const slug = `place-${Math.random().toString(36).slice(2, 8)}`;
    const name = `Place of a ${role}`;
    server.logbook("workspace", "create", slug, "--name", name);
    const append = await fetch(`${server.url}/api/v1/workspaces/${slug}/logs/access`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${server.token("writer", slug)}` },
      body: JSON.stringify([{ event_type: "login" }]),
    });
    expect(append.status).toBe(201);
    if (role === "platform admin") {
      const answer = await page.context().request.post(`${server.url}/api/v1/auth/login`, { data: person });
      expect(answer.status()).toBe(200);
    } else {
      await join(page, server.url, server.token("admin", slug), slug, "Asha", role);
      await page.goto("/");
      // With one workspace there is nothing to choose.
      await expect(page).toHaveURL(`/w/${slug}`);
    }
    await walk(page, role, slug, name);
  });
}
