import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { queryKeys } from "../../api/query-keys";
import type { Account, AccountChange } from "../../api/types";
import { changeUser } from "../../api/users";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { Menu, MenuItem } from "../../ui/Menu";
import { Status } from "../../ui/Status";
import type { Clock } from "../../ui/time/format";
import { ConfirmDialog } from "../settings/ConfirmDialog";
import { DateText } from "../settings/DateText";
import styles from "../settings/settings.module.css";
import { useRefreshMe } from "../use-refresh-me";
import { UserSessionsDialog } from "./UserSessionsDialog";

interface UserRowProps {
  account: Account;
  isMe: boolean;
  clock: Clock;
}

interface Action {
  title: string;
  action: string;
  change: AccountChange;
  consequence: string;
}

/** What a platform admin may do with an account. */
function actionsOf({ name, disabled, platform_admin, second_factor }: Account, isMe: boolean): Action[] {
  const access: Action = disabled
    ? {
        title: "Enable account",
        action: "Enable",
        change: { disabled: false },
        consequence: `${name} will be able to sign in again, with the roles from before.`,
      }
    : {
        title: "Disable account",
        action: "Disable",
        change: { disabled: true },
        consequence: `${name} will be signed out everywhere and cannot sign in. Their roles and their events in the logs remain.`,
      };
  const admin: Action = platform_admin
    ? {
        title: "Remove platform admin",
        action: "Remove",
        change: { platform_admin: false },
        consequence: `${name} will have only the roles that workspaces give them.`,
      }
    : {
        title: "Make platform admin",
        action: "Make platform admin",
        change: { platform_admin: true },
        consequence: `${name} will be an admin of every workspace and of all users.`,
      };
  const factor: Action = {
    title: "Remove second factor",
    action: "Remove",
    change: { second_factor: false },
    consequence: `${name} will be signed out everywhere, and sign in without a code. Make sure that it is they who ask for it.`,
  };
  // Nobody means to lock themselves out.
  return isMe ? [admin] : [access, admin, ...(second_factor ? [factor] : [])];
}

export function UserRow({ account, isMe, clock }: UserRowProps) {
  const queries = useQueryClient();
  const refreshMe = useRefreshMe();
  const [confirming, setConfirming] = useState<Action | null>(null);
  const [showsSessions, setShowsSessions] = useState(false);
  const { id, name, email, platform_admin, second_factor, disabled, last_sign_in_at } = account;
  return (
    <li className={styles.row}>
      <span className={styles.main}>
        <span className={styles.name}>
          {name}
          {isMe && <span className={styles.tag}>you</span>}
          {platform_admin && <span className={styles.tag}>platform admin</span>}
          {second_factor && <span className={styles.tag}>second factor</span>}
        </span>
        <span className={styles.sub}>{email ?? "No e-mail address"}</span>
      </span>
      <span className={styles.meta}>
        {last_sign_in_at ? (
          <>
            Last sign-in <DateText at={last_sign_in_at} clock={clock} />
          </>
        ) : (
          "Never signed in"
        )}
      </span>
      <span className={styles.choice}>
        {disabled ? (
          <Status tone="bad" shape="ban">
            Disabled
          </Status>
        ) : (
          <Status tone="good" shape="disc">
            Enabled
          </Status>
        )}
      </span>
      <Menu
        end
        label={`Actions for ${name}`}
        trigger={
          <Button small variant="plain" aria-label={`Actions for ${name}`}>
            Actions
            <Icon name="chevronDown" size={12} />
          </Button>
        }
      >
        <MenuItem onAction={() => setShowsSessions(true)}>Sessions…</MenuItem>
        {actionsOf(account, isMe).map((action) => (
          <MenuItem key={action.title} onAction={() => setConfirming(action)}>{`${action.title}…`}</MenuItem>
        ))}
      </Menu>
      {showsSessions && (
        <UserSessionsDialog account={account} clock={clock} onClose={() => setShowsSessions(false)} />
      )}
      {confirming && (
        <ConfirmDialog
          title={confirming.title}
          action={confirming.action}
          onConfirm={async () => {
            await changeUser(id, confirming.change);
            // Without the role, the server would reject the request for the list.
            if (isMe) await refreshMe();
            await queries.invalidateQueries({ queryKey: queryKeys.users() });
          }}
          onClose={() => setConfirming(null)}
        >
          {confirming.consequence}
        </ConfirmDialog>
      )}
    </li>
  );
}
