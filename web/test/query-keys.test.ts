import { QueryClient, type QueryKey } from "@tanstack/react-query";
import { describe, expect, it } from "vitest";
import { queryKeys } from "../src/api/query-keys";

/** Ordinary slugs, and every word that a key starts with or contains. */
const SLUGS = [
  "clinic",
  "lakeside",
  "me",
  "sign-in-methods",
  "workspace",
  "workspaces",
  "members",
  "invitations",
  "my-sessions",
  "users",
  "sources",
  "mapping",
  "rejected",
  "latest",
  "has-events",
  "user-sessions",
  "keys",
  "api-keys",
  "record",
  "log",
  "access",
  "application",
  "framework",
  "list",
  "event",
];
const LOGS = ["access", "application", "framework"] as const;

/** What the pages of a workspace cache, apart from its logs. */
function workspaceKeys(slug: string): QueryKey[] {
  return [
    queryKeys.workspace(slug),
    queryKeys.members(slug),
    queryKeys.invitations(slug),
    queryKeys.apiKeys(slug),
    queryKeys.views(slug),
    queryKeys.sourceMapping(slug, slug),
    queryKeys.sourceLatest(slug, slug, 1),
    queryKeys.mappingPreview(slug, slug, {}, 1),
    queryKeys.hasEvents(slug),
    queryKeys.rejected(slug, slug),
    queryKeys.timeline(slug, { q: slug }, 0),
    queryKeys.suggestions(slug, "actor", slug),
    queryKeys.recordVersions(slug, slug, slug),
    queryKeys.recordBlame(slug, slug, slug, slug),
    queryKeys.recordDiff(slug, slug, slug, slug, slug),
  ];
}

/** What the pages of a log cache. */
function logKeys(slug: string, log: (typeof LOGS)[number]): QueryKey[] {
  return [
    queryKeys.logList(slug, log, { q: slug }, 0, { order: "desc", pageSize: 100 }),
    queryKeys.logMetrics(slug, log, { q: slug }, 0),
    queryKeys.logFacets(slug, log, { q: slug }, 0),
    queryKeys.logHistogram(slug, log, { q: slug }, 0, { by: "status" }),
    queryKeys.logTop(slug, log, { q: slug }, 0, { field: "role", limit: 8 }),
    queryKeys.logEvent(slug, log, slug),
  ];
}

const allKeys = [
  queryKeys.signInMethods(),
  queryKeys.me(),
  queryKeys.mySessions(),
  queryKeys.users(),
  ...SLUGS.flatMap((slug) => [...workspaceKeys(slug), ...LOGS.flatMap((log) => logKeys(slug, log))]),
];

/** A cache that holds a value for every key. */
function filledCache(): QueryClient {
  const cache = new QueryClient();
  for (const key of allKeys) cache.setQueryData(key, "cached");
  return cache;
}

/** The keys that an invalidation or a removal by `prefix` reaches. */
function matchedBy(prefix: QueryKey): QueryKey[] {
  return filledCache()
    .getQueryCache()
    .findAll({ queryKey: prefix })
    .map((query) => query.queryKey);
}

describe("query keys", () => {
  it("are all different, whatever a workspace is called", () => {
    expect(filledCache().getQueryCache().getAll()).toHaveLength(allKeys.length);
  });

  it.each(SLUGS)("of the workspace %s match only what they name", (slug) => {
    for (const key of workspaceKeys(slug)) expect(matchedBy(key)).toEqual([key]);
    for (const key of LOGS.flatMap((log) => logKeys(slug, log))) expect(matchedBy(key)).toEqual([key]);
  });

  it("of a source match everything about it", () => {
    const of = [
      queryKeys.sourceLatest("me", "me", 1),
      queryKeys.mappingPreview("me", "me", {}, 1),
      queryKeys.sourceMapping("me", "me"),
      queryKeys.rejected("me", "me"),
    ];
    for (const key of [queryKeys.source("me", "me"), queryKeys.sources("me")]) {
      expect(new Set(matchedBy(key).map(String))).toEqual(new Set(of.map(String)));
    }
  });

  it("without a slug match no workspace's logs, members or keys", () => {
    expect(matchedBy(queryKeys.me())).toEqual([queryKeys.me()]);
    expect(matchedBy(queryKeys.signInMethods())).toEqual([queryKeys.signInMethods()]);
    expect(matchedBy(queryKeys.workspaces())).toEqual(SLUGS.map((slug) => queryKeys.workspace(slug)));
  });
});
