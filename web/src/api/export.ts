import { client } from "./client";
import { toApiError } from "./errors";
import type { FilterQuery, LogName } from "./types";

export const EXPORT_FORMATS = ["csv", "ndjson"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

interface FilePicker {
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
}

/**
 * Saves all events that match as a file, with what is shown as filters. Browsers that can write files get it piece by piece;
 * others hold it in memory first.
 */
export async function saveExport<L extends LogName>(
  workspace: string,
  log: L,
  format: ExportFormat,
  query: FilterQuery<L>,
): Promise<void> {
  const suggestedName = `${workspace}-${log}.${format}`;
  const { showSaveFilePicker } = window as FilePicker;
  // Asked first: browsers open the dialog only right after a click.
  const handle = await showSaveFilePicker?.call(window, { suggestedName });
  const path = `/api/v1/workspaces/{workspace}/logs/${log}/export.${format}` as const;
  const { response, error } = await client.GET(
    path as never,
    {
      params: { path: { workspace }, query },
      parseAs: "stream",
    } as never,
  );
  const { body } = response as Response;
  if (!(response as Response).ok || !body) throw toApiError((response as Response).status, error);
  if (handle) {
    await body.pipeTo(await handle.createWritable());
    return;
  }
  const url = URL.createObjectURL(await new Response(body).blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = suggestedName;
  link.click();
  URL.revokeObjectURL(url);
}
