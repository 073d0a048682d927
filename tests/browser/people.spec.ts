// Invitations as the invited see them, sessions, and the users of a platform admin.
import type { Page, Route } from "@playwright/test";
import { expect, expectAccessibleInAllViews, test } from "./fixtures.ts";
import { openAnotherPageOf, openPageOf } from "./people.ts";

const newName = (subject: string) => `${subject}-${Math.random().toString(36).slice(2, 8)}`;

async function invite(page: Page, slug: string, email: string) {
  await page.goto(`/w/${slug}/settings/members`);
  await page.getByRole("button", { name: "Invite member" }).click();
  const dialog = page.getByRole("dialog", { name: "Invite member" });
  await dialog.getByLabel("E-mail").fill(email);
  await dialog.getByRole("button", { name: "Invite" }).click();
  await expect(dialog.getByRole("status")).toContainText("They accept the next time they sign in");
  return dialog;
}

test("Somebody with an account accepts one invitation, and declines another", async ({ signedIn: page, server, browser }) => {
  const [first, second] = [newName("accepted"), newName("declined")];
  const email = `${first}@clinic.test`;
  for (const slug of [first, second]) server.logbook("workspace", "create", slug, "--name", `Clinic ${slug}`);
  const invited = await openPageOf(browser, server, email, "Asha Rao");
  await expect(invited.getByRole("heading", { name: "No workspaces yet" })).toBeVisible();
  for (const slug of [first, second]) {
    const dialog = await invite(page, slug, email);
    // Whoever invites learns nothing about the account, and gets no way into it.
    await expect(dialog.getByRole("region", { name: "sign-in link" })).toHaveCount(0);
    if (slug === first) await expectAccessibleInAllViews(page, "invited");
    await dialog.getByRole("button", { name: "Done" }).click();
    if (slug === first) await expectAccessibleInAllViews(page, "settings-invitations");
  }

  await invited.reload();
  const notices = invited.getByRole("region", { name: "Invitations" });
  await expect(notices).toContainText(`invites you to Clinic ${first} as viewer`);
  await expectAccessibleInAllViews(invited, "invitations-home");
  await notices.getByRole("button", { name: `Accept the invitation to Clinic ${first}` }).click();
  await expect(invited).toHaveURL(`${server.url}/w/${first}`);
  await expect(invited.getByRole("heading", { name: `Clinic ${first}` })).toBeVisible();
  await expect(notices).toContainText(`invites you to Clinic ${second} as viewer`);
  await expectAccessibleInAllViews(invited, "invitations-overview");

  // The menu of workspaces offers the other one too.
  await invited.getByRole("button", { name: `Workspace: Clinic ${first}` }).click();
  await expectAccessibleInAllViews(invited, "invitations-menu");
  await invited.getByRole("menuitem", { name: `Clinic ${second}…` }).click();
  const dialog = invited.getByRole("dialog", { name: "Invitation" });
  await expectAccessibleInAllViews(invited, "invitation");
  await dialog.getByRole("button", { name: /^Decline/ }).click();
  await expect(dialog).toHaveCount(0);
  await expect(notices).toHaveCount(0);
  await page.reload();
  await expect(page.getByText("No open invitations")).toBeVisible();
  await invited.context().close();
});

test("A cancelled invitation can no longer be accepted", async ({ signedIn: page, server, browser }) => {
  const slug = newName("cancelled");
  const email = `${slug}@clinic.test`;
  server.logbook("workspace", "create", slug, "--name", `Clinic ${slug}`);
  const invited = await openPageOf(browser, server, email, "Ravi");
  await (await invite(page, slug, email)).getByRole("button", { name: "Done" }).click();
  await invited.reload();
  const accept = invited.getByRole("button", { name: `Accept the invitation to Clinic ${slug}` });
  await expect(accept).toBeVisible();

  const cancel = page.getByRole("button", { name: `Cancel the invitation of ${email}` });
  await cancel.click();
  const confirmation = page.getByRole("dialog", { name: "Cancel invitation" });
  await confirmation.getByRole("button", { name: "Keep" }).click();
  await cancel.click();
  await confirmation.getByRole("button", { name: "Cancel invitation" }).click();
  await expect(page.getByText("No open invitations")).toBeVisible();

  await accept.click();
  await expect(invited.getByRole("alert")).toBeVisible();
  await invited.reload();
  await expect(invited.getByRole("heading", { name: "No workspaces yet" })).toBeVisible();
  await invited.context().close();
});

test("A key says that its creator left", async ({ signedIn: page, server }) => {
  const slug = newName("left");
  const email = `${slug}@clinic.test`;
  server.logbook("workspace", "create", slug, "--name", `Clinic ${slug}`);
  const output = server.logbook("user", "create", "--email", email, "--name", "Jo", "--workspace", slug, "--role", "admin");
  const post = async (path: string, body: object, token?: string) => {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(`${server.url}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect(response.ok).toBe(true);
    return response.json() as Promise<{ access_token: string }>;
  };
  const { access_token } = await post("/auth/link", { token: output.trim().split("#link=")[1] });
  await post(`/workspaces/${slug}/keys`, { name: "Vector in Mumbai", role: "writer" }, access_token);
  const row = page.getByRole("listitem").filter({ hasText: "Vector in Mumbai" });
  await page.goto(`/w/${slug}/settings/keys`);
  await expect(row).toContainText("created by Jo");
  await expect(row).not.toContainText("creator left");
  // A workspace keeps an admin.
  server.logbook("user", "create", "--email", `other-${email}`, "--name", "Amy", "--workspace", slug, "--role", "admin");
  server.logbook("user", "revoke", "--email", email, "--workspace", slug);
  await page.reload();
  await expect(row).toContainText("creator left");
  await expectAccessibleInAllViews(page, "settings-keys-left");
});

test("Somebody ends their session in another browser", async ({ server, browser }) => {
  const email = `${newName("sessions")}@clinic.test`;
  const page = await openPageOf(browser, server, email, "Amy");
  const other = await openAnotherPageOf(browser, server, email);
  await page.getByRole("button", { name: /Account/ }).click();
  await page.getByRole("menuitem", { name: "Your sessions" }).click();
  const rows = page.getByRole("listitem");
  await expect(rows).toHaveCount(2);
  await expect(rows.filter({ hasText: "this one" })).toContainText("with a sign-in link");
  await expectAccessibleInAllViews(page, "sessions-two");
  await page.getByRole("button", { name: "End the session on Firefox 140 on Linux" }).click();
  const confirmation = page.getByRole("dialog", { name: "End session" });
  await confirmation.getByRole("button", { name: "End session" }).click();
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("this one");
  await other.reload();
  await expect(other.getByRole("heading", { name: "Sign in to Logbook" })).toBeVisible();
  await page.context().close();
  await other.context().close();
});

test("A platform admin disables a user and enables them again", async ({ signedIn: page, server, browser }) => {
  const user = newName("disabled");
  const theirs = await openPageOf(browser, server, `${user}@clinic.test`, `Jo ${user}`);
  await page.goto("/");
  await page.getByRole("button", { name: /Account/ }).click();
  await page.getByRole("menuitem", { name: "Users" }).click();
  await page.getByRole("searchbox", { name: "Search users" }).fill(user);
  const rows = page.getByRole("listitem");
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("Enabled");
  const act = async (item: string) => {
    await rows.getByRole("button", { name: /^Actions/ }).click();
    await page.getByRole("menuitem", { name: item }).click();
  };
  await act("Sessions…");
  const sessions = page.getByRole("dialog", { name: `Sessions of Jo ${user}` });
  await expect(sessions.getByRole("listitem")).toHaveCount(1);
  await expectAccessibleInAllViews(page, "users-sessions");
  await sessions.getByRole("button", { name: "End all sessions" }).click();
  await expect(sessions).toHaveCount(0);
  await theirs.reload();
  await expect(theirs.getByRole("heading", { name: "Sign in to Logbook" })).toBeVisible();

  await act("Disable account…");
  await page.getByRole("dialog", { name: "Disable account" }).getByRole("button", { name: "Disable" }).click();
  await expect(rows).toContainText("Disabled");
  await expectAccessibleInAllViews(page, "users-disabled");
  await act("Enable account…");
  await page.getByRole("dialog", { name: "Enable account" }).getByRole("button", { name: "Enable" }).click();
  await expect(rows).toContainText("Enabled");
  await theirs.context().close();
});

test("The password form says what is wrong, and offers to sign in again", async ({ server, browser }) => {
  const page = await openPageOf(browser, server, `${newName("password")}@clinic.test`, "Beth");
  await page.getByRole("button", { name: /Account/ }).click();
  await page.getByRole("menuitem", { name: "Set a password…" }).click();
  const dialog = page.getByRole("dialog", { name: "Set a password" });
  await dialog.getByLabel("New password").fill("password1234");
  await dialog.getByRole("button", { name: "Set password" }).click();
  await expect(dialog.getByRole("alert")).toContainText("easy to guess");
  await expect(dialog.getByLabel("New password")).toHaveAttribute("aria-invalid", "true");

  // The server says so a quarter of an hour after signing in.
  const tooOld = (route: Route) =>
    route.fulfill({
      status: 403,
      contentType: "application/problem+json",
      json: { type: "about:blank", title: "Sign in again", status: 403, detail: "", code: "sign_in_again", request_id: "r-1", errors: [] },
    });
  await page.route("**/api/v1/auth/password", tooOld);
  await dialog.getByLabel("New password").fill("correct horse battery");
  await dialog.getByRole("button", { name: "Set password" }).click();
  await expect(dialog.getByRole("alert")).toContainText("you must have signed in just now");
  await expectAccessibleInAllViews(page, "sign-in-again");
  await dialog.getByRole("button", { name: "Sign in again" }).click();
  await expect(page.getByRole("heading", { name: "Sign in to Logbook" })).toBeVisible();
  await page.context().close();
});

test("Sign-in says that an account is disabled", async ({ page }) => {
  await page.goto("/sign-in?failed=disabled");
  await expect(page.getByRole("alert")).toHaveText("This account is disabled. Ask a platform admin.");
});
