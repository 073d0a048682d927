import {
  infiniteQueryOptions,
  keepPreviousData,
  type QueryClient,
  queryOptions,
  useInfiniteQuery,
  useQuery,
} from "@tanstack/react-query";
import { useMemo } from "react";
import { firstDayOfWeek } from "../ui/time/week";
import { groupFields } from "./group-by";
import { queryKeys } from "../api/query-keys";
import type { FilterQuery, Histogram, ListQuery, LogEvent, LogName } from "../api/types";
import type { LogDefinition } from "./definition";
import { resolveRange } from "./range";
import { filtersOf, type LogSearch, questionOf } from "./search";
import { weeksOf } from "./weeks";
import { rememberVisit, visitOf } from "./visits";

const PAGE_SIZE = 100;
/** Values in each list of the most frequent ones. */
export const TOP_LIMIT = 8;
const GROUP_LIMIT = 50;
/** Enough of the period before that most values are among them. */
export const TOP_BEFORE_LIMIT = 100;

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

/** The bars of the chart, as long as the server thinks fit, or of an interval. */
function barsQuery<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  filters: FilterQuery<L>,
  now: number,
  wanted?: Histogram["interval"],
) {
  const { by } = log.chart;
  const bars = { by, ...(wanted && { interval: wanted }) };
  return queryOptions({
    queryKey: queryKeys.logHistogram(workspace, log.name, filters, now, bars),
    queryFn: async ({ signal }) => {
      const answer = await log.api.histogram(workspace, filters, bars, signal);
      const firstDay = firstDayOfWeek(navigator.language);
      // The server's weeks begin on Monday.
      if (answer.interval !== "1w" || firstDay === 1) return answer;
      const days = await log.api.histogram(workspace, filters, { by, interval: "1d" }, signal);
      return weeksOf(days, firstDay);
    },
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
    histogram: barsQuery(log, workspace, filters, now),
  };
}

/** The most frequent values of a field in the period before. Undefined without one. */
export function topBeforeQuery<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  search: LogSearch,
  now: number,
  { field }: { field: string },
) {
  const filters = periodBefore<L>(search, now);
  return filters && topOf(log, workspace, filters, now, { field, limit: TOP_BEFORE_LIMIT });
}

/** The most frequent values of a field. */
export function topQuery<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  search: LogSearch,
  now: number,
  { field, limit }: { field: string; limit: number },
) {
  return topOf(log, workspace, filterQuery<L>(search, now), now, { field, limit });
}

function topOf<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  filters: FilterQuery<L>,
  now: number,
  what: { field: string; limit: number },
) {
  return queryOptions({
    queryKey: queryKeys.logTop(workspace, log.name, filters, now, what),
    queryFn: ({ signal }) => log.api.top(workspace, filters, what.field, what.limit, signal),
    ...ANSWER,
  });
}

/** The events by the values of one or two fields. */
export function groupsQuery<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  search: LogSearch,
  now: number,
  fields: readonly string[],
) {
  return groupsOf(log, workspace, filterQuery<L>(search, now), now, { fields, limit: GROUP_LIMIT });
}

/** The same of the period before. Undefined without one. */
export function groupsBeforeQuery<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  search: LogSearch,
  now: number,
  fields: readonly string[],
) {
  const filters = periodBefore<L>(search, now);
  return filters && groupsOf(log, workspace, filters, now, { fields, limit: TOP_BEFORE_LIMIT });
}

function groupsOf<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  filters: FilterQuery<L>,
  now: number,
  what: { fields: readonly string[]; limit: number },
) {
  return queryOptions({
    queryKey: queryKeys.logGroups(workspace, log.name, filters, now, what),
    queryFn: ({ signal }) => log.api.groups(workspace, filters, what.fields, what.limit, signal),
    ...ANSWER,
  });
}

/** Asks for all figures of a page, as of `at`. */
export function askCounts<L extends LogName, E extends LogEvent, M>(
  queries: QueryClient,
  log: LogDefinition<L, E, M>,
  workspace: string,
  search: LogSearch,
  at: number,
) {
  const of = (filters: FilterQuery<L>) => countQueries(log, workspace, filters, at);
  const { metrics, facets, histogram } = of(filterQuery<L>(search, at));
  const before = periodBefore<L>(search, at);
  return Promise.all([
    queries.fetchQuery(metrics),
    queries.fetchQuery(facets),
    queries.fetchQuery(histogram),
    before && queries.fetchQuery(of(before).metrics),
    before && search.compare === "before" && queries.fetchQuery(of(before).histogram),
    ...(search.view === "top" && !search.group
      ? log.top.map(({ field }) =>
          queries.fetchQuery(topQuery(log, workspace, search, at, { field, limit: TOP_LIMIT })),
        )
      : []),
    search.view === "top" &&
      search.group &&
      queries.fetchQuery(
        groupsQuery(
          log,
          workspace,
          search,
          at,
          groupFields(search, log.top).map(({ field }) => field),
        ),
      ),
  ]);
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
  {
    pageSize = PAGE_SIZE,
    facets: withFacets = true,
    countedAt = now,
  }: { pageSize?: number; facets?: boolean; countedAt?: number } = {},
) {
  const placeholderData = keepPreviousData;
  const list = useInfiniteQuery({
    ...listQuery(log, workspace, search, now, pageSize),
    placeholderData,
  });
  const filters = filterQuery<L>(search, countedAt);
  const counts = countQueries(log, workspace, filters, countedAt);
  const metrics = useQuery({ ...counts.metrics, placeholderData });
  const facets = useQuery({ ...counts.facets, placeholderData, enabled: withFacets });
  const histogram = useQuery({ ...counts.histogram, placeholderData });
  const before = periodBefore<L>(search, countedAt);
  const countsBefore = countQueries(log, workspace, before ?? filters, countedAt);
  const metricsBefore = useQuery({ ...countsBefore.metrics, enabled: before !== undefined });
  const histogramBefore = useQuery({
    ...countsBefore.histogram,
    enabled: before !== undefined && search.compare === "before",
  });
  // An open range ends with its last event, and may have shorter bars than the whole period before.
  const interval = before && histogramBefore.data?.interval;
  const differs =
    interval !== undefined && histogram.data !== undefined && histogram.data.interval !== interval;
  const likeBefore = useQuery({
    ...barsQuery(log, workspace, filters, countedAt, interval),
    enabled: differs,
  });
  const bars = differs ? (likeBefore.data ?? histogram.data) : histogram.data;

  const events = useMemo(() => list.data?.pages.flatMap((page) => page.data) ?? [], [list.data]);
  return {
    list,
    events,
    metrics,
    facets,
    bars: { data: bars, isPlaceholderData: histogram.isPlaceholderData },
    before: before && metricsBefore.data,
    /** Bar by bar like those of the period. */
    barsBefore: bars?.interval === interval ? histogramBefore.data : undefined,
  };
}
