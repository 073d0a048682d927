import { useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useRouter, useRouterState, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect } from "react";
import type { LogName } from "../api/types";
import { workspaceQuery } from "../api/workspaces";
import { LOG_PATHS } from "../logs/paths";
import type { LogSearch } from "../logs/search";
import { parseSearch, stringifySearch } from "./query-string";
import { ViewsMenu } from "./ViewsMenu";

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
  const router = useRouter();
  const hrefOf = useCallback(
    (next: LogSearch) => router.buildLocation({ to: LOG_PATHS[log], params: { slug }, search: next }).href,
    [router, slug, log],
  );
  // Of the browser's history: Back comes to the same entry again.
  const entry = useRouterState({ select: ({ location }) => location.state.__TSR_key ?? "" });
  useTitle(`${log.charAt(0).toUpperCase()}${log.slice(1)} log`, workspace.name);
  const onSession = useCallback(
    (session_id: string) =>
      void navigate({ to: "/w/$slug/timeline", params: { slug }, search: { session_id } }),
    [navigate, slug],
  );
  const openQuery = useCallback(
    (query: string) =>
      void navigate({ to: LOG_PATHS[log], params: { slug }, search: parseSearch(query) as LogSearch }),
    [navigate, slug, log],
  );
  // What is open is no part of a view.
  const query = stringifySearch({ ...search, event: undefined }).slice(1);
  const actions = <ViewsMenu log={log} workspace={workspace} query={query} onOpen={openQuery} />;
  return { workspace, search, entry, hrefOf, onSearch, onSession, actions };
}

export function useTitle(page: string, workspace?: string) {
  useEffect(() => {
    document.title = [page, workspace, "Logbook"].filter(Boolean).join(" · ");
  }, [page, workspace]);
}
