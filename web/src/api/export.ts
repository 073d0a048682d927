import { queryOptions } from "@tanstack/react-query";
import { client, serializeQuery, unwrap } from "./client";
import { toApiError } from "./errors";
import { queryKeys } from "./query-keys";
import type { BackgroundExport, LogName } from "./types";

export type ExportedLog = LogName | "timeline";

export const EXPORT_FORMATS = ["csv", "ndjson", "parquet"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const FORMAT_NAMES: Record<ExportFormat, string> = {
  csv: "CSV",
  ndjson: "NDJSON",
  parquet: "Parquet",
};

/** The formats in which an export comes as the answer itself. */
export function formatsAtOnce(log: ExportedLog): readonly ExportFormat[] {
  return log === "timeline" ? ["csv", "ndjson"] : EXPORT_FORMATS;
}

/** Events that are written so far change this often. */
const POLL_MS = 1_500;
const EXPORTS = "/api/v1/workspaces/{workspace}/exports" as const;
const EXPORT = "/api/v1/workspaces/{workspace}/exports/{export}" as const;

interface FilePicker {
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
}

function pathOf(log: ExportedLog): string {
  return `/api/v1/workspaces/{workspace}/${log === "timeline" ? log : `logs/${log}`}`;
}

/** Saves all events that match as a file, with what is shown as filters. */
export function saveExport(
  workspace: string,
  log: ExportedLog,
  format: ExportFormat,
  query: object,
): Promise<void> {
  const options = { params: { path: { workspace }, query } };
  return saveAs(`${workspace}-${log}.${format}`, `${pathOf(log)}/export.${format}`, options);
}

function saveAs(suggestedName: string, path: string, options: object): Promise<void> {
  return saveStream(suggestedName, async () => {
    const { response, error } = await client.GET(path as never, { ...options, parseAs: "stream" } as never);
    const { body } = response as Response;
    if (!(response as Response).ok || !body) throw toApiError((response as Response).status, error);
    return body;
  });
}

/** Saves a stream as a file. Browsers that can write files get it piece by piece; others hold it in memory first. */
export async function saveStream(
  suggestedName: string,
  open: () => Promise<ReadableStream<Uint8Array<ArrayBuffer>>>,
): Promise<void> {
  const { showSaveFilePicker } = window as FilePicker;
  // Asked first: browsers open the dialog only right after a click.
  const handle = await showSaveFilePicker?.call(window, { suggestedName });
  const body = await open();
  if (handle) await body.pipeTo(await handle.createWritable());
  else saveFile(suggestedName, await new Response(body).blob());
}

/** Saves what is in memory as a file. */
export function saveFile(name: string, content: Blob) {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** The exports in the background, the newest first. They are asked for again while one of them runs. */
export const exportsQuery = (workspace: string) =>
  queryOptions({
    queryKey: queryKeys.exports(workspace),
    queryFn: async ({ signal }) =>
      (await unwrap(client.GET(EXPORTS, { params: { path: { workspace } }, signal }))).data,
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.some(({ state }) => state === "running") ? POLL_MS : false),
  });

/** What an export in the background is of. The query is a query string, as the server keeps it. */
export type Exportable = Pick<BackgroundExport, "log" | "format" | "query">;

export function exportableOf(log: ExportedLog, format: ExportFormat, query: object): Exportable {
  return { log, format, query: serializeQuery({ ...query, format }) };
}

export function startExport(workspace: string, { log, query }: Exportable): Promise<BackgroundExport> {
  const options = {
    params: { path: { workspace } },
    // The text as it was: it is a query string already.
    querySerializer: () => query,
  };
  return unwrap(client.POST(`${pathOf(log as ExportedLog)}/exports` as never, options as never));
}

export async function removeExport(workspace: string, id: string): Promise<void> {
  await unwrap(client.DELETE(EXPORT, { params: { path: { workspace, export: id } } }));
}

/** Saves the file of an export that is done. */
export function saveExportFile(workspace: string, { id, ...file }: BackgroundExport): Promise<void> {
  const extension = file.format === "parquet" ? "parquet" : `${file.format}.gz`;
  const name = `${workspace}-${file.log}-${file.created_at.slice(0, 10)}.${extension}`;
  return saveAs(name, `${EXPORT}/file`, { params: { path: { workspace, export: id } } });
}
