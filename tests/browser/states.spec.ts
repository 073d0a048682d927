import { expect, test } from "./fixtures.ts";

test("An empty log shows how to send the first event", async ({ signedIn: page, clinic }) => {
  await page.goto(`/w/${clinic.slug}/framework`);
  await expect(page.getByText(/curl/).first()).toBeVisible();
  await expect(page.getByText(`/api/v1/workspaces/${clinic.slug}/logs/framework`)).toBeVisible();
});

test("An error is shown with its request ID, and the request can be repeated", async ({ signedIn: page, pageErrors }) => {
  pageErrors.allow(/status of 500/);
  let broken = true;
  await page.route("**/api/v1/workspaces/peerapp/logs/access?**", (route) =>
    broken
      ? route.fulfill({
          status: 500,
          contentType: "application/problem+json",
          headers: { "x-request-id": "request-4711" },
          json: { type: "about:blank", title: "Internal error", status: 500, detail: "something broke", code: "internal", request_id: "request-4711", errors: [] },
        })
      : route.continue(),
  );
  await page.goto("/w/peerapp/access");
  const alert = page.getByRole("alert").filter({ hasText: "request-4711" });
  await expect(alert).toBeVisible();
  broken = false;
  await alert.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("grid", { name: "Access log" }).getByRole("gridcell").first()).toBeVisible();
});

test("A network error is shown, too", async ({ signedIn: page, pageErrors }) => {
  pageErrors.allow(/ERR_FAILED/);
  await page.route("**/api/v1/workspaces/peerapp/logs/access?**", (route) => route.abort());
  await page.goto("/w/peerapp/access");
  await expect(page.getByRole("alert").first()).toBeVisible();
});

test("An unknown workspace and an unknown page are not found", async ({ signedIn: page, pageErrors }) => {
  pageErrors.allow(/status of 404/);
  // React logs errors that an error boundary catches.
  pageErrors.allow(/there is no such workspace/);
  await page.goto("/w/nowhere/access");
  await expect(page.getByRole("heading", { name: "Workspace not found" })).toBeVisible();
  await page.goto("/nowhere");
  await expect(page.getByRole("heading", { name: "Page not found" })).toBeVisible();
});

test("The API documentation works under its content security policy", async ({ page, server }) => {
  await page.goto(`${server.url}/api/docs/`);
  await expect(page.getByText("listAccessEvents").or(page.getByText("/api/v1/auth/login")).first()).toBeVisible();
});
