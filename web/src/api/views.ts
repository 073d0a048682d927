import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { queryKeys } from "./query-keys";
import type { NewView } from "./types";

const VIEWS = "/api/v1/workspaces/{workspace}/views" as const;
const VIEW = "/api/v1/workspaces/{workspace}/views/{view}" as const;

/** The saved views of the caller, and those that others share. */
export const viewsQuery = (workspace: string) =>
  queryOptions({
    queryKey: queryKeys.views(workspace),
    queryFn: ({ signal }) => unwrap(client.GET(VIEWS, { params: { path: { workspace } }, signal })),
    staleTime: 5 * 60_000,
  });

export function saveView(workspace: string, body: NewView) {
  return unwrap(client.POST(VIEWS, { params: { path: { workspace } }, body }));
}

export function removeView(workspace: string, view: string) {
  return unwrap(client.DELETE(VIEW, { params: { path: { workspace, view } } }));
}
