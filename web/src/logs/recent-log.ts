import type { Clock } from "../ui/time/format";
import type { Filter } from "./definition";
import { filterTexts } from "./filter-text";
import { describeRange } from "./range";
import type { RecentPlace } from "./recent";
import { dropEmpty, type LogSearch } from "./search";

interface Shown<E> {
  log: { title: string; filters: readonly Filter<E>[] };
  search: LogSearch;
  /** Names of values come from these. */
  events: readonly E[];
  clock: Clock;
  hrefOf: (search: LogSearch) => string;
}

/** A search of a log as a place with a name. The log as it opens is none: everybody finds it. */
export function placeOf<E>({ log, search, events, clock, hrefOf }: Shown<E>): RecentPlace | null {
  const words = filterTexts(log.filters, events, search).map(({ phrase }) => phrase);
  if (search.q) words.unshift(`“${search.q}”`);
  const fixed = Boolean(search.since ?? search.until);
  if (words.length === 0 && !fixed) return null;
  const range = describeRange(search, clock);
  return {
    href: hrefOf(dropEmpty({ ...search, event: undefined })),
    name: words.length > 0 ? words.join(", ") : range,
    hint: words.length > 0 ? `${log.title}, ${range.charAt(0).toLowerCase()}${range.slice(1)}` : log.title,
  };
}
