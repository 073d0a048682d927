import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { describeError, parameterError } from "../api/errors";
import { queryKeys } from "../api/query-keys";
import type { ListQuery, LogEvent, LogName, Workspace } from "../api/types";
import { Button } from "../ui/Button";
import { cx } from "../ui/cx";
import { ErrorNotice } from "../ui/ErrorNotice";
import { Sheet } from "../ui/Sheet";
import { formatCount } from "../ui/time/format";
import { TimeTooltip } from "../ui/TimeTooltip";
import { NARROW, useMediaQuery } from "../ui/use-media-query";
import { ActiveFilters } from "./ActiveFilters";
import { LogContext } from "./context";
import type { LogDefinition, Metric } from "./definition";
import { EmptyLog, NothingMatches } from "./EmptyLog";
import { EventDrawer } from "./EventDrawer";
import { FilterPanel } from "./FilterPanel";
import { Histogram } from "./Histogram";
import { LogTable } from "./LogTable";
import styles from "./LogView.module.css";
import { MetricCards } from "./MetricCards";
import type { Range } from "./range";
import { addFilter, clearFilters, dropEmpty, filtersOf, type LogSearch, withRange } from "./search";
import { StaleNotice } from "./StaleNotice";
import { Toolbar } from "./Toolbar";
import { useLogData, useNewEvents } from "./use-log-data";
import { useKeyboardNavigation } from "./use-keyboard-navigation";
import { useWorkspaceClock } from "./use-workspace-clock";

interface LogViewProps<L extends LogName, E extends LogEvent, M> {
  log: LogDefinition<L, E, M>;
  workspace: Workspace;
  search: LogSearch;
  /** Navigates: the URL holds the state. `replace` is for changes that Back should skip. */
  onSearch: (search: LogSearch, options?: { replace: boolean }) => void;
  /** The view is a part of a page that has a heading of its own. */
  nested?: boolean;
}

export function LogView<L extends LogName, E extends LogEvent, M extends { exact: boolean }>(
  props: LogViewProps<L, E, M>,
) {
  const { log, workspace, search, onSearch, nested = false } = props;
  const Heading = nested ? "h2" : "h1";
  const slug = workspace.slug;
  const clock = useWorkspaceClock(workspace);
  const narrow = useMediaQuery(NARROW);
  const queries = useQueryClient();
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null);
  // "Last 24 hours" ends at this time. It changes only when somebody asks for newer events.
  const [now, setNow] = useState(() => Date.now());
  const [live, setLive] = useState(false);
  const [panelOpen, setPanelOpen] = useState(true);
  const [sheetOpen, setSheetOpen] = useState(false);
  const [cursor, setCursor] = useState(0);

  const { list, events, metrics, facets, histogram } = useLogData(log, slug, search, now);
  const newEvents = useNewEvents(log, slug, search, now, events, live);
  const { hasNextPage, fetchNextPage, isFetchingNextPage } = list;

  const openId = search.event;
  const openIndex = openId ? events.findIndex((event) => event.id === openId) : -1;
  const open = useCallback(
    (id: string) => onSearch({ ...search, event: id }, { replace: search.event !== undefined }),
    [search, onSearch],
  );
  const close = useCallback(() => onSearch(dropEmpty({ ...search, event: undefined })), [search, onSearch]);
  const openAt = (index: number) => {
    const event = events[index];
    if (!event) return undefined;
    return () => {
      setCursor(index);
      open(event.id);
    };
  };
  const previous = openIndex > 0 ? openAt(openIndex - 1) : undefined;
  const next = openIndex >= 0 ? openAt(openIndex + 1) : undefined;
  useKeyboardNavigation({ drawerOpen: openId !== undefined, table: scroller, previous, next });

  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  const change = (nextSearch: LogSearch, options?: { replace: boolean }) => {
    setCursor(0);
    scroller?.scrollTo({ top: 0 });
    onSearch(nextSearch, options);
  };
  const setRange = (range: Range & Pick<LogSearch, "range">) => {
    setNow(Date.now());
    change(withRange(search, range));
  };
  const refresh = () => {
    setNow(Date.now());
    setCursor(0);
    scroller?.scrollTo({ top: 0 });
    // Drops the pages that were loaded by scrolling. The first page stays visible until it is loaded again.
    queries.setQueriesData<InfiniteData<unknown>>(
      { queryKey: queryKeys.logLists(slug, log.name) },
      (data) => data && { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) },
    );
    void queries.invalidateQueries({ queryKey: queryKeys.log(slug, log.name) });
  };

  const context = useMemo(
    () => ({
      workspace: slug,
      clock,
      search,
      filterBy: (param: string, value: string) => {
        setCursor(0);
        onSearch(addFilter(search, param, value));
      },
      filterLabel: (param: string) =>
        log.filters.find((filter) => filter.param === param)?.label ?? param.replace(/^metadata\./, ""),
    }),
    [slug, clock, search, onSearch, log.filters],
  );

  const hasQuery = Boolean(search.q ?? search.range ?? search.since ?? search.until);
  const filtered = hasQuery || Object.keys(filtersOf(search)).length > 0;
  const colorOf = (metric: Metric<M>) =>
    metric.filter?.param === log.chart.by
      ? log.chart.series.find((series) => series.value === metric.filter?.value)?.color
      : undefined;
  const check = async (param: string, value: string) => {
    try {
      // The cheapest question: a page of one event.
      await log.api.list(slug, { [param]: [value], limit: 1 } as ListQuery<L>);
      return null;
    } catch (error) {
      return parameterError(error, param);
    }
  };
  const panel = (
    <FilterPanel
      filters={log.filters}
      facets={facets.data}
      search={search}
      onSearch={change}
      onCheck={check}
    />
  );
  // A slow search may return a page that is empty but not the last one. The next page is then loaded at once.
  const searching = events.length === 0 && hasNextPage && !list.isError;
  useEffect(() => {
    if (searching) more();
  }, [searching, more]);
  const empty = !list.isPending && !list.isError && !searching && events.length === 0;

  return (
    <LogContext value={context}>
      <div className={cx(styles.view, openId !== undefined && styles.withDrawer)}>
        <div className={styles.top}>
          <Heading className="visually-hidden">{log.title}</Heading>
          <Toolbar
            search={search}
            clock={clock}
            live={live}
            narrow={narrow}
            panelOpen={panelOpen}
            onText={(text) =>
              change(dropEmpty({ ...search, q: text || undefined, event: undefined }), { replace: true })
            }
            onRange={setRange}
            onLive={setLive}
            onRefresh={refresh}
            onPanel={() => (narrow ? setSheetOpen(true) : setPanelOpen(!panelOpen))}
          />
          <ActiveFilters filters={log.filters} events={events} search={search} onSearch={change} />
        </div>
        <div className={cx(styles.main, !narrow && panelOpen && styles.withPanel)}>
          {!narrow && panelOpen && (
            <aside className={styles.panel} aria-label="Filters">
              {panel}
            </aside>
          )}
          <div className={styles.scroller} ref={setScroller} tabIndex={-1}>
            <div className={styles.summary}>
              <MetricCards
                metrics={log.metrics}
                data={metrics.data}
                exact={metrics.data?.exact ?? true}
                colorOf={colorOf}
                search={search}
                onSearch={change}
              />
              <Histogram
                data={histogram.data}
                chart={log.chart}
                clock={clock}
                stale={histogram.isPlaceholderData}
                height={narrow ? 84 : 112}
                onRange={setRange}
              />
            </div>
            {newEvents.count > 0 && !list.isError && (
              <div className={styles.pill} role="status">
                <Button variant="primary" icon="arrowUp" onPress={refresh}>
                  {`${formatCount(newEvents.count, !newEvents.more)} new ${newEvents.count === 1 ? "event" : "events"}`}
                </Button>
              </div>
            )}
            {list.isRefetchError && events.length > 0 && <StaleNotice error={list.error} onRetry={refresh} />}
            {list.isError && events.length === 0 ? (
              <ErrorNotice {...describeError(list.error)} onRetry={() => void list.refetch()} />
            ) : empty && filtered ? (
              <NothingMatches onClear={() => change(withRange(clearFilters(search), {}))} />
            ) : empty ? (
              <EmptyLog log={log} workspace={workspace} />
            ) : (
              <LogTable
                log={log}
                events={events}
                loading={list.isPending || searching}
                stale={list.isPlaceholderData}
                hasMore={hasNextPage}
                onMore={more}
                order={search.order ?? "desc"}
                onOrder={() => change(dropEmpty({ ...search, order: search.order ? undefined : "asc" }))}
                openId={openId}
                onOpen={open}
                cursor={Math.min(cursor, Math.max(0, events.length - 1))}
                onCursor={setCursor}
                narrow={narrow}
                scroller={scroller}
                footer={
                  list.isFetchNextPageError ? (
                    <>
                      Could not load more events.
                      <Button small icon="refresh" onPress={() => void fetchNextPage()}>
                        Try again
                      </Button>
                    </>
                  ) : hasNextPage ? (
                    "Loading more events…"
                  ) : (
                    `${formatCount(events.length)} ${events.length === 1 ? "event" : "events"}, end of list`
                  )
                }
              />
            )}
          </div>
        </div>
      </div>
      {narrow && (
        <Sheet title="Filters" open={sheetOpen} onOpenChange={setSheetOpen}>
          {panel}
        </Sheet>
      )}
      {openId && (
        <EventDrawer
          log={log}
          id={openId}
          event={events[openIndex]}
          modal={narrow}
          onClose={close}
          onPrevious={previous}
          onNext={next}
        />
      )}
      <TimeTooltip clock={clock} />
    </LogContext>
  );
}
