import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldError } from "../api/errors";
import { canManage } from "../api/roles";
import type { LogName, SavedView, Workspace } from "../api/types";
import { removeView, saveView, viewsQuery } from "../api/views";
import { IconButton } from "../ui/Button";
import { Checkbox } from "../ui/Checkbox";
import { Menu, MenuGroup, MenuItem, MenuSeparator } from "../ui/Menu";
import { Sheet } from "../ui/Sheet";
import { TextField } from "../ui/TextField";
import forms from "./forms.module.css";
import { ConfirmDialog } from "./settings/ConfirmDialog";
import { SubmitActions } from "./settings/SubmitActions";

interface ViewsMenuProps {
  log: LogName;
  workspace: Workspace;
  /** The query string of the page, without the question mark. */
  query: string;
  onOpen: (query: string) => void;
}

/** The saved views of a log: opens one, saves what is shown, removes one. */
export function ViewsMenu({ log, workspace, query, onOpen }: ViewsMenuProps) {
  const views = useQuery(viewsQuery(workspace.slug));
  const [saving, setSaving] = useState(false);
  const [removing, setRemoving] = useState<SavedView | null>(null);
  const queries = useQueryClient();
  const ofLog = views.data?.data.filter((view) => view.log === log) ?? [];
  const own = ofLog.filter((view) => view.own);
  const others = ofLog.filter((view) => !view.own);
  const current = ofLog.find((view) => view.query === query);
  const removable = current && (current.own || canManage(workspace.role));
  const item = (view: SavedView) => (
    <MenuItem
      key={view.id}
      selected={view === current}
      {...(hintOf(view) && { hint: hintOf(view) })}
      onAction={() => onOpen(view.query)}
    >
      {view.name}
    </MenuItem>
  );
  return (
    <>
      <Menu
        label="Saved views"
        end
        trigger={<IconButton variant="secondary" icon="bookmark" label="Saved views" />}
      >
        {own.length > 0 && <MenuGroup title="Your views">{own.map(item)}</MenuGroup>}
        {others.length > 0 && <MenuGroup title="Shared views">{others.map(item)}</MenuGroup>}
        {ofLog.length > 0 && <MenuSeparator />}
        <MenuItem onAction={() => setSaving(true)}>Save this view…</MenuItem>
        {removable && (
          <MenuItem onAction={() => setRemoving(current)}>{`Remove “${current.name}”…`}</MenuItem>
        )}
      </Menu>
      {saving && (
        <SaveDialog log={log} slug={workspace.slug} query={query} onClose={() => setSaving(false)} />
      )}
      {removing && (
        <ConfirmDialog
          title="Remove this view?"
          action="Remove"
          onConfirm={async () => {
            await removeView(workspace.slug, removing.id);
            await queries.invalidateQueries({ queryKey: viewsQuery(workspace.slug).queryKey });
          }}
          onClose={() => setRemoving(null)}
        >
          <p>
            {removing.name}
            {removing.shared && " is shared: others lose it, too."}
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}

function hintOf({ is_default, shared, own, owner_name }: SavedView): string {
  if (!own) return owner_name;
  return [is_default && "opens first", shared && "shared"].filter(Boolean).join(", ");
}

interface SaveDialogProps {
  log: LogName;
  slug: string;
  query: string;
  onClose: () => void;
}

function SaveDialog({ log, slug, query, onClose }: SaveDialogProps) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const [isDefault, setDefault] = useState(false);
  const save = useMutation({
    mutationFn: () => saveView(slug, { log, name: name.trim(), query, shared, is_default: isDefault }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: viewsQuery(slug).queryKey });
      onClose();
    },
  });
  const wrongName = fieldError(save.error, "name");
  return (
    <Sheet title="Save this view" open onOpenChange={(open) => !open && onClose()} centred>
      <form
        className={forms.form}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        {save.error && !wrongName && (
          <p className={forms.error} role="alert">
            {save.error.message}
          </p>
        )}
        <TextField
          large
          label="Name"
          autoComplete="off"
          required
          maxLength={100}
          help="Filters, search, range, order and columns are saved"
          value={name}
          onChange={setName}
          error={wrongName}
        />
        <Checkbox
          label="Share it with everybody who reads this log"
          checked={shared}
          onChange={() => setShared(!shared)}
        />
        <Checkbox label="Open this log with it" checked={isDefault} onChange={() => setDefault(!isDefault)} />
        <SubmitActions action="Save" isPending={save.isPending} onCancel={onClose} />
      </form>
    </Sheet>
  );
}
