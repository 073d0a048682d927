import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { fieldError } from "../api/errors";
import { createWorkspace, meQuery } from "../api/workspaces";
import { Button } from "../ui/Button";
import { Select } from "../ui/Select";
import { TextField } from "../ui/TextField";
import { Notice } from "../ui/Notice";
import { DATE_FORMATS } from "../ui/time/date-format";
import styles from "./forms.module.css";
import { useTitle } from "./use-log-page";
import { TimeZoneField } from "./TimeZoneField";
import { useMe } from "./use-me";

function slugOf(name: string): string {
  return name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60);
}

/** For platform admins. Anybody else who opens the address sees a notice. */
export function NewWorkspace() {
  useTitle("New workspace");
  const me = useMe();
  if (me.platform_admin) return <NewWorkspaceForm />;
  return (
    <Notice icon="lock" fullPage title="Only platform admins can create workspaces">
      <p>Ask a platform admin to create one for you.</p>
    </Notice>
  );
}

function NewWorkspaceForm() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const router = useRouter();
  const [name, setName] = useState("");
  const [slug, setSlug] = useState<string | null>(null);
  const [timezone, setTimezone] = useState(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  const [dateFormat, setDateFormat] = useState<string>("dd/mm/yyyy");
  const shownSlug = slug ?? slugOf(name);
  const create = useMutation({
    mutationFn: () => createWorkspace({ name, slug: shownSlug, timezone, date_format: dateFormat }),
    onSuccess: async (workspace) => {
      await queries.invalidateQueries({ queryKey: meQuery.queryKey, refetchType: "all" });
      await queries.fetchQuery(meQuery);
      await router.invalidate();
      await navigate({ to: "/w/$slug", params: { slug: workspace.slug } });
    },
  });
  const hasFieldError = ["name", "slug", "timezone"].some((field) => fieldError(create.error, field));
  return (
    <div className={styles.page}>
      <form
        className={`${styles.box} ${styles.form}`}
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <h1 className={styles.title}>New workspace</h1>
        {create.error && !hasFieldError && (
          <p className={styles.error} role="alert">
            {create.error.message}
          </p>
        )}
        <TextField
          large
          label="Name"
          required
          value={name}
          onChange={setName}
          error={fieldError(create.error, "name")}
        />
        <TextField
          large
          label="Short name"
          required
          help="Used in every address: /w/short-name"
          value={shownSlug}
          onChange={setSlug}
          error={fieldError(create.error, "slug")}
        />
        <TimeZoneField value={timezone} onChange={setTimezone} error={fieldError(create.error, "timezone")} />
        <Select label="Date format" options={DATE_FORMATS} value={dateFormat} onChange={setDateFormat} />
        <Button type="submit" variant="primary" isDisabled={create.isPending}>
          Create workspace
        </Button>
      </form>
    </div>
  );
}
