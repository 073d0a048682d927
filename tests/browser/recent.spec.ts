// The places where somebody was, in the palette of commands.
import { expect, expectAccessible, test } from "./fixtures.ts";

test("The palette leads back to recent places, until its reader signs out", async ({ signedIn: page, ward }) => {
  const stored = () => page.evaluate(() => localStorage.getItem("logbook-recent") ?? "");
  await page.goto(`/w/${ward.slug}/access?not_role=Physician&user_id=17`);
  await expect.poll(stored).toContain("Asha Rao (17)");
  await page.goto(`/w/${ward.slug}/records/patient/92`);
  await expect.poll(stored).toContain("李雷");
  await page.keyboard.press("Control+k");
  const recent = page.getByRole("group", { name: "Recent" });
  await expect(recent.getByRole("option")).toHaveText([/not Physician, Asha Rao \(17\)/]);
  await expectAccessible(page);
  await page.keyboard.type("rao");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/access\?not_role=Physician&user_id=17/);
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Sign in to Logbook" })).toBeVisible();
  expect(await stored()).toBe("");
});
