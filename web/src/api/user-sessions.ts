import { infiniteQueryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { queryKeys } from "./query-keys";
import type { UserSessionQuery } from "./types";

const LIMIT = 50;

/** The sessions in a workspace, the latest first, asked for at `now`. */
export function userSessionsQuery(workspace: string, query: UserSessionQuery, now: number) {
  return infiniteQueryOptions({
    queryKey: queryKeys.workspaceSessions(workspace, query, now),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        client.GET("/api/v1/workspaces/{workspace}/sessions", {
          params: {
            path: { workspace },
            query: { ...query, limit: LIMIT, ...(pageParam && { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => (page.has_more ? page.next_cursor : null),
    staleTime: Infinity,
  });
}
