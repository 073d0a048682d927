import { useLayoutEffect, useRef, useState } from "react";
import { type LogSearch, questionOf } from "./search";
import { rememberVisit, startVisit, visitOf } from "./visits";

interface Reading {
  /** The entry of the browser's history. */
  entry: string;
  search: LogSearch;
}

/**
 * When a page's question was asked, and where its reader is in the answer. Another question begins anew; Back to an earlier
 * one comes to the answer and the place that it had.
 */
export function useVisit({ entry, search }: Reading) {
  const question = questionOf(search);
  const [visit, setVisit] = useState({ entry, question });
  // The list and all counts are of this time, and "Last 24 hours" ends at it. It changes only when somebody asks again.
  const [now, setNow] = useState(() => startVisit(entry, question).askedAt);
  const [cursor, setCursor] = useState(() => startVisit(entry, question).cursor);
  if (visit.question !== question) {
    const { askedAt, cursor: row } = startVisit(entry, question);
    setNow(askedAt);
    setCursor(row);
  }
  if (visit.entry !== entry || visit.question !== question) setVisit({ entry, question });

  return { now, setNow, cursor, setCursor };
}

interface Place extends Reading {
  scroller: HTMLElement | null;
  now: number;
  cursor: number;
  /** The list is that of the question. */
  settled: boolean;
}

/** Scrolls to the place of the visit once its list is there, or to the top for a new question, and remembers the place. */
export function useScrollPlace({ entry, search, scroller, now, cursor, settled }: Place) {
  const question = questionOf(search);
  const top = useRef(0);
  useLayoutEffect(() => {
    top.current = visitOf(entry, question)?.top ?? 0;
    if (top.current === 0) scroller?.scrollTo({ top: 0 });
    // Not for another entry with the same question: an event was opened.
    // eslint-disable-next-line react-hooks/exhaustive-deps -- see above
  }, [scroller, question]);
  useLayoutEffect(() => {
    if (settled) scroller?.scrollTo({ top: top.current });
  }, [scroller, settled, question]);
  // After the scrolling above, and as a layout effect: the place of a visit that was left must not be overwritten by it.
  useLayoutEffect(() => {
    if (!scroller) return;
    const remember = () => {
      rememberVisit(entry, question, { askedAt: now, cursor, top: scroller.scrollTop });
    };
    remember();
    scroller.addEventListener("scroll", remember, { passive: true });
    return () => scroller.removeEventListener("scroll", remember);
  }, [scroller, entry, question, now, cursor]);
}
