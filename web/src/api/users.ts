import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { queryKeys } from "./query-keys";
import type { AccountChange } from "./types";

const USERS = "/api/v1/users" as const;

/** Pages of accounts in the order of their addresses. The next page begins after the last account of the one before. */
export const usersQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: queryKeys.userList(q),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        client.GET(USERS, {
          params: { query: { ...(q && { q }), ...(pageParam && { after: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ data, has_more }) => (has_more ? (data.at(-1)?.id ?? null) : null),
  });

export const userSessionsQuery = (user: string) =>
  queryOptions({
    queryKey: queryKeys.userSessions(user),
    queryFn: ({ signal }) =>
      unwrap(client.GET(`${USERS}/{user}/sessions`, { params: { path: { user } }, signal })),
  });

export function changeUser(user: string, body: AccountChange) {
  return unwrap(client.PATCH(`${USERS}/{user}`, { params: { path: { user } }, body }));
}

export async function endUserSessions(user: string): Promise<void> {
  await unwrap(client.DELETE(`${USERS}/{user}/sessions`, { params: { path: { user } } }));
}
