// Another site's page, in a real browser, with somebody signed in to Logbook.
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test as story, expect } from "@playwright/test";
import { Server } from "./server.ts";

const PASSWORD = "correct horse battery";

/** A page of another site: Logbook is at 127.0.0.1, this one at localhost. */
async function otherSite(page: string): Promise<[string, HttpServer]> {
  const server = createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end(page));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return [`http://localhost:${(server.address() as AddressInfo).port}/`, server];
}

story("A form on another site does nothing in the name of who is signed in", async ({ page, context }) => {
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
      (what) => `<form method="post" action="${server.url}/api/v1/auth/${what}" enctype="text/plain" target="${what}">
        <input name='{"email":"admin@localhost","password":"${PASSWORD}","x":"' value='"}'><button>${what}</button></form>
        <iframe name="${what}"></iframe>`,
    );
    let url: string;
    [url, other] = await otherSite(`<!doctype html><title>Other</title>${forms.join("")}`);
    await page.goto(url);
    for (const what of ["refresh", "logout", "login"]) {
      const answered = page.waitForResponse((response) => response.url().endsWith(`/auth/${what}`));
      await page.getByRole("button", { name: what }).click();
      const answer = await answered;
      expect(answer.status(), what).toBe(403);
      const sent = await answer.request().allHeaders();
      expect(sent["sec-fetch-site"], what).toBe("cross-site");
      expect(sent.cookie, what).toBeUndefined();
    }
    // Nor does a script: it can neither send the cookie nor read the answer.
    const read = await page.evaluate(
      (to) => fetch(to, { method: "POST", credentials: "include" }).then((answer) => answer.status, (error: unknown) => String(error)),
      `${server.url}/api/v1/auth/refresh`,
    );
    expect(read).toContain("TypeError");

    expect((await cookie())?.value).toBe(before?.value);
    await page.goto(server.url);
    await expect(page.getByRole("banner")).toBeVisible();
  } finally {
    other?.close();
    await server.stop();
  }
});
