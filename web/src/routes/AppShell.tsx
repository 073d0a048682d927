import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useParams } from "@tanstack/react-router";
import { Button as AriaButton } from "react-aria-components/Button";
import { useState } from "react";
import { signOut } from "../api/auth";
import { canRead } from "../api/roles";
import { viewsQuery } from "../api/views";
import type { Me, MyInvitation } from "../api/types";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Menu, MenuGroup, MenuItem, MenuSeparator } from "../ui/Menu";
import { chooseTheme, type ThemeChoice, useThemeChoice } from "../ui/theme";
import styles from "./AppShell.module.css";
import { InvitationDialog } from "./MyInvitations";
import { PasswordDialog } from "./PasswordDialog";
import { parseSearch } from "./query-string";
import { ShellDialogs } from "./ShellDialogs";
import { useMe } from "./use-me";

const RECENT = { range: "30d" } as const;

const TABS = [
  { to: "/w/$slug", label: "Overview", exact: true, log: null, visibleTo: canRead },
  { to: "/w/$slug/access", label: "Access", exact: false, log: "access", visibleTo: canRead },
  { to: "/w/$slug/application", label: "Application", exact: false, log: "application", visibleTo: canRead },
  { to: "/w/$slug/framework", label: "Framework", exact: false, log: "framework", visibleTo: canRead },
  { to: "/w/$slug/settings", label: "Settings", exact: false, log: null, visibleTo: canRead },
] as const;

export function AppShell() {
  const me = useMe();
  const { slug } = useParams({ strict: false });
  const role = me.workspaces.find((workspace) => workspace.slug === slug)?.role;
  const views = useQuery({ ...viewsQuery(slug ?? ""), enabled: slug !== undefined && canRead(role) });
  // A log opens with the view that was chosen for it, else on the same range as the overview.
  const startOf = (log: string) => {
    const view = views.data?.data.find((view) => view.log === log && view.is_default);
    return view ? parseSearch(view.query) : RECENT;
  };
  return (
    <div className={styles.shell}>
      <header className={styles.bar}>
        <a href="#main" className={styles.skip} onClick={skipToRows}>
          Skip to content
        </a>
        <Link to="/" className={styles.brand} aria-label="Logbook home">
          <Logo />
          <span className={styles.name}>Logbook</span>
        </Link>
        {slug !== undefined && (
          <>
            <span className={styles.divider} aria-hidden="true">
              /
            </span>
            <WorkspaceMenu me={me} slug={slug} />
            <nav className={styles.tabs} aria-label="Workspace">
              {TABS.filter(({ visibleTo }) => visibleTo(role)).map(({ to, label, exact, log }) => (
                <Link
                  key={to}
                  to={to}
                  params={{ slug }}
                  search={log === null ? {} : startOf(log)}
                  className={styles.tab}
                  activeOptions={{ exact, includeSearch: false }}
                  activeProps={{ "aria-current": "page" }}
                >
                  {label}
                </Link>
              ))}
            </nav>
          </>
        )}
        <UserMenu me={me} />
      </header>
      <main id="main" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
      <ShellDialogs me={me} slug={slug} />
    </div>
  );
}

/** The content of a log's page is its list, behind controls that somebody with a keyboard has passed often enough. */
function skipToRows(event: React.MouseEvent) {
  const row = document.querySelector<HTMLElement>('main [role=row][tabindex="0"]');
  if (!row) return;
  event.preventDefault();
  row.focus();
}

export function Logo({ size = 20 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect x="1" y="1" width="30" height="30" rx="7" fill="var(--accent)" />
      <path d="M9 10h14M9 16h14M9 22h8" stroke="var(--on-accent)" strokeWidth="2.6" strokeLinecap="round" />
    </svg>
  );
}

function WorkspaceMenu({ me, slug }: { me: Me; slug: string }) {
  const navigate = useNavigate();
  const current = me.workspaces.find((workspace) => workspace.slug === slug);
  const name = current?.name ?? slug;
  const [answering, setAnswering] = useState<MyInvitation | null>(null);
  return (
    <>
      <Menu
        label="Workspaces"
        trigger={
          <Button variant="plain" aria-label={`Workspace: ${name}`}>
            <span className={styles.workspace}>{name}</span>
            <Icon name="chevronDown" size={12} />
          </Button>
        }
      >
        <MenuGroup title="Workspaces">
          {me.workspaces.map((workspace) => (
            <MenuItem
              key={workspace.slug}
              hint={workspace.role}
              selected={workspace.slug === slug}
              onAction={() => void navigate({ to: "/w/$slug", params: { slug: workspace.slug } })}
            >
              {workspace.name}
            </MenuItem>
          ))}
        </MenuGroup>
        {me.invitations.length > 0 && (
          <MenuGroup title="Invitations">
            {me.invitations.map((invitation) => (
              <MenuItem
                key={invitation.workspace}
                hint={invitation.role}
                onAction={() => setAnswering(invitation)}
              >
                {`${invitation.workspace_name}…`}
              </MenuItem>
            ))}
          </MenuGroup>
        )}
        {me.platform_admin && <MenuSeparator />}
        {me.platform_admin && (
          <MenuItem onAction={() => void navigate({ to: "/workspaces/new" })}>New workspace…</MenuItem>
        )}
      </Menu>
      {answering && <InvitationDialog invitation={answering} onClose={() => setAnswering(null)} />}
    </>
  );
}

const THEMES: readonly [ThemeChoice, string][] = [
  ["system", "System"],
  ["light", "Light"],
  ["dark", "Dark"],
];

function UserMenu({ me }: { me: Me }) {
  const theme = useThemeChoice();
  const navigate = useNavigate();
  const [changing, setChanging] = useState(false);
  const initials = me.user.name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word.charAt(0).toUpperCase())
    .join("");
  return (
    <>
      <Menu
        end
        label="Your account"
        trigger={
          <AriaButton className={styles.user ?? ""}>
            <span className={styles.avatar} aria-hidden="true">
              {initials}
            </span>
            <span className="visually-hidden">Account: {me.user.name}</span>
          </AriaButton>
        }
      >
        <MenuGroup title={me.user.email ?? me.user.name}>
          <MenuItem onAction={() => setChanging(true)}>
            {me.user.has_password ? "Change password…" : "Set a password…"}
          </MenuItem>
          <MenuItem onAction={() => void navigate({ to: "/account/second-factor" })}>Second factor</MenuItem>
          <MenuItem onAction={() => void navigate({ to: "/account/sessions" })}>Your sessions</MenuItem>
        </MenuGroup>
        <MenuSeparator />
        {me.platform_admin && <MenuItem onAction={() => void navigate({ to: "/users" })}>Users</MenuItem>}
        {me.platform_admin && <MenuSeparator />}
        <MenuGroup title="Theme">
          {THEMES.map(([choice, label]) => (
            <MenuItem key={choice} selected={theme === choice} onAction={() => chooseTheme(choice)}>
              {label}
            </MenuItem>
          ))}
        </MenuGroup>
        <MenuSeparator />
        {/* An error is ignored: this browser is signed out in any case. */}
        <MenuItem onAction={() => void signOut().catch(() => undefined)}>Sign out</MenuItem>
      </Menu>
      <PasswordDialog open={changing} onOpenChange={setChanging} hasPassword={me.user.has_password} />
    </>
  );
}
