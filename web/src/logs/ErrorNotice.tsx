import { ApiError } from "../api/errors";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import styles from "./LogView.module.css";

const TITLES: Record<string, string> = {
  network: "No connection",
  forbidden: "You may not see this",
  not_found: "Not found",
  unavailable: "The server is busy",
  queue_full: "The server is busy",
  invalid_parameter: "This link does not fit",
  unknown_parameter: "This link does not fit",
};

interface ErrorNoticeProps {
  error: Error;
  onRetry?: () => void;
  page?: boolean;
}

export function ErrorNotice({ error, onRetry, page = false }: ErrorNoticeProps) {
  const api = error instanceof ApiError ? error : null;
  return (
    <Notice
      icon="alert"
      bad
      page={page}
      title={(api && TITLES[api.code]) ?? "Something went wrong"}
      actions={
        onRetry && (
          <Button icon="refresh" onPress={onRetry}>
            Try again
          </Button>
        )
      }
    >
      <p>{api ? api.message : "The page could not show this."}</p>
      {api?.problem?.errors?.map((detail) => (
        <p key={`${detail.parameter ?? detail.pointer ?? ""} ${detail.code}`}>
          {detail.parameter && <code>{detail.parameter}</code>} {detail.detail}
        </p>
      ))}
      {api?.requestId && (
        <p>
          Request <code>{api.requestId}</code>
        </p>
      )}
    </Notice>
  );
}

/** Above rows that are still shown although reading them anew failed. */
export function StaleNotice({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const requestId = error instanceof ApiError ? error.requestId : null;
  return (
    <div role="alert" className={styles.stale}>
      <span>
        These events may be out of date. {error instanceof ApiError ? error.message : ""}
        {requestId && (
          <>
            {" "}
            Request <code>{requestId}</code>
          </>
        )}
      </span>
      <Button small icon="refresh" onPress={onRetry}>
        Try again
      </Button>
    </div>
  );
}
