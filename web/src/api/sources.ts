import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { saveStream } from "./export";
import { accessApi, applicationApi, frameworkApi } from "./logs";
import { queryKeys } from "./query-keys";
import type { NewSource, SourceChanges } from "./types";

const SOURCES = "/api/v1/workspaces/{workspace}/sources" as const;
const SOURCE = `${SOURCES}/{source}` as const;

/** How often what arrives is looked for, in milliseconds. */
const WATCH = 5_000;
const WAIT = 2_000;

export const sourcesQuery = (workspace: string) =>
  queryOptions({
    queryKey: queryKeys.sources(workspace),
    queryFn: ({ signal }) => unwrap(client.GET(SOURCES, { params: { path: { workspace } }, signal })),
    refetchInterval: WATCH,
  });

export const sourceQuery = (workspace: string, source: string) =>
  queryOptions({
    queryKey: queryKeys.source(workspace, source),
    queryFn: ({ signal }) => unwrap(client.GET(SOURCE, { params: { path: { workspace, source } }, signal })),
    // Somebody who waits for the first event looks at the page.
    refetchInterval: ({ state }) => (state.data?.last_received_at ? WATCH : WAIT),
  });

export const mappingQuery = (workspace: string, source: string) =>
  queryOptions({
    queryKey: queryKeys.sourceMapping(workspace, source),
    queryFn: ({ signal }) =>
      unwrap(client.GET(`${SOURCE}/mapping`, { params: { path: { workspace, source } }, signal })),
  });

export const rejectedQuery = (workspace: string, source: string) =>
  infiniteQueryOptions({
    queryKey: queryKeys.rejected(workspace, source),
    queryFn: ({ signal, pageParam }) =>
      unwrap(
        client.GET(`${SOURCE}/rejected`, {
          params: {
            path: { workspace, source },
            query: { limit: 20, ...(pageParam !== null && { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next_cursor,
  });

/** One record. Null where it is in quarantine no more. */
export const rejectedRecordQuery = (workspace: string, source: string, id: number) =>
  queryOptions({
    queryKey: queryKeys.rejectedRecord(workspace, source, id),
    queryFn: async ({ signal }) => {
      const params = { path: { workspace, source }, query: { cursor: id - 1, limit: 1 } };
      const { data } = await unwrap(client.GET(`${SOURCE}/rejected`, { params, signal }));
      return data.find((record) => record.id === id) ?? null;
    },
  });

export function createSource(workspace: string, body: NewSource) {
  return unwrap(client.POST(SOURCES, { params: { path: { workspace } }, body }));
}

export function changeSource(workspace: string, source: string, body: SourceChanges) {
  return unwrap(client.PATCH(SOURCE, { params: { path: { workspace, source } }, body }));
}

export async function removeSource(workspace: string, source: string): Promise<void> {
  await unwrap(client.DELETE(SOURCE, { params: { path: { workspace, source } } }));
}

export function saveMapping(workspace: string, source: string, mapping: string | null) {
  return unwrap(
    client.PUT(`${SOURCE}/mapping`, { params: { path: { workspace, source } }, body: { mapping } }),
  );
}

export function previewMapping(
  workspace: string,
  source: string,
  body: { mapping: string; sample?: string; rejected?: number },
) {
  return unwrap(client.POST(`${SOURCE}/mapping/preview`, { params: { path: { workspace, source } }, body }));
}

export function replayRejected(workspace: string, source: string, ids: number[] | null) {
  const body = ids ? { ids } : {};
  return unwrap(client.POST(`${SOURCE}/rejected/replay`, { params: { path: { workspace, source } }, body }));
}

export function discardRejected(workspace: string, source: string, ids: number[]) {
  return unwrap(
    client.POST(`${SOURCE}/rejected/discard`, { params: { path: { workspace, source } }, body: { ids } }),
  );
}

/** Saves the whole quarantine of a source as a file. An answer has a part of it: the next one follows its last record. */
export function saveRejected(workspace: string, source: string): Promise<void> {
  const part = async (after: number) => {
    const params = { path: { workspace, source }, query: { after } };
    // The client gives nothing at all for an answer without a body.
    const answer = client.GET(`${SOURCE}/rejected.ndjson`, { params, parseAs: "text" });
    return (await unwrap<string | undefined>(answer)) ?? "";
  };
  return saveStream(`${workspace}-${source}-rejected.ndjson`, async () => {
    // What goes wrong with the first part is told before a file is there.
    let next = await part(0);
    return new ReadableStream({
      async pull(controller) {
        if (next === "") {
          controller.close();
          return;
        }
        controller.enqueue(new TextEncoder().encode(next));
        const last = next.slice(next.lastIndexOf("\n", next.length - 2) + 1);
        next = await part((JSON.parse(last) as { id: number }).id);
      },
    });
  });
}

export interface LatestOfSource {
  log: "access" | "application" | "framework";
  id: string;
  action: string;
  occurred_at: string;
}

/** The newest event of a source in each log, newest first. */
export const latestQuery = (workspace: string, source: string, events: number) =>
  queryOptions({
    queryKey: queryKeys.sourceLatest(workspace, source, events),
    queryFn: async ({ signal }): Promise<LatestOfSource[]> => {
      const query = { source: [source], limit: 1 };
      const [access, application, framework] = await Promise.all([
        accessApi.list(workspace, query, signal),
        applicationApi.list(workspace, query, signal),
        frameworkApi.list(workspace, query, signal),
      ]);
      const found = [
        ...access.data.map((event) => ({ ...event, log: "access" as const, action: event.event_type })),
        ...application.data.map((event) => ({ ...event, log: "application" as const })),
        ...framework.data.map((event) => ({ ...event, log: "framework" as const })),
      ];
      return found.toSorted((a, b) => b.occurred_at.localeCompare(a.occurred_at));
    },
    enabled: events > 0,
  });

/** Whether a workspace has any event of its app: those of Logbook itself, of its activity, do not count. */
export const hasEventsQuery = (workspace: string) =>
  queryOptions({
    queryKey: queryKeys.hasEvents(workspace),
    queryFn: async ({ signal }) => {
      const all = await Promise.all([
        accessApi.metrics(workspace, {}, signal),
        applicationApi.metrics(workspace, {}, signal),
        frameworkApi.metrics(workspace, {}, signal),
      ]);
      return all.some(({ total }) => total > 0);
    },
    // What has events is not asked again.
    staleTime: ({ state }) => (state.data ? Infinity : 30_000),
  });
