import { useEffect, useRef } from "react";

/** Calls `run` with the last value when no other value follows within `wait` milliseconds. */
export function useDebouncedCallback<T>(
  run: (value: T) => void,
  wait: number,
): { schedule(value: T): void; cancel(): void } {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    schedule(value) {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => latest.current(value), wait);
    },
    cancel() {
      clearTimeout(timer.current);
    },
  };
}
