import { Button } from "./Button";
import { Notice } from "./Notice";

interface ErrorNoticeProps {
  title: string;
  message: string;
  /** What is wrong with single values, and the parameter of each. */
  details?: readonly { parameter: string | null; text: string }[];
  /** Identifies the request in the server's log. */
  requestId?: string | null;
  onRetry?: () => void;
  fullPage?: boolean;
}

/** Shown in place of content that could not be loaded. */
export function ErrorNotice({
  title,
  message,
  details = [],
  requestId = null,
  onRetry,
  fullPage = false,
}: ErrorNoticeProps) {
  return (
    <Notice
      icon="alert"
      bad
      fullPage={fullPage}
      title={title}
      actions={
        onRetry && (
          <Button icon="refresh" onPress={onRetry}>
            Try again
          </Button>
        )
      }
    >
      <p>{message}</p>
      {details.map(({ parameter, text }) => (
        <p key={`${parameter ?? ""} ${text}`}>
          {parameter && <code>{parameter}</code>} {text}
        </p>
      ))}
      {requestId && (
        <p>
          Request ID: <code>{requestId}</code>
        </p>
      )}
    </Notice>
  );
}
