import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { LogEvent, LogName } from "../api/types";
import { cx } from "../ui/cx";
import { Button } from "../ui/Button";
import { SkeletonLine } from "../ui/Skeleton";
import { formatCount } from "../ui/time/format";
import { Value } from "./cells";
import { useLog } from "./context";
import type { LogDefinition, TopField } from "./definition";
import type { LogSearch } from "./search";
import { GroupBy } from "./GroupBy";
import { groupFields } from "./group-by";
import { GroupTable } from "./GroupTable";
import { Bound, ChangeOf, shareOf } from "./TopChange";
import styles from "./TopValues.module.css";
import { TOP_LIMIT, topBeforeQuery, topQuery } from "./use-log-data";

interface TopListProps<L extends LogName, E extends LogEvent, M> {
  log: LogDefinition<L, E, M>;
  search: LogSearch;
  now: number;
}

interface TopValuesProps<L extends LogName, E extends LogEvent, M> extends TopListProps<L, E, M> {
  onSearch: (search: LogSearch) => void;
}

/**
 * The most frequent values of each telling field, of whatever is filtered: who failed most, and from where. Or those of one
 * or two fields together.
 */
export function TopValues<L extends LogName, E extends LogEvent, M>({
  onSearch,
  ...props
}: TopValuesProps<L, E, M>) {
  const { log, search } = props;
  const fields = groupFields(search, log.top);
  const titleOf = ({ field, title }: TopField) =>
    log.filters.find(({ param }) => param === field)?.label ?? title;
  const groupBy = <GroupBy known={log.top} titleOf={titleOf} search={search} onSearch={onSearch} />;
  if (fields.length > 0) {
    return (
      <>
        {groupBy}
        <GroupTable {...props} fields={fields} titleOf={titleOf} onSearch={onSearch} />
      </>
    );
  }
  return (
    <>
      {groupBy}
      <div className={styles.grid} role="group" aria-label="Top values">
        {log.top.map((field) => (
          <TopList key={field.field} {...props} field={field} />
        ))}
      </div>
    </>
  );
}

export function TopList<L extends LogName, E extends LogEvent, M>({
  log,
  search,
  now,
  field: { field, title, filter = field, valueLabel = (value) => value },
  limit = TOP_LIMIT,
}: TopListProps<L, E, M> & { field: TopField; limit?: number }) {
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
                {earlier && (
                  <ChangeOf
                    count={count}
                    of={data}
                    found={earlier.data.find((other) => other.value === value)?.count}
                    before={earlier}
                  />
                )}
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
