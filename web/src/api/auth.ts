import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { queryKeys } from "./query-keys";
import { endSession, markPasswordSet, startSession } from "./session";
import type { Session } from "./types";

/** `code` is that of the second factor, for an account that has one. */
export async function signIn(email: string, password: string, code?: string): Promise<Session> {
  const body = { email, password, ...(code && { code }) };
  const session = await unwrap(client.POST("/api/v1/auth/login", { body }));
  startSession(session);
  return session;
}

export async function signInWithLink(token: string, code?: string): Promise<Session> {
  const body = { token, ...(code && { code }) };
  const session = await unwrap(client.POST("/api/v1/auth/link", { body }));
  startSession(session);
  return session;
}

export const signInMethodsQuery = queryOptions({
  queryKey: queryKeys.signInMethods(),
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/auth/methods", { signal })),
  staleTime: 5 * 60_000,
});

/** Ends the session in this browser even when the request fails: a bad network must not keep anybody signed in. */
export async function signOut(): Promise<void> {
  try {
    await unwrap(client.POST("/api/v1/auth/logout"));
  } finally {
    endSession("user");
  }
}

export async function setPassword(password: string, currentPassword?: string, code?: string): Promise<void> {
  await unwrap(
    client.PUT("/api/v1/auth/password", {
      body: {
        password,
        ...(currentPassword !== undefined && { current_password: currentPassword }),
        ...(code && { code }),
      },
    }),
  );
  markPasswordSet();
}
