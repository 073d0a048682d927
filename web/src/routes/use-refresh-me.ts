import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useCallback } from "react";
import { queryKeys } from "../api/query-keys";
import { meQuery } from "../api/workspaces";

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
