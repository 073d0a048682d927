import { useEffect, useState } from "react";

/** Whether somebody is at a row of the list, so that it must not move: scrolled to one, or at one by key. */
export function useReading(scroller: HTMLElement | null, events: unknown): boolean {
  const [reading, setReading] = useState(false);
  useEffect(() => {
    if (!scroller) return;
    const look = () => setReading(isReading(scroller));
    // While the focus moves, nothing has it.
    const lookSoon = () => setTimeout(look);
    scroller.addEventListener("scroll", look, { passive: true });
    scroller.addEventListener("focusin", look);
    scroller.addEventListener("focusout", lookSoon);
    return () => {
      scroller.removeEventListener("scroll", look);
      scroller.removeEventListener("focusin", look);
      scroller.removeEventListener("focusout", lookSoon);
    };
  }, [scroller]);
  // A row that goes takes the focus with it, and tells nobody.
  useEffect(() => {
    const frame = requestAnimationFrame(() => setReading(scroller !== null && isReading(scroller)));
    return () => cancelAnimationFrame(frame);
  }, [scroller, events]);
  return reading;
}

function isReading(scroller: HTMLElement): boolean {
  const grid = scroller.querySelector("[role=grid]");
  const above = grid ? scroller.getBoundingClientRect().top - grid.getBoundingClientRect().top : 0;
  const atRow = document.activeElement?.closest("[role=row][data-index]") ?? null;
  return above > 4 || scroller.contains(atRow);
}
