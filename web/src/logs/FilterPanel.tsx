import { useState } from "react";
import type { Facet, Facets } from "../api/types";
import { cx } from "../ui/cx";
import { Checkbox } from "../ui/Checkbox";
import { Icon } from "../ui/Icon";
import { SkeletonLine } from "../ui/Skeleton";
import { formatCount } from "../ui/time/format";
import styles from "./FilterPanel.module.css";
import type { Filter } from "./definition";
import { FilterForm, type FilterCheck } from "./FilterForm";
import { excluding, filtersOf, type LogSearch, onlyFilter, toggleFilter } from "./search";

interface FilterPanelProps<E> {
  filters: readonly Filter<E>[];
  facets: Facets | undefined;
  /** The counts are those of the question before. */
  stale?: boolean;
  search: LogSearch;
  onSearch: (search: LogSearch) => void;
  onCheck: FilterCheck;
}

const SHOWN = 8;

/** What the server counts together: of a thousand values no more are kept apart. No event has this value. */
const OTHER = "(other)";

interface Item {
  value: string;
  /** Only facets have counts. */
  count?: number;
}

export function FilterPanel<E>({
  filters,
  facets,
  stale = false,
  search,
  onSearch,
  onCheck,
}: FilterPanelProps<E>) {
  const hasList = ({ kind }: Filter<E>) => kind === "facet" || kind === "choice";
  return (
    <div className={styles.panel}>
      {filters
        .filter((filter) => hasList(filter))
        .map((filter) => (
          <FacetGroup
            key={filter.param}
            filter={filter}
            facet={facets?.data.find((facet) => facet.field === filter.param)}
            exact={facets?.exact ?? true}
            stale={stale}
            loading={!facets && filter.kind === "facet"}
            search={search}
            onSearch={onSearch}
          />
        ))}
      <FilterForm
        filters={filters.filter((filter) => !hasList(filter))}
        search={search}
        onSearch={onSearch}
        onCheck={onCheck}
      />
    </div>
  );
}

interface FacetGroupProps<E> {
  filter: Filter<E>;
  facet: Facet | undefined;
  exact: boolean;
  stale: boolean;
  loading: boolean;
  search: LogSearch;
  onSearch: (search: LogSearch) => void;
}

function FacetGroup<E>({ filter, facet, exact, stale, loading, search, onSearch }: FacetGroupProps<E>) {
  const [open, setOpen] = useState(true);
  const [all, setAll] = useState(false);
  const selected = filtersOf(search)[filter.param] ?? [];
  const not = excluding(filter.param);
  const excluded = filtersOf(search)[not] ?? [];
  const active = [...selected, ...excluded];
  const counted = facet?.values ?? [];
  // An exact count has none that are counted together: there it is a value like any other.
  const other = exact ? undefined : counted.find(({ value }) => value === OTHER);
  const known: readonly Item[] =
    filter.values?.map((value) => ({ value })) ?? counted.filter((item) => item !== other);
  // A value stays in the list when no event has it together with the other filters, so that the list does not jump.
  const [seen, setSeen] = useState<readonly string[]>([]);
  const unseen = [...known.map(({ value }) => value), ...active].filter((value) => !seen.includes(value));
  if (unseen.length > 0) setSeen([...seen, ...unseen]);
  const missing = seen.filter((value) => !known.some((item) => item.value === value));
  const values = [...known, ...missing.map((value) => ({ value, count: 0 }))];
  const shown = all ? values : values.filter((item, index) => index < SHOWN || active.includes(item.value));
  const label = filter.valueLabel ?? ((value: string) => value);

  return (
    <div
      role="group"
      aria-label={filter.label}
      aria-busy={stale || loading}
      className={cx(styles.group, stale && styles.stale)}
    >
      <button type="button" className={styles.heading} aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="chevronRight" size={12} />
        {filter.label}
        {active.length > 0 && (
          <span className={styles.selected}>
            {active.length}
            <span className="visually-hidden"> active</span>
          </span>
        )}
      </button>
      {open && (
        <div>
          {loading &&
            [96, 72, 84].map((width) => (
              <div key={width} className={styles.skeleton}>
                <SkeletonLine width={width} />
              </div>
            ))}
          {!loading && values.length === 0 && !other && <p className={styles.empty}>No values</p>}
          {shown.map(({ value, count }) => (
            <Checkbox
              key={value}
              label={label(value)}
              count={count === undefined ? undefined : formatCount(count, exact)}
              checked={selected.includes(value)}
              onChange={() => onSearch(toggleFilter(search, filter.param, value))}
              excluded={excluded.includes(value)}
              onExclude={() => onSearch(toggleFilter(search, not, value))}
              onOnly={() => onSearch(onlyFilter(search, filter.param, value))}
            />
          ))}
          {other && (
            <p className={styles.other}>
              <span>
                Other values
                <small>Too many to list: counted together, and no filter</small>
              </span>
              <span className={styles.count}>{formatCount(other.count, false)}</span>
            </p>
          )}
          {values.length > SHOWN && (
            <button type="button" className={styles.more} onClick={() => setAll(!all)}>
              {all ? "Show fewer" : `Show all ${values.length}`}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
