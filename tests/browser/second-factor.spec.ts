// The second factor: set up with an authenticator app, asked for at sign-in, and reset by a platform admin.
import { createHmac } from "node:crypto";
import type { Page } from "@playwright/test";
import { expect, expectAccessibleInAllViews, test } from "./fixtures.ts";
import { openPageOf } from "./people.ts";

const PASSWORD = "correct horse battery";

/** The code of an app with this secret (RFC 6238): of now, or of so many steps of half a minute later. */
function code(base32: string, later = 0): string {
  const bits = [...base32].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later));
  const tag = createHmac("sha1", secret).update(step).digest();
  const number = tag.readUInt32BE((tag[19] ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

async function menu(page: Page, item: string) {
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

async function signIn(page: Page, email: string, password = PASSWORD) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

test("A person sets up a second factor, signs in with it and with a recovery code, and has it reset", async ({
  signedIn: admin,
  server,
  browser,
}) => {
  const email = `factor-${Math.random().toString(36).slice(2, 8)}@clinic.test`;
  const page = await openPageOf(browser, server, email, "Asha Rao");

  await page.goto(`${server.url}/account/second-factor`);
  await expect(page.getByText("Set a password first")).toBeVisible();
  await menu(page, "Set a password…");
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByRole("button", { name: "Set password" }).click();
  await expect(page.getByText("Your password alone signs in.")).toBeVisible();
  await expectAccessibleInAllViews(page, "second-factor-off");

  await page.getByRole("button", { name: "Set up" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("img", { name: "QR code of the secret below" })).toBeVisible();
  const secret = (await dialog.getByRole("region", { name: "secret" }).innerText()).trim();
  await expectAccessibleInAllViews(page, "second-factor-set-up");
  await dialog.getByRole("textbox", { name: "Code" }).fill(code(secret, 20));
  await dialog.getByRole("button", { name: "Turn on" }).click();
  await expect(dialog.getByRole("alert")).toContainText("This code is wrong");
  await dialog.getByRole("textbox", { name: "Code" }).fill(code(secret, -1));
  await dialog.getByRole("button", { name: "Turn on" }).click();
  const recovery = (await dialog.getByRole("region", { name: "recovery codes" }).innerText()).trim().split("\n");
  expect(recovery).toHaveLength(10);
  await expectAccessibleInAllViews(page, "second-factor-recovery");
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(page.getByText("10 recovery codes left.")).toBeVisible();
  await expectAccessibleInAllViews(page, "second-factor-on");

  await menu(page, "Sign out");
  await signIn(page, email);
  await expect(page.getByRole("textbox", { name: "Code" })).toBeFocused();
  await expectAccessibleInAllViews(page, "sign-in-code");
  await page.getByRole("textbox", { name: "Code" }).fill(code(secret, 20));
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("This code is wrong");
  await page.getByRole("textbox", { name: "Code" }).fill(code(secret));
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("banner")).toBeVisible();

  await menu(page, "Sign out");
  await signIn(page, email);
  await page.getByRole("textbox", { name: "Code" }).fill(recovery[0] ?? "");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("banner")).toBeVisible();
  await page.goto(`${server.url}/account/second-factor`);
  await expect(page.getByText("9 recovery codes left.")).toBeVisible();

  // A new password takes a code too.
  await menu(page, "Change password…");
  await page.getByLabel("Current password").fill(PASSWORD);
  await page.getByLabel("New password").fill("another long password");
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByRole("textbox", { name: "Code" }).fill(recovery[1] ?? "");
  await expectAccessibleInAllViews(page, "password-code");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);

  // A link asks as well.
  const link = server.logbook("user", "link", "--email", email, "--public-url", server.url).trim().split("\n").at(-1) ?? "";
  const elsewhere = await (await browser.newContext()).newPage();
  await elsewhere.goto(link);
  await elsewhere.getByRole("textbox", { name: "Code" }).fill(recovery[2] ?? "");
  await elsewhere.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(elsewhere.getByRole("banner")).toBeVisible();

  await admin.goto("/users");
  await admin.getByLabel("Search users").fill(email);
  const row = admin.getByRole("listitem").filter({ hasText: email });
  await expect(admin.getByRole("main").getByRole("listitem")).toHaveCount(1);
  await expect(row).toContainText("second factor");
  await row.getByRole("button", { name: /^Actions/ }).click();
  await admin.getByRole("menuitem", { name: "Remove second factor…" }).click();
  await expectAccessibleInAllViews(admin, "second-factor-reset");
  await admin.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(row).not.toContainText("second factor");
  const again = await (await browser.newContext()).newPage();
  await again.goto(`${server.url}/sign-in?next=/account/second-factor`);
  await signIn(again, email, "another long password");
  await expect(again.getByText("Your password alone signs in.")).toBeVisible();
  for (const opened of [page, elsewhere, again]) await opened.context().close();
});

test("A second factor is set up only just after signing in", async ({ server, browser }) => {
  const email = `later-${Math.random().toString(36).slice(2, 8)}@clinic.test`;
  const page = await openPageOf(browser, server, email, "Ravi");
  await menu(page, "Set a password…");
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByRole("button", { name: "Set password" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.route("**/api/v1/me/second_factor", (route) =>
    route.fulfill({
      status: 403,
      contentType: "application/problem+json",
      json: { type: "about:blank", title: "", status: 403, detail: "", code: "sign_in_again", request_id: "r-1", errors: [] },
    }),
  );
  await page.goto(`${server.url}/account/second-factor`);
  await page.getByRole("button", { name: "Set up" }).click();
  await expect(page.getByRole("alert")).toContainText("you must have signed in just now");
  await page.getByRole("button", { name: "Sign in again" }).click();
  await signIn(page, email);
  await expect(page.getByRole("heading", { name: "Second factor" })).toBeVisible();
  await page.context().close();
});
