import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { queryKeys } from "../api/query-keys";
import type { FilterQuery, ListQuery, LogEvent, LogName } from "../api/types";
import type { LogDefinition } from "./definition";
import { resolveRange } from "./range";
import { filtersOf, type LogSearch } from "./search";

const PAGE_SIZE = 100;

/** The filters of a page. The list, the metrics, the chart and the facets all use the same ones. */
export function filterQuery<L extends LogName>(search: LogSearch, now: number): FilterQuery<L> {
  const { q } = search;
  // `readSearch` keeps only the parameters of this log and paths inside the metadata, which the compiler cannot know.
  return { ...resolveRange(search, now), ...(q && { q }), ...filtersOf(search) } as FilterQuery<L>;
}

export function useLogData<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  search: LogSearch,
  now: number,
  { pageSize = PAGE_SIZE, facets: withFacets = true }: { pageSize?: number; facets?: boolean } = {},
) {
  const filters = filterQuery<L>(search, now);
  const order = search.order ?? "desc";

  const list = useInfiniteQuery({
    queryKey: queryKeys.logList(workspace, log.name, filters, order, pageSize),
    queryFn: ({ pageParam, signal }) =>
      log.api.list(
        workspace,
        { ...filters, order, limit: pageSize, ...(pageParam && { cursor: pageParam }) } as ListQuery<L>,
        signal,
      ),
    initialPageParam: "",
    getNextPageParam: (page) => (page.has_more ? page.next_cursor : null),
    placeholderData: keepPreviousData,
  });
  const metrics = useQuery({
    queryKey: queryKeys.logMetrics(workspace, log.name, filters),
    queryFn: ({ signal }) => log.api.metrics(workspace, filters, signal),
    placeholderData: keepPreviousData,
  });
  const facets = useQuery({
    queryKey: queryKeys.logFacets(workspace, log.name, filters),
    queryFn: ({ signal }) => log.api.facets(workspace, filters, signal),
    enabled: withFacets,
    placeholderData: keepPreviousData,
  });
  const histogram = useQuery({
    queryKey: queryKeys.logHistogram(workspace, log.name, filters, log.chart.by),
    queryFn: ({ signal }) => log.api.histogram(workspace, filters, log.chart.by, signal),
    placeholderData: keepPreviousData,
  });

  const events = useMemo(() => list.data?.pages.flatMap((page) => page.data) ?? [], [list.data]);
  return { list, events, metrics, facets, histogram };
}

const LIVE_INTERVAL_MS = 4_000;
const LIVE_PAGE_SIZE = 100;

/**
 * Counts the events that arrived since the list was loaded. It does not change the list, because rows that move
 * cannot be read. An event is new if its seq is higher than any in the list, so late events count too.
 */
export function useNewEvents<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  search: LogSearch,
  now: number,
  events: readonly E[],
  live: boolean,
): { count: number; more: boolean } {
  const filters = filterQuery<L>(search, now);
  const seen = useMemo(() => events.reduce((top, event) => Math.max(top, event.seq), 0), [events]);
  const newest = useQuery({
    queryKey: queryKeys.logNewEvents(workspace, log.name, filters),
    queryFn: ({ signal }) =>
      log.api.list(workspace, { ...filters, order: "desc", limit: LIVE_PAGE_SIZE } as ListQuery<L>, signal),
    enabled: live,
    refetchInterval: LIVE_INTERVAL_MS,
    staleTime: 0,
    gcTime: 0,
  });
  const count = live ? (newest.data?.data.filter((event) => event.seq > seen).length ?? 0) : 0;
  return { count, more: count === LIVE_PAGE_SIZE };
}
