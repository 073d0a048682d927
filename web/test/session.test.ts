import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { ApiError } from "../src/api/errors";
import type { Problem, Session, User, Workspace } from "../src/api/types";

const user: User = { id: "u1", name: "Asha Rao", email: "asha@clinic.test", has_password: true };
const workspace: Workspace = {
  slug: "clinic",
  name: "Clinic",
  timezone: "Asia/Kolkata",
  date_format: "dd/mm/yyyy",
  created_at: "2026-11-22T20:48:59.119674Z",
  role: "auditor",
};

function session(token: string): Session {
  return { access_token: token, token_type: "Bearer", expires_in: 900, user };
}

function problem(status: number, code: string) {
  const body: Problem = {
    type: "about:blank",
    title: code,
    status,
    detail: `${code}.`,
    code,
    request_id: "r-1",
    errors: [],
  };
  return HttpResponse.json(body, { status, headers: { "Content-Type": "application/problem+json" } });
}

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

/** The session is the state of a module. Each call loads the modules anew, like a new page. */
async function openPage() {
  vi.resetModules();
  const [{ client, unwrap }, auth, state] = await Promise.all([
    import("../src/api/client"),
    import("../src/api/auth"),
    import("../src/api/session"),
  ]);
  const read = () =>
    unwrap(client.GET("/api/v1/workspaces/{workspace}", { params: { path: { workspace: "clinic" } } }));
  return { ...auth, ...state, read };
}

/**
 * Mocks a server that accepts the token `valid` and returns the token `next` on refresh. Without a `next`, it
 * rejects the refresh. It responds to a refresh only after it has rejected `rejections` requests.
 */
function mockServer(valid: string, next: string | null, { rejections = 0 } = {}) {
  const calls = { refresh: 0, rejected: 0, read: 0 };
  let release = () => {};
  const allRejected = new Promise<void>((resolve) => {
    release = resolve;
  });
  if (rejections === 0) release();
  let current = valid;
  server.use(
    http.post("*/api/v1/auth/login", () => HttpResponse.json(session("first"))),
    http.post("*/api/v1/auth/refresh", async () => {
      calls.refresh += 1;
      await allRejected;
      if (next === null) return problem(401, "not_signed_in");
      current = next;
      return HttpResponse.json(session(next));
    }),
    http.get("*/api/v1/workspaces/clinic", ({ request }) => {
      if (request.headers.get("Authorization") === `Bearer ${current}`) {
        calls.read += 1;
        return HttpResponse.json(workspace);
      }
      calls.rejected += 1;
      if (calls.rejected === rejections) release();
      return problem(401, "token_expired");
    }),
  );
  return calls;
}

describe("the session", () => {
  it("sends the token from sign-in", async () => {
    const calls = mockServer("first", null);
    const { signIn, read, sessionState } = await openPage();
    await signIn("asha@clinic.test", "a long password");
    expect(await read()).toEqual(workspace);
    expect(calls).toEqual({ refresh: 0, rejected: 0, read: 1 });
    expect(sessionState()).toEqual({ kind: "signed-in", user });
  });

  it("refreshes once when the server rejects several requests at the same time", async () => {
    const calls = mockServer("second", "second", { rejections: 4 });
    const { signIn, read } = await openPage();
    await signIn("asha@clinic.test", "a long password");
    const responses = await Promise.all([read(), read(), read(), read()]);
    expect(responses).toEqual([workspace, workspace, workspace, workspace]);
    expect(calls).toEqual({ refresh: 1, rejected: 4, read: 4 });
  });

  it("expires when the server rejects the refresh", async () => {
    const calls = mockServer("second", null);
    const { signIn, read, sessionState, accessToken } = await openPage();
    await signIn("asha@clinic.test", "a long password");
    await expect(read()).rejects.toMatchObject({ status: 401, code: "token_expired", requestId: "r-1" });
    expect(calls.refresh).toBe(1);
    expect(sessionState()).toEqual({ kind: "signed-out", reason: "expired" });
    expect(accessToken()).toBeNull();
  });

  it("is restored from the cookie at load, if there is one", async () => {
    mockServer("first", "first");
    const withCookie = await openPage();
    expect(await withCookie.restoreSession()).toBe(true);

    server.use(http.post("*/api/v1/auth/refresh", () => problem(401, "not_signed_in")));
    const withoutCookie = await openPage();
    expect(await withoutCookie.restoreSession()).toBe(false);
    expect(withoutCookie.sessionState()).toEqual({ kind: "signed-out", reason: "never" });
  });

  it("does not refresh after a wrong password", async () => {
    const calls = mockServer("first", "first");
    server.use(http.post("*/api/v1/auth/login", () => problem(401, "invalid_credentials")));
    const { signIn } = await openPage();
    await expect(signIn("asha@clinic.test", "nope")).rejects.toMatchObject({ code: "invalid_credentials" });
    expect(calls.refresh).toBe(0);
  });

  it("ends in this browser even when the server cannot be reached", async () => {
    mockServer("first", "first");
    server.use(http.post("*/api/v1/auth/logout", () => HttpResponse.error()));
    const { signIn, signOut, sessionState } = await openPage();
    await signIn("asha@clinic.test", "a long password");
    const failure: ApiError = await signOut().then(
      () => expect.unreachable("the network is down"),
      (error: ApiError) => error,
    );
    expect(failure).toMatchObject({ status: 0, code: "network", retryable: true });
    expect(sessionState()).toEqual({ kind: "signed-out", reason: "user" });
  });
});
