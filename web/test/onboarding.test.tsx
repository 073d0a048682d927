import { fireEvent, screen } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, describe, expect, it } from "vitest";
import { hasEventsQuery } from "../src/api/sources";
import type { Source } from "../src/api/types";
import { queryClient } from "../src/routes/router";
import { API, openPage, server, sourceOf, startServer, withSource } from "./app";

startServer();

// A workspace without any event.
beforeEach(() => void queryClient.setQueryData(hasEventsQuery("clinic").queryKey, false));

function withWaiting(changes: Partial<Source> = {}) {
  return withSource(sourceOf({ events: 0, last_event_at: null, last_received_at: null, ...changes }));
}

describe("the way to the first event", () => {
  it("begins with a source, whose key and configuration are shown at once", async () => {
    server.use(
      http.get(`${API}/sources`, () => HttpResponse.json({ data: [] })),
      http.post(`${API}/sources`, () => {
        withWaiting();
        return HttpResponse.json({ ...sourceOf({ events: 0 }), key: "lbk_new" }, { status: 201 });
      }),
    );
    await openPage("/w/clinic");
    fireEvent.change(await screen.findByLabelText("Name"), { target: { value: "vector" } });
    fireEvent.click(screen.getByRole("button", { name: "Create source" }));
    expect((await screen.findByRole("region", { name: "key" })).textContent).toBe("lbk_new");
    expect(screen.getByRole("region", { name: "Vector" }).textContent).toContain('default_token = "lbk_new"');
    expect(screen.getByText("Waiting for the first event of vector…")).toBeTruthy();
  });

  it("offers another key after a reload, because the first one is not known any more", async () => {
    withWaiting();
    server.use(
      http.post(`${API}/keys`, () => HttpResponse.json({ key: {}, token: "lbk_another" }, { status: 201 })),
    );
    const { container } = await openPage("/w/clinic");
    const another = await screen.findByRole("button", { name: "Make another key" });
    // No line with a hole in the place of the key.
    expect(container.textContent).not.toContain("lbk_");
    fireEvent.click(another);
    expect((await screen.findByRole("region", { name: "key" })).textContent).toBe("lbk_another");
    expect(screen.getByRole("region", { name: "Vector" }).textContent).toContain("lbk_another");
    expect(screen.queryByRole("button", { name: "Make another key" })).toBeNull();
  });

  it("shows the configuration of a sender that signs, which needs no key", async () => {
    withWaiting({ kind: "keycloak", has_secret: true });
    await openPage("/w/clinic");
    const curl = await screen.findByRole("region", { name: "Try it with curl" });
    expect(curl.textContent).toContain("X-Keycloak-Signature: $signature");
    expect(screen.queryByRole("button", { name: "Make another key" })).toBeNull();
  });

  it("offers neither sources nor keys to those who cannot make them", async () => {
    withWaiting();
    await openPage("/w/clinic", "viewer");
    expect(await screen.findByText("An admin enters its key where the events come from.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Make another key" })).toBeNull();
  });

  const waits: [string, Partial<Source>][] = [
    ["Waiting for the first event of vector…", { last_received_at: null }],
    ["Something came and could not be read", { rejected: 2, skipped: 1 }],
    ["Something came, and the mapping skipped it", { skipped: 3 }],
    ["Something came, and no event yet", {}],
    ["The first event came", { events: 1, rejected: 2 }],
  ];
  it.each(waits)("says what came so far: %s", async (text, changes) => {
    withWaiting({ last_received_at: "2026-11-23T08:00:00Z", ...changes });
    await openPage("/w/clinic");
    expect(await screen.findByText(text)).toBeTruthy();
  });

  it("tells those who cannot make a source who can", async () => {
    server.use(http.get(`${API}/sources`, () => HttpResponse.json({ data: [] })));
    await openPage("/w/clinic", "viewer");
    expect(await screen.findByText(/An admin of the workspace makes a source/)).toBeTruthy();
    expect(screen.queryByLabelText("Name")).toBeNull();
  });
});
