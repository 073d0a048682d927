import { useMemo, useState } from "react";
import { extended, MOST_SELECTED, NOTHING, type Selection, toggled, withAll } from "./selection";

/** The list from which events are selected. */
interface Loaded<E> {
  events: readonly E[];
  /** The log has more that match. */
  hasMore: boolean;
  /** It answers the present question, and not the one before. */
  settled: boolean;
}

/** What the rows of a table need to know of a selection, and how they change it. */
export interface SelectedRows {
  /** Rows have checkboxes, and a tap selects one instead of opening it. */
  selecting: boolean;
  /** The end of it leaves nothing selected. */
  setSelecting: (on: boolean) => void;
  has: (id: string) => boolean;
  toggle: (id: string) => void;
  /** From the row that was selected last, else from `from`. */
  extend: (to: number, from: number) => void;
  /** All that are loaded, or the first of them should there be too many. */
  selectAll: () => void;
  all: {
    /** So many are selected then. */
    count: number;
    /** Of how many, and whether the log has more. */
    loaded: number;
    hasMore: boolean;
    /** They are selected, or there are none. */
    done: boolean;
  };
  clear: () => void;
}

/** Whether a tap selects rows of a list: without keys there is no other way. Another question ends it. */
export function useSelecting(question: string) {
  const [asked, setAsked] = useState<string | null>(null);
  const selecting = asked === question;
  if (asked !== null && !selecting) setAsked(null);
  return { selecting, setSelecting: (on: boolean) => setAsked(on ? question : null) };
}

/** The selected events of a list. Another question begins with none; those that leave the list stay selected. */
export function useSelection<E extends { id: string }>(
  question: string,
  { events: list, hasMore, settled }: Loaded<E>,
  { selecting, setSelecting }: ReturnType<typeof useSelecting>,
) {
  const [stored, setStored] = useState<{ question: string; selection: Selection<E> }>({
    question,
    selection: NOTHING,
  });
  const current = stored.question === question;
  if (!current) setStored({ question, selection: NOTHING });
  const { events } = current ? stored.selection : NOTHING;
  const ids = useMemo(() => new Set(events.map(({ id }) => id)), [events]);
  const all = settled ? list.slice(0, MOST_SELECTED) : [];
  const change = (next: (old: Selection<E>) => Selection<E>) =>
    setStored((old) => ({ ...old, selection: next(old.selection) }));
  const rows: SelectedRows = {
    selecting,
    setSelecting: (on) => {
      setSelecting(on);
      if (!on) change(() => NOTHING);
    },
    has: (id) => ids.has(id),
    toggle: (id) => {
      const event = [...list, ...events].find((event) => event.id === id);
      if (event) change((old) => toggled(old, event));
    },
    extend: (to, from) => change((old) => extended(old, list, to, from)),
    selectAll: () => {
      if (settled) change((old) => withAll(old, list));
    },
    all: { count: all.length, loaded: list.length, hasMore, done: all.every(({ id }) => ids.has(id)) },
    clear: () => change(() => NOTHING),
  };
  return { events, rows };
}
