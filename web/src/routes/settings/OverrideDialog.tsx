import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { asRole, ROLES, roleWords } from "../../api/roles";
import type { Member, Role } from "../../api/types";
import { Button } from "../../ui/Button";
import { Choice } from "../../ui/Field";
import { Sheet } from "../../ui/Sheet";
import forms from "../forms.module.css";

interface OverrideDialogProps {
  member: Member;
  onGive: (role: Role) => Promise<unknown>;
  onClose: () => void;
}

/** Gives somebody a role that counts before the identity provider's. */
export function OverrideDialog({ member, onGive, onClose }: OverrideDialogProps) {
  const [role, setRole] = useState<Role>(asRole(member.role));
  const give = useMutation({ mutationFn: () => onGive(role), onSuccess: onClose });
  return (
    <Sheet title="Override role" open onOpenChange={(open) => !open && onClose()} centred>
      <form
        className={forms.form}
        onSubmit={(event) => {
          event.preventDefault();
          give.mutate();
        }}
      >
        {give.error && (
          <p className={forms.error} role="alert">
            {give.error.message}
          </p>
        )}
        <p>
          <strong>{member.name}</strong> is {member.role} by the identity provider. A role given here counts
          instead, and stays until it is removed here.
        </p>
        <Choice
          label="Role"
          options={ROLES}
          words={(option) => `${option}: ${roleWords(option)}`}
          value={role}
          onChange={setRole}
        />
        <div className={forms.actions}>
          <Button look="plain" onPress={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" isDisabled={give.isPending}>
            Give role
          </Button>
        </div>
      </form>
    </Sheet>
  );
}
