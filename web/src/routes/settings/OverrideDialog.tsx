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

/** Gives a member a role that takes precedence over the one from the identity provider. */
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
          The identity provider gives <strong>{member.name}</strong> the role {member.role}. A role that you
          set here takes precedence until you remove it.
        </p>
        <RoleSelect value={role} onChange={setRole} />
        <SubmitActions action="Override role" isPending={override.isPending} onCancel={onClose} />
      </form>
    </Sheet>
  );
}
