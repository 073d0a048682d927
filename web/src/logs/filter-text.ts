import { splitChanged } from "./changed";
import type { Filter } from "./definition";
import { filtersOf, type LogSearch, splitParam } from "./search";

/** A filter in words. */
export interface FilterText {
  key: string;
  excluded: boolean;
  label: string;
  value: string;
  text: string;
  /** What stands between label and value, and the word for its opposite: "is", "is not". */
  word: string;
  opposite: string;
  /** All of it, without what the text says by itself, as "Failed login" does and "17" does not. */
  phrase: string;
}

const IS = ["is", "is not"] as const;
const CHANGED_TO = ["changed to", "not changed to"] as const;
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
    const named = param.startsWith(METADATA) ? param.slice(METADATA.length) : (filter?.label ?? param);
    const isChange = filter?.kind === "change";
    const words = isChange ? CHANGED_TO : IS;
    const [word, opposite] = excluded ? [words[1], words[0]] : words;
    return values.map((value) => {
      const name = nameOf(filter, value, events);
      const { field, value: changedTo } = splitChanged(value);
      const label = isChange ? field : named;
      const text = name ?? (isChange ? changedTo : value);
      const speaks = name !== null || filter?.kind === "facet" || filter?.kind === "choice";
      const phrase = isChange
        ? `${label} ${word} ${text}`
        : [excluded && "not", speaks ? text : `${label} ${text}`].filter(Boolean).join(" ");
      return { key, excluded, label, value, text, word, opposite, phrase };
    });
  });
}
