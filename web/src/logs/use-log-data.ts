import {
  infiniteQueryOptions,
  keepPreviousData,
  type QueryClient,
  queryOptions,
  useInfiniteQuery,
  useQuery,
} from "@tanstack/react-query";
import { useMemo } from "react";
import { queryKeys } from "../api/query-keys";
import type { FilterQuery, ListQuery, LogEvent, LogName } from "../api/types";
import type { LogDefinition } from "./definition";
import { resolveRange } from "./range";
import { filtersOf, type LogSearch, questionOf } from "./search";
import { rememberVisit, visitOf } from "./visits";

const PAGE_SIZE = 100;

/** The filters of a page. The list, the metrics, the chart and the facets all use the same ones. */
export function filterQuery<L extends LogName>(search: LogSearch, now: number): FilterQuery<L> {
  const { q } = search;
  // `readSearch` keeps only the parameters of this log and paths inside the metadata, which the compiler cannot know.
  return { ...resolveRange(search, now), ...(q && { q }), ...filtersOf(search) } as FilterQuery<L>;
}

/** The same question about the period before, of the same length. Undefined for a range without a start. */
function periodBefore<L extends LogName>(search: LogSearch, now: number): FilterQuery<L> | undefined {
  const { since, until } = resolveRange(search, now);
  if (!since) return undefined;
  // A date is a day of the workspace's zone. Two of them are as many days apart in every zone, but for the change of clocks.
  const start = Date.parse(since);
  const length = (until ? Date.parse(until) : now) - start;
  if (length <= 0) return undefined;
  const moved = new Date(start - length).toISOString();
  const before = /^\d{4}-\d{2}-\d{2}$/.test(since) ? moved.slice(0, 10) : moved;
  return { ...filterQuery<L>(search, now), since: before, until: since } as FilterQuery<L>;
}

/** An answer is that of its time: it is asked again only at another time, so that Back shows what was there. */
const ANSWER = { staleTime: Infinity, gcTime: 10 * 60_000 } as const;

/** The pages of a list, asked for at `now`. */
export function listQuery<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  search: LogSearch,
  now: number,
  pageSize = PAGE_SIZE,
) {
  const filters = filterQuery<L>(search, now);
  const order = search.order ?? "desc";
  return infiniteQueryOptions({
    queryKey: queryKeys.logList(workspace, log.name, filters, now, { order, pageSize }),
    queryFn: ({ pageParam, signal }) =>
      log.api.list(
        workspace,
        { ...filters, order, limit: pageSize, ...(pageParam && { cursor: pageParam }) } as ListQuery<L>,
        signal,
      ),
    initialPageParam: "",
    getNextPageParam: (page) => (page.has_more ? page.next_cursor : null),
    ...ANSWER,
  });
}

/** What is counted of the events that match, asked for at `now`. */
function countQueries<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  filters: FilterQuery<L>,
  now: number,
) {
  return {
    metrics: queryOptions({
      queryKey: queryKeys.logMetrics(workspace, log.name, filters, now),
      queryFn: ({ signal }) => log.api.metrics(workspace, filters, signal),
      ...ANSWER,
    }),
    facets: queryOptions({
      queryKey: queryKeys.logFacets(workspace, log.name, filters, now),
      queryFn: ({ signal }) => log.api.facets(workspace, filters, signal),
      ...ANSWER,
    }),
    histogram: queryOptions({
      queryKey: queryKeys.logHistogram(workspace, log.name, filters, now, log.chart.by),
      queryFn: ({ signal }) => log.api.histogram(workspace, filters, log.chart.by, signal),
      ...ANSWER,
    }),
  };
}

/** Asks for what a page shows before its code is there. The page finds the answers by the visit. */
export function askAhead<L extends LogName, E extends LogEvent, M>(
  queries: QueryClient,
  log: LogDefinition<L, E, M>,
  workspace: string,
  search: LogSearch,
  entry: string,
) {
  const question = questionOf(search);
  if (visitOf(entry, question)) return;
  const askedAt = Date.now();
  rememberVisit(entry, question, { askedAt, top: 0, cursor: 0 });
  void queries.prefetchInfiniteQuery(listQuery(log, workspace, search, askedAt));
  const filters = filterQuery<L>(search, askedAt);
  const { metrics, facets, histogram } = countQueries(log, workspace, filters, askedAt);
  void queries.prefetchQuery(metrics);
  void queries.prefetchQuery(facets);
  void queries.prefetchQuery(histogram);
}

export function useLogData<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  search: LogSearch,
  now: number,
  { pageSize = PAGE_SIZE, facets: withFacets = true }: { pageSize?: number; facets?: boolean } = {},
) {
  const placeholderData = keepPreviousData;
  const list = useInfiniteQuery({
    ...listQuery(log, workspace, search, now, pageSize),
    placeholderData,
  });
  const filters = filterQuery<L>(search, now);
  const counts = countQueries(log, workspace, filters, now);
  const metrics = useQuery({ ...counts.metrics, placeholderData });
  const facets = useQuery({ ...counts.facets, placeholderData, enabled: withFacets });
  const histogram = useQuery({ ...counts.histogram, placeholderData });
  const before = periodBefore<L>(search, now);
  const countsBefore = countQueries(log, workspace, before ?? filters, now);
  const metricsBefore = useQuery({ ...countsBefore.metrics, enabled: before !== undefined });
  const histogramBefore = useQuery({
    ...countsBefore.histogram,
    enabled: before !== undefined && search.compare === "before",
  });

  const events = useMemo(() => list.data?.pages.flatMap((page) => page.data) ?? [], [list.data]);
  return {
    list,
    events,
    metrics,
    facets,
    histogram,
    before: before && metricsBefore.data,
    histogramBefore: before && histogramBefore.data,
  };
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
