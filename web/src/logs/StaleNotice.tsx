import { ApiError } from "../api/errors";
import { Button } from "../ui/Button";
import styles from "./LogView.module.css";

/** Shown above events that could not be refreshed. */
export function StaleNotice({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const requestId = error instanceof ApiError ? error.requestId : null;
  return (
    <div role="alert" className={styles.stale}>
      <span>
        These events may be out of date. {error instanceof ApiError ? error.message : ""}
        {requestId && (
          <>
            {" "}
            Request ID: <code>{requestId}</code>
          </>
        )}
      </span>
      <Button small icon="refresh" onPress={onRetry}>
        Try again
      </Button>
    </div>
  );
}
