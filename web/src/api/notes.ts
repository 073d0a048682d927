import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { queryKeys } from "./query-keys";

/** What somebody said about events. It is beside the log and no part of it. */
export interface Note {
  id: string;
  /** The events that it is about, as far as the caller may read them. */
  event_ids: string[];
  text: string;
  author_name: string;
  /** The caller wrote it. */
  own: boolean;
  created_at: string;
}

export const LONGEST_NOTE = 2_000;
const NOTES = "/api/v1/workspaces/{workspace}/notes";

/** The notes on an event, the latest first. */
export const notesQuery = (workspace: string, event: string) =>
  queryOptions({
    queryKey: queryKeys.notes(workspace, event),
    queryFn: async ({ signal }): Promise<Note[]> => {
      const params = { path: { workspace }, query: { event_id: event } };
      const list = unwrap<{ data: Note[] }>(client.GET(NOTES as never, { params, signal } as never));
      return (await list).data;
    },
    staleTime: 10_000,
  });

export function addNote(workspace: string, event_ids: readonly string[], text: string): Promise<Note> {
  const body = { event_ids, text };
  return unwrap(client.POST(NOTES as never, { params: { path: { workspace } }, body } as never));
}

export async function removeNote(workspace: string, note: string): Promise<void> {
  await unwrap(client.DELETE(`${NOTES}/{note}` as never, { params: { path: { workspace, note } } } as never));
}
