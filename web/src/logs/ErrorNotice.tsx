import { ApiError } from "../api/errors";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";

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
