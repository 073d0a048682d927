import { cx } from "../ui/cx";
import { SkeletonLine } from "../ui/Skeleton";
import { formatCount } from "../ui/time/format";
import type { Metric } from "./definition";
import styles from "./MetricCards.module.css";
import { chooseFilter, clearFilter, excluding, filtersOf, hasFilter, type LogSearch } from "./search";

interface MetricCardsProps<M> {
  metrics: readonly Metric<M>[];
  data: M | undefined;
  exact: boolean;
  colorOf?: (metric: Metric<M>) => string | undefined;
  search?: LogSearch;
  onSearch?: (search: LogSearch) => void;
}

/** A card sets its filter. The card of the total has none: it clears the filters of the other cards. */
export function MetricCards<M>({ metrics, data, exact, colorOf, search, onSearch }: MetricCardsProps<M>) {
  const params = [...new Set(metrics.flatMap((metric) => metric.filter?.param ?? []))];
  return (
    <div className={cx(styles.cards, metrics.length > 4 ? styles.six : styles.three)}>
      {metrics.map((metric) => {
        const color = colorOf?.(metric);
        const content = (
          <>
            <span className={styles.title}>
              {color && <span className={styles.swatch} style={{ background: `var(${color})` }} />}
              {metric.title}
            </span>
            <span className={styles.number}>
              {data === undefined ? <SkeletonLine width={64} /> : formatCount(metric.value(data), exact)}
            </span>
          </>
        );
        const { filter } = metric;
        const pressed = search && filter && hasFilter(search, filter.param, filter.value);
        const clearable =
          search &&
          !filter &&
          params.some((param) => filtersOf(search)[param] ?? filtersOf(search)[excluding(param)]);
        const onClick =
          search && onSearch && filter
            ? () => onSearch(chooseFilter(search, filter.param, filter.value))
            : clearable && onSearch
              ? () => onSearch(params.reduce(clearFilter, search))
              : undefined;
        return (
          <div key={metric.title} className={styles.card} role="group" aria-label={metric.title}>
            {onClick ? (
              <button
                type="button"
                className={styles.inner}
                aria-pressed={pressed ?? undefined}
                onClick={onClick}
              >
                {content}
              </button>
            ) : (
              <div className={styles.inner}>{content}</div>
            )}
          </div>
        );
      })}
    </div>
  );
}
