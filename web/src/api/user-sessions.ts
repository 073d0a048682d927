import { infiniteQueryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { queryKeys } from "./query-keys";
import type { Actor, Page } from "./types";

/** A session of a user of the app: from a sign-in to its end. */
export interface UserSession {
  /** Null where the sign-in names none. */
  session_id: string | null;
  /** Something is inferred: events that name no session, or the end. */
  is_inferred: boolean;
  /** There are more events than were counted. */
  is_complete: boolean;
  user: Actor | null;
  role: string | null;
  started_at: string;
  /** Null while it goes on. */
  ended_at: string | null;
  ended_by: "logout" | "session_expired" | "next_login" | "inactivity" | null;
  last_event_at: string;
  duration_seconds: number | null;
  ip_address: string | null;
  user_agent: string | null;
  device: { browser: string | null; os: string | null };
  events: number;
  changes: number;
  failures: number;
  login_event_id: string;
}

export interface UserSessionQuery {
  since?: string;
  until?: string;
  user_id?: string;
  ip_address?: string;
  session_id?: string;
}

const LIMIT = 50;

/** The sessions in a workspace, the latest first, asked for at `now`. */
export function userSessionsQuery(workspace: string, query: UserSessionQuery, now: number) {
  return infiniteQueryOptions({
    queryKey: queryKeys.workspaceSessions(workspace, query, now),
    queryFn: ({ pageParam, signal }): Promise<Page<UserSession>> =>
      unwrap(
        client.GET(
          "/api/v1/workspaces/{workspace}/sessions" as never,
          {
            params: {
              path: { workspace },
              query: { ...query, limit: LIMIT, ...(pageParam && { cursor: pageParam }) },
            },
            signal,
          } as never,
        ),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => (page.has_more ? page.next_cursor : null),
    staleTime: Infinity,
  });
}
