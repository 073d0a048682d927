import { useEffect, useEffectEvent, useMemo, useState } from "react";
import type { LogName } from "../api/types";
import type { Placed } from "./live-rows";
import { type LiveMode, type LiveSource, useLive } from "./use-live";
import { useLiveKey } from "./use-live-key";
import { useReading } from "./use-reading";

const CATCH_UP_MS = 2_000;

interface Followed<E, L extends LogName> {
  source: LiveSource<E, L>;
  /** What is asked for reaches to now. */
  canFollow: boolean;
  /** New events have their place at the top. */
  newestFirst: boolean;
  onNewestFirst: () => void;
  /** The list as it was loaded, and when it was asked for. */
  list: { events: readonly E[]; hasMore: boolean; settled: boolean; askedAt: number };
  /** Loads the first page again, and shows it once it is there. */
  load: (askedAt: number) => Promise<readonly E[]>;
  onLoaded: (askedAt: number) => void;
  onCursor: (index: number) => void;
  scroller: HTMLElement | null;
  /** An event is open, or events are being selected by taps: no row moves. */
  open: boolean;
  /** Something has come. */
  onMove?: () => void;
}

/** A list that follows new events: what comes, what waits, and loading the list again. */
export function useFollowing<E extends Placed, L extends LogName>(followed: Followed<E, L>) {
  const { source, canFollow, newestFirst, onNewestFirst, load, onLoaded, onCursor, scroller, onMove } =
    followed;
  const { events, hasMore, settled, askedAt } = followed.list;
  const [wanted, setWanted] = useState<LiveMode>("off");
  const [failure, setFailure] = useState<{ error: Error; askedAt: number } | null>(null);
  const mode = canFollow && newestFirst ? wanted : "off";
  const reading = useReading(scroller, events) || followed.open;
  const list = useMemo(() => ({ events, hasMore, settled }), [events, hasMore, settled]);
  const live = useLive({
    source,
    mode,
    held: mode !== "following" || reading,
    list,
    onEvents: () => mode === "following" && onMove?.(),
  });
  const refreshError = failure?.askedAt === askedAt ? failure.error : null;

  const toTop = () => {
    onCursor(0);
    scroller?.scrollTo({ top: 0 });
  };
  // The rows stay until newer ones are there.
  const refresh = async () => {
    const asked = Date.now();
    const reload = live.beforeReload();
    try {
      const page = await load(asked);
      setFailure(null);
      onLoaded(asked);
      reload.done(page);
      toTop();
    } catch (error) {
      reload.failed();
      setFailure({ error: error as Error, askedAt });
    }
  };
  const showNew = () => {
    // Whoever reads by key begins again at the first row.
    if (document.activeElement instanceof HTMLElement && scroller?.contains(document.activeElement))
      document.activeElement.blur();
    if (live.more) {
      void refresh();
      return;
    }
    live.show();
    toTop();
  };
  // Too many for one look: at the top of the list, the newest are loaded at once.
  const behind = live.more && mode === "following" && !reading && !refreshError;
  const catchUp = useEffectEvent(() => void refresh());
  useEffect(() => {
    if (!behind) return;
    const timer = setTimeout(catchUp, CATCH_UP_MS);
    return () => clearTimeout(timer);
  }, [behind]);
  const setMode = (next: LiveMode) => {
    if (next === "following") {
      if (!newestFirst) onNewestFirst();
      if (mode === "paused") {
        onMove?.();
        showNew();
      }
    }
    setWanted(next);
  };
  useLiveKey(canFollow, mode, () => {
    if (mode === "following" && (live.waiting > 0 || live.more)) showNew();
    else setMode(mode === "following" ? "paused" : "following");
  });
  return { mode, setMode, live, reading, behind, refresh, refreshError, showNew };
}
