// Sources: the way to the first event, what is wrong with a source, and mending a mapping.
import { readFileSync } from "node:fs";
import { expect, expectAccessible, test } from "./fixtures.ts";

const newSlug = (subject: string) => `${subject}-${Math.random().toString(36).slice(2, 8)}`;

test("An empty workspace leads to its first event", async ({ signedIn: page, server }) => {
  const slug = newSlug("first");
  server.logbook("workspace", "create", slug, "--name", "First steps");
  await page.goto(`/w/${slug}`);
  await expect(page.getByRole("heading", { name: "No events yet" })).toBeVisible();
  await page.getByLabel("What sends").selectOption("hec");
  await page.getByLabel("Name").fill("Vector");
  await page.getByLabel("Name").fill("vector");
  await page.getByRole("button", { name: "Create source" }).click();
  const key = (await page.getByRole("region", { name: "key", exact: true }).textContent()) ?? "";
  expect(key).toMatch(/^lbk_[a-z0-9]{12}_\S{43}$/);
  // The sender's configuration has the address and the key.
  const curl = page.getByRole("region", { name: "Try it with curl" });
  await expect(curl).toContainText(`${server.url}/services/collector/event`);
  await expect(curl).toContainText(key);
  await expect(page.getByRole("region", { name: "Vector" })).toContainText(key);
  await expect(page.getByText("Waiting for the first event of vector")).toBeVisible();
  await expectAccessible(page);

  // After a reload nobody knows the key: another one comes with the configuration.
  await page.reload();
  await page.getByRole("button", { name: "Make another key" }).click();
  const another = (await page.getByRole("region", { name: "key", exact: true }).textContent()) ?? "";
  expect(another).not.toBe(key);
  await expect(curl).toContainText(another);
  await expectAccessible(page);

  const sent = await fetch(`${server.url}/services/collector/event`, {
    method: "POST",
    headers: { authorization: `Splunk ${another}` },
    body: JSON.stringify({ event: { action: "login", user: "asha" } }),
  });
  expect(sent.status).toBe(200);
  await expect(page.getByText("The first event came")).toBeVisible();
  const newest = page.getByRole("list", { name: "Newest events" });
  await expect(newest.getByRole("link", { name: "login" })).toBeVisible();
  await page.getByRole("button", { name: "Show the overview" }).click();
  await expect(page.getByRole("region", { name: "Access log" })).toBeVisible();
  // The key is nowhere any more.
  expect(await page.content()).not.toContain(another);
});

test("A record in quarantine becomes an event after its mapping was mended", async ({
  signedIn: page,
  server,
  pageErrors,
}) => {
  // A mapping with a mistake is refused.
  pageErrors.allow(/422/);
  const slug = newSlug("mend");
  server.logbook("workspace", "create", slug, "--name", "Mending");
  const made = server.logbook("sources", "create", "--workspace", slug, "--name", "door", "--kind", "hec");
  const key = made.trim().split("\n").at(-1) ?? "";
  const send = (...events: object[]) =>
    fetch(`${server.url}/services/collector`, {
      method: "POST",
      headers: { authorization: `Splunk ${key}` },
      body: events.map((event) => JSON.stringify({ event })).join("\n"),
    });
  expect((await send({ action: "login", user: "asha" }, { what: "door opened", who: "ben" })).status).toBe(200);

  // The overview tells, and leads to the source.
  await page.goto(`/w/${slug}`);
  const problems = page.getByRole("list", { name: "Sources with problems" });
  await expect(problems).toContainText("in quarantine");
  await problems.getByRole("link", { name: "door" }).click();
  await expect(page.getByText("1 record could not be read and is in quarantine.")).toBeVisible();
  await expect(page.getByText("the mapping finds no action")).toBeVisible();
  await page.getByText("What was sent").click();
  await expect(page.getByRole("region", { name: "record 1" })).toContainText("door opened");
  await expectAccessible(page);

  await page.getByRole("link", { name: "Try it in the mapping" }).click();
  await expect(page.getByRole("list", { name: "Why it goes into quarantine" })).toContainText("action");
  const mapping = page.getByRole("textbox", { name: "Mapping" });
  const text = await mapping.inputValue();
  // First a mistake: it is told where.
  await mapping.fill(text.replace("\naction = [", '\naction = ["evnet.what", '));
  await expect(page.getByRole("alert")).toContainText("there is no variable evnet");
  await mapping.fill(text.replace("\naction = [", '\naction = ["event.event.what", '));
  await expect(page.getByRole("region", { name: "event", exact: true })).toContainText("door_opened");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  await expectAccessible(page);

  await page.getByRole("link", { name: "door" }).click();
  await page.getByRole("button", { name: "Replay all" }).click();
  await expect(page.getByText("Nothing is wrong with it")).toBeVisible();
  await page.goto(`/w/${slug}/framework?source=door`);
  await expect(page.getByText("Door opened").first()).toBeVisible();
});

test("A record of nested brackets does not stall the page of its source", async ({ signedIn: page, server }) => {
  const slug = newSlug("nested");
  server.logbook("workspace", "create", slug, "--name", "Nested");
  const made = server.logbook("sources", "create", "--workspace", slug, "--name", "door", "--kind", "api");
  const key = made.trim().split("\n").at(-1) ?? "";
  const deep = "[".repeat(100_000);
  const door = `${server.url}/api/v1/workspaces/${slug}/sources/door/events`;
  const sent = await fetch(door, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    // A list, whose only element is the rest.
    body: `[${deep}`,
  });
  expect(await sent.json()).toMatchObject({ accepted: 0, rejected: 1 });

  await page.goto(`/w/${slug}/settings/sources/door`);
  const summary = page.getByText("What was sent");
  await expect(summary).toBeVisible();
  expect(await page.locator("main").textContent()).not.toContain("[[");
  await summary.click();
  const shown = page.getByRole("region", { name: "record 1" });
  await expect(shown).toContainText("[[[[");
  expect((await shown.textContent())?.length).toBeLessThanOrEqual(10_000);
  await page.getByRole("button", { name: "Show more" }).click();
  await expect(page.getByRole("button", { name: "Show more" })).toBeHidden();
  const all = (await shown.textContent())?.replace(/\s/g, "") ?? "";
  expect([all.length, all === deep]).toEqual([deep.length, true]);
  // The picker of files is the system's own, which no test can answer.
  await page.evaluate(() => Object.assign(window, { showSaveFilePicker: undefined }));
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export all" }).click();
  const [line] = readFileSync(await (await download).path(), "utf8").split("\n");
  const { record } = JSON.parse(line ?? "") as { record: string };
  expect(Buffer.from(record, "base64").equals(Buffer.from(deep))).toBe(true);
});

test("The settings of a source list it, and its end revokes its keys", async ({ signedIn: page, server }) => {
  const slug = newSlug("list");
  server.logbook("workspace", "create", slug, "--name", "List");
  await page.goto(`/w/${slug}/settings/sources`);
  await expect(page.getByText("No sources yet")).toBeVisible();
  await page.getByRole("button", { name: "New source" }).click();
  const dialog = page.getByRole("dialog", { name: "New source" });
  await dialog.getByLabel("What sends").selectOption("keycloak");
  await dialog.getByLabel("Name").fill("kc");
  await dialog.getByLabel("Secret, if it signs").fill("a long secret");
  await dialog.getByLabel("Report silence after").selectOption("1 hour");
  await dialog.getByRole("button", { name: "Create source" }).click();
  await expect(dialog.getByRole("region", { name: "key", exact: true })).toHaveText(/^lbk_/);
  await dialog.getByRole("button", { name: "Done" }).click();
  const row = page.getByRole("listitem").filter({ hasText: "kc" });
  await expect(row).toContainText("Waiting");
  await expectAccessible(page);
  await row.getByRole("link", { name: "kc" }).click();
  await expect(page.getByLabel("Report silence after")).toHaveValue("1 hour");
  await page.getByLabel("Report silence after").selectOption("1 day");
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  await page.getByLabel("Report silence after").selectOption("Another time…");
  await page.getByLabel("How many").fill("45");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await page.reload();
  await expect(page.getByLabel("How many")).toHaveValue("45");
  await page.getByRole("button", { name: "New key" }).click();
  await expect(page.getByText("Copy the new key now.")).toBeVisible();
  await page.getByRole("button", { name: "Remove source" }).click();
  await page.getByRole("dialog", { name: "Remove source" }).getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("No sources yet")).toBeVisible();
});
