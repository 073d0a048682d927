// The types of openapi-typescript, used as the SPA does.
import createClient from "openapi-fetch";
import { BASE_URL, pageThrough, TOKEN, WORKSPACE } from "./expect.js";
import type { paths } from "./generated/schema.js";

const client = createClient<paths>({ baseUrl: BASE_URL, headers: { Authorization: `Bearer ${TOKEN}` } });

for (const log of ["access", "application", "framework"] as const) {
  await pageThrough(log, async (cursor) => {
    const { data, error } = await client.GET(`/api/v1/workspaces/{workspace}/logs/${log}`, {
      params: { path: { workspace: WORKSPACE }, query: { limit: 50, ...(cursor !== undefined && { cursor }) } },
    });
    if (!data) throw new Error(JSON.stringify(error));
    return { ids: data.data.map((event) => event.id), next: data.next_cursor, more: data.has_more };
  });
}
