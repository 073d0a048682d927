import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRouter, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import type { Me, Problem, Session, Source, Workspace } from "../src/api/types";
import { queryClient, router } from "../src/routes/router";

export const API = "*/api/v1/workspaces/clinic";

/** A server that answers only what a test says. */
export const server = setupServer();

const user = { id: "u1", name: "Asha Rao", email: "asha@clinic.test", has_password: true };

/** Starts the server for the tests of a file, with somebody signed in. */
export function startServer() {
  beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
  // jsdom has neither.
  beforeEach(() => {
    vi.stubGlobal("scrollTo", () => undefined);
    vi.stubGlobal("CSS", { escape: (text: string) => text, supports: () => false });
  });
  afterEach(() => {
    server.resetHandlers();
    queryClient.clear();
  });
  afterAll(() => server.close());
}

/** Opens a page of the app as somebody with a role in the workspace "clinic". */
export async function openPage(path: string, role = "admin") {
  const workspace: Workspace = {
    slug: "clinic",
    name: "Clinic",
    timezone: "Asia/Kolkata",
    date_format: "dd/mm/yyyy",
    created_at: "2026-11-22T20:48:59Z",
    role,
  };
  const session: Session = { access_token: "t", token_type: "Bearer", expires_in: 900, user };
  const me = { user, platform_admin: false, workspaces: [workspace], invitations: [] } as unknown as Me;
  server.use(
    http.post("*/api/v1/auth/refresh", () => HttpResponse.json(session)),
    http.get("*/api/v1/me", () => HttpResponse.json(me)),
    http.get(API, () => HttpResponse.json(workspace)),
    http.get(`${API}/views`, () => HttpResponse.json({ data: [] })),
  );
  const history = createMemoryHistory({ initialEntries: [path] });
  const opened = createRouter({ ...router.options, history });
  const shown = render(
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={opened as typeof router} />
    </QueryClientProvider>,
  );
  await opened.load();
  return { ...shown, history };
}

export function problem(status: number, code: string, detail: string, errors: Problem["errors"] = []) {
  const body: Problem = { type: "about:blank", title: code, status, detail, code, request_id: "r-1", errors };
  return HttpResponse.json(body, { status, headers: { "Content-Type": "application/problem+json" } });
}

/** A source that sends and is well, but for what a test says. */
export function sourceOf(changes: Partial<Source> = {}): Source {
  return {
    name: "vector",
    kind: "hec",
    created_at: "2026-11-22T20:48:59Z",
    created_by: "Asha Rao",
    silence_seconds: null,
    replay_days: 7,
    has_secret: false,
    has_own_mapping: false,
    last_event_at: "2026-11-23T08:00:00Z",
    last_received_at: "2026-11-23T08:00:01Z",
    last_heartbeat_at: null,
    events: 1200,
    duplicates: 0,
    skipped: 0,
    bytes: 4096,
    rejected: 0,
    problems: [],
    silent_since: null,
    lag_seconds: 0.4,
    skew_seconds: 0.2,
    missing_fields: [],
    gaps: [],
    gaps_complete: true,
    epochs: [],
    days: [],
    ...changes,
  };
}

/** Answers for the pages of one source. */
export function withSource(source: Source) {
  const own = `${API}/sources/${source.name}`;
  const none = { data: [], has_more: false, next_cursor: null };
  server.use(
    http.get(`${API}/sources`, () => HttpResponse.json({ data: [source] })),
    http.get(own, () => HttpResponse.json(source)),
    http.get(`${own}/rejected`, () => HttpResponse.json(none)),
    http.get(`${API}/keys`, () => HttpResponse.json({ data: [] })),
    ...["access", "application", "framework"].map((log) =>
      http.get(`${API}/logs/${log}`, () => HttpResponse.json(none)),
    ),
  );
  return own;
}

/** The files that the page saves, as they are saved. jsdom saves none. */
export function savedFiles(): Blob[] {
  const saved: Blob[] = [];
  Object.assign(URL, { createObjectURL: (blob: Blob) => saved.push(blob), revokeObjectURL: () => undefined });
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockReturnValue();
  return saved;
}

/** The texts that the page copies. */
export function copiedTexts(): string[] {
  const copied: string[] = [];
  const clipboard = { writeText: (text: string) => Promise.resolve(void copied.push(text)) };
  Object.defineProperty(navigator, "clipboard", { value: clipboard, configurable: true });
  return copied;
}
