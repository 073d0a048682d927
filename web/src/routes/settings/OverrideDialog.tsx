import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { asRole } from "../../api/roles";
import type { Member, Role } from "../../api/types";
import { Sheet } from "../../ui/Sheet";
import forms from "../forms.module.css";
import { RoleChoice } from "./RoleChoice";
import { SubmitActions } from "./SubmitActions";

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
        <RoleChoice value={role} onChange={setRole} />
        <SubmitActions deed="Give role" isPending={give.isPending} onCancel={onClose} />
      </form>
    </Sheet>
  );
}
