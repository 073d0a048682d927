import type { Filter } from "./definition";
import { filtersOf, type LogSearch, splitParam } from "./search";

/** A filter in words. */
export interface FilterText {
  key: string;
  excluded: boolean;
  label: string;
  value: string;
  text: string;
  /** The text says by itself what it is, as "Failed login" does and "17" does not. */
  speaks: boolean;
}

const METADATA = "metadata.";

/** The label of a value. For an ID, the name comes from any loaded event that has both. */
function nameOf<E>(filter: Filter<E> | undefined, value: string, events: readonly E[]): string | null {
  for (const event of events) {
    const found = filter?.fromEvent?.(event).find((named) => named.value === value);
    if (!found?.name || found.name === value) continue;
    const id = found.id ?? value;
    return found.name.endsWith(id) ? found.name : `${found.name} (${id})`;
  }
  return filter?.valueLabel?.(value) ?? null;
}

/** The filters of a search, each value in words. */
export function filterTexts<E>(
  filters: readonly Filter<E>[],
  events: readonly E[],
  search: LogSearch,
): FilterText[] {
  return Object.entries(filtersOf(search)).flatMap(([key, values]) => {
    const { param, excluded } = splitParam(key);
    const filter = filters.find((other) => other.param === param);
    const label = param.startsWith(METADATA) ? param.slice(METADATA.length) : (filter?.label ?? param);
    return values.map((value) => {
      const name = nameOf(filter, value, events);
      const speaks = name !== null || filter?.kind === "facet" || filter?.kind === "choice";
      return { key, excluded, label, value, text: name ?? value, speaks };
    });
  });
}
