import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { Group, Groups, LogEvent, LogName } from "../api/types";
import { Button, IconButton } from "../ui/Button";
import { cx } from "../ui/cx";
import { Menu, MenuItem } from "../ui/Menu";
import { SkeletonLine } from "../ui/Skeleton";
import { Sparkline } from "../ui/Sparkline";
import { formatCount } from "../ui/time/format";
import { useLog } from "./context";
import type { LogDefinition, TopField } from "./definition";
import { filterOf, withGroupValues, withoutValue } from "./group-by";
import styles from "./GroupTable.module.css";
import { onlyFilter, type LogSearch } from "./search";
import { Bound, ChangeOf, shareOf } from "./TopChange";
import { groupsBeforeQuery, groupsQuery } from "./use-log-data";

interface GroupTableProps<L extends LogName, E extends LogEvent, M> {
  log: LogDefinition<L, E, M>;
  search: LogSearch;
  onSearch: (search: LogSearch) => void;
  now: number;
  fields: readonly TopField[];
  titleOf: (field: TopField) => string;
}

/** The events by the values of one or two fields: who from where, and how often over time. */
export function GroupTable<L extends LogName, E extends LogEvent, M>(props: GroupTableProps<L, E, M>) {
  const { log, search, onSearch, now, fields, titleOf } = props;
  const { workspace } = useLog();
  const names = fields.map(({ field }) => field);
  const { data, error, isPlaceholderData, refetch } = useQuery({
    ...groupsQuery(log, workspace, search, now, names),
    placeholderData: keepPreviousData,
  });
  const wanted =
    search.compare === "before" ? groupsBeforeQuery(log, workspace, search, now, names) : undefined;
  const before = useQuery({
    ...(wanted ?? groupsQuery(log, workspace, search, now, names)),
    enabled: wanted !== undefined,
  });
  const earlier = wanted && !isPlaceholderData ? before.data : undefined;
  if (error && data === undefined) {
    return (
      <p role="alert" className={styles.none}>
        {error.message}{" "}
        <Button small icon="refresh" onPress={() => void refetch()}>
          Try again
        </Button>
      </p>
    );
  }
  // The answer to another question has other columns.
  const fits = data?.data.every(({ values }) => values.length === fields.length) ?? false;
  if (data && fits && data.data.length === 0) return <p className={styles.none}>No event has these fields</p>;
  return (
    <div className={cx(styles.frame, isPlaceholderData && styles.stale)} aria-busy={isPlaceholderData}>
      <table className={styles.table} aria-label="Groups">
        <thead>
          <tr>
            {fields.map((field) => (
              <th key={field.field} scope="col">
                {titleOf(field)}
              </th>
            ))}
            <th scope="col" className={styles.number}>
              Events
            </th>
            <th scope="col" className={styles.number}>
              Share
            </th>
            <th scope="col" className={styles.course}>
              Over time
            </th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {!data || !fits
            ? [80, 64, 72, 48, 56, 40].map((width) => (
                <tr key={width}>
                  <td colSpan={fields.length + 4}>
                    <SkeletonLine width={`${width}%`} />
                  </td>
                </tr>
              ))
            : data.data.map((group) => (
                <GroupRow
                  key={keyOf(group)}
                  group={group}
                  groups={data}
                  before={earlier}
                  fields={fields}
                  titleOf={titleOf}
                  search={search}
                  onSearch={onSearch}
                />
              ))}
        </tbody>
      </table>
      {data && !data.exact && <Bound top={data} />}
    </div>
  );
}

function keyOf({ values }: Group): string {
  return JSON.stringify(values.map(({ value }) => value));
}

interface GroupRowProps {
  group: Group;
  groups: Groups;
  before: Groups | undefined;
  fields: readonly TopField[];
  titleOf: (field: TopField) => string;
  search: LogSearch;
  onSearch: (search: LogSearch) => void;
}

function GroupRow({ group, groups, before, fields, titleOf, search, onSearch }: GroupRowProps) {
  const values = group.values.map(({ value }) => value);
  const texts = fields.map(({ valueLabel = (value) => value }, index) => {
    const { name, value } = group.values[index] ?? { name: null, value: "" };
    return name ?? valueLabel(value);
  });
  const whole = texts.join(", ");
  const filterable = fields.some((field) => filterOf(field) !== null);
  const include = () => onSearch(withGroupValues(search, fields, values));
  return (
    <tr>
      {fields.map((field, index) => {
        const [text, value] = [texts[index] ?? "", values[index] ?? ""];
        return (
          <td key={field.field} className={styles.value}>
            {filterable ? (
              <button
                type="button"
                className={styles.button}
                title={`Filter by ${whole}; Alt and click excludes ${text}`}
                onClick={({ altKey }) =>
                  altKey && filterOf(field) !== null
                    ? onSearch(withoutValue(search, field, value))
                    : include()
                }
              >
                {text}
                {text !== value && group.values[index]?.name && <span className={styles.id}> {value}</span>}
                <span className="visually-hidden">, filter by {whole}</span>
              </button>
            ) : (
              text
            )}
          </td>
        );
      })}
      <td className={styles.number}>
        <span className={styles.count}>
          {before && (
            <ChangeOf
              count={group.count}
              of={groups}
              found={before.data.find((other) => keyOf(other) === keyOf(group))?.count}
              before={before}
            />
          )}
          {formatCount(group.count, groups.exact)}
        </span>
      </td>
      <td className={cx(styles.number, styles.share)}>{shareOf(group.count, groups)}</td>
      <td className={styles.course}>
        <Sparkline counts={group.series} label={`${whole} over time`} format={formatCount} />
      </td>
      <td className={styles.menu}>
        {filterable && (
          <Menu
            label={`Actions for ${whole}`}
            end
            trigger={<IconButton small icon="more" label={`Actions for ${whole}`} />}
          >
            <MenuItem onAction={include}>{`Filter by ${whole}`}</MenuItem>
            <>
              {fields.map((field, index) => {
                const [param, value, text] = [filterOf(field), values[index] ?? "", texts[index] ?? ""];
                return (
                  param !== null && (
                    <MenuItem
                      key={`exclude ${field.field}`}
                      onAction={() => onSearch(withoutValue(search, field, value))}
                    >
                      {`Exclude ${titleOf(field)} ${text}`}
                    </MenuItem>
                  )
                );
              })}
              {fields.map((field, index) => {
                const [param, value, text] = [filterOf(field), values[index] ?? "", texts[index] ?? ""];
                return (
                  param !== null && (
                    <MenuItem
                      key={`only ${field.field}`}
                      onAction={() => onSearch(onlyFilter(search, param, value))}
                    >
                      {`Only ${titleOf(field)} ${text}`}
                    </MenuItem>
                  )
                );
              })}
            </>
          </Menu>
        )}
      </td>
    </tr>
  );
}
