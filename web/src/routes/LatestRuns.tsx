import { useInfiniteQuery } from "@tanstack/react-query";
import type { FrameworkEvent } from "../api/types";
import { frameworkLog } from "../framework/log";
import { lastLine, Outcome } from "../logs/cells";
import type { LogSearch } from "../logs/search";
import { listQuery } from "../logs/use-log-data";
import { formatRelative } from "../ui/time/format";
import { useNow } from "../ui/use-now";
import { LatestEvent } from "./LatestEvent";
import styles from "./Overview.module.css";

interface LatestRunsProps {
  workspace: string;
  search: LogSearch;
  now: number;
}

/** Events that are looked at for the latest one of each component. */
const LOOKED_AT = 200;
const SHOWN = 5;

/** How the latest run of each component ended: "Policy synced: OpsAccess, failed 2 hours ago, role Physician does not exist". */
export function LatestRuns({ workspace, search, now }: LatestRunsProps) {
  const { data } = useInfiniteQuery(listQuery(frameworkLog, workspace, search, now, LOOKED_AT));
  const clock = useNow();
  const runs = latestOf(data?.pages[0]?.data ?? []).slice(0, SHOWN);
  if (runs.length === 0) return null;
  return (
    <>
      <h3 className={styles.part}>Latest run of each component</h3>
      <ul className={styles.events} aria-label="Latest run of each component">
        {runs.map((event) => (
          <LatestEvent
            key={event.id}
            log={frameworkLog}
            event={event}
            workspace={workspace}
            search={search}
            secondary={
              <>
                <Outcome status={event.status} />
                {event.error && ` · ${lastLine(event.error)}`}
              </>
            }
            time={formatRelative(Date.parse(event.occurred_at), clock)}
          />
        ))}
      </ul>
    </>
  );
}

/** The first, which is the newest, event of each action and component. What did not succeed comes first. */
export function latestOf(events: readonly FrameworkEvent[]): FrameworkEvent[] {
  const latest = new Map<string, FrameworkEvent>();
  for (const event of events) {
    const key = JSON.stringify([event.action, event.component.type, event.component.id]);
    if (!latest.has(key)) latest.set(key, event);
  }
  const all = [...latest.values()];
  return [
    ...all.filter(({ status }) => status !== "success"),
    ...all.filter(({ status }) => status === "success"),
  ];
}
