import { client, unwrap } from "./client";
import { topQuery } from "./logs";
import type { FilterQuery, LogName } from "./types";

export interface GroupValue {
  value: string;
  /** The newest name beside the value, where the field is an id. */
  name: string | null;
}

/** The events that share the values of one or two fields. */
export interface Group {
  values: GroupValue[];
  count: number;
  /** Events from each of `starts` on, up to the next one. */
  series: number[];
}

export interface Groups {
  /** The most frequent first. */
  data: Group[];
  exact: boolean;
  counted: number;
  /** When the oldest event that was counted happened, where not all were. */
  since: string | null;
  /** When each point of a series begins. */
  starts: string[];
}

export function groups<L extends LogName>(
  workspace: string,
  log: L,
  query: FilterQuery<L>,
  { fields, limit }: { fields: readonly string[]; limit: number },
  signal?: AbortSignal,
): Promise<Groups> {
  const path = `/api/v1/workspaces/{workspace}/logs/${log}/groups` as const;
  return unwrap(
    client.GET(
      path as never,
      { params: { path: { workspace }, query: topQuery(query, fields, limit) }, signal } as never,
    ),
  );
}
