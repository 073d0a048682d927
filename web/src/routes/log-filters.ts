import type { FilterQuery, LogName } from "../api/types";

type FilterName<L extends LogName> = Exclude<keyof FilterQuery<L>, "since" | "until" | "tz" | "q">;

/** The names of all filters of a log. A filter that the API adds or removes is a type error here. */
function names<L extends LogName>(filters: Record<FilterName<L>, true>): readonly string[] {
  return Object.keys(filters);
}

/** The filters of each log. They are not part of the log's definition, so that the router does not load it. */
export const LOG_FILTERS: Record<LogName, readonly string[]> = {
  access: names<"access">({
    event_type: true,
    status: true,
    role: true,
    user_id: true,
    ip_address: true,
    session_id: true,
  }),
  application: names<"application">({
    action: true,
    model: true,
    record_id: true,
    actor_type: true,
    actor_id: true,
    field: true,
  }),
  framework: names<"framework">({
    action: true,
    component: true,
    actor_type: true,
    actor_id: true,
    status: true,
  }),
};
