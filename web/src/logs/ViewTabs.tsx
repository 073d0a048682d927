import { cx } from "../ui/cx";
import type { LogSearch } from "./search";
import styles from "./ViewTabs.module.css";

interface ViewTabsProps {
  view: LogSearch["view"];
  onView: (view: LogSearch["view"]) => void;
  /** Undefined where there is no period before. */
  compared: boolean | undefined;
  onCompare: (compare: LogSearch["compare"]) => void;
  /** What the stream of new events does. */
  live?: React.ReactNode;
}

const VIEWS: readonly [LogSearch["view"], string][] = [
  [undefined, "Events"],
  ["top", "Top values"],
];

/** What is shown of the events: each one, or their most frequent values. */
export function ViewTabs({ view, onView, compared, onCompare, live }: ViewTabsProps) {
  return (
    <div className={styles.bar}>
      <div role="group" aria-label="View" className={styles.views}>
        {VIEWS.map(([name, label]) => (
          <button
            key={label}
            type="button"
            className={cx(styles.view, view === name && styles.current)}
            aria-pressed={view === name}
            onClick={() => onView(name)}
          >
            {label}
          </button>
        ))}
      </div>
      {live && <div className={styles.live}>{live}</div>}
      {compared !== undefined && (
        <button
          type="button"
          className={styles.compare}
          aria-pressed={compared}
          onClick={() => onCompare(compared ? undefined : "before")}
        >
          <span className={styles.dash} aria-hidden="true" />
          Compare with the period before
        </button>
      )}
    </div>
  );
}
