import { Icon } from "../ui/Icon";
import styles from "./ActiveFilters.module.css";
import type { Filter } from "./definition";
import { clearFilters, filtersOf, type LogSearch, removeFilter } from "./search";

interface ActiveFiltersProps<E> {
  filters: readonly Filter<E>[];
  events: readonly E[];
  search: LogSearch;
  onSearch: (search: LogSearch) => void;
}

/** The label of a value. For an ID, the name comes from any loaded event that has both. */
function nameOf<E>(filter: Filter<E>, value: string, events: readonly E[]): string {
  for (const event of events) {
    const found = filter.fromEvent?.(event);
    if (found?.value === value && found.name) return `${found.name} (${value})`;
  }
  return filter.valueLabel?.(value) ?? value;
}

export function ActiveFilters<E>({ filters, events, search, onSearch }: ActiveFiltersProps<E>) {
  const active = filtersOf(search);
  const chips = filters.flatMap((filter) =>
    (active[filter.param] ?? []).map((value) => ({ filter, value, text: nameOf(filter, value, events) })),
  );
  if (chips.length === 0) return null;
  return (
    <div className={styles.bar}>
      <ul className={styles.list} aria-label="Active filters">
        {chips.map(({ filter, value, text }) => (
          <li key={`${filter.param} ${value}`} className={styles.chip}>
            <span className={styles.label}>{filter.label} </span>
            <span className={styles.value} title={text}>
              {text}
            </span>
            <button
              type="button"
              className={styles.remove}
              aria-label={`Remove filter ${filter.label}: ${text}`}
              onClick={() => onSearch(removeFilter(search, filter.param, value))}
            >
              <Icon name="close" size={12} />
            </button>
          </li>
        ))}
      </ul>
      <button type="button" className={styles.clear} onClick={() => onSearch(clearFilters(search))}>
        Clear all
      </button>
    </div>
  );
}
