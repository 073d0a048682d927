import { Link, Navigate } from "@tanstack/react-router";
import { buttonClass } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Notice } from "../ui/Notice";
import styles from "./Home.module.css";
import { MyInvitations } from "./MyInvitations";
import { useTitle } from "./use-log-page";
import { useMe } from "./use-me";

export function Home() {
  useTitle("Workspaces");
  const me = useMe();
  const [first, ...others] = me.workspaces;
  const create = me.platform_admin && (
    <Link to="/workspaces/new" className={buttonClass({ variant: first ? "secondary" : "primary" })}>
      <Icon name="plus" />
      New workspace
    </Link>
  );
  if (!first && me.invitations.length > 0) {
    return (
      <div className={styles.page}>
        <div className={styles.head}>
          <h1 className={styles.title}>Workspaces</h1>
          {create}
        </div>
        <MyInvitations />
      </div>
    );
  }
  if (!first) {
    return (
      <Notice icon="inbox" title="No workspaces yet" fullPage actions={create}>
        <p>
          {me.platform_admin
            ? "A workspace holds the three logs of one app or one tenant."
            : "Ask an administrator to add you to a workspace."}
        </p>
      </Notice>
    );
  }
  // With a single workspace, there is nothing to choose.
  if (others.length === 0) return <Navigate to="/w/$slug" params={{ slug: first.slug }} replace />;
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1 className={styles.title}>Workspaces</h1>
        {create}
      </div>
      <MyInvitations />
      <ul className={styles.list}>
        {me.workspaces.map((workspace) => (
          <li key={workspace.slug}>
            <Link to="/w/$slug" params={{ slug: workspace.slug }} className={styles.item}>
              <span className={styles.name}>
                {workspace.name}
                <span className={styles.slug}>
                  {workspace.slug} · {workspace.timezone}
                </span>
              </span>
              <span className={styles.role}>{workspace.role}</span>
              <Icon name="chevronRight" size={14} />
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}
