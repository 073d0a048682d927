import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { queryKeys } from "./query-keys";

export const mySessionsQuery = queryOptions({
  queryKey: queryKeys.mySessions(),
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/me/sessions", { signal })),
});

export async function endMySession(session: string): Promise<void> {
  await unwrap(client.DELETE("/api/v1/me/sessions/{session}", { params: { path: { session } } }));
}
