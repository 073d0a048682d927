import { useState } from "react";
import type { Facet, Facets } from "../api/types";
import { Checkbox } from "../ui/Checkbox";
import { TextField } from "../ui/TextField";
import { Icon } from "../ui/Icon";
import { SkeletonLine } from "../ui/Skeleton";
import { formatCount } from "../ui/time/format";
import styles from "./FilterPanel.module.css";
import type { Filter } from "./definition";
import { addFilter, filtersOf, type LogSearch, toggleFilter } from "./search";

interface FilterPanelProps<E> {
  filters: readonly Filter<E>[];
  facets: Facets | undefined;
  search: LogSearch;
  onSearch: (search: LogSearch) => void;
}

const SHOWN = 8;

interface Item {
  value: string;
  /** Only facets have counts. */
  count?: number;
}

export function FilterPanel<E>({ filters, facets, search, onSearch }: FilterPanelProps<E>) {
  return (
    <div className={styles.panel}>
      {filters
        .filter((filter) => filter.kind !== "text")
        .map((filter) => (
          <FacetGroup
            key={filter.param}
            filter={filter}
            facet={facets?.data.find((facet) => facet.field === filter.param)}
            exact={facets?.exact ?? true}
            loading={!facets && filter.kind === "facet"}
            search={search}
            onSearch={onSearch}
          />
        ))}
      <div className={styles.textFilters}>
        {filters
          .filter((filter) => filter.kind === "text")
          .map((filter) => (
            <TextFilter
              key={filter.param}
              label={filter.label}
              placeholder={filter.placeholder}
              onAdd={(value) => onSearch(addFilter(search, filter.param, value))}
            />
          ))}
      </div>
    </div>
  );
}

interface FacetGroupProps<E> {
  filter: Filter<E>;
  facet: Facet | undefined;
  exact: boolean;
  loading: boolean;
  search: LogSearch;
  onSearch: (search: LogSearch) => void;
}

function FacetGroup<E>({ filter, facet, exact, loading, search, onSearch }: FacetGroupProps<E>) {
  const [open, setOpen] = useState(true);
  const [all, setAll] = useState(false);
  const selected = filtersOf(search)[filter.param] ?? [];
  const known: readonly Item[] = filter.values?.map((value) => ({ value })) ?? facet?.values ?? [];
  // A selected value stays in the list even when no event matches it together with the other filters.
  const missing = selected.filter((value) => !known.some((item) => item.value === value));
  const values = [...known, ...missing.map((value) => ({ value, count: 0 }))];
  const shown = all ? values : values.filter((item, index) => index < SHOWN || selected.includes(item.value));
  const label = filter.valueLabel ?? ((value: string) => value);

  return (
    <div role="group" aria-label={filter.label} className={styles.group}>
      <button type="button" className={styles.heading} aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="chevronRight" size={12} />
        {filter.label}
        {selected.length > 0 && (
          <span className={styles.selected}>
            {selected.length}
            <span className="visually-hidden"> selected</span>
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
          {!loading && values.length === 0 && <p className={styles.empty}>No values</p>}
          {shown.map(({ value, count }) => (
            <Checkbox
              key={value}
              label={label(value)}
              count={count === undefined ? undefined : formatCount(count, exact)}
              checked={selected.includes(value)}
              onChange={() => onSearch(toggleFilter(search, filter.param, value))}
            />
          ))}
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

function TextFilter({
  label,
  placeholder,
  onAdd,
}: {
  label: string;
  placeholder: string | undefined;
  onAdd: (value: string) => void;
}) {
  const [text, setText] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() === "") return;
        onAdd(text.trim());
        setText("");
      }}
    >
      <TextField
        label={label}
        value={text}
        onChange={setText}
        placeholder={placeholder}
        enterKeyHint="search"
      />
    </form>
  );
}
