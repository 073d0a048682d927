import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { describeError } from "../../api/errors";
import { cancelInvitation, invitationsQuery } from "../../api/settings";
import type { Invitation } from "../../api/types";
import { Button } from "../../ui/Button";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { SkeletonLine } from "../../ui/Skeleton";
import type { Clock } from "../../ui/time/format";
import { ConfirmDialog } from "./ConfirmDialog";
import { DateText } from "./DateText";
import styles from "./settings.module.css";

/** The invitations that nobody has accepted yet. */
export function Invitations({ slug, clock }: { slug: string; clock: Clock }) {
  const queries = useQueryClient();
  const invitations = useQuery(invitationsQuery(slug));
  const [cancelling, setCancelling] = useState<Invitation | null>(null);
  return (
    <section aria-labelledby="invitations">
      <div className={styles.head}>
        <div>
          <h2 id="invitations" className={styles.heading}>
            Invitations
          </h2>
          <p className={styles.lead}>People who have not accepted yet.</p>
        </div>
      </div>
      {invitations.error ? (
        <ErrorNotice {...describeError(invitations.error)} onRetry={() => void invitations.refetch()} />
      ) : !invitations.data ? (
        <SkeletonLine width="40%" />
      ) : invitations.data.data.length === 0 ? (
        <p className={styles.none}>No open invitations</p>
      ) : (
        <ul className={styles.list}>
          {invitations.data.data.map((invitation) => (
            <li key={invitation.id} className={styles.row}>
              <span className={styles.main}>
                <span className={styles.name}>{invitation.email}</span>
                <span className={styles.sub}>
                  Invited by {invitation.invited_by}, <DateText at={invitation.created_at} clock={clock} />
                </span>
              </span>
              <span className={styles.meta}>
                Expires <DateText at={invitation.expires_at} clock={clock} />
              </span>
              <span className={styles.choice}>{invitation.role}</span>
              <Button
                small
                variant="plain"
                aria-label={`Cancel the invitation of ${invitation.email}`}
                onPress={() => setCancelling(invitation)}
              >
                Cancel
              </Button>
            </li>
          ))}
        </ul>
      )}
      {cancelling && (
        <ConfirmDialog
          title="Cancel invitation"
          action="Cancel invitation"
          dismiss="Keep"
          onConfirm={async () => {
            await cancelInvitation(slug, cancelling.id);
            await queries.invalidateQueries({ queryKey: invitationsQuery(slug).queryKey });
          }}
          onClose={() => setCancelling(null)}
        >
          {cancelling.email} can no longer accept, and a link that they received stops working.
        </ConfirmDialog>
      )}
    </section>
  );
}
