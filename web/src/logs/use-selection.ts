import { useMemo, useState } from "react";
import { extended, NOTHING, type Selection, toggled } from "./selection";

/** What the rows of a table need to know of a selection, and how they change it. */
export interface SelectedRows {
  has: (id: string) => boolean;
  toggle: (id: string) => void;
  /** From the row that was selected last, else from `from`. */
  extend: (to: number, from: number) => void;
  clear: () => void;
}

/** The selected events of a list. Another question begins with none; those that leave the list stay selected. */
export function useSelection<E extends { id: string }>(question: string, list: readonly E[]) {
  const [stored, setStored] = useState<{ question: string; selection: Selection<E> }>({
    question,
    selection: NOTHING,
  });
  const current = stored.question === question;
  if (!current) setStored({ question, selection: NOTHING });
  const { events } = current ? stored.selection : NOTHING;
  return useMemo(() => {
    const ids = new Set(events.map(({ id }) => id));
    const change = (next: (old: Selection<E>) => Selection<E>) =>
      setStored((old) => ({ ...old, selection: next(old.selection) }));
    const rows: SelectedRows = {
      has: (id) => ids.has(id),
      toggle: (id) => {
        const event = [...list, ...events].find((event) => event.id === id);
        if (event) change((old) => toggled(old, event));
      },
      extend: (to, from) => change((old) => extended(old, list, to, from)),
      clear: () => change(() => NOTHING),
    };
    return { events, rows };
  }, [events, list]);
}
