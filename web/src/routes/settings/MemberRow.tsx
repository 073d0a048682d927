import { asRole, ROLES } from "../../api/roles";
import type { Member, ProviderRole, Role } from "../../api/types";
import { Button } from "../../ui/Button";
import { Select } from "../../ui/Select";
import type { Clock } from "../../ui/time/format";
import styles from "./settings.module.css";
import { DateText } from "./DateText";

interface MemberRowProps {
  member: Member;
  clock: Clock;
  isMe: boolean;
  isPending: boolean;
  onChange: (role: Role) => void;
  onOverride: () => void;
  onRemove: () => void;
}

export function MemberRow({
  member,
  clock,
  isMe,
  isPending,
  onChange,
  onOverride,
  onRemove,
}: MemberRowProps) {
  const { name, email, role, provider, last_sign_in_at } = member;
  const isMember = member.source === "member";
  // A role in one workspace cannot take anything away from an admin of every workspace.
  const isAdminEverywhere = provider?.everywhere && provider.role === "admin";
  return (
    <li className={styles.row}>
      <span className={styles.main}>
        <span className={styles.name}>
          {name}
          {isMe && <span className={styles.tag}>you</span>}
          {!isMember && <span className={styles.tag}>identity provider</span>}
        </span>
        <span className={styles.sub}>{email ?? "No e-mail address"}</span>
        {provider && (
          <span className={styles.sub}>
            <ProviderRoleText provider={provider} clock={clock} isOverridden={isMember} />
          </span>
        )}
      </span>
      <span className={styles.meta}>
        {last_sign_in_at ? (
          <>
            Last sign-in here <DateText at={last_sign_in_at} clock={clock} />
          </>
        ) : (
          "Never signed in here"
        )}
      </span>
      {isMember ? (
        <>
          <span className={styles.choice}>
            <Select
              hideLabel
              label={`Role of ${name}`}
              options={ROLES}
              value={asRole(role)}
              disabled={isPending}
              onChange={onChange}
            />
          </span>
          <Button small variant="plain" aria-label={`Remove ${name}`} onPress={onRemove}>
            Remove
          </Button>
        </>
      ) : (
        <>
          <span className={styles.choice}>{role}</span>
          {isAdminEverywhere ? (
            <span />
          ) : (
            <Button small variant="plain" aria-label={`Override the role of ${name}`} onPress={onOverride}>
              Override
            </Button>
          )}
        </>
      )}
    </li>
  );
}

interface ProviderRoleTextProps {
  provider: ProviderRole;
  clock: Clock;
  isOverridden: boolean;
}

function ProviderRoleText({ provider, clock, isOverridden }: ProviderRoleTextProps) {
  const where = provider.everywhere ? " in every workspace" : "";
  return (
    <>
      {isOverridden ? `The identity provider grants ${provider.role}${where}` : `Role${where}`} until{" "}
      <DateText at={provider.ends_at} clock={clock} withTime />
    </>
  );
}
