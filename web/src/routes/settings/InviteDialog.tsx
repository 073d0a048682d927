import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldError } from "../../api/errors";
import { inviteMember, membersQuery } from "../../api/settings";
import type { Invitation, Role } from "../../api/types";
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
    onSuccess: () => queries.invalidateQueries({ queryKey: membersQuery(slug).queryKey }),
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
        <Invited invitation={invite.data} onClose={onClose} />
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
            help="Only for somebody who is new to Logbook"
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

function Invited({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  const { member, sign_in_link } = invitation;
  return (
    <div className={forms.form}>
      {sign_in_link ? (
        <>
          <p role="status">
            <strong>{member.name}</strong> is now a member. Send this link to {member.email} and to nobody
            else. It works once, expires in 24 hours and is not shown again.
          </p>
          <CodeBlock text={sign_in_link} label="sign-in link" />
        </>
      ) : (
        <p role="status">
          <strong>{member.name}</strong> is now a member. They already have an account and see the workspace
          the next time they sign in.
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
