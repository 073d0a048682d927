import type { LogName } from "./types";

/**
 * Every key of the query cache. Each starts with a word that says what is cached. A workspace's slug, which may
 * be any word, comes only after it, so that no slug can be taken for another key.
 */
export const queryKeys = {
  signInMethods: () => ["sign-in-methods"] as const,
  me: () => ["me"] as const,
  mySessions: () => ["my-sessions"] as const,
  /** A prefix of every list of users. */
  users: () => ["users"] as const,
  userList: (q: string) => ["users", q] as const,
  userSessions: (id: string) => ["user-sessions", id] as const,
  /** A prefix of every workspace's key. */
  workspaces: () => ["workspace"] as const,
  workspace: (slug: string) => ["workspace", slug] as const,
  members: (slug: string) => ["members", slug] as const,
  invitations: (slug: string) => ["invitations", slug] as const,
  apiKeys: (slug: string) => ["api-keys", slug] as const,
  masking: (slug: string) => ["masking", slug] as const,
  recordVersions: (slug: string, model: string, id: string) =>
    ["record", slug, model, id, "versions"] as const,
  recordBlame: (slug: string, model: string, id: string, at: string) =>
    ["record", slug, model, id, "blame", at] as const,
  recordDiff: (slug: string, model: string, id: string, from: string, to: string) =>
    ["record", slug, model, id, "diff", from, to] as const,
  /** A prefix of every key of one log. */
  log: (slug: string, log: LogName) => ["log", slug, log] as const,
  /** A prefix of every list of one log. */
  logLists: (slug: string, log: LogName) => ["log", slug, log, "list"] as const,
  logList: (slug: string, log: LogName, filters: object, order: string, pageSize: number) =>
    ["log", slug, log, "list", filters, order, pageSize] as const,
  logMetrics: (slug: string, log: LogName, filters: object) =>
    ["log", slug, log, "metrics", filters] as const,
  logFacets: (slug: string, log: LogName, filters: object) => ["log", slug, log, "facets", filters] as const,
  logHistogram: (slug: string, log: LogName, filters: object, by: string) =>
    ["log", slug, log, "histogram", filters, by] as const,
  logNewEvents: (slug: string, log: LogName, filters: object) =>
    ["log", slug, log, "new-events", filters] as const,
  logEvent: (slug: string, log: LogName, id: string) => ["log", slug, log, "event", id] as const,
};
