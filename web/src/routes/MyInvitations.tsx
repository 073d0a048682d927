import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { MyInvitation } from "../api/types";
import { acceptInvitation, declineInvitation } from "../api/workspaces";
import { Button } from "../ui/Button";
import { Sheet } from "../ui/Sheet";
import forms from "./forms.module.css";
import styles from "./MyInvitations.module.css";
import { useRefreshMe } from "./use-refresh-me";
import { useMe } from "./use-me";

/** The workspaces that invite the user, each with what they may answer. */
export function MyInvitations() {
  const me = useMe();
  if (me.invitations.length === 0) return null;
  return (
    <section aria-label="Invitations" className={styles.list}>
      {me.invitations.map((invitation) => (
        <InvitationNotice key={invitation.workspace} invitation={invitation} />
      ))}
    </section>
  );
}

function InvitationNotice({ invitation }: { invitation: MyInvitation }) {
  const answer = useAnswer(invitation);
  return (
    <div className={styles.invitation}>
      <div className={styles.text}>
        <InvitationText invitation={invitation} />
        <AnswerError error={answer.error} />
      </div>
      <AnswerButtons answer={answer} invitation={invitation} />
    </div>
  );
}

interface InvitationDialogProps {
  invitation: MyInvitation;
  onClose: () => void;
}

/** The same for the menu of workspaces, which has no room for buttons. */
export function InvitationDialog({ invitation, onClose }: InvitationDialogProps) {
  const answer = useAnswer(invitation, onClose);
  return (
    <Sheet title="Invitation" open onOpenChange={(open) => !open && onClose()} centred>
      <div className={forms.form}>
        <AnswerError error={answer.error} />
        <InvitationText invitation={invitation} />
        <div className={forms.actions}>
          <AnswerButtons answer={answer} invitation={invitation} />
        </div>
      </div>
    </Sheet>
  );
}

type Answer = "accept" | "decline";

function useAnswer({ workspace }: MyInvitation, onDone?: () => void) {
  const refreshMe = useRefreshMe();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (answer: Answer) =>
      answer === "accept" ? acceptInvitation(workspace) : declineInvitation(workspace),
    onSuccess: async (_result, answer) => {
      // The notice disappears with this, and who accepted continues in the new workspace.
      await refreshMe();
      onDone?.();
      if (answer === "accept") await navigate({ to: "/w/$slug", params: { slug: workspace } });
    },
  });
}

function InvitationText({ invitation }: { invitation: MyInvitation }) {
  const { invited_by, workspace_name, role } = invitation;
  return (
    <p>
      {invited_by} invites you to <strong>{workspace_name}</strong> as {role}.
    </p>
  );
}

function AnswerError({ error }: { error: Error | null }) {
  return (
    error && (
      <p className={forms.error} role="alert">
        {error.message}
      </p>
    )
  );
}

interface AnswerButtonsProps {
  answer: ReturnType<typeof useAnswer>;
  invitation: MyInvitation;
}

function AnswerButtons({ answer, invitation }: AnswerButtonsProps) {
  const to = `the invitation to ${invitation.workspace_name}`;
  return (
    <span className={styles.buttons}>
      <Button
        variant="plain"
        aria-label={`Decline ${to}`}
        isDisabled={answer.isPending}
        onPress={() => answer.mutate("decline")}
      >
        Decline
      </Button>
      <Button
        variant="primary"
        aria-label={`Accept ${to}`}
        isDisabled={answer.isPending}
        onPress={() => answer.mutate("accept")}
      >
        Accept
      </Button>
    </span>
  );
}
