import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useParams, useRouteContext, useRouter } from "@tanstack/react-router";
import { useCallback } from "react";
import { queryKeys } from "../../api/query-keys";
import { meQuery, workspaceQuery } from "../../api/workspaces";
import { useWorkspaceClock } from "../../logs/use-workspace-clock";
import { useTitle } from "../use-log-page";

/** What all tabs of the settings use. */
export function useSettings(tab: string) {
  const { slug } = useParams({ from: "/app/w/$slug" });
  const { me } = useRouteContext({ from: "/app" });
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  const clock = useWorkspaceClock(workspace);
  useTitle(tab, workspace.name);
  return { slug, me, workspace, clock };
}

/** Reloads the user with their workspaces, whose names, addresses and roles are also in the page header. */
export function useRefreshMe() {
  const queries = useQueryClient();
  const router = useRouter();
  return useCallback(async () => {
    await queries.fetchQuery({ ...meQuery, staleTime: 0 });
    await queries.invalidateQueries({ queryKey: queryKeys.workspaces() });
    await router.invalidate();
  }, [queries, router]);
}
