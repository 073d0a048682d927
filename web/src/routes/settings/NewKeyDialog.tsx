import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldError } from "../../api/errors";
import { apiKeysQuery, createApiKey } from "../../api/settings";
import type { CreatedApiKey, Role } from "../../api/types";
import { Button } from "../../ui/Button";
import { CodeBlock } from "../../ui/CodeBlock";
import { Choice, Field } from "../../ui/Field";
import { Sheet } from "../../ui/Sheet";
import forms from "../forms.module.css";
import { RoleChoice } from "./RoleChoice";
import { SubmitActions } from "./SubmitActions";

const DAYS = { "30 days": 30, "90 days": 90, "a year": 365, "no end": null } as const;
type Life = keyof typeof DAYS;
const LIVES = Object.keys(DAYS) as Life[];

function expiryOf(life: Life): string | null {
  const days = DAYS[life];
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
  const [life, setLife] = useState<Life>("a year");
  const create = useMutation({
    mutationFn: () => createApiKey(slug, { name: name.trim(), role, expires_at: expiryOf(life) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: apiKeysQuery(slug).queryKey }),
  });
  const wrongName = fieldError(create.error, "name");
  return (
    <Sheet
      title="New API key"
      open
      onOpenChange={(open) => !open && onClose()}
      centred
      keep={create.isSuccess}
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
          <Field
            large
            label="Name"
            autoComplete="off"
            required
            maxLength={200}
            help="Who or what holds it"
            value={name}
            onChange={setName}
            error={wrongName}
          />
          <RoleChoice value={role} onChange={setRole} />
          <Choice label="Good for" options={LIVES} value={life} onChange={setLife} />
          <SubmitActions deed="Create key" isPending={create.isPending} onCancel={onClose} />
        </form>
      )}
    </Sheet>
  );
}

function Created({ created, onClose }: { created: CreatedApiKey; onClose: () => void }) {
  return (
    <div className={forms.form}>
      <p role="status">
        Copy the key of <strong>{created.key.name}</strong> now. It is shown this once, and Logbook keeps only
        its digest.
      </p>
      <CodeBlock text={created.token} label="API key" />
      <div className={forms.actions}>
        <Button look="primary" onPress={onClose}>
          Done
        </Button>
      </div>
    </div>
  );
}
