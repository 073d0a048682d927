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

const MY_INVITATION = "/api/v1/me/invitations/{workspace}" as const;

export async function acceptInvitation(workspace: string): Promise<void> {
  await unwrap(client.POST(MY_INVITATION, { params: { path: { workspace } } }));
}

export async function declineInvitation(workspace: string): Promise<void> {
  await unwrap(client.DELETE(MY_INVITATION, { params: { path: { workspace } } }));
}

export function createWorkspace(workspace: NewWorkspace) {
  return unwrap(client.POST("/api/v1/workspaces", { body: workspace }));
}
