import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldError } from "../../api/errors";
import { apiKeysQuery, createApiKey } from "../../api/settings";
import type { CreatedApiKey, Role } from "../../api/types";
import { Button } from "../../ui/Button";
import { CodeBlock } from "../../ui/CodeBlock";
import { Select } from "../../ui/Select";
import { TextField } from "../../ui/TextField";
import { Sheet } from "../../ui/Sheet";
import forms from "../forms.module.css";
import { RoleSelect } from "./RoleSelect";
import { SubmitActions } from "./SubmitActions";

/** Days until a key expires. */
const DAYS = { "30 days": 30, "90 days": 90, "1 year": 365, "No expiration": null } as const;
type Expiry = keyof typeof DAYS;
const EXPIRIES = Object.keys(DAYS) as Expiry[];

function expiresAt(expiry: Expiry): string | null {
  const days = DAYS[expiry];
  return days === null ? null : new Date(Date.now() + days * 86_400_000).toISOString();
}

interface NewKeyDialogProps {
  slug: string;
  onClose: () => void;
}

export function NewKeyDialog({ slug, onClose }: NewKeyDialogProps) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("writer");
  const [expiry, setExpiry] = useState<Expiry>("1 year");
  const create = useMutation({
    mutationFn: () => createApiKey(slug, { name: name.trim(), role, expires_at: expiresAt(expiry) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: apiKeysQuery(slug).queryKey }),
  });
  const wrongName = fieldError(create.error, "name");
  return (
    <Sheet
      title="New API key"
      open
      onOpenChange={(open) => !open && onClose()}
      centred
      dismissable={!create.isSuccess}
    >
      {create.data ? (
        <Created created={create.data} onClose={onClose} />
      ) : (
        <form
          className={forms.form}
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate();
          }}
        >
          {create.error && !wrongName && (
            <p className={forms.error} role="alert">
              {create.error.message}
            </p>
          )}
          <TextField
            large
            label="Name"
            autoComplete="off"
            required
            maxLength={200}
            help="The person or service that uses the key"
            value={name}
            onChange={setName}
            error={wrongName}
          />
          <RoleSelect value={role} onChange={setRole} />
          <Select label="Expiration" options={EXPIRIES} value={expiry} onChange={setExpiry} />
          <SubmitActions action="Create key" isPending={create.isPending} onCancel={onClose} />
        </form>
      )}
    </Sheet>
  );
}

function Created({ created, onClose }: { created: CreatedApiKey; onClose: () => void }) {
  return (
    <div className={forms.form}>
      <p role="status">
        Copy the key of <strong>{created.key.name}</strong> now. It is not shown again: Logbook stores only
        its hash.
      </p>
      <CodeBlock text={created.token} label="API key" />
      <div className={forms.actions}>
        <Button variant="primary" onPress={onClose}>
          Done
        </Button>
      </div>
    </div>
  );
}
