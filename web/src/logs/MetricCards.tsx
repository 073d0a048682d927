import { Link } from "@tanstack/react-router";
import type { LogName } from "../api/types";
import { cx } from "../ui/cx";
import { SkeletonLine } from "../ui/Skeleton";
import { formatCount } from "../ui/time/format";
import { Change } from "./Change";
import type { Metric } from "./definition";
import styles from "./MetricCards.module.css";
import type { LOG_PATHS } from "./paths";
import { chooseFilter, clearFilter, excluding, filtersOf, hasFilter, type LogSearch } from "./search";

export interface CardLink {
  to: (typeof LOG_PATHS)[LogName];
  params: { slug: string };
  search: LogSearch;
}

interface MetricCardsProps<M> {
  metrics: readonly Metric<M>[];
  data: M | undefined;
  /** Those of the period before, which the cards compare with. */
  before?: M | undefined;
  exact: boolean;
  /** The numbers are those of the question before. */
  stale?: boolean;
  colorOf?: (metric: Metric<M>) => string | undefined;
  search?: LogSearch;
  onSearch?: (search: LogSearch) => void;
  /** In one line that scrolls, for narrow screens. */
  strip?: boolean;
  /** Makes a card a link, where it is not in the log that it counts. */
  link?: (metric: Metric<M>) => CardLink;
}

/** A card sets its filter. The card of the total has none: it clears the filters of the other cards. */
export function MetricCards<M>(props: MetricCardsProps<M>) {
  const {
    metrics,
    data,
    before,
    exact,
    stale = false,
    colorOf,
    search,
    onSearch,
    strip = false,
    link,
  } = props;
  const params = [...new Set(metrics.flatMap((metric) => metric.filter?.param ?? []))];
  return (
    <div
      className={cx(
        styles.cards,
        strip ? styles.strip : metrics.length > 4 ? styles.six : styles.three,
        stale && styles.stale,
      )}
      aria-busy={stale || data === undefined}
    >
      {metrics.map((metric) => {
        const color = colorOf?.(metric);
        const content = (
          <>
            <span className={styles.title}>
              {color && <span className={styles.swatch} style={{ background: `var(${color})` }} />}
              {metric.title}
            </span>
            <span className={styles.number}>
              {data !== undefined && before !== undefined && exact && !stale && (
                <span className={styles.change}>
                  <Change
                    now={metric.value(data)}
                    before={metric.value(before)}
                    isBad={metric.isBad ?? false}
                  />
                </span>
              )}
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
            {link ? (
              <Link {...link(metric)} className={styles.inner}>
                {content}
              </Link>
            ) : onClick ? (
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
