/** The query string of the timeline: the API's own conditions, and what is open. */
export interface TimelineSearch {
  actor?: string;
  on_behalf_of?: string;
  session_id?: string;
  correlation_id?: string;
  ip_address?: string;
  record?: string;
  around?: string;
  minutes?: number;
  since?: string;
  until?: string;
  q?: string;
  order?: "asc";
  /** "access:<id>": an event and its log. */
  event?: string;
}

export const CONDITIONS = [
  ["actor", "Actor"],
  ["on_behalf_of", "On behalf of"],
  ["session_id", "Session"],
  ["correlation_id", "Correlation ID"],
  ["ip_address", "IP address"],
  ["record", "Record"],
  ["around", "Around the event"],
] as const;

const TEXTS = [...CONDITIONS.map(([name]) => name), "since", "until", "q", "event"] as const;
const MOST_MINUTES = 1440;

interface Named {
  type?: string | null;
  id?: string | null;
  name?: string | null;
}

type Naming = readonly { actor: Named | null; target: Named | null }[];

/** The name of "user:17", if the events know it. */
export function knownName(text: string, events: Naming): string | null {
  for (const event of events) {
    for (const known of [event.actor, event.target]) {
      if (known?.name && `${known.type}:${known.id}` === text) return known.name;
    }
  }
  return null;
}

/** The conditions in words, with the names that the events know. */
export function timelineName(search: TimelineSearch, events: Naming): string {
  const words = CONDITIONS.flatMap(([name, label]) => {
    const value = search[name];
    return value ? [knownName(value, events) ?? `${label} ${value}`] : [];
  });
  if (search.q) words.push(`“${search.q}”`);
  return words.length > 0 ? words.join(", ") : "Everything";
}

/** Ignores what is not valid, as the pages of the logs do. */
export function readTimelineSearch(raw: Record<string, unknown>): TimelineSearch {
  const search: TimelineSearch = {};
  for (const name of TEXTS) {
    const value = Array.isArray(raw[name]) ? (raw[name] as unknown[])[0] : raw[name];
    if (typeof value === "string" && value !== "") search[name] = value;
  }
  const minutes = Number(raw.minutes);
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= MOST_MINUTES) search.minutes = minutes;
  if (raw.order === "asc") search.order = "asc";
  return search;
}
