import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { describeError } from "../../api/errors";
import type { Account } from "../../api/types";
import { endUserSessions, userSessionsQuery } from "../../api/users";
import { Button } from "../../ui/Button";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { Sheet } from "../../ui/Sheet";
import { SkeletonLine } from "../../ui/Skeleton";
import type { Clock } from "../../ui/time/format";
import { SessionText } from "../account/SessionText";
import forms from "../forms.module.css";
import styles from "../settings/settings.module.css";

interface UserSessionsDialogProps {
  account: Account;
  clock: Clock;
  onClose: () => void;
}

/** Shows where somebody is signed in, and ends all of it. */
export function UserSessionsDialog({ account, clock, onClose }: UserSessionsDialogProps) {
  const queries = useQueryClient();
  const sessions = useQuery(userSessionsQuery(account.id));
  const end = useMutation({
    mutationFn: () => endUserSessions(account.id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: userSessionsQuery(account.id).queryKey });
      onClose();
    },
  });
  const found = sessions.data?.data ?? [];
  return (
    <Sheet title={`Sessions of ${account.name}`} open onOpenChange={(open) => !open && onClose()} centred>
      <div className={forms.form}>
        {end.error && (
          <p className={forms.error} role="alert">
            {end.error.message}
          </p>
        )}
        {sessions.error ? (
          <ErrorNotice {...describeError(sessions.error)} onRetry={() => void sessions.refetch()} />
        ) : !sessions.data ? (
          <SkeletonLine width="60%" />
        ) : found.length === 0 ? (
          <p>{account.name} is signed in nowhere.</p>
        ) : (
          <ul className={styles.list}>
            {found.map((session) => (
              <li key={session.id} className={`${styles.row} ${styles.alone}`}>
                <SessionText session={session} clock={clock} />
              </li>
            ))}
          </ul>
        )}
        <div className={forms.actions}>
          <Button variant="plain" onPress={onClose}>
            Close
          </Button>
          {found.length > 0 && (
            <Button variant="danger" isDisabled={end.isPending} onPress={() => end.mutate()}>
              End all sessions
            </Button>
          )}
        </div>
      </div>
    </Sheet>
  );
}
