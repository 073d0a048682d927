import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { queryKeys } from "./query-keys";
import type { Masking, NewApiKey, NewMember, Role, WorkspaceChanges } from "./types";

const MEMBER = "/api/v1/workspaces/{workspace}/members/{user}" as const;
const MEMBERS = "/api/v1/workspaces/{workspace}/members" as const;
const INVITATIONS = "/api/v1/workspaces/{workspace}/invitations" as const;
const KEYS = "/api/v1/workspaces/{workspace}/keys" as const;
const MASKING = "/api/v1/workspaces/{workspace}/masking" as const;

export const membersQuery = (workspace: string) =>
  queryOptions({
    queryKey: queryKeys.members(workspace),
    queryFn: ({ signal }) => unwrap(client.GET(MEMBERS, { params: { path: { workspace } }, signal })),
  });

export const invitationsQuery = (workspace: string) =>
  queryOptions({
    queryKey: queryKeys.invitations(workspace),
    queryFn: ({ signal }) => unwrap(client.GET(INVITATIONS, { params: { path: { workspace } }, signal })),
  });

export const apiKeysQuery = (workspace: string) =>
  queryOptions({
    queryKey: queryKeys.apiKeys(workspace),
    queryFn: ({ signal }) => unwrap(client.GET(KEYS, { params: { path: { workspace } }, signal })),
  });

export const maskingQuery = (workspace: string) =>
  queryOptions({
    queryKey: queryKeys.masking(workspace),
    queryFn: ({ signal }) => unwrap(client.GET(MASKING, { params: { path: { workspace } }, signal })),
  });

export function changeMasking(workspace: string, body: Masking) {
  return unwrap(client.PUT(MASKING, { params: { path: { workspace } }, body }));
}

/** Stores nothing. */
export function previewMasking(workspace: string, masking: Masking, metadata: Record<string, unknown>) {
  // The generator takes any object for an empty one.
  const body = { masking, metadata: metadata as Record<string, never> };
  return unwrap(client.POST(`${MASKING}/preview`, { params: { path: { workspace } }, body }));
}

export function inviteMember(workspace: string, body: NewMember) {
  return unwrap(client.POST(MEMBERS, { params: { path: { workspace } }, body }));
}

export async function cancelInvitation(workspace: string, invitation: string): Promise<void> {
  await unwrap(client.DELETE(`${INVITATIONS}/{invitation}`, { params: { path: { workspace, invitation } } }));
}

export function changeMember(workspace: string, user: string, role: Role) {
  return unwrap(client.PUT(MEMBER, { params: { path: { workspace, user } }, body: { role } }));
}

export async function removeMember(workspace: string, user: string): Promise<void> {
  await unwrap(client.DELETE(MEMBER, { params: { path: { workspace, user } } }));
}

export function createApiKey(workspace: string, body: NewApiKey) {
  return unwrap(client.POST(KEYS, { params: { path: { workspace } }, body }));
}

export async function revokeApiKey(workspace: string, key: string): Promise<void> {
  await unwrap(
    client.DELETE("/api/v1/workspaces/{workspace}/keys/{key}", { params: { path: { workspace, key } } }),
  );
}

export function changeWorkspace(workspace: string, body: WorkspaceChanges) {
  return unwrap(client.PATCH("/api/v1/workspaces/{workspace}", { params: { path: { workspace } }, body }));
}
