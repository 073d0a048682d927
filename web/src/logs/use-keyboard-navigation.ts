import { useEffect, useRef } from "react";

interface KeyboardNavigation {
  drawerOpen: boolean;
  table: HTMLElement | null;
  previous: (() => void) | undefined;
  next: (() => void) | undefined;
}

/** Elements that handle these keys themselves. */
const HANDLES_KEYS =
  "input, textarea, select, [contenteditable], [role=listbox], [role=menu], [role=tablist], pre";

/**
 * Keys that work wherever the focus is. While an event is open, j, k and the arrows move to the next or previous
 * event. Otherwise they move the focus into the table, which handles the keys from then on.
 */
export function useKeyboardNavigation({ drawerOpen, table, previous, next }: KeyboardNavigation) {
  const latest = useRef({ drawerOpen, previous, next });
  useEffect(() => {
    latest.current = { drawerOpen, previous, next };
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      if (event.target instanceof Element && event.target.closest(HANDLES_KEYS)) return;
      const down = event.key === "j" || event.key === "ArrowDown";
      const up = event.key === "k" || event.key === "ArrowUp";
      if (!down && !up) return;
      // In a long event, the arrows scroll. In the list, they work only while nothing has the focus.
      const arrow = event.key.startsWith("Arrow");
      if (latest.current.drawerOpen) {
        if (arrow && event.target instanceof Element && event.target.closest("[role=tabpanel]")) return;
        (down ? latest.current.next : latest.current.previous)?.();
      } else {
        if (arrow && event.target !== document.body) return;
        table?.querySelector<HTMLElement>('[role=row][tabindex="0"]')?.focus();
      }
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [table]);
}
