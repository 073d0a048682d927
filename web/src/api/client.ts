import createClient from "openapi-fetch";
import { networkError, toApiError } from "./errors";
import type { paths } from "./schema";
import { accessToken, refreshSession } from "./session";

function withToken(request: Request): Request {
  const token = accessToken();
  if (token) request.headers.set("Authorization", `Bearer ${token}`);
  return request;
}

async function send(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw networkError();
  }
}

const SIGNS_IN_OR_OUT = /\/auth\/(login|link|logout|methods)$/;

/**
 * A 401 is answered by one refresh and one more try. Sign-in's own 401s mean "wrong password" and are left alone.
 * The copy is made first because sending a request uses up its body.
 */
async function fetchWithSession(request: Request): Promise<Response> {
  if (SIGNS_IN_OR_OUT.test(new URL(request.url).pathname)) return send(request);
  const again = request.clone();
  const sentWith = accessToken();
  const response = await send(withToken(request));
  if (response.status !== 401) return response;
  // Another request may have renewed the token while this one was on its way.
  const renewed = accessToken() !== sentWith && accessToken() !== null;
  if (!renewed && !(await refreshSession())) return response;
  return send(withToken(again));
}

export const client = createClient<paths>({
  baseUrl: typeof location === "undefined" ? "" : location.origin,
  fetch: fetchWithSession,
});

type Result<T> = { data?: T; error?: unknown; response: Response };

/** Turns the client's result into a value or a thrown ApiError, which is what queries want. */
export async function unwrap<T>(call: Promise<Result<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw toApiError(response.status, error);
  return data as T;
}
