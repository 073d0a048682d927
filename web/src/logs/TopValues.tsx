import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { LogEvent, LogName, TopValues as Top } from "../api/types";
import { cx } from "../ui/cx";
import { Button } from "../ui/Button";
import { SkeletonLine } from "../ui/Skeleton";
import { formatCount, formatDateTime } from "../ui/time/format";
import { Value } from "./cells";
import { Change } from "./Change";
import { useLog } from "./context";
import type { LogDefinition, TopField } from "./definition";
import type { LogSearch } from "./search";
import styles from "./TopValues.module.css";
import { TOP_BEFORE_LIMIT, TOP_LIMIT, topBeforeQuery, topQuery } from "./use-log-data";

interface TopValuesProps<L extends LogName, E extends LogEvent, M> {
  log: LogDefinition<L, E, M>;
  search: LogSearch;
  now: number;
}

/** The most frequent values of each telling field, of whatever is filtered: who failed most, and from where. */
export function TopValues<L extends LogName, E extends LogEvent, M>(props: TopValuesProps<L, E, M>) {
  return (
    <div className={styles.grid} role="group" aria-label="Top values">
      {props.log.top.map((field) => (
        <TopList key={field.field} {...props} field={field} />
      ))}
    </div>
  );
}

export function TopList<L extends LogName, E extends LogEvent, M>({
  log,
  search,
  now,
  field: { field, title, filter = field, valueLabel = (value) => value },
  limit = TOP_LIMIT,
}: TopValuesProps<L, E, M> & { field: TopField; limit?: number }) {
  const { workspace } = useLog();
  const { data, error, isPlaceholderData, refetch } = useQuery({
    ...topQuery(log, workspace, search, now, { field, limit }),
    placeholderData: keepPreviousData,
  });
  const compared =
    search.compare === "before" ? topBeforeQuery(log, workspace, search, now, { field }) : undefined;
  const before = useQuery({
    ...(compared ?? topQuery(log, workspace, search, now, { field, limit })),
    enabled: compared !== undefined,
  });
  const earlier = compared && !isPlaceholderData ? before.data : undefined;
  const most = data?.data[0]?.count ?? 0;
  return (
    <section className={cx(styles.list, isPlaceholderData && styles.stale)} aria-label={title}>
      <h3 className={styles.title}>{title}</h3>
      {error ? (
        <p role="alert" className={styles.none}>
          {error.message}{" "}
          <Button small icon="refresh" onPress={() => void refetch()}>
            Try again
          </Button>
        </p>
      ) : data === undefined ? (
        [70, 52, 40, 26].map((width) => (
          <div key={width} className={styles.skeleton}>
            <SkeletonLine width={`${width}%`} />
          </div>
        ))
      ) : data.data.length === 0 ? (
        <p className={styles.none}>No values</p>
      ) : (
        <ol>
          {data.data.map(({ value, name, count }) => (
            <li key={value} className={styles.item}>
              <span className={styles.bar} style={{ width: `${(count / most) * 100}%` }} />
              <span className={styles.value}>
                {filter === null ? (
                  <span title={value}>{name ?? valueLabel(value)}</span>
                ) : (
                  <Value param={filter} value={value} label={name ?? valueLabel(value)}>
                    {name ?? valueLabel(value)}
                  </Value>
                )}
              </span>
              <span className={styles.count}>
                {earlier && <ChangeOf value={value} count={count} top={data} before={earlier} />}
                {formatCount(count, data.exact)}
              </span>
              <span className={styles.share}>{shareOf(count, data)}</span>
            </li>
          ))}
        </ol>
      )}
      {data && !data.exact && <Bound top={data} />}
    </section>
  );
}

interface ChangeOfProps {
  value: string;
  count: number;
  top: Top;
  before: Top;
}

/** How a value changed: its count, or its share where only the newest events of a period were counted. */
function ChangeOf({ value, count, top, before }: ChangeOfProps) {
  const found = before.data.find((other) => other.value === value)?.count;
  if (top.exact && before.exact) {
    // Beyond the end of a full list it is not known.
    const complete = before.data.length < TOP_BEFORE_LIMIT;
    return found === undefined && !complete ? null : <Change now={count} before={found ?? 0} />;
  }
  if (found === undefined || shareOf(found, before) === shareOf(count, top)) return null;
  return (
    <span className={styles.was} title="Share in the period before">
      was {shareOf(found, before)}
    </span>
  );
}

/** "12%" of the events that were counted. */
function shareOf(count: number, { counted }: Top): string {
  if (counted === 0) return "";
  const percent = (count / counted) * 100;
  return percent < 1 ? "<1%" : `${Math.round(percent)}%`;
}

function Bound({ top: { counted, since } }: { top: Top }) {
  const { clock } = useLog();
  return (
    <p className={styles.bound}>
      Of the newest {formatCount(counted)} events
      {since && `, since ${formatDateTime(Date.parse(since), clock)}`}
    </p>
  );
}
