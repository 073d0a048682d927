import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { asRole } from "../../api/roles";
import type { Member, Role } from "../../api/types";
import { Sheet } from "../../ui/Sheet";
import forms from "../forms.module.css";
import { RoleSelect } from "./RoleSelect";
import { SubmitActions } from "./SubmitActions";

interface OverrideDialogProps {
  member: Member;
  onOverride: (role: Role) => Promise<unknown>;
  onClose: () => void;
}

/** Gives somebody a role that counts before the identity provider's. */
export function OverrideDialog({ member, onOverride, onClose }: OverrideDialogProps) {
  const [role, setRole] = useState<Role>(asRole(member.role));
  const override = useMutation({ mutationFn: () => onOverride(role), onSuccess: onClose });
  return (
    <Sheet title="Override role" open onOpenChange={(open) => !open && onClose()} centred>
      <form
        className={forms.form}
        onSubmit={(event) => {
          event.preventDefault();
          override.mutate();
        }}
      >
        {override.error && (
          <p className={forms.error} role="alert">
            {override.error.message}
          </p>
        )}
        <p>
          <strong>{member.name}</strong> is {member.role} by the identity provider. A role given here counts
          instead, and stays until it is removed here.
        </p>
        <RoleSelect value={role} onChange={setRole} />
        <SubmitActions action="Give role" isPending={override.isPending} onCancel={onClose} />
      </form>
    </Sheet>
  );
}
