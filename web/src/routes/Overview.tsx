import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { accessLog } from "../access/log";
import { describeError } from "../api/errors";
import type { LogEvent, LogName } from "../api/types";
import { workspaceQuery } from "../api/workspaces";
import { applicationLog } from "../application/log";
import { frameworkLog } from "../framework/log";
import { Timestamp } from "../logs/cells";
import { LogContext, useLog } from "../logs/context";
import type { LogDefinition } from "../logs/definition";
import { Histogram } from "../logs/Histogram";
import { MetricCards } from "../logs/MetricCards";
import { LOG_PATHS } from "../logs/paths";
import type { Preset } from "../logs/range";
import { useLogData } from "../logs/use-log-data";
import { useWorkspaceClock } from "../logs/use-workspace-clock";
import { ErrorNotice } from "../ui/ErrorNotice";
import { SkeletonLine } from "../ui/Skeleton";
import { TimeTooltip } from "../ui/TimeTooltip";
import styles from "./Overview.module.css";
import { MyInvitations } from "./MyInvitations";
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
        <div className={styles.logs}>
          <LogSummary log={accessLog} {...shared} />
          <LogSummary log={applicationLog} {...shared} />
          <LogSummary log={frameworkLog} {...shared} />
        </div>
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
}

const LATEST = 7;

function LogSummary<L extends LogName, E extends LogEvent, M extends { exact: boolean }>(
  props: LogSummaryProps<L, E, M>,
) {
  const { log, workspace, range, now } = props;
  const search = range === "all" ? {} : { range };
  const { clock } = useLog();
  const { list, events, metrics, histogram } = useLogData(log, workspace, search, now, {
    pageSize: LATEST,
    facets: false,
  });
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
        <MetricCards metrics={log.metrics} data={metrics.data} exact={metrics.data?.exact ?? true} />
      </div>
      <Histogram
        data={histogram.data}
        chart={log.chart}
        clock={clock}
        stale={histogram.isPlaceholderData}
        height={92}
      />
      {list.isError ? (
        <ErrorNotice {...describeError(list.error)} onRetry={() => void list.refetch()} />
      ) : list.isPending ? (
        <div aria-hidden="true">
          {Array.from({ length: LATEST }, (_, index) => (
            <div key={index} className={styles.skeleton}>
              <SkeletonLine width={`${70 - index * 5}%`} />
            </div>
          ))}
        </div>
      ) : events.length === 0 ? (
        <p className={styles.none}>No events in this time range</p>
      ) : (
        <ul className={styles.events} aria-label={`Latest events of the ${log.title.toLowerCase()}`}>
          {events.slice(0, LATEST).map((event) => (
            <LatestEvent key={event.id} log={log} event={event} workspace={workspace} search={search} />
          ))}
        </ul>
      )}
    </section>
  );
}

function LatestEvent<L extends LogName, E extends LogEvent, M>({
  log,
  event,
  workspace,
  search,
}: {
  log: LogDefinition<L, E, M>;
  event: E;
  workspace: string;
  search: object;
}) {
  const { primary, secondary } = log.card(event);
  const name: LogName = log.name;
  return (
    <li>
      <Link
        to={LOG_PATHS[name]}
        params={{ slug: workspace }}
        search={{ ...search, event: event.id }}
        className={styles.event}
      >
        <span className={styles.line}>
          <span>{primary}</span>
          <span className={styles.time}>
            <Timestamp at={event.occurred_at} />
          </span>
        </span>
        <span className={`${styles.line} ${styles.secondary}`}>
          <span>{secondary}</span>
        </span>
      </Link>
    </li>
  );
}
