import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { followTail, type Tailed, type TailState } from "../api/tail";
import type { LogName, Page } from "../api/types";
import {
  countWaiting,
  type LiveRows,
  type LoadedList,
  MOST_LIVE,
  NO_ROWS,
  type Placed,
  receive,
  release,
  reloaded,
  withLive,
} from "./live-rows";

export type LiveMode = "off" | "following" | "paused";

/** How often the table takes in what has come, however much that is. */
const FLUSH_MS = 250;
const CHECKED = 100;

/** Where new events come from. */
export interface LiveSource<E, L extends LogName = LogName> {
  /** Which events. Another question begins anew. */
  question: string;
  /** What to follow, as of now. */
  tailed: () => Tailed<L>;
  /** The newest events of the same question. */
  newest: (limit: number, signal: AbortSignal) => Promise<Page<E>>;
  /** An event as the list has it, from the JSON of the stream. */
  read: (event: unknown) => E;
}

interface LiveQuestion<E, L extends LogName> {
  source: LiveSource<E, L>;
  mode: LiveMode;
  /** New events wait until somebody wants to see them. */
  held: boolean;
  /** The list as it was loaded. */
  list: LoadedList<E> & { settled: boolean };
  /** Something has come. */
  onEvents: () => void;
}

export interface Live<E> {
  events: readonly E[];
  /** Came with the last look at the stream. */
  fresh: ReadonlySet<string>;
  waiting: number;
  /** More have come than are kept. */
  more: boolean;
  state: TailState;
  error: Error | null;
  /** Shows what waits. */
  show: () => void;
  /** Before the list is loaded again, and when it is, or could not be. */
  beforeReload: () => { done: (page: readonly E[]) => void; failed: () => void };
}

const NONE_FRESH: ReadonlySet<string> = new Set();

/** New events, as they are stored, put into the list. */
export function useLive<E extends Placed, L extends LogName>(props: LiveQuestion<E, L>): Live<E> {
  const { mode, held, list } = props;
  const { question } = props.source;
  const [stored, setStored] = useState<{ question: string; live: LiveRows<E>; fresh: ReadonlySet<string> }>({
    question,
    live: NO_ROWS,
    fresh: NONE_FRESH,
  });
  const [tail, setTail] = useState<{ state: TailState; error: Error | null }>({
    state: "connecting",
    error: null,
  });
  const current = stored.question === question;
  const live: LiveRows<E> = current ? stored.live : NO_ROWS;
  if (!current) setStored({ question, live: NO_ROWS, fresh: NONE_FRESH });
  else if (!held && live.waiting.length > 0) setStored({ ...stored, live: release(live) });

  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });

  const change = useCallback(
    (next: (live: LiveRows<E>) => LiveRows<E>) =>
      setStored((old) => {
        const changed = next(old.live);
        return changed === old.live ? old : { ...old, live: changed };
      }),
    [],
  );
  const take = useCallback((events: readonly E[], dropped: boolean) => {
    setStored((old) => {
      const next = receive(old.live, events, latest.current.held);
      if (next === old.live && !dropped) return old;
      const known = new Set([...old.live.rows, ...old.live.waiting].map(({ id }) => id));
      const fresh = new Set(events.map(({ id }) => id).filter((id) => !known.has(id)));
      return { ...old, live: { ...next, more: next.more || dropped }, fresh };
    });
    latest.current.onEvents();
  }, []);

  const on = mode !== "off";
  useEffect(() => {
    if (!on) return;
    const controller = new AbortController();
    const { signal } = controller;
    const { source } = latest.current;
    let heard: string[] = [];
    let dropped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const events = heard.map((text) => source.read(JSON.parse(text)));
      take(events, dropped);
      heard = [];
      dropped = false;
    };
    // A stream begins with what is stored from now on. Between it and the list there may be others.
    const check = async () => {
      const page = await source.newest(CHECKED, signal);
      if (signal.aborted) return;
      const { events, settled } = latest.current.list;
      const listed = new Set(events.map(({ id }) => id));
      const missing = page.data.filter(({ id }) => !listed.has(id));
      if (missing.length > 0)
        take(missing, settled && page.has_more && missing.length === page.data.length && events.length > 0);
    };
    void followTail(
      source.tailed(),
      {
        onState: (state, error) => setTail({ state, error }),
        // Without the check, only the list loaded again has all of them.
        onBegin: () => void check().catch(() => !signal.aborted && take([], true)),
        onEvents: (texts) => {
          heard.push(...texts);
          // What will not be shown is not even parsed.
          if (heard.length > MOST_LIVE) {
            heard = heard.slice(-MOST_LIVE);
            dropped = true;
          }
          timer ??= setTimeout(flush, FLUSH_MS);
        },
      },
      signal,
    );
    return () => {
      controller.abort();
      clearTimeout(timer);
      setTail({ state: "connecting", error: null });
    };
  }, [on, question, take]);

  const events = useMemo(() => withLive(list, live), [list, live]);
  const waiting = useMemo(() => countWaiting(list, live), [list, live]);
  return {
    events,
    fresh: stored.fresh,
    waiting,
    more: live.more,
    ...tail,
    show: useCallback(() => change(release), [change]),
    beforeReload: useCallback(() => {
      let was = false;
      change((live) => {
        was = live.more;
        return live.more ? { ...live, more: false } : live;
      });
      return {
        done: (page: readonly E[]) => change((live) => reloaded(live, page)),
        failed: () => change((live) => (was ? { ...live, more: true } : live)),
      };
    }, [change]),
  };
}
