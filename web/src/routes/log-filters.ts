import type { FilterQuery, LogName } from "../api/types";

type FilterName<L extends LogName> = Exclude<keyof FilterQuery<L>, "since" | "until" | "tz" | "q">;

/** Names every filter exactly once: one that the API gains or loses is a type error here. */
function names<L extends LogName>(filters: Record<FilterName<L>, true>): readonly string[] {
  return Object.keys(filters);
}

/** What each log's address may hold. Apart from the logs themselves, so that the router does not load them. */
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
