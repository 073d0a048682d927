import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldError } from "../../../api/errors";
import { queryKeys } from "../../../api/query-keys";
import { createSource } from "../../../api/sources";
import type { CreatedSource, SourceKind } from "../../../api/types";
import { Select } from "../../../ui/Select";
import { TextField } from "../../../ui/TextField";
import forms from "../../forms.module.css";
import settings from "../settings.module.css";
import { SubmitActions } from "../SubmitActions";
import { KIND_NAMES, KINDS } from "./kinds";
import { NEVER, secondsOf } from "./silence";
import { SilenceField } from "./SilenceField";
import styles from "./sources.module.css";

interface NewSourceFormProps {
  slug: string;
  onCreated: (created: CreatedSource) => void;
  onCancel?: () => void;
}

export function NewSourceForm({ slug, onCreated, onCancel }: NewSourceFormProps) {
  const queries = useQueryClient();
  const [kind, setKind] = useState<SourceKind>("api");
  const [name, setName] = useState("");
  const [silence, setSilence] = useState(NEVER);
  const [secret, setSecret] = useState("");
  const { secret: secretText } = KINDS[kind];
  const create = useMutation({
    mutationFn: () =>
      createSource(slug, {
        kind,
        name: name.trim(),
        silence_seconds: secondsOf(silence) ?? null,
        secret: secretText && secret ? secret : null,
      }),
    onSuccess: async (created) => {
      await queries.invalidateQueries({ queryKey: queryKeys.sources(slug) });
      onCreated(created);
    },
  });
  const wrongName = fieldError(create.error, "name");
  const wrongSecret = fieldError(create.error, "secret");
  return (
    <form
      className={forms.form}
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      {create.error && !wrongName && !wrongSecret && (
        <p className={forms.error} role="alert">
          {create.error.message}
        </p>
      )}
      <div className={styles.part}>
        <Select
          label="What sends"
          options={KIND_NAMES}
          optionLabel={(option) => KINDS[option].name}
          value={kind}
          onChange={setKind}
        />
        <p className={settings.sub}>{KINDS[kind].what}</p>
      </div>
      <TextField
        large
        label="Name"
        autoComplete="off"
        required
        maxLength={63}
        pattern="[a-z0-9][a-z0-9._\-]*"
        help="Lower-case letters, digits, dots and hyphens. It stands on each of its events"
        value={name}
        onChange={setName}
        error={wrongName}
      />
      {secretText && (
        <TextField
          large
          label="Secret, if it signs"
          type="password"
          autoComplete="off"
          minLength={8}
          maxLength={16384}
          help={`${secretText}. Then only what is signed is taken`}
          value={secret}
          onChange={setSecret}
          error={wrongSecret}
        />
      )}
      <SilenceField value={silence} onChange={setSilence} />
      <SubmitActions action="Create source" isPending={create.isPending} onCancel={onCancel} />
    </form>
  );
}
