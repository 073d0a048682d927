import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
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

/** The session is module state, as it is in a page; each test opens a page of its own. */
async function page() {
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

/** Accepts one token, hands out the next one on refresh. */
function rotating(valid: string, next: string | null) {
  const calls = { refresh: 0, refused: 0, read: 0 };
  let current = valid;
  server.use(
    http.post("*/api/v1/auth/login", () => HttpResponse.json(session("first"))),
    http.post("*/api/v1/auth/refresh", async () => {
      calls.refresh += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (next === null) return problem(401, "not_signed_in");
      current = next;
      return HttpResponse.json(session(next));
    }),
    http.get("*/api/v1/workspaces/clinic", ({ request }) => {
      if (request.headers.get("Authorization") === `Bearer ${current}`) {
        calls.read += 1;
        return HttpResponse.json(workspace);
      }
      calls.refused += 1;
      return problem(401, "token_expired");
    }),
  );
  return calls;
}

describe("the session", () => {
  beforeEach(() => {
    vi.spyOn(globalThis, "setTimeout");
  });

  it("sends the token that signing in gave", async () => {
    const calls = rotating("first", null);
    const { signIn, read, sessionState } = await page();
    await signIn("asha@clinic.test", "a long password");
    expect(await read()).toEqual(workspace);
    expect(calls).toEqual({ refresh: 0, refused: 0, read: 1 });
    expect(sessionState()).toEqual({ kind: "signed-in", user });
  });

  it("refreshes once for many requests that are refused at the same time", async () => {
    const calls = rotating("second", "second");
    const { signIn, read } = await page();
    await signIn("asha@clinic.test", "a long password");
    const answers = await Promise.all([read(), read(), read(), read()]);
    expect(answers).toEqual([workspace, workspace, workspace, workspace]);
    expect(calls).toEqual({ refresh: 1, refused: 4, read: 4 });
  });

  it("ends when the refresh is refused, and says that it expired", async () => {
    const calls = rotating("second", null);
    const { signIn, read, sessionState, accessToken } = await page();
    await signIn("asha@clinic.test", "a long password");
    await expect(read()).rejects.toMatchObject({ status: 401, code: "token_expired", requestId: "r-1" });
    expect(calls.refresh).toBe(1);
    expect(sessionState()).toEqual({ kind: "signed-out", reason: "expired" });
    expect(accessToken()).toBeNull();
  });

  it("is restored at load from the cookie, or not", async () => {
    rotating("first", "first");
    const opened = await page();
    expect(await opened.restoreSession()).toBe(true);

    server.use(http.post("*/api/v1/auth/refresh", () => problem(401, "not_signed_in")));
    const other = await page();
    expect(await other.restoreSession()).toBe(false);
    expect(other.sessionState()).toEqual({ kind: "signed-out", reason: "never" });
  });

  it("leaves a wrong password to the form", async () => {
    const calls = rotating("first", "first");
    server.use(http.post("*/api/v1/auth/login", () => problem(401, "invalid_credentials")));
    const { signIn } = await page();
    await expect(signIn("asha@clinic.test", "nope")).rejects.toMatchObject({ code: "invalid_credentials" });
    expect(calls.refresh).toBe(0);
  });

  it("ends here even when the server cannot be told", async () => {
    rotating("first", "first");
    server.use(http.post("*/api/v1/auth/logout", () => HttpResponse.error()));
    const { signIn, signOut, sessionState } = await page();
    await signIn("asha@clinic.test", "a long password");
    const failure: ApiError = await signOut().then(
      () => expect.unreachable("the network is down"),
      (error: ApiError) => error,
    );
    expect(failure).toMatchObject({ status: 0, code: "network", retryable: true });
    expect(sessionState()).toEqual({ kind: "signed-out", reason: "user" });
  });
});
