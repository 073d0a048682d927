import { Link, type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { ApiError, describeError } from "../api/errors";
import { buttonClass } from "../ui/Button";
import { ErrorNotice } from "../ui/ErrorNotice";
import { Notice } from "../ui/Notice";
import { SkeletonLine } from "../ui/Skeleton";
import styles from "./Fallbacks.module.css";

const LINES = ["22%", "64%", "58%", "71%", "49%", "66%", "54%", "61%", "45%", "68%"];

/** Takes the place of a page while its code and data are loaded. */
export function RoutePending() {
  return (
    <div className={styles.lines}>
      <p className="visually-hidden" role="status">
        Loading
      </p>
      {LINES.map((width) => (
        <SkeletonLine key={width} width={width} />
      ))}
    </div>
  );
}

/** The same with the bar of the application, which is not there before somebody is signed in. */
export function AppPending() {
  return (
    <>
      <div className={styles.bar} />
      <RoutePending />
    </>
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
