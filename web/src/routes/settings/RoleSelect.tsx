import { ROLES, roleDescription } from "../../api/roles";
import type { Role } from "../../api/types";
import { Select } from "../../ui/Select";

/** The roles of a workspace, each with its description. */
export function RoleSelect({ value, onChange }: { value: Role; onChange: (role: Role) => void }) {
  return (
    <Select
      label="Role"
      options={ROLES}
      optionLabel={(option) => `${option}: ${roleDescription(option)}`}
      value={value}
      onChange={onChange}
    />
  );
}
