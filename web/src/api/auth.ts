import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { queryKeys } from "./query-keys";
import { endSession, markPasswordSet, startSession } from "./session";
import type { Session } from "./types";

export async function signIn(email: string, password: string): Promise<Session> {
  const session = await unwrap(client.POST("/api/v1/auth/login", { body: { email, password } }));
  startSession(session);
  return session;
}

export async function signInWithLink(token: string): Promise<Session> {
  const session = await unwrap(client.POST("/api/v1/auth/link", { body: { token } }));
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

export async function setPassword(password: string, currentPassword?: string): Promise<void> {
  await unwrap(
    client.PUT("/api/v1/auth/password", {
      body: currentPassword === undefined ? { password } : { password, current_password: currentPassword },
    }),
  );
  markPasswordSet();
}
