import { useInfiniteQuery, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { accessLog } from "../access/log";
import { describeError } from "../api/errors";
import { canExport } from "../api/roles";
import { hasEventsQuery } from "../api/sources";
import type { LogEvent, LogName } from "../api/types";
import { workspaceQuery } from "../api/workspaces";
import { applicationLog } from "../application/log";
import { frameworkLog } from "../framework/log";
import { LogContext, useLog } from "../logs/context";
import type { LogDefinition } from "../logs/definition";
import { Histogram } from "../logs/Histogram";
import { MetricCards } from "../logs/MetricCards";
import { LOG_PATHS } from "../logs/paths";
import type { LogSearch } from "../logs/search";
import { TopList } from "../logs/TopValues";
import type { Preset } from "../logs/range";
import { listQuery, useLogData } from "../logs/use-log-data";
import { useWorkspaceClock } from "../logs/use-workspace-clock";
import { ErrorNotice } from "../ui/ErrorNotice";
import { SkeletonLine } from "../ui/Skeleton";
import { TimeTooltip } from "../ui/TimeTooltip";
import { LatestEvent } from "./LatestEvent";
import { LatestRuns } from "./LatestRuns";
import styles from "./Overview.module.css";
import { MyInvitations } from "./MyInvitations";
import { Onboarding } from "./settings/sources/Onboarding";
import { SourceProblems } from "./settings/sources/SourceProblems";
import { useTitle } from "./use-log-page";

const RANGES: readonly [Preset | "all", string][] = [
  ["24h", "24 hours"],
  ["7d", "7 days"],
  ["30d", "30 days"],
  ["90d", "90 days"],
  ["all", "All time"],
];

export function Overview() {
  const { slug } = useParams({ from: "/app/w/$slug/" });
  const { range = "30d" } = useSearch({ from: "/app/w/$slug/" });
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  const clock = useWorkspaceClock(workspace);
  const [now] = useState(() => Date.now());
  useTitle("Overview", workspace.name);
  const hasEvents = useQuery(hasEventsQuery(slug));
  const context = useMemo(
    () => ({ workspace: slug, clock, search: {}, filterLabel: (param: string) => param }),
    [slug, clock],
  );
  const shared = { workspace: slug, range, now };
  return (
    <LogContext value={context}>
      <div className={styles.page}>
        <MyInvitations />
        <div className={styles.head}>
          <div>
            <h1 className={styles.title}>{workspace.name}</h1>
            <p className={styles.sub}>Times in {clock.zone}</p>
          </div>
          {hasEvents.data !== false && (
            <div className={styles.tools}>
              {canExport(workspace.role) && (
                <Link to="/w/$slug/exports" params={{ slug }}>
                  Exports
                </Link>
              )}
              <nav className={styles.ranges} aria-label="Time range">
                {RANGES.map(([value, label]) => (
                  <Link
                    key={value}
                    to="/w/$slug"
                    params={{ slug }}
                    search={value === "30d" ? {} : { range: value }}
                    className={styles.rangeItem}
                    activeOptions={{ exact: true, includeSearch: true }}
                  >
                    {label}
                  </Link>
                ))}
              </nav>
            </div>
          )}
        </div>
        {hasEvents.data === false ? (
          <Onboarding slug={slug} role={workspace.role} clock={clock} />
        ) : (
          <>
            <SourceProblems slug={slug} />
            {hasEvents.isPending ? (
              // The figures of a workspace without events would be asked for in vain.
              <div className={styles.logs} role="group" aria-label="Loading">
                {[accessLog, applicationLog, frameworkLog].map(({ name, title }) => (
                  <div key={name} className={styles.log}>
                    <h2 className={styles.logHead}>{title}</h2>
                    <SkeletonRows />
                  </div>
                ))}
              </div>
            ) : (
              <div className={styles.logs}>
                <LogSummary
                  log={accessLog}
                  {...shared}
                  more={
                    <Link to="/w/$slug/sessions" params={{ slug }} search={searchOf(range)}>
                      Sessions
                    </Link>
                  }
                  top={[
                    { field: "ip_address", title: "Failed or denied most, by address", of: NOT_SUCCESS },
                    { field: "status_reason", title: "Why", of: NOT_SUCCESS },
                  ]}
                />
                <LogSummary
                  log={applicationLog}
                  {...shared}
                  top={[{ field: "actor_id", title: "Changed most" }]}
                />
                <LogSummary log={frameworkLog} {...shared}>
                  <LatestRuns workspace={slug} search={searchOf(range)} now={now} />
                </LogSummary>
              </div>
            )}
          </>
        )}
      </div>
      <TimeTooltip clock={clock} />
    </LogContext>
  );
}

interface LogSummaryProps<L extends LogName, E extends LogEvent, M> {
  log: LogDefinition<L, E, M>;
  workspace: string;
  range: Preset | "all";
  now: number;
  /** Fields whose top values are shown, of all events or of some statuses. */
  top?: readonly { field: string; title: string; of?: string[] }[];
  /** A further page about this log. */
  more?: React.ReactNode;
  children?: React.ReactNode;
}

function searchOf(range: Preset | "all"): { range?: Preset } {
  return range === "all" ? {} : { range };
}

const LATEST = 7;
const FAILURES = 3;
const NOT_SUCCESS = ["failure", "denied"];

function LogSummary<L extends LogName, E extends LogEvent, M extends { exact: boolean }>(
  props: LogSummaryProps<L, E, M>,
) {
  const { log, workspace, range, now, top = [], more, children } = props;
  const search: LogSearch = searchOf(range);
  const { clock } = useLog();
  const { list, events, metrics, before, bars } = useLogData(log, workspace, search, now, {
    pageSize: LATEST,
    facets: false,
  });
  const failures = useInfiniteQuery(
    listQuery(log, workspace, { ...search, status: NOT_SUCCESS }, now, FAILURES),
  );
  const failed = failures.data?.pages[0]?.data ?? [];
  const name: LogName = log.name;
  const to = LOG_PATHS[name];
  return (
    <section className={styles.log} aria-label={log.title}>
      <div className={styles.logHead}>
        <h2>
          <Link to={to} params={{ slug: workspace }} search={search}>
            {log.title}
          </Link>
        </h2>
        <span className={styles.question}>{log.question}</span>
        {more}
        <Link
          to={to}
          params={{ slug: workspace }}
          search={search}
          aria-label={`Open the ${log.title.toLowerCase()}`}
        >
          Open
        </Link>
      </div>
      <div className={styles.cards}>
        <MetricCards
          metrics={log.metrics}
          data={metrics.data}
          before={before}
          exact={metrics.data?.exact ?? true}
          stale={metrics.isPlaceholderData}
          link={({ filter }) => ({
            to,
            params: { slug: workspace },
            search: { ...search, ...(filter && { [filter.param]: [filter.value] }) },
          })}
        />
      </div>
      <Histogram
        data={bars.data}
        chart={log.chart}
        clock={clock}
        stale={bars.isPlaceholderData}
        height={92}
      />
      {children}
      {events.length > 0 && top.length > 0 && (
        <div className={styles.top}>
          {top.map(({ field, title, of }) => {
            const known = log.top.find((other) => other.field === field);
            return (
              known && (
                <TopList
                  key={field}
                  log={log}
                  search={{ ...search, ...(of && { status: of }) }}
                  now={now}
                  field={{ ...known, title }}
                  limit={3}
                />
              )
            );
          })}
        </div>
      )}
      {list.isError ? (
        <ErrorNotice {...describeError(list.error)} onRetry={() => void list.refetch()} />
      ) : list.isPending ? (
        <SkeletonRows />
      ) : events.length === 0 ? (
        <p className={styles.none}>No events in this time range</p>
      ) : (
        <>
          {failed.length > 0 && (
            <>
              <h3 className={styles.part}>
                <Link to={to} params={{ slug: workspace }} search={{ ...search, status: NOT_SUCCESS }}>
                  Failed or denied
                </Link>
              </h3>
              <ul
                className={styles.events}
                aria-label={`Latest failures and denials of the ${log.title.toLowerCase()}`}
              >
                {failed.map((event) => (
                  <LatestEvent
                    key={event.id}
                    log={log}
                    event={event}
                    workspace={workspace}
                    search={{ ...search, status: NOT_SUCCESS }}
                  />
                ))}
              </ul>
              <h3 className={styles.part}>Latest</h3>
            </>
          )}
          <ul className={styles.events} aria-label={`Latest events of the ${log.title.toLowerCase()}`}>
            {events.slice(0, failed.length > 0 ? LATEST - FAILURES : LATEST).map((event) => (
              <LatestEvent key={event.id} log={log} event={event} workspace={workspace} search={search} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function SkeletonRows() {
  return (
    <div aria-hidden="true">
      {Array.from({ length: LATEST }, (_, index) => (
        <div key={index} className={styles.skeleton}>
          <SkeletonLine width={`${70 - index * 5}%`} />
        </div>
      ))}
    </div>
  );
}
