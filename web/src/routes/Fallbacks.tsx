import { Link, type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { ApiError, describeError } from "../api/errors";
import { buttonClass } from "../ui/Button";
import { ErrorNotice } from "../ui/ErrorNotice";
import { Notice } from "../ui/Notice";

export function Waiting() {
  return (
    <p className="quiet" role="status">
      Loading
    </p>
  );
}

export function NotFound() {
  return (
    <Notice
      icon="search"
      page
      title="This page does not exist"
      actions={
        <Link to="/" className={buttonClass({})}>
          Go to the start
        </Link>
      }
    />
  );
}

export function Failure({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  if (error instanceof ApiError && error.status === 404) {
    return (
      <Notice
        icon="search"
        page
        title="No such workspace"
        actions={
          <Link to="/" className={buttonClass({})}>
            Your workspaces
          </Link>
        }
      >
        <p>It does not exist, or you are not a member of it.</p>
      </Notice>
    );
  }
  return (
    <ErrorNotice
      page
      {...describeError(error)}
      onRetry={() => {
        reset();
        void router.invalidate();
      }}
    />
  );
}
