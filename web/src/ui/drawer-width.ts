import { useSyncExternalStore } from "react";

// Kept for the browser, like the theme: how wide somebody likes the details is no part of a link.
const KEY = "logbook-drawer-width";
const USUAL = 460;
const LEAST = 360;
/** The list keeps at least this much of the window. */
const LIST = 620;

const listeners = new Set<() => void>();

function stored(): number {
  try {
    return Number(localStorage.getItem(KEY)) || USUAL;
  } catch {
    return USUAL;
  }
}

let wanted = stored();

function most(): number {
  return Math.max(LEAST, innerWidth - LIST);
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  addEventListener("resize", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("resize", listener);
  };
}

function setWidth(next: number) {
  wanted = Math.round(Math.min(most(), Math.max(LEAST, next)));
  try {
    localStorage.setItem(KEY, String(wanted));
  } catch {
    // A browser without storage forgets it with the page.
  }
  for (const listener of listeners) listener();
}

/** The width of the drawer beside a list, in pixels. */
export function useDrawerWidth() {
  const width = useSyncExternalStore(subscribe, () => Math.min(most(), wanted));
  return { width, least: LEAST, most: most(), setWidth };
}
