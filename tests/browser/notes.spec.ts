// Notes on events, in their details.
import type { Page } from "@playwright/test";
import { expect, expectAccessibleInAllViews, test } from "./fixtures.ts";
import type { Server } from "./server.ts";

const SLUG = "noted-ward";
const details = (page: Page) => page.getByRole("dialog", { name: "Event details" });
const notes = (page: Page) => details(page).getByRole("list", { name: "Notes" }).getByRole("listitem");

async function send(server: Server, role: string, path: string, body?: object) {
  const response = await fetch(`${server.url}/api/v1/workspaces/${SLUG}/${path}`, {
    method: body ? "POST" : "GET",
    headers: { "content-type": "application/json", authorization: `Bearer ${server.token(role, SLUG)}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect([200, 201]).toContain(response.status);
  return (await response.json()) as { data: { id: string }[] };
}

test("An event has notes: added, read by others, removed", async ({ signedIn: page, server }) => {
  server.logbook("workspace", "create", SLUG, "--name", "Noted Ward");
  const login = { event_type: "login", user: { id: "17", name: "Asha Rao" } };
  await send(server, "writer", "logs/access", [login, login]);
  const { data } = await send(server, "viewer", "logs/access");
  await send(server, "viewer", "notes", { event_ids: data.map(({ id }) => id), text: "Both from the ward." });

  await page.goto(`/w/${SLUG}/access?event=${data[0]?.id}`);
  await expect(notes(page)).toHaveText([/also on another event.*Both from the ward\./s]);
  const field = details(page).getByLabel("New note");
  await field.fill("Asked Asha:\n it was her. <b>&");
  await page.keyboard.press("Escape");
  await expect(details(page)).toBeVisible();
  await page.keyboard.press("j");
  await expect(page).not.toHaveURL(new RegExp(data[0]?.id ?? ""));
  await expect(notes(page)).toHaveCount(1);
  await page.keyboard.press("k");
  // What was begun is still there.
  await expect(field).toHaveValue("Asked Asha:\n it was her. <b>&");
  await details(page).getByRole("button", { name: "Add note" }).click();
  await expect(notes(page)).toHaveText([/Asked Asha:\s+it was her\. <b>&/, /Both from the ward\./]);
  await expect(field).toHaveValue("");
  await expectAccessibleInAllViews(page, "notes");
  await page.setViewportSize({ width: 1440, height: 900 });

  await page.reload();
  await expect(notes(page)).toHaveCount(2);
  await field.fill("x".repeat(2001));
  await expect(details(page).getByText("1 too many")).toBeVisible();
  await expect(details(page).getByRole("button", { name: "Add note" })).toBeDisabled();
  await field.fill("");
  // An admin removes any.
  await notes(page).last().getByRole("button", { name: /^Remove the note/ }).click();
  await notes(page).last().getByRole("button", { name: "Keep" }).click();
  await expect(notes(page)).toHaveCount(2);
  await notes(page).last().getByRole("button", { name: /^Remove the note/ }).click();
  await expect(notes(page).last()).toContainText("Remove it from all of its events?");
  await notes(page).last().getByRole("button", { name: "Remove", exact: true }).click();
  await expect(notes(page)).toHaveCount(1);
  await details(page).getByRole("button", { name: "1 note" }).click();
  await expect(notes(page)).toContainText("Asked Asha");
});
