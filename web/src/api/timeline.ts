import { client, unwrap } from "./client";
import type { FeedEvent, Page, TimelineQuery } from "./types";

/** A page of the events of all logs, in the words that they share. */
export function timeline(
  workspace: string,
  query: TimelineQuery,
  signal?: AbortSignal,
): Promise<Page<FeedEvent>> {
  return unwrap(
    client.GET("/api/v1/workspaces/{workspace}/timeline", { params: { path: { workspace }, query }, signal }),
  );
}
