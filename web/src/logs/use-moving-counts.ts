import { useCallback, useEffect, useRef, useState } from "react";

/** Counts that answer slowly are asked for less often. */
const PAUSE_MS = 3_000;
const SHARE = 5;

interface MovingCounts {
  question: string;
  /** When the list was asked for. */
  now: number;
  /** Asks for all that is counted. The page shows it only when all of it is there, so that no figure blinks. */
  ask: (at: number) => Promise<unknown>;
}

/** When the figures beside a list that moves were counted, and `move`, which counts again soon. */
export function useMovingCounts(props: MovingCounts) {
  const { question, now } = props;
  const [moved, setMoved] = useState({ question, at: now });
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const wanted = useRef(false);
  useEffect(() => () => clearTimeout(timer.current), []);

  const move = useCallback(() => {
    wanted.current = true;
    if (timer.current !== undefined) return;
    const run = async () => {
      if (!wanted.current) {
        timer.current = undefined;
        return;
      }
      wanted.current = false;
      const at = Date.now();
      const { question, ask } = latest.current;
      // Those of before stay, and later events ask again.
      await ask(at).then(
        () => setMoved({ question, at }),
        () => undefined,
      );
      timer.current = setTimeout(() => void run(), Math.max(PAUSE_MS, SHARE * (Date.now() - at)));
    };
    timer.current = setTimeout(() => void run());
  }, []);
  return { countedAt: moved.question === question && moved.at > now ? moved.at : now, move };
}
