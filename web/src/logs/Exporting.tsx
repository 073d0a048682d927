import { useMutation } from "@tanstack/react-query";
import {
  EXPORT_FORMATS,
  type ExportedLog,
  type ExportFormat,
  exportableOf,
  FORMAT_NAMES,
  formatsAtOnce,
  saveExport,
} from "../api/export";
import { MenuGroup, MenuItem } from "../ui/Menu";
import { Sheet } from "../ui/Sheet";
import { useExportStarts } from "./use-export-starts";

/** Exports of what a page shows: at once, or in the background. `query` is asked for when one begins. */
export function useExporting(workspace: string, log: ExportedLog, query: () => object) {
  const saving = useMutation({
    mutationFn: (format: ExportFormat) => saveExport(workspace, log, format, query()),
  });
  const { starts, begin } = useExportStarts(workspace);
  return {
    log,
    saving,
    start: (format: ExportFormat) => begin(exportableOf(log, format, query())),
    starting: starts.some(({ status }) => status === "pending"),
  };
}

export type Exporting = ReturnType<typeof useExporting>;

/** The groups of a menu. */
export function ExportItems({
  exporting: { log, saving, start },
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
          <MenuItem key={format} onAction={() => start(format)}>
            {`${FORMAT_NAMES[format]} in the background`}
          </MenuItem>
        ))}
      </MenuGroup>
    </>
  );
}

/** Says in a word what becomes of an export. */
export function exportStatus({ saving, starting }: Exporting): string {
  if (saving.isPending || starting) return "Exporting…";
  return saving.isSuccess ? "Exported" : "";
}

/** What has to be read. What becomes of one in the background is said on whatever page is open then. */
export function ExportNotice({ exporting: { saving } }: { exporting: Exporting }) {
  if (!saving.error || saving.error.name === "AbortError") return null;
  return (
    <Sheet title="The export failed" open centred onOpenChange={saving.reset}>
      <p role="alert">{saving.error.message}</p>
    </Sheet>
  );
}
