import { keepPreviousData, useInfiniteQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { accessLog } from "../../access/log";
import { activityLog } from "../../activity/log";
import { describeError } from "../../api/errors";
import { workspaceQuery } from "../../api/workspaces";
import { applicationLog } from "../../application/log";
import { frameworkLog } from "../../framework/log";
import { LogContext } from "../../logs/context";
import { EventDrawer } from "../../logs/EventDrawer";
import { LiveStatus } from "../../logs/LiveStatus";
import { LiveToggle } from "../../logs/LiveToggle";
import { LogTable } from "../../logs/LogTable";
import { NewEvents } from "../../logs/NewEvents";
import { reachesNow } from "../../logs/range";
import { useRecentPlace } from "../../logs/recent";
import { SearchBox } from "../../logs/SearchBox";
import { SelectButton } from "../../logs/SelectButton";
import { SelectionBar } from "../../logs/SelectionBar";
import { StaleNotice } from "../../logs/StaleNotice";
import { useFollowing } from "../../logs/use-following";
import { useSelecting, useSelection } from "../../logs/use-selection";
import { useOpenEvent } from "../../logs/use-open-event";
import { useWorkspaceClock } from "../../logs/use-workspace-clock";
import { IconButton } from "../../ui/Button";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { useDrawerWidth } from "../../ui/drawer-width";
import { Notice } from "../../ui/Notice";
import { TimeTooltip } from "../../ui/TimeTooltip";
import { formatCount } from "../../ui/time/format";
import { NARROW, NO_ROOM_BESIDE, TOUCH, useMediaQuery } from "../../ui/use-media-query";
import { useTitle } from "../use-log-page";
import { headline, type TimelineEvent, timelineCells, timelineTable } from "./definition";
import { ShareTimeline } from "./ShareTimeline";
import { CONDITIONS, knownName, timelineName, type TimelineSearch } from "./timeline-search";
import { timelineQuery, timelineSource } from "./timeline-query";
import styles from "./TimelinePage.module.css";

const LOGS = {
  access: accessLog,
  application: applicationLog,
  framework: frameworkLog,
  activity: activityLog,
};

/** The logs together: everything of a session, a person, an address, a record, or around a moment. */
export function TimelinePage() {
  const { slug } = useParams({ from: "/app/w/$slug/timeline" });
  const search = useSearch({ from: "/app/w/$slug/timeline" });
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  const clock = useWorkspaceClock(workspace);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [now, setNow] = useState(() => Date.now());
  const [cursor, setCursor] = useState(0);
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null);
  const narrow = useMediaQuery(NARROW);
  const modal = useMediaQuery(NO_ROOM_BESIDE);
  const touch = useMediaQuery(TOUCH);
  const { width } = useDrawerWidth();
  useTitle("Timeline", workspace.name);

  const { event: opened, ...question } = search;
  const selecting = useSelecting(JSON.stringify(question));
  const list = useInfiniteQuery({
    ...timelineQuery(slug, question, now),
    placeholderData: keepPreviousData,
  });
  const loaded = useMemo(() => list.data?.pages.flatMap((page) => page.data) ?? [], [list.data]);
  const go = useCallback(
    (next: TimelineSearch, replace = false) =>
      void navigate({ to: "/w/$slug/timeline", params: { slug }, search: next, replace }),
    [navigate, slug],
  );
  const settled = !list.isPending && !list.isPlaceholderData;
  const canFollow = !search.around && reachesNow(search, clock, now);
  const { mode, setMode, live, reading, behind, refresh, refreshError, showNew } = useFollowing({
    source: timelineSource(slug, question),
    canFollow,
    newestFirst: !search.order,
    onNewestFirst: () => go(without(search, "order"), true),
    list: {
      events: loaded,
      hasMore: list.hasNextPage,
      settled,
      askedAt: now,
    },
    load: async (asked) => {
      const { pages } = await queries.fetchInfiniteQuery(timelineQuery(slug, question, asked));
      return pages[0]?.data ?? [];
    },
    onLoaded: setNow,
    onCursor: setCursor,
    scroller,
    open: opened !== undefined || selecting.selecting,
  });
  const { events } = live;
  const selection = useSelection(
    JSON.stringify(question),
    { events, hasMore: list.hasNextPage, settled },
    selecting,
  );
  const [openLog, openId] = split(opened);
  const open = ({ log, id }: Pick<TimelineEvent, "log" | "id">) =>
    go({ ...search, event: `${log}:${id}` }, opened !== undefined);
  const { previous, next } = useOpenEvent({
    events,
    openId,
    table: scroller,
    onOpen: open,
    onCursor: setCursor,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  const context = useMemo(
    () => ({
      workspace: slug,
      clock,
      search: search.q ? { q: search.q } : {},
      filterLabel: (param: string) => param,
    }),
    [slug, clock, search.q],
  );
  const conditions = CONDITIONS.filter(([name]) => search[name]);
  const router = useRouter();
  const href = router.buildLocation({ to: "/w/$slug/timeline", params: { slug }, search: question }).href;
  useRecentPlace(
    slug,
    events.length > 0 ? { href, name: timelineName(search, events), hint: "Timeline" } : null,
  );
  return (
    <LogContext value={context}>
      <div className={styles.page} style={openId && !modal ? { paddingRight: width } : undefined}>
        <div className={styles.head}>
          <h1 className={styles.title}>Timeline</h1>
          <p className={styles.what}>
            {conditions.map(([name, label]) => (
              <span key={name}>
                {label} <Condition text={String(search[name])} events={events} />
                {name === "around" && `, ${search.minutes ?? 5} minutes before and after`}
              </span>
            ))}
          </p>
          {mode !== "off" && (
            <LiveStatus mode={mode} live={live} reading={reading} brief={narrow} onMode={setMode} />
          )}
          <div className={styles.tools}>
            <SearchBox
              value={search.q ?? ""}
              onChange={(q) => go({ ...without(search, "event", "q"), ...(q && { q }) }, true)}
            />
            <LiveToggle
              live={mode !== "off"}
              canFollow={canFollow}
              brief={narrow}
              onLive={(on) => setMode(on ? "following" : "off")}
            />
            {touch && !narrow && <SelectButton rows={selection.rows} />}
            <ShareTimeline workspace={workspace} question={question} />
            <IconButton variant="secondary" icon="refresh" label="Refresh" onPress={() => void refresh()} />
          </div>
        </div>
        <div className={styles.scroller} ref={setScroller} tabIndex={-1}>
          <NewEvents live={live} behind={behind} onShow={showNew} />
          {refreshError && <StaleNotice error={refreshError} onRetry={() => void refresh()} />}
          {list.isError && events.length === 0 ? (
            <ErrorNotice {...describeError(list.error)} onRetry={() => void list.refetch()} />
          ) : !list.isPending && events.length === 0 ? (
            <Notice icon="search" title="No events match">
              <p>No log has an event with these conditions.</p>
            </Notice>
          ) : (
            <LogTable
              log={timelineTable}
              events={events}
              loading={list.isPending}
              stale={list.isPlaceholderData}
              fresh={live.fresh}
              hasMore={hasNextPage}
              onMore={more}
              order={search.order ?? "desc"}
              onOrder={() =>
                go({ ...without(search, "event", "order"), ...(!search.order && { order: "asc" as const }) })
              }
              openId={openId}
              onOpen={(id) => {
                const event = events.find((event) => event.id === id);
                if (event) open(event);
              }}
              cursor={Math.min(cursor, Math.max(0, events.length - 1))}
              onCursor={setCursor}
              selection={selection.rows}
              narrow={narrow}
              scroller={scroller}
              footer={
                hasNextPage
                  ? "Loading more events…"
                  : `${formatCount(events.length)} ${events.length === 1 ? "event" : "events"}, end of list`
              }
            />
          )}
        </div>
        <SelectionBar
          events={selection.events}
          cellsOf={timelineCells}
          order={search.order ?? "desc"}
          open={opened !== undefined}
          rows={selection.rows}
        />
      </div>
      {openLog && openId && (
        <EventDrawer
          key={openLog}
          log={LOGS[openLog] as never}
          id={openId}
          event={undefined}
          modal={modal}
          returnTo={() => scroller?.querySelector<HTMLElement>('[role=row][tabindex="0"]') ?? null}
          onClose={() => go(without(search, "event"))}
          onPrevious={previous}
          onNext={next}
        />
      )}
      <TimeTooltip clock={clock} />
    </LogContext>
  );
}

/** A value of a condition by its name, and as it is. */
function Condition({ text, events }: { text: string; events: readonly TimelineEvent[] }) {
  const event = events.find(({ id }) => id === text);
  const name = event ? headline(event) : knownName(text, events);
  return name === null ? (
    <b>{text}</b>
  ) : (
    <>
      <b>{name}</b> <span className={styles.id}>{text}</span>
    </>
  );
}

function split(opened: string | undefined): [keyof typeof LOGS, string] | [undefined, undefined] {
  const [log, id] = opened?.split(":") ?? [];
  return log && id && log in LOGS ? [log as keyof typeof LOGS, id] : [undefined, undefined];
}

function without(search: TimelineSearch, ...names: (keyof TimelineSearch)[]): TimelineSearch {
  const wanted = (name: string) => !names.some((other) => other === name);
  return Object.fromEntries(Object.entries(search).filter(([name]) => wanted(name)));
}
