import type { ExportStart } from "../../logs/use-export-starts";
import { Button } from "../../ui/Button";
import { Status } from "../../ui/Status";
import type { Clock } from "../../ui/time/format";
import { exportedOf, exportTitle, filtersText, reasonText } from "./export-text";
import styles from "./ExportsPage.module.css";

interface StartRowProps {
  start: ExportStart;
  clock: Clock;
  onAgain: () => void;
  onForget: () => void;
}

/** An export that the server has not begun yet, or refused. */
export function StartRow({ start: { what, error }, clock, onAgain, onForget }: StartRowProps) {
  const title = exportTitle(what);
  return (
    <li className={styles.row} aria-label={title}>
      <div className={styles.what}>
        <span className={styles.name}>{title}</span>
        <span className={styles.sub}>{filtersText(exportedOf(what), clock)}</span>
      </div>
      {error ? (
        <>
          <div className={styles.state} role="alert">
            <Status tone="bad" shape="cross">
              Not started
            </Status>
            <span className={styles.sub}>{reasonText(error.message)}</span>
          </div>
          <div className={styles.actions}>
            <Button small aria-label={`Try again: ${title}`} onPress={onAgain}>
              Try again
            </Button>
            <Button small variant="plain" aria-label={`Remove ${title}`} onPress={onForget}>
              Remove
            </Button>
          </div>
        </>
      ) : (
        <div className={styles.state}>Starting…</div>
      )}
    </li>
  );
}
