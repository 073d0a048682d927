import { client, unwrap } from "./client";
import type { SuggestField, Suggestion } from "./types";

/** People, records and so on that were seen in the logs and whose name or ID has `q` in it. */
export async function suggest(
  workspace: string,
  field: SuggestField,
  q: string,
  signal?: AbortSignal,
): Promise<Suggestion[]> {
  const page = await unwrap(
    client.GET("/api/v1/workspaces/{workspace}/suggest", {
      params: { path: { workspace }, query: { field, q } },
      signal,
    }),
  );
  return page.data;
}
