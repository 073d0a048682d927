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
  views: (slug: string) => ["views", slug] as const,
  /** A prefix of the notes on every event. */
  allNotes: (slug: string) => ["notes", slug] as const,
  notes: (slug: string, event: string) => ["notes", slug, event] as const,
  exports: (slug: string) => ["exports", slug] as const,
  /** Of mutations: exports that are asked for, each of which may be refused. */
  exportStarts: (slug: string) => ["export-starts", slug] as const,
  masking: (slug: string) => ["masking", slug] as const,
  /** A prefix of everything about a workspace's sources. */
  sources: (slug: string) => ["sources", slug] as const,
  source: (slug: string, name: string) => ["sources", slug, name] as const,
  sourceLatest: (slug: string, name: string, events: number) =>
    ["sources", slug, name, "latest", events] as const,
  mappingPreview: (slug: string, name: string, asked: object, rejected: number | undefined) =>
    ["sources", slug, name, "preview", asked, rejected] as const,
  hasEvents: (slug: string) => ["has-events", slug] as const,
  sourceMapping: (slug: string, name: string) => ["sources", slug, name, "mapping"] as const,
  rejected: (slug: string, name: string) => ["sources", slug, name, "rejected"] as const,
  rejectedRecord: (slug: string, name: string, id: number) =>
    ["sources", slug, name, "rejected-record", id] as const,
  recordVersions: (slug: string, model: string, id: string) =>
    ["record", slug, model, id, "versions"] as const,
  recordBlame: (slug: string, model: string, id: string, at: string) =>
    ["record", slug, model, id, "blame", at] as const,
  recordDiff: (slug: string, model: string, id: string, from: string, to: string) =>
    ["record", slug, model, id, "diff", from, to] as const,
  /** `askedAt`: what is asked again later has another answer. */
  logList: (
    slug: string,
    log: LogName,
    filters: object,
    askedAt: number,
    { order, pageSize }: { order: string; pageSize: number },
  ) => ["log", slug, log, "list", filters, askedAt, order, pageSize] as const,
  logMetrics: (slug: string, log: LogName, filters: object, askedAt: number) =>
    ["log", slug, log, "metrics", filters, askedAt] as const,
  logFacets: (slug: string, log: LogName, filters: object, askedAt: number) =>
    ["log", slug, log, "facets", filters, askedAt] as const,
  logHistogram: (
    slug: string,
    log: LogName,
    filters: object,
    askedAt: number,
    bars: { by: string; interval?: string },
  ) => ["log", slug, log, "histogram", filters, askedAt, bars] as const,
  logTop: (
    slug: string,
    log: LogName,
    filters: object,
    askedAt: number,
    what: { field: string; limit: number },
  ) => ["log", slug, log, "top", filters, askedAt, what] as const,
  logGroups: (
    slug: string,
    log: LogName,
    filters: object,
    askedAt: number,
    what: { fields: readonly string[]; limit: number },
  ) => ["log", slug, log, "groups", filters, askedAt, what] as const,
  suggestions: (slug: string, field: string, q: string) => ["suggestions", slug, field, q] as const,
  workspaceSessions: (slug: string, query: object, askedAt: number) =>
    ["workspace-sessions", slug, query, askedAt] as const,
  timeline: (slug: string, query: object, askedAt: number) => ["timeline", slug, query, askedAt] as const,
  logEvent: (slug: string, log: LogName, id: string) => ["log", slug, log, "event", id] as const,
};
