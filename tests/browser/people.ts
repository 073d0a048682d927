// People with an account of their own, and pages where they are signed in.
import type { Browser, Page } from "@playwright/test";
import { expect } from "./fixtures.ts";
import type { Server } from "./server.ts";

/** Opens a page of somebody new, who has no role. They have a browser of their own, and no password. */
export async function openPageOf(browser: Browser, server: Server, email: string, name: string): Promise<Page> {
  const output = server.logbook("user", "create", "--email", email, "--name", name, "--public-url", server.url);
  return openLink(browser, output.trim().split("\n").at(-1) ?? "");
}

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/** Opens one more page of theirs, in another browser, which says that it is Firefox. */
export async function openAnotherPageOf(browser: Browser, server: Server, email: string): Promise<Page> {
  const output = server.logbook("user", "link", "--email", email, "--public-url", server.url);
  return openLink(browser, output.trim().split("\n").at(-1) ?? "", FIREFOX);
}

async function openLink(browser: Browser, link: string, userAgent?: string): Promise<Page> {
  const page = await (await browser.newContext(userAgent ? { userAgent } : {})).newPage();
  await page.goto(link);
  await page.getByRole("button", { name: "Not now" }).click();
  await expect(page.getByRole("banner")).toBeVisible();
  return page;
}
