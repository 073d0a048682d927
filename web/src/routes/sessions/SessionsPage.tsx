import { useInfiniteQuery, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { ApiError, describeError } from "../../api/errors";
import { userSessionsQuery } from "../../api/user-sessions";
import { workspaceQuery } from "../../api/workspaces";
import { actorName } from "../../logs/cells";
import { LogContext } from "../../logs/context";
import { describeRange, resolveRange } from "../../logs/range";
import { useRecentPlace } from "../../logs/recent";
import { useWorkspaceClock } from "../../logs/use-workspace-clock";
import { Button } from "../../ui/Button";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { Notice } from "../../ui/Notice";
import { TimeTooltip } from "../../ui/TimeTooltip";
import { formatCount } from "../../ui/time/format";
import { useTitle } from "../use-log-page";
import { SessionFilters } from "./SessionFilters";
import type { SessionSearch } from "./session-search";
import { SessionTable } from "./SessionTable";
import styles from "./SessionsPage.module.css";

const ROUTE = "/w/$slug/sessions";

/** Who was signed in to the app, from when to when, with what, and how it ended. */
export function SessionsPage() {
  const { slug } = useParams({ from: `/app${ROUTE}` });
  const search = useSearch({ from: `/app${ROUTE}` });
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  const clock = useWorkspaceClock(workspace);
  const navigate = useNavigate();
  const router = useRouter();
  const [now, setNow] = useState(() => Date.now());
  useTitle("Sessions", workspace.name);

  const { range, since, until, ...filters } = search;
  const list = useInfiniteQuery(
    userSessionsQuery(
      slug,
      { ...filters, ...resolveRange({ range, since, until } as SessionSearch, now) },
      now,
    ),
  );
  const sessions = useMemo(() => list.data?.pages.flatMap((page) => page.data) ?? [], [list.data]);
  const go = (next: SessionSearch) => void navigate({ to: ROUTE, params: { slug }, search: next });

  // A page may be empty and not the last one.
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const searching = sessions.length === 0 && hasNextPage && !list.isError;
  useEffect(() => {
    if (searching && !isFetchingNextPage) void fetchNextPage();
  }, [searching, isFetchingNextPage, fetchNextPage]);

  const userName = search.user_id
    ? actorName(sessions.find(({ user }) => user?.id === search.user_id)?.user ?? null)
    : null;
  const named = userName === "Unknown" ? null : userName;
  const words = [
    search.user_id && (named ? `${named} (${search.user_id})` : `User ${search.user_id}`),
    search.ip_address && `IP address ${search.ip_address}`,
    search.session_id && `Session ${search.session_id}`,
  ].filter(Boolean);
  const rangeText = describeRange(search as SessionSearch, clock);
  useRecentPlace(
    slug,
    words.length > 0 && sessions.length > 0
      ? {
          href: router.buildLocation({ to: ROUTE, params: { slug }, search }).href,
          name: words.join(", "),
          hint: `Sessions, ${rangeText.charAt(0).toLowerCase()}${rangeText.slice(1)}`,
        }
      : null,
  );
  const context = useMemo(
    () => ({ workspace: slug, clock, search: {}, filterLabel: (param: string) => param }),
    [slug, clock],
  );
  const wrongAddress =
    list.error instanceof ApiError
      ? (list.error.problem?.errors?.find(({ parameter }) => parameter === "ip_address")?.detail ?? null)
      : null;
  return (
    <LogContext value={context}>
      <div className={styles.page}>
        <div className={styles.head}>
          <h1 className={styles.title}>Sessions</h1>
          <p className={styles.sub}>
            From each sign-in to its end, as the access log tells · times in {clock.zone}
          </p>
        </div>
        <SessionFilters
          key={`${search.ip_address ?? ""} ${search.user_id ?? ""}`}
          search={search}
          userName={named}
          clock={clock}
          wrongAddress={wrongAddress}
          onSearch={go}
          onRefresh={() => setNow(Date.now())}
        />
        {list.isError && sessions.length === 0 ? (
          wrongAddress === null && (
            <ErrorNotice {...describeError(list.error)} onRetry={() => void list.refetch()} />
          )
        ) : !list.isPending && !searching && sessions.length === 0 ? (
          <Notice icon="inbox" title={words.length > 0 ? "No sessions match" : "No sessions"}>
            <p>
              {words.length > 0 || range || since || until
                ? "Nobody signed in with these conditions."
                : "A session begins with a login in the access log. This log has none yet."}
            </p>
            {(words.length > 0 || range || since || until) && (
              <Button onPress={() => go({})}>Show all sessions</Button>
            )}
          </Notice>
        ) : (
          <SessionTable
            slug={slug}
            clock={clock}
            sessions={sessions}
            loading={list.isPending || searching}
            order={search.order ?? "desc"}
            onOrder={() => {
              const { order, ...others } = search;
              go(order === "asc" ? others : { ...others, order: "asc" });
            }}
            onFilter={(filter) => go({ ...search, ...filter })}
          />
        )}
        {sessions.length > 0 && (
          <div className={styles.more}>
            {list.isFetchNextPageError && <span role="alert">Could not load more sessions.</span>}
            {hasNextPage ? (
              <Button isDisabled={isFetchingNextPage} onPress={() => void fetchNextPage()}>
                {isFetchingNextPage ? "Loading…" : "Show more"}
              </Button>
            ) : (
              <span>
                {formatCount(sessions.length)} {sessions.length === 1 ? "session" : "sessions"}, end of list
              </span>
            )}
          </div>
        )}
      </div>
      <TimeTooltip clock={clock} />
    </LogContext>
  );
}
