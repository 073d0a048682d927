// The client that openapi-generator made.
import { BASE_URL, pageThrough, TOKEN, WORKSPACE } from "./expect.js";
import { AccessLogApi, ApplicationLogApi, Configuration, FrameworkLogApi } from "./generated/fetch/index.js";

const configuration = new Configuration({ basePath: BASE_URL, accessToken: TOKEN });
const access = new AccessLogApi(configuration);
const application = new ApplicationLogApi(configuration);
const framework = new FrameworkLogApi(configuration);

interface Answer {
  data: { id: string }[];
  nextCursor?: string | null;
  hasMore: boolean;
}
const page = ({ data, nextCursor, hasMore }: Answer) => ({
  ids: data.map((event) => event.id),
  next: nextCursor,
  more: hasMore,
});
const query = (cursor: string | undefined) => ({ workspace: WORKSPACE, limit: 50, ...(cursor !== undefined && { cursor }) });

await pageThrough("access", async (cursor) => page(await access.listAccessEvents(query(cursor))));
await pageThrough("application", async (cursor) => page(await application.listApplicationEvents(query(cursor))));
await pageThrough("framework", async (cursor) => page(await framework.listFrameworkEvents(query(cursor))));

// Parameters that have no name of their own in the contract, and a filter's twin.
const count = async (filters: Parameters<typeof access.listAccessEvents>[0]) =>
  (await access.listAccessEvents({ ...filters, limit: 1000 })).data.length;
const workspace = WORKSPACE;
const counts = {
  everything: await count({ workspace }),
  nowhere: await count({ workspace, metadata: { "metadata.nowhere": ["1"] } }),
  notNowhere: await count({ workspace, metadata: { "not_metadata.nowhere": ["1"] } }),
  logins: await count({ workspace, eventType: ["login"] }),
  others: await count({ workspace, notEventType: ["login"] }),
};
const { everything, nowhere, notNowhere, logins, others } = counts;
if (!everything || nowhere !== 0 || notNowhere !== everything || logins + others !== everything) {
  throw new Error(`filters: ${JSON.stringify(counts)}`);
}
