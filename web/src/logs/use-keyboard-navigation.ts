import { useEffect, useRef } from "react";

interface KeyboardNavigation {
  drawerOpen: boolean;
  table: HTMLElement | null;
  previous: (() => void) | undefined;
  next: (() => void) | undefined;
}

const OWN_KEYS =
  "input, textarea, select, [contenteditable], [role=listbox], [role=menu], [role=tablist], pre";

/**
 * Keys that work wherever the focus is: with an event open, j and k (and the arrows) step through events; with
 * none open they bring the focus into the table, whose rows take over from there.
 */
export function useKeyboardNavigation({ drawerOpen, table, previous, next }: KeyboardNavigation) {
  const latest = useRef({ drawerOpen, previous, next });
  useEffect(() => {
    latest.current = { drawerOpen, previous, next };
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      if (event.target instanceof Element && event.target.closest(OWN_KEYS)) return;
      const down = event.key === "j" || event.key === "ArrowDown";
      const up = event.key === "k" || event.key === "ArrowUp";
      if (!down && !up) return;
      // Arrows scroll a long event or the page, unless the focus stands on nothing in particular.
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
