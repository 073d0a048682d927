import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, Outlet, useParams } from "@tanstack/react-router";
import { canManage } from "../../api/roles";
import { workspaceQuery } from "../../api/workspaces";
import { Notice } from "../../ui/Notice";
import styles from "./settings.module.css";

const TABS = [
  { to: "/w/$slug/settings/members", label: "Members" },
  { to: "/w/$slug/settings/keys", label: "API keys" },
  { to: "/w/$slug/settings/general", label: "General" },
] as const;

export function Settings() {
  const { slug } = useParams({ from: "/app/w/$slug" });
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  if (!canManage(workspace.role)) {
    return (
      <Notice icon="lock" fullPage title="Only admins can change settings">
        <p>
          Your role in {workspace.name} is {workspace.role}. An admin of the workspace can change your role.
        </p>
      </Notice>
    );
  }
  return (
    <div className={styles.page}>
      <h1 className={styles.title}>Settings</h1>
      <nav className={styles.tabs} aria-label="Settings">
        {TABS.map(({ to, label }) => (
          <Link
            key={to}
            to={to}
            params={{ slug }}
            className={styles.tab}
            activeProps={{ "aria-current": "page" }}
          >
            {label}
          </Link>
        ))}
      </nav>
      <Outlet />
    </div>
  );
}
