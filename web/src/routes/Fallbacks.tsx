import { Link, type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { ApiError, describeError } from "../api/errors";
import { buttonClass } from "../ui/Button";
import { ErrorNotice } from "../ui/ErrorNotice";
import { Notice } from "../ui/Notice";

export function RoutePending() {
  return (
    <p className="visually-hidden" role="status">
      Loading
    </p>
  );
}

export function NotFound() {
  return (
    <Notice
      icon="search"
      fullPage
      title="Page not found"
      actions={
        <Link to="/" className={buttonClass({})}>
          Go to the home page
        </Link>
      }
    />
  );
}

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  if (error instanceof ApiError && error.status === 404) {
    return (
      <Notice
        icon="search"
        fullPage
        title="Workspace not found"
        actions={
          <Link to="/" className={buttonClass({})}>
            Your workspaces
          </Link>
        }
      >
        <p>This workspace does not exist, or you are not a member of it.</p>
      </Notice>
    );
  }
  return (
    <ErrorNotice
      fullPage
      {...describeError(error)}
      onRetry={() => {
        reset();
        void router.invalidate();
      }}
    />
  );
}
