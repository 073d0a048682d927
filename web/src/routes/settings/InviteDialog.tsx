import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldError } from "../../api/errors";
import { invitationsQuery, inviteMember } from "../../api/settings";
import type { Role, SentInvitation } from "../../api/types";
import { Button } from "../../ui/Button";
import { CodeBlock } from "../../ui/CodeBlock";
import { TextField } from "../../ui/TextField";
import { Sheet } from "../../ui/Sheet";
import forms from "../forms.module.css";
import { RoleSelect } from "./RoleSelect";
import { SubmitActions } from "./SubmitActions";

interface InviteDialogProps {
  slug: string;
  onClose: () => void;
}

export function InviteDialog({ slug, onClose }: InviteDialogProps) {
  const queries = useQueryClient();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const invite = useMutation({
    mutationFn: () =>
      inviteMember(slug, { email: email.trim(), role, ...(name.trim() && { name: name.trim() }) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: invitationsQuery(slug).queryKey }),
  });
  const hasFieldError = ["email", "name"].some((field) => fieldError(invite.error, field));
  return (
    <Sheet
      title="Invite member"
      open
      onOpenChange={(open) => !open && onClose()}
      centred
      dismissable={!invite.isSuccess}
    >
      {invite.data ? (
        <Invited sent={invite.data} onClose={onClose} />
      ) : (
        <form
          className={forms.form}
          onSubmit={(event) => {
            event.preventDefault();
            invite.mutate();
          }}
        >
          {invite.error && !hasFieldError && (
            <p className={forms.error} role="alert">
              {invite.error.message}
            </p>
          )}
          <TextField
            large
            label="E-mail"
            type="email"
            autoComplete="off"
            required
            maxLength={320}
            value={email}
            onChange={setEmail}
            error={fieldError(invite.error, "email")}
          />
          <TextField
            large
            label="Name"
            autoComplete="off"
            maxLength={200}
            help="Only for the account that a sign-in link creates"
            value={name}
            onChange={setName}
            error={fieldError(invite.error, "name")}
          />
          <RoleSelect value={role} onChange={setRole} />
          <SubmitActions action="Invite" isPending={invite.isPending} onCancel={onClose} />
        </form>
      )}
    </Sheet>
  );
}

function Invited({ sent, onClose }: { sent: SentInvitation; onClose: () => void }) {
  const { invitation, sign_in_link } = sent;
  return (
    <div className={forms.form}>
      {sign_in_link ? (
        <>
          <p role="status">
            <strong>{invitation.email}</strong> is invited and has no account yet. Send them this link, and
            send it to nobody else. It creates their account and signs them in. It works once, expires in 24
            hours and is not shown again.
          </p>
          <CodeBlock text={sign_in_link} label="sign-in link" />
        </>
      ) : (
        <p role="status">
          <strong>{invitation.email}</strong> is invited. They accept the next time they sign in; nobody but
          the owner of the address can.
        </p>
      )}
      <div className={forms.actions}>
        <Button variant="primary" onPress={onClose}>
          Done
        </Button>
      </div>
    </div>
  );
}
