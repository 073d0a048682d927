import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { openPage, server, sourceOf, startServer, withSource } from "./app";
import { stubResizeObserver } from "./layout";

startServer();

const WARD = "*/api/v1/workspaces/ward";
const none = { data: [], has_more: false, next_cursor: null };

/** The same event is in both workspaces, so that only the page can tell them apart. */
const event = {
  id: "e1",
  log: "access",
  seq: 1,
  occurred_at: "2026-11-22T12:00:00Z",
  received_at: "2026-11-22T12:00:00Z",
  event_type: "login",
  action: "login",
  outcome: "success",
  status: "success",
  actor: { type: "user", id: "17", name: "Asha Rao" },
  user: { type: "user", id: "17", name: "Asha Rao" },
  on_behalf_of: null,
  target: null,
  targets: [],
  role: null,
  username: null,
  ip_address: null,
  session_id: null,
  metadata: {},
  masked: [],
};

/** Goes from a page of the workspace "clinic" to the same page of another workspace, as the browser's history does. */
async function openAndLeave(path: string, inClinic: () => Promise<void>) {
  const { history } = await openPage(`/w/clinic/${path}`);
  await inClinic();
  act(() => history.push(`/w/ward/${path}`));
  await waitFor(() => expect(document.title).toContain("Ward"));
}

beforeEach(() => {
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(1200);
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(800);
  vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(1200);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(800);
  // jsdom has no layout.
  Element.prototype.scrollTo = () => undefined;
  stubResizeObserver();
  const ward = { slug: "ward", name: "Ward", timezone: "UTC", date_format: "dd/mm/yyyy", role: "admin" };
  server.use(
    http.get(WARD, () => HttpResponse.json(ward)),
    http.get(`${WARD}/views`, () => HttpResponse.json({ data: [] })),
    http.get("*/api/v1/workspaces/:slug/timeline", () => HttpResponse.json({ ...none, data: [event] })),
    http.get("*/api/v1/workspaces/:slug/logs/access", () => HttpResponse.json({ ...none, data: [event] })),
    http.get("*/api/v1/workspaces/:slug/logs/access/*", () => new HttpResponse(null, { status: 404 })),
  );
});

describe("the same page of another workspace", () => {
  it.each(["timeline?actor=user%3A17", "access?q=login"])("has no selection: %s", async (path) => {
    await openAndLeave(path, async () => {
      const cells = await screen.findAllByRole("gridcell");
      fireEvent.click(cells[0] as HTMLElement, { ctrlKey: true });
      await screen.findByRole("region", { name: "Selection" });
    });
    await screen.findAllByRole("gridcell");
    expect(screen.queryByRole("region", { name: "Selection" })).toBeNull();
  });
});

describe("the page of another source", () => {
  it("has nothing of what was written for the one before", async () => {
    withSource(sourceOf({ name: "kc", kind: "keycloak" }));
    withSource(sourceOf({ name: "auth", kind: "keycloak" }));
    const { history } = await openPage("/w/clinic/settings/sources/auth");
    await screen.findByLabelText("Secret");
    act(() => history.push("/w/clinic/settings/sources/kc"));
    await screen.findByRole("heading", { name: /^kc/ });
    fireEvent.change(await screen.findByLabelText("Secret"), { target: { value: "that of kc" } });
    act(() => history.back());
    await screen.findByRole("heading", { name: /^auth/ });
    expect((await screen.findByLabelText<HTMLInputElement>("Secret")).value).toBe("");
  });
});
