import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { parameterError } from "../api/errors";
import type { ListQuery, LogEvent, LogName, Workspace } from "../api/types";
import { IconButton } from "../ui/Button";
import { cx } from "../ui/cx";
import { useDrawerWidth } from "../ui/drawer-width";
import { Sheet } from "../ui/Sheet";
import { formatCount } from "../ui/time/format";
import { TimeTooltip } from "../ui/TimeTooltip";
import { NARROW, NO_ROOM_BESIDE, TOUCH, useMediaQuery } from "../ui/use-media-query";
import { ActiveFilters } from "./ActiveFilters";
import { LogContext } from "./context";
import { type Chosen, columnsText, parseColumns } from "./columns";
import { ColumnsMenu } from "./ColumnsMenu";
import { cellsOf } from "./copy";
import type { LogDefinition, Metric } from "./definition";
import { EventDrawer } from "./EventDrawer";
import { FilterPanel } from "./FilterPanel";
import { Histogram } from "./Histogram";
import { liveSource } from "./live-source";
import { LiveStatus } from "./LiveStatus";
import { LogResults } from "./LogResults";
import styles from "./LogView.module.css";
import { MetricCards } from "./MetricCards";
import { NewEvents } from "./NewEvents";
import { type Range, reachesNow } from "./range";
import { addFilter, dropEmpty, type LogSearch, onlyFilter, questionOf, withRange } from "./search";
import { useRecentPlace } from "./recent";
import { placeOf } from "./recent-log";
import { SelectButton } from "./SelectButton";
import { SelectionBar } from "./SelectionBar";
import { ShareMenu } from "./ShareMenu";
import { StaleNotice } from "./StaleNotice";
import { Toolbar } from "./Toolbar";
import { ViewTabs } from "./ViewTabs";
import { useFollowing } from "./use-following";
import { askCounts, listQuery, useLogData } from "./use-log-data";
import { useMovingCounts } from "./use-moving-counts";
import { useOpenEvent } from "./use-open-event";
import { useSelecting, useSelection } from "./use-selection";
import { useScrollPlace, useVisit } from "./use-visit";
import { useWorkspaceClock } from "./use-workspace-clock";

interface LogViewProps<L extends LogName, E extends LogEvent, M> {
  log: LogDefinition<L, E, M>;
  workspace: Workspace;
  search: LogSearch;
  /** The entry of the browser's history that the page is at. */
  entry: string;
  /** The address of the page with another search. */
  hrefOf: (search: LogSearch) => string;
  /** Navigates: the URL holds the state. `replace` is for changes that Back should skip. */
  onSearch: (search: LogSearch, options?: { replace: boolean }) => void;
  /** Goes to everything in a session. */
  onSession: (session: string) => void;
  /** More controls of the toolbar. */
  actions?: React.ReactNode;
  /** The view is a part of a page that has a heading of its own. */
  nested?: boolean;
}

export function LogView<L extends LogName, E extends LogEvent, M extends { exact: boolean }>(
  props: LogViewProps<L, E, M>,
) {
  const { log, workspace, search, entry, hrefOf, onSearch, onSession, actions, nested = false } = props;
  const Heading = nested ? "h2" : "h1";
  const slug = workspace.slug;
  const clock = useWorkspaceClock(workspace);
  const narrow = useMediaQuery(NARROW);
  const drawer = useDrawerWidth();
  const queries = useQueryClient();
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null);
  const modal = useMediaQuery(NO_ROOM_BESIDE);
  const touch = useMediaQuery(TOUCH);
  const { now, setNow, cursor, setCursor } = useVisit({ entry, search });
  const [panelOpen, setPanelOpen] = useState(true);
  const [sheetOpen, setSheetOpen] = useState(false);
  // On a narrow screen, the events come first.
  const [chartOpen, setChartOpen] = useState(false);

  const { countedAt, move } = useMovingCounts({
    question: questionOf(search),
    now,
    ask: (at) => askCounts(queries, log, slug, search, at),
  });
  const data = useLogData(log, slug, search, now, { countedAt });
  const { list, metrics, before, facets, bars, barsBefore } = data;
  const { hasNextPage, fetchNextPage, isFetchingNextPage } = list;
  const settled = !list.isPending && !list.isPlaceholderData;

  const selecting = useSelecting(questionOf(search));
  const canFollow = reachesNow(search, clock, now);
  const following = useFollowing({
    source: liveSource(log, slug, search),
    canFollow,
    newestFirst: !search.order,
    onNewestFirst: () => onSearch(dropEmpty({ ...search, order: undefined }), { replace: true }),
    list: { events: data.events, hasMore: hasNextPage, settled, askedAt: now },
    load: async (asked) => {
      const { pages } = await queries.fetchInfiniteQuery(listQuery(log, slug, search, asked));
      return pages[0]?.data ?? [];
    },
    onLoaded: setNow,
    onCursor: setCursor,
    scroller,
    open: search.event !== undefined || selecting.selecting,
    onMove: move,
  });
  const { mode, setMode, live, refresh } = following;
  const { events } = live;
  const selection = useSelection(questionOf(search), { events, hasMore: hasNextPage, settled }, selecting);
  // The figures of before stay as they are until the new ones are there.
  const moving = mode !== "off" && settled;

  const openId = search.event;
  const open = useCallback(
    (id: string) => onSearch({ ...search, event: id }, { replace: search.event !== undefined }),
    [search, onSearch],
  );
  const close = useCallback(() => onSearch(dropEmpty({ ...search, event: undefined })), [search, onSearch]);
  const opened = useOpenEvent({
    events,
    openId,
    table: scroller,
    onOpen: ({ id }) => open(id),
    onCursor: setCursor,
  });

  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  const setRange = (range: Range & Pick<LogSearch, "range">) => {
    const next = withRange(search, range);
    // The same range again: up to now.
    if (JSON.stringify(next) === JSON.stringify(search)) void refresh();
    else onSearch(next);
  };
  useScrollPlace({ entry, search, scroller, now, cursor, settled });

  // Undefined without a start: then there is no period before.
  const compared = search.range || search.since ? search.compare === "before" : undefined;
  const setColumns = (chosen: readonly Chosen[] | undefined) =>
    onSearch(dropEmpty({ ...search, columns: chosen && columnsText(chosen) }), { replace: true });
  const columns = useMemo(() => parseColumns(search.columns), [search.columns]);

  const context = useMemo(
    () => ({
      workspace: slug,
      clock,
      search,
      filterBy: (param: string, value: string) => onSearch(addFilter(search, param, value)),
      onlyBy: (param: string, value: string) => onSearch(onlyFilter(search, param, value)),
      filterLabel: (param: string) =>
        log.filters.find((filter) => filter.param === param)?.label ?? param.replace(/^metadata\./, ""),
    }),
    [slug, clock, search, onSearch, log.filters],
  );

  const place = placeOf({ log, search, events, clock, hrefOf });
  useRecentPlace(slug, list.isError ? null : place);
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
      stale={facets.isPlaceholderData && !moving}
      search={search}
      onSearch={onSearch}
      onCheck={check}
    />
  );
  const total = log.metrics.find(({ filter }) => !filter);

  return (
    <LogContext value={context}>
      <div
        className={styles.view}
        style={openId !== undefined && !modal ? { paddingRight: drawer.width } : undefined}
      >
        <div className={styles.top}>
          <Heading className="visually-hidden">{log.title}</Heading>
          <p className="visually-hidden" role="status">
            {metrics.data && !metrics.isPlaceholderData && total
              ? `${formatCount(total.value(metrics.data), metrics.data.exact)} events`
              : ""}
          </p>
          <Toolbar
            search={search}
            clock={clock}
            live={mode !== "off"}
            canFollow={canFollow}
            narrow={narrow}
            panelOpen={panelOpen}
            onText={(text) =>
              onSearch(dropEmpty({ ...search, q: text || undefined, event: undefined }), { replace: true })
            }
            onRange={setRange}
            onLive={(on) => setMode(on ? "following" : "off")}
            onRefresh={() => void refresh()}
            actions={
              !narrow && (
                <>
                  {touch && search.view !== "top" && <SelectButton rows={selection.rows} />}
                  {actions}
                </>
              )
            }
            share={
              <ShareMenu log={log.name} workspace={workspace} search={search} now={now} hrefOf={hrefOf} />
            }
            view={
              narrow ? (
                <IconButton
                  variant="secondary"
                  icon="bars"
                  label={chartOpen ? "Hide the chart" : "Show the chart and top values"}
                  aria-expanded={chartOpen}
                  onPress={() => setChartOpen(!chartOpen)}
                />
              ) : (
                <ColumnsMenu
                  columns={log.columns}
                  chosen={columns}
                  onChosen={setColumns}
                  compact={search.rows === "compact"}
                  onCompact={(compact) =>
                    onSearch(dropEmpty({ ...search, rows: compact ? "compact" : undefined }), {
                      replace: true,
                    })
                  }
                />
              )
            }
            onPanel={() => (narrow ? setSheetOpen(true) : setPanelOpen(!panelOpen))}
          />
        </div>
        <div className={cx(styles.main, !narrow && panelOpen && styles.withPanel)}>
          {!narrow && panelOpen && (
            <aside className={styles.panel} aria-label="Filters">
              {panel}
            </aside>
          )}
          {/* Beside the panel, so that it does not move under the pointer when the first filter is set. */}
          <div className={styles.results}>
            <ActiveFilters filters={log.filters} events={events} search={search} onSearch={onSearch} />
            <div className={styles.scroller} ref={setScroller} tabIndex={-1}>
              <div className={styles.summary}>
                <MetricCards
                  metrics={log.metrics}
                  data={metrics.data}
                  before={before}
                  exact={metrics.data?.exact ?? true}
                  stale={metrics.isPlaceholderData && !moving}
                  colorOf={colorOf}
                  search={search}
                  onSearch={onSearch}
                  strip={narrow}
                />
                {(!narrow || chartOpen) && (
                  <Histogram
                    data={bars.data}
                    chart={log.chart}
                    clock={clock}
                    stale={bars.isPlaceholderData && !moving}
                    before={compared ? barsBefore : undefined}
                    height={narrow ? 84 : 112}
                    onRange={setRange}
                  />
                )}
              </div>
              {(!narrow || chartOpen || search.view || mode !== "off") && (
                <ViewTabs
                  live={
                    mode !== "off" && (
                      <LiveStatus
                        mode={mode}
                        live={live}
                        reading={following.reading}
                        brief={narrow}
                        onMode={setMode}
                      />
                    )
                  }
                  view={search.view}
                  onView={(view) => onSearch(dropEmpty({ ...search, view, event: undefined }))}
                  compared={compared}
                  onCompare={(compare) => onSearch(dropEmpty({ ...search, compare }), { replace: true })}
                />
              )}
              <NewEvents live={live} behind={following.behind} onShow={following.showNew} />
              {following.refreshError && (
                <StaleNotice error={following.refreshError} onRetry={() => void refresh()} />
              )}
              <LogResults
                log={log}
                workspace={workspace}
                search={search}
                onSearch={onSearch}
                now={now}
                countedAt={countedAt}
                list={list}
                events={events}
                fresh={live.fresh}
                onMore={more}
                columns={columns}
                onColumns={setColumns}
                openId={openId}
                onOpen={open}
                onSession={onSession}
                cursor={Math.min(cursor, Math.max(0, events.length - 1))}
                onCursor={setCursor}
                selection={selection.rows}
                narrow={narrow}
                scroller={scroller}
              />
            </div>
            {search.view !== "top" && (
              <SelectionBar
                events={selection.events}
                cellsOf={(event) => cellsOf(event, log.headline(event))}
                order={search.order ?? "desc"}
                open={openId !== undefined}
                rows={selection.rows}
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
          event={opened.event}
          modal={modal}
          returnTo={() => scroller?.querySelector<HTMLElement>('[role=row][tabindex="0"]') ?? null}
          onClose={close}
          onPrevious={opened.previous}
          onNext={opened.next}
        />
      )}
      <TimeTooltip clock={clock} />
    </LogContext>
  );
}
