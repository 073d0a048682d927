import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { fieldError } from "../../api/errors";
import { changeWorkspace } from "../../api/settings";
import { Button } from "../../ui/Button";
import { Select } from "../../ui/Select";
import { TextField } from "../../ui/TextField";
import { DATE_FORMATS } from "../../ui/time/date-format";
import forms from "../forms.module.css";
import { TimeZoneField } from "../TimeZoneField";
import styles from "./settings.module.css";
import { useRefreshMe } from "../use-refresh-me";
import { useSettings } from "./use-settings";

export function General() {
  const { slug, me, workspace } = useSettings("General");
  const navigate = useNavigate();
  const refreshMe = useRefreshMe();
  const [name, setName] = useState(workspace.name);
  const [newSlug, setNewSlug] = useState(slug);
  const [timezone, setTimezone] = useState(workspace.timezone);
  const [dateFormat, setDateFormat] = useState(workspace.date_format);
  const save = useMutation({
    mutationFn: () =>
      changeWorkspace(slug, {
        name: name.trim(),
        timezone,
        date_format: dateFormat,
        ...(me.platform_admin && { slug: newSlug }),
      }),
    onSuccess: async (changed) => {
      // Leave the old address first: nothing can be loaded from it any more.
      if (changed.slug !== slug) {
        await navigate({ to: "/w/$slug/settings/general", params: { slug: changed.slug }, replace: true });
      }
      await refreshMe();
    },
  });
  const hasFieldError = ["name", "slug", "timezone"].some((field) => fieldError(save.error, field));
  return (
    <section aria-labelledby="general">
      <h2 id="general" className={styles.heading}>
        General
      </h2>
      <form
        className={`${forms.form} ${styles.narrow}`}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
        onChange={() => save.isSuccess && save.reset()}
      >
        {save.error && !hasFieldError && (
          <p className={forms.error} role="alert">
            {save.error.message}
          </p>
        )}
        <TextField
          large
          label="Name"
          required
          maxLength={200}
          value={name}
          onChange={setName}
          error={fieldError(save.error, "name")}
        />
        {me.platform_admin && (
          <TextField
            large
            label="Short name"
            required
            maxLength={63}
            help="Used in every address. Links and producers that use the old one stop working."
            value={newSlug}
            onChange={setNewSlug}
            error={fieldError(save.error, "slug")}
          />
        )}
        <TimeZoneField value={timezone} onChange={setTimezone} error={fieldError(save.error, "timezone")} />
        <Select label="Date format" options={DATE_FORMATS} value={dateFormat} onChange={setDateFormat} />
        <div className={styles.save}>
          <Button type="submit" variant="primary" isDisabled={save.isPending}>
            Save
          </Button>
          <span role="status" className={styles.saved}>
            {save.isSuccess ? "Saved" : ""}
          </span>
        </div>
      </form>
    </section>
  );
}
