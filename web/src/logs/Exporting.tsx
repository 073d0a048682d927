import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  EXPORT_FORMATS,
  type ExportedLog,
  type ExportFormat,
  FORMAT_NAMES,
  formatsAtOnce,
  saveExport,
  startExport,
} from "../api/export";
import { queryKeys } from "../api/query-keys";
import { buttonClass } from "../ui/Button";
import { MenuGroup, MenuItem } from "../ui/Menu";
import { Sheet } from "../ui/Sheet";
import styles from "./Exporting.module.css";

/** Exports of what a page shows: at once, or in the background. `query` is asked for when one begins. */
export function useExporting(workspace: string, log: ExportedLog, query: () => object) {
  const queries = useQueryClient();
  const saving = useMutation({
    mutationFn: (format: ExportFormat) => saveExport(workspace, log, format, query()),
  });
  const starting = useMutation({
    mutationFn: (format: ExportFormat) => startExport(workspace, log, format, query()),
    onSuccess: () => queries.invalidateQueries({ queryKey: queryKeys.exports(workspace) }),
  });
  return { workspace, log, saving, starting };
}

export type Exporting = ReturnType<typeof useExporting>;

/** The groups of a menu. */
export function ExportItems({
  exporting: { log, saving, starting },
  title = "Export all events that match",
}: {
  exporting: Exporting;
  title?: string;
}) {
  return (
    <>
      <MenuGroup title={title}>
        {formatsAtOnce(log).map((format) => (
          <MenuItem key={format} onAction={() => saving.mutate(format)}>
            {`As ${FORMAT_NAMES[format]}`}
          </MenuItem>
        ))}
      </MenuGroup>
      <MenuGroup title="In the background, if there are many">
        {EXPORT_FORMATS.map((format) => (
          <MenuItem key={format} onAction={() => starting.mutate(format)}>
            {`${FORMAT_NAMES[format]} in the background`}
          </MenuItem>
        ))}
      </MenuGroup>
    </>
  );
}

/** Says in a word what becomes of an export. */
export function exportStatus({ saving, starting }: Exporting): string {
  if (saving.isPending || starting.isPending) return "Exporting…";
  return saving.isSuccess ? "Exported" : "";
}

/** What has to be read: that an export failed, or where to find one that runs. */
export function ExportNotices({ exporting: { workspace, saving, starting } }: { exporting: Exporting }) {
  const cancelled = saving.error?.name === "AbortError";
  const error = starting.error ?? (cancelled ? null : saving.error);
  const close = () => {
    saving.reset();
    starting.reset();
  };
  if (error) {
    return (
      <Sheet title="The export failed" open centred onOpenChange={close}>
        <p role="alert">{error.message}</p>
      </Sheet>
    );
  }
  if (!starting.isSuccess) return null;
  return (
    <Sheet title="The export runs in the background" open centred onOpenChange={close}>
      <p>You can leave this page. The file is kept for a day.</p>
      <p className={styles.actions}>
        <Link
          to="/w/$slug/exports"
          params={{ slug: workspace }}
          className={buttonClass({ variant: "primary" })}
        >
          Show exports
        </Link>
      </p>
    </Sheet>
  );
}
