import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { queryKeys } from "./query-keys";

export const LONGEST_NOTE = 2_000;
/** Events that one note may be about. */
export const MOST_NOTED = 50;
const NOTES = "/api/v1/workspaces/{workspace}/notes" as const;
const NOTE = "/api/v1/workspaces/{workspace}/notes/{note}" as const;

/** The notes on an event, the latest first. */
export const notesQuery = (workspace: string, event: string) =>
  queryOptions({
    queryKey: queryKeys.notes(workspace, event),
    queryFn: async ({ signal }) => {
      const params = { path: { workspace }, query: { event_id: [event] } };
      return (await unwrap(client.GET(NOTES, { params, signal }))).data;
    },
    staleTime: 10_000,
  });

export function addNote(workspace: string, event_ids: string[], text: string) {
  return unwrap(client.POST(NOTES, { params: { path: { workspace } }, body: { event_ids, text } }));
}

export async function removeNote(workspace: string, note: string): Promise<void> {
  await unwrap(client.DELETE(NOTE, { params: { path: { workspace, note } } }));
}
