import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { queryKeys } from "./query-keys";
import type { NewWorkspace } from "./types";

export const meQuery = queryOptions({
  queryKey: queryKeys.me(),
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/me", { signal })),
  staleTime: 5 * 60_000,
});

export const workspaceQuery = (workspace: string) =>
  queryOptions({
    queryKey: queryKeys.workspace(workspace),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/v1/workspaces/{workspace}", { params: { path: { workspace } }, signal })),
    staleTime: 5 * 60_000,
  });

export function createWorkspace(workspace: NewWorkspace) {
  return unwrap(client.POST("/api/v1/workspaces", { body: workspace }));
}
