import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { queryKeys } from "./query-keys";

const RECORD = "/api/v1/workspaces/{workspace}/records/{model}/{record_id}" as const;
const PAGE_SIZE = 200;

/** A record, as the application log names it. */
export interface RecordName {
  model: string;
  id: string;
}

/** A name that cannot be a part of a path is a parameter, and the path has "-". */
const ODD = /[/\\\p{Cc}]|^\.{1,2}$/u;

function names(workspace: string, { model, id }: RecordName) {
  const [oddModel, oddId] = [ODD.test(model), ODD.test(id)];
  return {
    path: { workspace, model: oddModel ? "-" : model, record_id: oddId ? "-" : id },
    query: { ...(oddModel && { model }), ...(oddId && { record_id: id }) },
  };
}

export const versionsQuery = (workspace: string, record: RecordName) =>
  infiniteQueryOptions({
    queryKey: queryKeys.recordVersions(workspace, record.model, record.id),
    queryFn: ({ pageParam, signal }) => {
      const { path, query } = names(workspace, record);
      const page = { limit: PAGE_SIZE, ...(pageParam && { cursor: pageParam }) };
      return unwrap(
        client.GET(`${RECORD}/history`, { params: { path, query: { ...query, ...page } }, signal }),
      );
    },
    initialPageParam: "",
    getNextPageParam: (page) => (page.has_more ? page.next_cursor : null),
  });

/** The fields after an event, with who set them. Without an event: the latest. */
export const blameQuery = (workspace: string, record: RecordName, at: string | undefined) =>
  queryOptions({
    queryKey: queryKeys.recordBlame(workspace, record.model, record.id, at ?? ""),
    queryFn: ({ signal }) => {
      const { path, query } = names(workspace, record);
      return unwrap(
        client.GET(`${RECORD}/blame`, { params: { path, query: { ...query, ...(at && { at }) } }, signal }),
      );
    },
    placeholderData: keepPreviousData,
  });

export const diffQuery = (workspace: string, record: RecordName, from: string, to: string) =>
  queryOptions({
    queryKey: queryKeys.recordDiff(workspace, record.model, record.id, from, to),
    queryFn: ({ signal }) => {
      const { path, query } = names(workspace, record);
      return unwrap(
        client.GET(`${RECORD}/diff`, { params: { path, query: { ...query, from, to } }, signal }),
      );
    },
    placeholderData: keepPreviousData,
  });

/** What to write to get back to what the record was after an event. */
export function restorePatch(workspace: string, record: RecordName, to: string) {
  const { path, query } = names(workspace, record);
  return unwrap(client.GET(`${RECORD}/restore`, { params: { path, query: { ...query, to } } }));
}
