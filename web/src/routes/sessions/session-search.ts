import type { Preset } from "../../logs/range";
import { readSearch } from "../../logs/search";

/** The query string of the list of sessions. */
export interface SessionSearch {
  range?: Preset;
  since?: string;
  until?: string;
  user_id?: string;
  ip_address?: string;
  session_id?: string;
  /** Oldest first; otherwise newest first. */
  order?: "asc";
}

const TEXTS = ["user_id", "ip_address", "session_id"] as const;

/** Ignores what is not valid, as the pages of the logs do. */
export function readSessionSearch(raw: Record<string, unknown>): SessionSearch {
  const { range, since, until } = readSearch(raw, []);
  const search: SessionSearch = { ...(range && { range }), ...(since && { since }), ...(until && { until }) };
  if (raw.order === "asc") search.order = "asc";
  for (const name of TEXTS) {
    const value: unknown = Array.isArray(raw[name]) ? (raw[name] as unknown[])[0] : raw[name];
    if (typeof value === "string" && value !== "" && value.length <= 255) search[name] = value;
  }
  return search;
}
