/** What says where an event belongs in a list. */
export interface Placed {
  id: string;
  occurred_at: string;
  seq: number;
}

/** What a stream has brought since the list was loaded. */
export interface LiveRows<E> {
  /** In the table. */
  rows: readonly E[];
  /** Held back while somebody reads. */
  waiting: readonly E[];
  /** There were more than are kept: only the list, loaded again, has them all. */
  more: boolean;
}

/** So many events are kept at most. */
export const MOST_LIVE = 500;

export const NO_ROWS: LiveRows<never> = { rows: [], waiting: [], more: false };

export function receive<E extends Placed>(
  live: LiveRows<E>,
  events: readonly E[],
  held: boolean,
): LiveRows<E> {
  const known = new Set([...live.rows, ...live.waiting].map(({ id }) => id));
  const fresh = events.filter(({ id }) => !known.has(id) && known.add(id));
  if (fresh.length === 0) return live;
  const waiting = [...live.waiting, ...fresh];
  return bounded(held ? { ...live, waiting } : { ...live, rows: [...live.rows, ...waiting], waiting: [] });
}

/** What waited goes into the table. */
export function release<E>(live: LiveRows<E>): LiveRows<E> {
  if (live.waiting.length === 0) return live;
  return bounded({ ...live, rows: [...live.rows, ...live.waiting], waiting: [] });
}

function bounded<E>({ rows, waiting, more }: LiveRows<E>): LiveRows<E> {
  return {
    rows: rows.slice(-MOST_LIVE),
    waiting: waiting.slice(-MOST_LIVE),
    more: more || rows.length > MOST_LIVE || waiting.length > MOST_LIVE,
  };
}

/** The list was loaded again: of what has come, only what it does not have is left. */
export function reloaded<E extends Placed>(live: LiveRows<E>, page: readonly E[]): LiveRows<E> {
  const listed = new Set(page.map(({ id }) => id));
  const rows = [...live.rows, ...live.waiting].filter(({ id }) => !listed.has(id));
  return { ...live, rows, waiting: [] };
}

/** A list with the newest event first. */
export interface LoadedList<E> {
  events: readonly E[];
  /** There are more pages: what belongs there is not shown before they are. */
  hasMore: boolean;
}

/** The newest first, as the API sorts. */
export function comparePlaces(one: Placed, other: Placed): number {
  return Date.parse(other.occurred_at) - Date.parse(one.occurred_at) || other.seq - one.seq;
}

/** Those that the list does not have, in its order. */
function missingFrom<E extends Placed>({ events, hasMore }: LoadedList<E>, live: readonly E[]): E[] {
  if (live.length === 0) return [];
  const listed = new Set(events.map(({ id }) => id));
  const last = hasMore ? events.at(-1) : undefined;
  return live
    .filter((event) => !listed.has(event.id) && (!last || comparePlaces(event, last) < 0))
    .sort(comparePlaces);
}

/** The list with the rows of the stream, each in its place: a late event is not the newest one. */
export function withLive<E extends Placed>(list: LoadedList<E>, live: LiveRows<E>): readonly E[] {
  const missing = missingFrom(list, live.rows);
  if (missing.length === 0) return list.events;
  const all: E[] = [];
  let next = 0;
  for (const event of list.events) {
    for (let add = missing[next]; add && comparePlaces(add, event) < 0; add = missing[next]) {
      all.push(add);
      next += 1;
    }
    all.push(event);
  }
  return [...all, ...missing.slice(next)];
}

/** How many wait for the table. */
export function countWaiting<E extends Placed>(list: LoadedList<E>, live: LiveRows<E>): number {
  return missingFrom(list, live.waiting).length;
}
