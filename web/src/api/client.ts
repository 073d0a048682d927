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

/** These need no token, and a 401 from them does not mean that a session has expired. */
const WITHOUT_SESSION = /\/auth\/(login|link|logout|methods)$/;

/**
 * After a 401, refreshes the session once and sends the request again. A 401 from sign-in means "wrong password"
 * and is returned as it is. The request is cloned first because sending it consumes its body.
 */
async function fetchWithSession(request: Request): Promise<Response> {
  if (WITHOUT_SESSION.test(new URL(request.url).pathname)) return send(request);
  const retry = request.clone();
  const tokenBefore = accessToken();
  const response = await send(withToken(request));
  if (response.status !== 401) return response;
  // Another request may have renewed the token in the meantime.
  const renewed = accessToken() !== tokenBefore && accessToken() !== null;
  if (!renewed && !(await refreshSession())) return response;
  return send(withToken(retry));
}

/**
 * One pair for each value. The names need encoding too: a path inside the metadata (`metadata.request.region`) is a
 * name of its own, with any characters.
 */
export function serializeQuery(query: object): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, unknown][]) {
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (item !== undefined && item !== null) params.append(name, String(item));
    }
  }
  return params.toString();
}

export const client = createClient<paths>({
  baseUrl: typeof location === "undefined" ? "" : location.origin,
  fetch: fetchWithSession,
  querySerializer: serializeQuery,
});

type Result<T> = { data?: T; error?: unknown; response: Response };

/** Returns the data of a successful response and throws an ApiError otherwise, as queries expect. */
export async function unwrap<T>(call: Promise<Result<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw toApiError(response.status, error);
  return data as T;
}
