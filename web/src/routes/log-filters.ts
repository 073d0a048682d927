import type { FilterQuery, LogName } from "../api/types";

type NotFilter = "since" | "until" | "tz" | "q" | `not_${string}`;
type FilterName<L extends LogName> = Exclude<keyof FilterQuery<L>, NotFilter>;

/**
 * The names of all filters of a log. A filter that the API adds or removes is a type error here. Each has its
 * exclusion, `not_<filter>`.
 */
function names<L extends LogName>(filters: Record<FilterName<L>, true>): readonly string[] {
  return Object.keys(filters);
}

const SHARED = {
  role: true,
  on_behalf_of: true,
  target: true,
  ip_address: true,
  session_id: true,
  correlation_id: true,
  source: true,
} as const;

/** The filters of each log. They are not part of the log's definition, so that the router does not load it. */
export const LOG_FILTERS: Record<LogName, readonly string[]> = {
  access: names<"access">({ event_type: true, status: true, user_id: true, user_type: true, ...SHARED }),
  application: names<"application">({
    action: true,
    status: true,
    model: true,
    record: true,
    record_id: true,
    actor_type: true,
    actor_id: true,
    field: true,
    changed: true,
    ...SHARED,
  }),
  framework: names<"framework">({
    action: true,
    status: true,
    component: true,
    actor_type: true,
    actor_id: true,
    field: true,
    changed: true,
    ...SHARED,
  }),
  activity: names<"activity">({
    action: true,
    status: true,
    target_type: true,
    actor_type: true,
    actor_id: true,
    field: true,
    changed: true,
    ...SHARED,
  }),
};
