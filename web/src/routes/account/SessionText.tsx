import { browserName } from "../../access/browser-name";
import type { ActiveSession } from "../../api/types";
import type { Clock } from "../../ui/time/format";
import { knownZone } from "../../ui/time/zone";
import { DateText } from "../settings/DateText";
import styles from "../settings/settings.module.css";

/** An account belongs to no workspace, so its times are those of the browser. */
export function browserClock(): Clock {
  return {
    zone: knownZone(Intl.DateTimeFormat().resolvedOptions().timeZone),
    format: "dd mmm yyyy",
  };
}

const METHODS: Record<string, string> = {
  password: "with the password",
  link: "with a sign-in link",
  provider: "with the identity provider",
};

export function deviceOf({ user_agent }: ActiveSession): string {
  return user_agent ? browserName(user_agent) : "Unknown device";
}

/** What a session is, in words: the device, then where, how and since when. */
export function SessionText({ session, clock }: { session: ActiveSession; clock: Clock }) {
  const { ip_address, method, created_at, current } = session;
  return (
    <span className={styles.main}>
      <span className={styles.name}>
        {deviceOf(session)}
        {current && <span className={styles.tag}>this one</span>}
      </span>
      <span className={styles.sub}>
        {ip_address && `${ip_address}, `}
        {METHODS[method] ?? method}, since <DateText at={created_at} clock={clock} withTime />
      </span>
    </span>
  );
}
