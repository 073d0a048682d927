import { ApiError } from "../api/errors";
import { Button } from "../ui/Button";
import { cx } from "../ui/cx";
import styles from "./LiveStatus.module.css";
import type { Live, LiveMode } from "./use-live";

interface LiveStatusProps {
  mode: Exclude<LiveMode, "off">;
  live: Pick<Live<never>, "state" | "error">;
  /** New events wait, because somebody reads. */
  reading: boolean;
  /** There is room for a word. */
  brief: boolean;
  onMode: (mode: LiveMode) => void;
}

/** What the stream of new events does, and a button that stops or continues it. */
export function LiveStatus({ mode, live: { state, error }, reading, brief, onMode }: LiveStatusProps) {
  const paused = mode === "paused";
  const text =
    state === "ended"
      ? "Not live any more"
      : state === "waiting"
        ? "Reconnecting…"
        : state === "connecting"
          ? "Connecting…"
          : paused
            ? "Paused"
            : reading
              ? brief
                ? "Holding"
                : "New events wait while you read"
              : "Following";
  const moves = state === "open" && !paused;
  return (
    <div className={styles.status}>
      <span
        role="status"
        className={cx(
          styles.text,
          moves && styles.moves,
          (state === "waiting" || state === "ended") && styles.off,
        )}
      >
        <span className={styles.dot} aria-hidden="true" />
        {text}
        {!brief && error instanceof ApiError && error.status > 0 && state !== "open" && `: ${error.message}`}
      </span>
      {state !== "ended" && (
        <Button
          small
          variant="plain"
          icon={paused ? "play" : "pause"}
          aria-keyshortcuts="p"
          onPress={() => onMode(paused ? "following" : "paused")}
        >
          {paused ? "Follow" : "Pause"}
        </Button>
      )}
    </div>
  );
}
