import { useMemo, useState } from "react";
import { extended, NOTHING, type Selection, toggled } from "./selection";

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
  list: readonly E[],
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
    clear: () => change(() => NOTHING),
  };
  return { events, rows };
}
