import { useInfiniteQuery, type UseInfiniteQueryResult } from "@tanstack/react-query";
import { useEffect } from "react";
import { describeError } from "../api/errors";
import type { LogEvent, LogName, Workspace } from "../api/types";
import { Button } from "../ui/Button";
import { ErrorNotice } from "../ui/ErrorNotice";
import { formatCount } from "../ui/time/format";
import type { LogDefinition } from "./definition";
import { EmptyLog, NothingMatches } from "./EmptyLog";
import { LogTable, type LogTableProps } from "./LogTable";
import { clearFilters, dropEmpty, filtersOf, type LogSearch, withRange } from "./search";
import { TopValues } from "./TopValues";
import { listQuery } from "./use-log-data";

type TableProps<E extends LogEvent> = Omit<
  LogTableProps<E>,
  "log" | "events" | "loading" | "stale" | "hasMore" | "compact" | "order" | "onOrder" | "footer"
>;

interface LogResultsProps<L extends LogName, E extends LogEvent, M> extends TableProps<E> {
  log: LogDefinition<L, E, M>;
  workspace: Workspace;
  search: LogSearch;
  onSearch: (search: LogSearch) => void;
  now: number;
  countedAt: number;
  list: Pick<
    UseInfiniteQueryResult,
    | "isPending"
    | "isError"
    | "error"
    | "isPlaceholderData"
    | "hasNextPage"
    | "isFetchNextPageError"
    | "fetchNextPage"
    | "refetch"
  >;
  events: readonly E[];
}

/** What there is under the cards and the chart: the events, their top values, or why there are none. */
export function LogResults<L extends LogName, E extends LogEvent, M extends { exact: boolean }>(
  props: LogResultsProps<L, E, M>,
) {
  const { log, workspace, search, onSearch, now, countedAt, list, events, ...table } = props;
  const { onMore } = table;
  const ranged = Boolean(search.range ?? search.since ?? search.until);
  const filtered = Boolean(search.q) || Object.keys(filtersOf(search)).length > 0;
  // A slow search may return a page that is empty but not the last one. The next page is then loaded at once.
  const searching = events.length === 0 && list.hasNextPage && !list.isError;
  useEffect(() => {
    if (searching) onMore();
  }, [searching, onMore]);
  // A log that is quite empty says so whatever the range.
  const ever = useInfiniteQuery({
    ...listQuery(log, workspace.slug, {}, now, 1),
    enabled: !list.isPending && events.length === 0 && ranged && !filtered,
  });
  const isNew = !filtered && (!ranged || ever.data?.pages[0]?.data.length === 0);

  if (list.isError && events.length === 0) {
    return <ErrorNotice {...describeError(list.error)} onRetry={() => void list.refetch()} />;
  }
  if (!list.isPending && !list.isError && !searching && events.length === 0) {
    if (isNew) return <EmptyLog log={log} workspace={workspace} />;
    if (!filtered && ever.isLoading) return null;
    return (
      <NothingMatches
        filtered={filtered}
        onClear={() => onSearch(withRange(filtered ? clearFilters(search) : search, {}))}
      />
    );
  }
  if (search.view === "top")
    return <TopValues log={log} search={search} onSearch={onSearch} now={countedAt} />;
  const { order = "desc" } = search;
  return (
    <LogTable
      {...table}
      log={log}
      events={events}
      loading={list.isPending || searching}
      stale={list.isPlaceholderData}
      hasMore={list.hasNextPage}
      compact={search.rows === "compact"}
      order={order}
      onOrder={() => {
        onSearch(dropEmpty({ ...search, order: order === "asc" ? undefined : "asc" }));
      }}
      footer={
        list.isFetchNextPageError ? (
          <>
            Could not load more events.
            <Button small icon="refresh" onPress={() => void list.fetchNextPage()}>
              Try again
            </Button>
          </>
        ) : list.hasNextPage ? (
          "Loading more events…"
        ) : (
          `${formatCount(events.length)} ${events.length === 1 ? "event" : "events"}, end of list`
        )
      }
    />
  );
}
