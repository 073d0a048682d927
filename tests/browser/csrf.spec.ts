// Cross-site request forgery: a page of another site, in the browser of somebody who is signed in to Logbook.
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test as baseTest, expect } from "@playwright/test";
import { Server } from "./server.ts";

const PASSWORD = "correct horse battery";

/** Serves a page of another site: Logbook is at 127.0.0.1, this one at localhost. */
async function otherSite(page: string): Promise<[string, HttpServer]> {
  const server = createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end(page));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return [`http://localhost:${(server.address() as AddressInfo).port}/`, server];
}

baseTest("Forms and scripts of another site cannot act for a signed-in user", async ({ page, context }) => {
  const server = await Server.start();
  let other: HttpServer | undefined;
  try {
    await page.goto(await server.signInLink());
    await page.getByLabel("New password").fill(PASSWORD);
    await page.getByRole("button", { name: "Set password" }).click();
    await expect(page.getByRole("banner")).toBeVisible();
    const cookie = async () => (await context.cookies(`${server.url}/api/v1/auth`)).find(({ name }) => name === "logbook_refresh");
    const before = await cookie();
    expect(before).toMatchObject({ sameSite: "Strict", httpOnly: true, path: "/api/v1/auth" });

    const forms = ["refresh", "logout", "login"].map(
      (action) => `<form method="post" action="${server.url}/api/v1/auth/${action}" enctype="text/plain" target="${action}">
        <input name='{"email":"admin@localhost","password":"${PASSWORD}","x":"' value='"}'><button>${action}</button></form>
        <iframe name="${action}"></iframe>`,
    );
    let url: string;
    [url, other] = await otherSite(`<!doctype html><title>Other</title>${forms.join("")}`);
    await page.goto(url);
    for (const action of ["refresh", "logout", "login"]) {
      const responded = page.waitForResponse((response) => response.url().endsWith(`/auth/${action}`));
      await page.getByRole("button", { name: action }).click();
      const response = await responded;
      expect(response.status(), action).toBe(403);
      const sent = await response.request().allHeaders();
      expect(sent["sec-fetch-site"], action).toBe("cross-site");
      expect(sent.cookie, action).toBeUndefined();
    }
    // A script can neither send the cookie nor read the response.
    const result = await page.evaluate(
      (target) => fetch(target, { method: "POST", credentials: "include" }).then((response) => response.status, (error: unknown) => String(error)),
      `${server.url}/api/v1/auth/refresh`,
    );
    expect(result).toContain("TypeError");

    expect((await cookie())?.value).toBe(before?.value);
    await page.goto(server.url);
    await expect(page.getByRole("banner")).toBeVisible();
  } finally {
    other?.close();
    await server.stop();
  }
});
