import { useEffect, useEffectEvent } from "react";
import { isTyping } from "../ui/is-typing";
import { usePageCommand } from "./page-commands";
import type { LiveMode } from "./use-live";

const NAMES: Record<LiveMode, string> = {
  off: "Follow new events",
  following: "Pause new events",
  paused: "Follow new events again",
};

/** The key that follows new events or pauses them, and the command of the palette that does the same. */
export function useLiveKey(enabled: boolean, mode: LiveMode, toggle: () => void) {
  const run = useEffectEvent(toggle);
  useEffect(() => {
    if (!enabled) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "p" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey)
        return;
      const { target } = event;
      // Menus find their items by letters.
      if (isTyping(target) || (target instanceof Element && target.closest("[role=menu]"))) return;
      event.preventDefault();
      run();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [enabled]);
  usePageCommand(enabled ? NAMES[mode] : null, "Live", toggle);
}
