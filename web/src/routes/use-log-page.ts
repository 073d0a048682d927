import { useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect } from "react";
import type { LogName } from "../api/types";
import { workspaceQuery } from "../api/workspaces";
import { LOG_PATHS } from "../logs/paths";
import type { LogSearch } from "../logs/search";

/** Connects the page of a log to its URL. */
export function useLogPage(log: LogName) {
  const { slug } = useParams({ from: "/app/w/$slug" });
  const search: LogSearch = useSearch({ from: `/app${LOG_PATHS[log]}` });
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  const navigate = useNavigate();
  const onSearch = useCallback(
    (next: LogSearch, options?: { replace: boolean }) =>
      void navigate({
        to: LOG_PATHS[log],
        params: { slug },
        search: next,
        replace: options?.replace ?? false,
      }),
    [navigate, slug, log],
  );
  useTitle(`${log.charAt(0).toUpperCase()}${log.slice(1)} log`, workspace.name);
  return { workspace, search, onSearch };
}

export function useTitle(page: string, workspace?: string) {
  useEffect(() => {
    document.title = [page, workspace, "Logbook"].filter(Boolean).join(" · ");
  }, [page, workspace]);
}
