import { client, unwrap } from "./client";
import type {
  AccessEvent,
  AccessMetrics,
  ActivityEvent,
  ActivityMetrics,
  ApplicationEvent,
  ApplicationMetrics,
  Facets,
  FilterQuery,
  FrameworkEvent,
  FrameworkMetrics,
  Groups,
  Histogram,
  ListQuery,
  LogName,
  Page,
  TopValues,
} from "./types";

/** The requests that the shared log view makes. Each log implements them. */
export interface LogApi<L extends LogName, E, M> {
  name: L;
  list(workspace: string, query: ListQuery<L>, signal?: AbortSignal): Promise<Page<E>>;
  get(workspace: string, id: string, signal?: AbortSignal): Promise<E>;
  metrics(workspace: string, query: FilterQuery<L>, signal?: AbortSignal): Promise<M>;
  facets(workspace: string, query: FilterQuery<L>, signal?: AbortSignal): Promise<Facets>;
  histogram(
    workspace: string,
    query: FilterQuery<L>,
    bars: { by: string; interval?: Histogram["interval"] },
    signal?: AbortSignal,
  ): Promise<Histogram>;
  top(
    workspace: string,
    query: FilterQuery<L>,
    field: string,
    limit: number,
    signal?: AbortSignal,
  ): Promise<TopValues>;
  groups(
    workspace: string,
    query: FilterQuery<L>,
    fields: readonly string[],
    limit: number,
    signal?: AbortSignal,
  ): Promise<Groups>;
}

/** `field` is what is counted: the filter by changed fields has another name there. */
function topQuery<Q extends object, F extends string | string[]>(query: Q, field: F, limit: number) {
  const {
    field: changed_field,
    not_field: not_changed_field,
    ...rest
  } = query as Q & {
    field?: string[];
    not_field?: string[];
  };
  return {
    ...rest,
    ...(changed_field && { changed_field }),
    ...(not_changed_field && { not_changed_field }),
    field,
    limit,
  };
}

const base = "/api/v1/workspaces/{workspace}/logs";

// Written out for each log because the client derives its types from literal paths. A filter that the server does
// not know is a type error here instead of a 400 for the user.

export const accessApi: LogApi<"access", AccessEvent, AccessMetrics> = {
  name: "access",
  list: (workspace, query, signal) =>
    unwrap(client.GET(`${base}/access`, { params: { path: { workspace }, query }, signal })),
  get: (workspace, id, signal) =>
    unwrap(client.GET(`${base}/access/{id}`, { params: { path: { workspace, id } }, signal })),
  metrics: (workspace, query, signal) =>
    unwrap(client.GET(`${base}/access/metrics`, { params: { path: { workspace }, query }, signal })),
  facets: (workspace, query, signal) =>
    unwrap(client.GET(`${base}/access/facets`, { params: { path: { workspace }, query }, signal })),
  histogram: (workspace, query, bars, signal) =>
    unwrap(
      client.GET(`${base}/access/histogram`, {
        params: { path: { workspace }, query: { ...query, ...bars } },
        signal,
      }),
    ),
  top: (workspace, query, field, limit, signal) =>
    unwrap(
      client.GET(`${base}/access/top`, {
        params: { path: { workspace }, query: topQuery(query, field, limit) },
        signal,
      }),
    ),
  groups: (workspace, query, fields, limit, signal) =>
    unwrap(
      client.GET(`${base}/access/groups`, {
        params: { path: { workspace }, query: topQuery(query, [...fields], limit) },
        signal,
      }),
    ),
};

export const applicationApi: LogApi<"application", ApplicationEvent, ApplicationMetrics> = {
  name: "application",
  list: (workspace, query, signal) =>
    unwrap(client.GET(`${base}/application`, { params: { path: { workspace }, query }, signal })),
  get: (workspace, id, signal) =>
    unwrap(client.GET(`${base}/application/{id}`, { params: { path: { workspace, id } }, signal })),
  metrics: (workspace, query, signal) =>
    unwrap(client.GET(`${base}/application/metrics`, { params: { path: { workspace }, query }, signal })),
  facets: (workspace, query, signal) =>
    unwrap(client.GET(`${base}/application/facets`, { params: { path: { workspace }, query }, signal })),
  histogram: (workspace, query, bars, signal) =>
    unwrap(
      client.GET(`${base}/application/histogram`, {
        params: { path: { workspace }, query: { ...query, ...bars } },
        signal,
      }),
    ),
  top: (workspace, query, field, limit, signal) =>
    unwrap(
      client.GET(`${base}/application/top`, {
        params: { path: { workspace }, query: topQuery(query, field, limit) },
        signal,
      }),
    ),
  groups: (workspace, query, fields, limit, signal) =>
    unwrap(
      client.GET(`${base}/application/groups`, {
        params: { path: { workspace }, query: topQuery(query, [...fields], limit) },
        signal,
      }),
    ),
};

export const frameworkApi: LogApi<"framework", FrameworkEvent, FrameworkMetrics> = {
  name: "framework",
  list: (workspace, query, signal) =>
    unwrap(client.GET(`${base}/framework`, { params: { path: { workspace }, query }, signal })),
  get: (workspace, id, signal) =>
    unwrap(client.GET(`${base}/framework/{id}`, { params: { path: { workspace, id } }, signal })),
  metrics: (workspace, query, signal) =>
    unwrap(client.GET(`${base}/framework/metrics`, { params: { path: { workspace }, query }, signal })),
  facets: (workspace, query, signal) =>
    unwrap(client.GET(`${base}/framework/facets`, { params: { path: { workspace }, query }, signal })),
  histogram: (workspace, query, bars, signal) =>
    unwrap(
      client.GET(`${base}/framework/histogram`, {
        params: { path: { workspace }, query: { ...query, ...bars } },
        signal,
      }),
    ),
  top: (workspace, query, field, limit, signal) =>
    unwrap(
      client.GET(`${base}/framework/top`, {
        params: { path: { workspace }, query: topQuery(query, field, limit) },
        signal,
      }),
    ),
  groups: (workspace, query, fields, limit, signal) =>
    unwrap(
      client.GET(`${base}/framework/groups`, {
        params: { path: { workspace }, query: topQuery(query, [...fields], limit) },
        signal,
      }),
    ),
};

export const activityApi: LogApi<"activity", ActivityEvent, ActivityMetrics> = {
  name: "activity",
  list: (workspace, query, signal) =>
    unwrap(client.GET(`${base}/activity`, { params: { path: { workspace }, query }, signal })),
  get: (workspace, id, signal) =>
    unwrap(client.GET(`${base}/activity/{id}`, { params: { path: { workspace, id } }, signal })),
  metrics: (workspace, query, signal) =>
    unwrap(client.GET(`${base}/activity/metrics`, { params: { path: { workspace }, query }, signal })),
  facets: (workspace, query, signal) =>
    unwrap(client.GET(`${base}/activity/facets`, { params: { path: { workspace }, query }, signal })),
  histogram: (workspace, query, bars, signal) =>
    unwrap(
      client.GET(`${base}/activity/histogram`, {
        params: { path: { workspace }, query: { ...query, ...bars } },
        signal,
      }),
    ),
  top: (workspace, query, field, limit, signal) =>
    unwrap(
      client.GET(`${base}/activity/top`, {
        params: { path: { workspace }, query: topQuery(query, field, limit) },
        signal,
      }),
    ),
  groups: (workspace, query, fields, limit, signal) =>
    unwrap(
      client.GET(`${base}/activity/groups`, {
        params: { path: { workspace }, query: topQuery(query, [...fields], limit) },
        signal,
      }),
    ),
};
