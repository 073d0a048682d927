import { cx } from "../ui/cx";
import { Icon } from "../ui/Icon";
import styles from "./ActiveFilters.module.css";
import type { Filter } from "./definition";
import { filterTexts } from "./filter-text";
import { clearFilters, flipFilter, type LogSearch, removeFilter } from "./search";

interface ActiveFiltersProps<E> {
  filters: readonly Filter<E>[];
  events: readonly E[];
  search: LogSearch;
  onSearch: (search: LogSearch) => void;
}

/** A sentence for each value: "Role is Nurse", "Role is not Nurse". A click on "is" turns it into the other. */
export function ActiveFilters<E>({ filters, events, search, onSearch }: ActiveFiltersProps<E>) {
  const chips = filterTexts(filters, events, search);
  if (chips.length === 0) return null;
  return (
    <div className={styles.bar}>
      <ul className={styles.list} aria-label="Active filters">
        {chips.map(({ key, excluded, label, value, text, word, opposite }) => (
          <li key={`${key} ${value}`} className={cx(styles.chip, excluded && styles.excluded)}>
            <span className={styles.label}>{label}</span>{" "}
            <button
              type="button"
              className={styles.word}
              title={excluded ? "Include it instead" : "Exclude it instead"}
              onClick={() => onSearch(flipFilter(search, key, value))}
            >
              {word}
              <span className="visually-hidden">
                , change to “{opposite}”: {label} {text}
              </span>
            </button>{" "}
            <span className={styles.value} title={text}>
              {text}
            </span>
            <button
              type="button"
              className={styles.remove}
              aria-label={`Remove filter ${label} ${word} ${text}`}
              onClick={() => onSearch(removeFilter(search, key, value))}
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
