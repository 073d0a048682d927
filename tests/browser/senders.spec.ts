// What the pages say about senders is pasted into a shell.
import { execFileSync } from "node:child_process";
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";

const SLUG = "pasted";
const SECRET = "a long secret";
const shell = (lines: string) => execFileSync("bash", ["-c", lines], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** Makes a source in the dialog, and reads the lines that send to it. */
async function makeSource(page: Page, name: string, kind: string, secret?: string) {
  await page.getByRole("button", { name: "New source" }).click();
  const dialog = page.getByRole("dialog", { name: "New source" });
  await dialog.getByLabel("What sends").selectOption(kind);
  await dialog.getByLabel("Name").fill(name);
  if (secret) await dialog.getByLabel("Secret, if it signs").fill(secret);
  await dialog.getByRole("button", { name: "Create source" }).click();
  const lines = (await dialog.getByRole("region", { name: "Try it with curl" }).textContent()) ?? "";
  await dialog.getByRole("button", { name: "Done" }).click();
  return lines.replace("the secret of this source", secret ?? "");
}

test("Lines that are pasted twice send two events", async ({ signedIn: page, server }) => {
  server.logbook("workspace", "create", SLUG, "--name", "Pasted");
  await page.goto(`/w/${SLUG}/settings/sources`);
  const sources: [string, string, string?][] = [
    ["own-code", "api"],
    ["splunk", "hec"],
    ["otel", "otlp"],
    ["events", "cloudevents"],
    ["keycloak", "keycloak"],
    ["keycloak-signed", "keycloak", SECRET],
    ["github", "github"],
    ["github-signed", "github", SECRET],
  ];
  const all: string[] = [];
  for (const [name, kind, secret] of sources) all.push(await makeSource(page, name, kind, secret));
  for (const lines of all) shell(lines);
  // The times of some are those of seconds.
  const second = () => Math.floor(Date.now() / 1000);
  const first = second();
  await expect.poll(second).toBeGreaterThan(first);
  for (const lines of all) shell(lines);

  const response = await fetch(`${server.url}/api/v1/workspaces/${SLUG}/sources`, {
    headers: { authorization: `Bearer ${server.token("admin", SLUG)}` },
  });
  const { data } = (await response.json()) as { data: { name: string; events: number; duplicates: number; rejected: number }[] };
  const counts = Object.fromEntries(data.map(({ name, ...source }) => [name, [source.events, source.duplicates, source.rejected]]));
  expect(counts).toEqual(Object.fromEntries(sources.map(([name]) => [name, [2, 0, 0]])));

  // A key alone is not enough for a source with a secret, and its page says which header is.
  await page.goto(`/w/${SLUG}/settings/sources/keycloak-signed`);
  await page.getByRole("heading", { name: "Connect it" }).click();
  await expect(page.getByText(/signs each request in the header X-Keycloak-Signature.*a key is not needed/)).toBeVisible();
  await expect(page.getByRole("region", { name: "Try it with curl" })).not.toContainText("Authorization");
  const door = `${server.url}/api/v1/workspaces/${SLUG}/sources/keycloak-signed/events`;
  expect(shell(all[5]?.replace("$signature\"", "0000\"") ?? "")).toContain("signature is wrong");
  expect((await fetch(door, { method: "POST", body: "{}" })).status).toBe(401);
});
