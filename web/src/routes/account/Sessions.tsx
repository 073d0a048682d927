import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { signOut } from "../../api/auth";
import { describeError } from "../../api/errors";
import { endMySession, mySessionsQuery } from "../../api/sessions";
import type { ActiveSession } from "../../api/types";
import { Button } from "../../ui/Button";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { SkeletonLine } from "../../ui/Skeleton";
import { ConfirmDialog } from "../settings/ConfirmDialog";
import { DateText } from "../settings/DateText";
import styles from "../settings/settings.module.css";
import { useTitle } from "../use-log-page";
import { browserClock, deviceOf, SessionText } from "./SessionText";

/** Where the user is signed in. */
export function Sessions() {
  useTitle("Your sessions");
  const queries = useQueryClient();
  const sessions = useQuery(mySessionsQuery);
  const [clock] = useState(browserClock);
  const [ending, setEnding] = useState<ActiveSession | null>(null);
  return (
    <section className={styles.page} aria-labelledby="sessions">
      <div>
        <h1 id="sessions" className={styles.title}>
          Your sessions
        </h1>
        <p className={styles.lead}>
          Where you are signed in. End a session that you do not recognise, then change your password.
        </p>
      </div>
      {sessions.error ? (
        <ErrorNotice {...describeError(sessions.error)} onRetry={() => void sessions.refetch()} />
      ) : !sessions.data ? (
        <SkeletonLine width="40%" />
      ) : (
        <ul className={styles.list}>
          {sessions.data.data.map((session) => (
            <li key={session.id} className={`${styles.row} ${styles.session}`}>
              <SessionText session={session} clock={clock} />
              <span className={styles.meta}>
                Last renewed <DateText at={session.renewed_at} clock={clock} withTime />
              </span>
              {session.current ? (
                // An error is ignored: this browser is signed out in any case.
                <Button small variant="plain" onPress={() => void signOut().catch(() => undefined)}>
                  Sign out
                </Button>
              ) : (
                <Button
                  small
                  variant="plain"
                  aria-label={`End the session on ${deviceOf(session)}`}
                  onPress={() => setEnding(session)}
                >
                  End
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {ending && (
        <ConfirmDialog
          title="End session"
          action="End session"
          onConfirm={async () => {
            await endMySession(ending.id);
            await queries.invalidateQueries({ queryKey: mySessionsQuery.queryKey });
          }}
          onClose={() => setEnding(null)}
        >
          {deviceOf(ending)}
          {ending.ip_address && ` (${ending.ip_address})`} will be signed out at once.
        </ConfirmDialog>
      )}
    </section>
  );
}
