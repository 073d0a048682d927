import { asRole, ROLES } from "../../api/roles";
import type { Member, ProviderRole, Role } from "../../api/types";
import { Button } from "../../ui/Button";
import { Choice } from "../../ui/Field";
import type { Clock } from "../../ui/time/format";
import styles from "./settings.module.css";
import { When } from "./When";

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
  const isGivenHere = member.source === "member";
  // Who administers every workspace is no less in one.
  const stays = provider?.everywhere && provider.role === "admin";
  return (
    <li className={styles.row}>
      <span className={styles.main}>
        <span className={styles.name}>
          {name}
          {isMe && <span className={styles.tag}>you</span>}
          {!isGivenHere && <span className={styles.tag}>identity provider</span>}
        </span>
        <span className={styles.sub}>{email ?? "No e-mail address"}</span>
        {provider && (
          <span className={styles.sub}>
            <ByProvider provider={provider} clock={clock} isOverridden={isGivenHere} />
          </span>
        )}
      </span>
      <span className={styles.meta}>
        {last_sign_in_at ? (
          <>
            Signed in <When at={last_sign_in_at} clock={clock} />
          </>
        ) : (
          "Has not come yet"
        )}
      </span>
      {isGivenHere ? (
        <>
          <span className={styles.choice}>
            <Choice
              bare
              label={`Role of ${name}`}
              options={ROLES}
              value={asRole(role)}
              disabled={isPending}
              onChange={onChange}
            />
          </span>
          <Button small look="plain" aria-label={`Remove ${name}`} onPress={onRemove}>
            Remove
          </Button>
        </>
      ) : (
        <>
          <span className={styles.choice}>{role}</span>
          {stays ? (
            <span />
          ) : (
            <Button small look="plain" aria-label={`Override the role of ${name}`} onPress={onOverride}>
              Override
            </Button>
          )}
        </>
      )}
    </li>
  );
}

interface ByProviderProps {
  provider: ProviderRole;
  clock: Clock;
  isOverridden: boolean;
}

function ByProvider({ provider, clock, isOverridden }: ByProviderProps) {
  const where = provider.everywhere ? " in every workspace" : "";
  return (
    <>
      {isOverridden ? `The identity provider says ${provider.role}${where}` : `Role${where}`} until{" "}
      <When at={provider.ends_at} clock={clock} exact />
    </>
  );
}
