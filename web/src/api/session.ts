import { toApiError, networkError } from "./errors";
import type { Session, User } from "./types";

// The access token exists only in the memory of this module, so that an injected script finds nothing in storage.
// What survives a reload is an HttpOnly cookie, which refreshSession exchanges for a new token.

/** `never`: nobody was signed in when the page loaded, and the router opens the sign-in page by itself. */
export type SignedOut = "never" | "user" | "expired";

type State =
  { kind: "unknown" } | { kind: "signed-out"; reason: SignedOut } | { kind: "signed-in"; user: User };

let state: State = { kind: "unknown" };
let token: string | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let inFlight: Promise<boolean> | null = null;
const listeners = new Set<() => void>();

/** The token is renewed this long before it expires, so that no request is sent with one that is about to expire. */
const RENEW_BEFORE_MS = 60_000;

function set(next: State) {
  state = next;
  for (const listener of listeners) listener();
}

export function sessionState(): State {
  return state;
}

export function accessToken(): string | null {
  return token;
}

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function startSession(session: Session) {
  token = session.access_token;
  clearTimeout(timer);
  const wait = Math.max(session.expires_in * 1000 - RENEW_BEFORE_MS, 5_000);
  timer = setTimeout(() => void refreshSession(), wait);
  set({ kind: "signed-in", user: session.user });
}

export function endSession(reason: SignedOut) {
  token = null;
  clearTimeout(timer);
  set({ kind: "signed-out", reason });
}

export function markPasswordSet() {
  if (state.kind === "signed-in") set({ kind: "signed-in", user: { ...state.user, has_password: true } });
}

/**
 * Each refresh rotates the cookie. Of two refreshes at the same time, the second would look like the use of a
 * stolen token. All callers in a page therefore share one promise, and tabs wait for each other with a browser lock.
 */
export function refreshSession(): Promise<boolean> {
  inFlight ??= withRefreshLock(exchangeCookie).finally(() => {
    inFlight = null;
  });
  return inFlight;
}

async function withRefreshLock(run: () => Promise<boolean>): Promise<boolean> {
  if (typeof navigator === "undefined" || !navigator.locks) return run();
  return navigator.locks.request("logbook-refresh", run);
}

async function exchangeCookie(): Promise<boolean> {
  let response: Response;
  try {
    response = await fetch(new URL("/api/v1/auth/refresh", location.origin), {
      method: "POST",
      credentials: "same-origin",
    });
  } catch {
    throw networkError();
  }
  if (response.ok) {
    startSession((await response.json()) as Session);
    return true;
  }
  if (response.status === 401) {
    endSession(state.kind === "signed-in" ? "expired" : "never");
    return false;
  }
  throw toApiError(response.status, await response.json().catch(() => null));
}

/** At load: exchanges the cookie if there is one. Resolves to whether somebody is signed in. */
export async function restoreSession(): Promise<boolean> {
  if (state.kind === "unknown") return refreshSession();
  return state.kind === "signed-in";
}
