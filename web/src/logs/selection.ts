/** Events that somebody has picked out of a list. */
export interface Selection<E> {
  events: readonly E[];
  /** Those of before it was extended: extending again replaces only the extension. */
  base: readonly E[];
  /** The event from which it is extended. */
  anchor: string | null;
}

export const NOTHING: Selection<never> = { events: [], base: [], anchor: null };

/** So many events are selected at most. */
export const MOST_SELECTED = 500;

interface Listed {
  id: string;
}

/** Selects an event, or takes it out. */
export function toggled<E extends Listed>({ events: old }: Selection<E>, event: E): Selection<E> {
  const others = old.filter(({ id }) => id !== event.id);
  const isNew = others.length === old.length && old.length < MOST_SELECTED;
  const events = isNew ? [...old, event] : others;
  return { events, base: events, anchor: event.id };
}

/** Selects all of a list, or the first of them should there be too many. Those that have left the list stay, while there is room. */
export function withAll<E extends Listed>({ events: old }: Selection<E>, list: readonly E[]): Selection<E> {
  const all = list.slice(0, MOST_SELECTED);
  const ids = new Set(all.map(({ id }) => id));
  const events = [...all, ...old.filter(({ id }) => !ids.has(id))].slice(0, MOST_SELECTED);
  return { events, base: events, anchor: null };
}

/** Selects all events from the anchor to a place in the list. Without an anchor it begins at `from`. */
export function extended<E extends Listed>(
  { base, anchor }: Selection<E>,
  list: readonly E[],
  to: number,
  from: number,
): Selection<E> {
  const known = list.findIndex(({ id }) => id === anchor);
  const start = known < 0 ? from : known;
  const end = Math.max(0, Math.min(list.length - 1, to));
  const between = list.slice(Math.min(start, end), Math.max(start, end) + 1);
  const ids = new Set(base.map(({ id }) => id));
  // Those that are nearest to the anchor come first, should there be too many.
  const added = (end < start ? between.reverse() : between).filter(({ id }) => !ids.has(id));
  return { events: [...base, ...added].slice(0, MOST_SELECTED), base, anchor: list[start]?.id ?? null };
}
