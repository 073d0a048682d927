import { ROLES, roleWords } from "../../api/roles";
import type { Role } from "../../api/types";
import { Choice } from "../../ui/Field";

/** A role of a workspace, each with what it may do. */
export function RoleChoice({ value, onChange }: { value: Role; onChange: (role: Role) => void }) {
  return (
    <Choice
      label="Role"
      options={ROLES}
      words={(option) => `${option}: ${roleWords(option)}`}
      value={value}
      onChange={onChange}
    />
  );
}
