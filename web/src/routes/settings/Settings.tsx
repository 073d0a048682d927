import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useMatch, useParams } from "@tanstack/react-router";
import { canManage, canRead, canReadActivity } from "../../api/roles";
import { workspaceQuery } from "../../api/workspaces";
import { cx } from "../../ui/cx";
import { Notice } from "../../ui/Notice";
import styles from "./settings.module.css";

const TABS = [
  { to: "/w/$slug/settings/members", label: "Members", visibleTo: canManage },
  { to: "/w/$slug/settings/keys", label: "API keys", visibleTo: canManage },
  { to: "/w/$slug/settings/sources", label: "Sources", visibleTo: canRead },
  { to: "/w/$slug/settings/masking", label: "Masking", visibleTo: canRead },
  { to: "/w/$slug/settings/general", label: "General", visibleTo: canManage },
  { to: "/w/$slug/settings/activity", label: "Activity", visibleTo: canReadActivity },
] as const;

export function Settings() {
  const { slug } = useParams({ from: "/app/w/$slug" });
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  // A log needs the whole window.
  const isLog = useMatch({ from: "/app/w/$slug/settings/activity", shouldThrow: false }) !== undefined;
  const isMasking = useMatch({ from: "/app/w/$slug/settings/masking", shouldThrow: false }) !== undefined;
  const { pathname } = useLocation();
  const isSources = pathname.startsWith(`/w/${slug}/settings/sources`);
  const visibleTo = isLog ? canReadActivity : isMasking || isSources ? canRead : canManage;
  if (!visibleTo(workspace.role)) {
    return (
      <Notice
        icon="lock"
        fullPage
        title={
          isLog ? "Only admins and auditors can read the activity log" : "Only admins can change settings"
        }
      >
        <p>
          Your role in {workspace.name} is {workspace.role}. An admin of the workspace can change your role.
        </p>
      </Notice>
    );
  }
  return (
    <div className={cx(styles.page, isLog && styles.full)}>
      <div className={styles.top}>
        <h1 className={styles.title}>Settings</h1>
        <nav className={styles.tabs} aria-label="Settings">
          {TABS.filter(({ visibleTo }) => visibleTo(workspace.role)).map(({ to, label }) => (
            <Link
              key={to}
              to={to}
              params={{ slug }}
              className={styles.tab}
              activeOptions={{ includeSearch: false, exact: false }}
              activeProps={{ "aria-current": "page" }}
            >
              {label}
            </Link>
          ))}
        </nav>
      </div>
      <Outlet />
    </div>
  );
}
