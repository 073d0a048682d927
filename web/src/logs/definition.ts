import type { LogApi } from "../api/logs";
import type { Bucket, Change, LogEvent, LogName, SuggestField, Suggestion } from "../api/types";
import type { Shape, Tone } from "../ui/Status";

/** What the table needs of an event. */
export interface ListedEvent {
  id: string;
  occurred_at: string;
  status: string;
  session_id?: string | null;
}

/** Everything in which a log differs from the others. It is a constant: a log has no state of its own. */
export interface LogDefinition<L extends LogName, E extends LogEvent, M> {
  name: L;
  title: string;
  /** The question that the log answers, shown on the overview. */
  question: string;
  api: LogApi<L, E, M>;
  columns: readonly Column<E>[];
  /** Two lines for narrow screens, where the columns do not fit, and for the overview. */
  card: (event: E) => { primary: React.ReactNode; secondary: React.ReactNode };
  filters: readonly Filter<E>[];
  metrics: readonly Metric<M>[];
  chart: Chart;
  /** The fields whose most frequent values are worth a list, the most telling first. */
  top: readonly TopField[];
  /** The heading of an open event: what happened, in brief. */
  headline: (event: E) => string;
  fields: readonly DetailField<E>[];
  changes?: (event: E) => EventChanges;
  related: (event: E) => RelatedLink[];
  /** An event to send to an empty log. The activity log has none: Logbook alone writes it. */
  example?: object;
}

export interface Column<E> {
  id: string;
  title: string;
  /** A CSS grid track. */
  width: string;
  /** The column is hidden when the table is narrower than this, in pixels. */
  hideBelow?: number;
  cell: (event: E) => React.ReactNode;
}

export interface Filter<E> {
  /** The API's parameter. Each has an exclusion, `not_<param>`. */
  param: string;
  label: string;
  /**
   * The server sends the values and counts of a facet, a choice has a few fixed values, and a text is typed. The
   * metadata has a parameter for each path. A change is a field and the value that it was changed to.
   */
  kind: "facet" | "choice" | "text" | "metadata" | "change";
  /** The values of a choice. */
  values?: readonly string[];
  placeholder?: string;
  /** What may be typed by name: the server suggests those that it has seen. */
  suggest?: { field: SuggestField; valueOf: (suggestion: Suggestion) => string };
  /** Of a metadata filter its paths, of a change the fields: what may stand before the value. */
  suggestPart?: PartSuggestions;
  /** Only the server knows which values are valid, and is asked before the filter is set. */
  check?: boolean;
  /** The text of a value: "login_failed" is shown as "Failed login". */
  valueLabel?: (value: string) => string;
  /** An event's values for this filter and their names, so that a chip can show "Asha Rao" instead of "17". */
  fromEvent?: (event: E) => readonly NamedValue[];
}

export interface PartSuggestions {
  key: string;
  find: (workspace: string, q: string, signal: AbortSignal) => Promise<readonly Suggestion[]>;
  /** They are the same whatever is typed. */
  fixed?: boolean;
}

export interface NamedValue {
  value: string | null | undefined;
  name: string | null | undefined;
  /** What stands behind the name in parentheses, if it is not the value. */
  id?: string;
}

/** The actor types that the API knows. */
export const ACTOR_TYPES = ["user", "admin", "service", "agent", "system"] as const;

export interface Metric<M> {
  title: string;
  value: (metrics: M) => number;
  /** The filter that a click on the card sets. A card without one clears the filters of the others. */
  filter?: { param: string; value: string };
  /** More of it is a reason to look. */
  isBad?: boolean;
}

export interface TopField {
  /** The field of the API's `top`, which is a filter as well unless `filter` says another one, or none. */
  field: string;
  title: string;
  filter?: string | null;
  valueLabel?: (value: string) => string;
}

export interface Chart {
  by: string;
  /** The layers of the stack, the lowest first. All other values together are drawn as "Other". */
  series: readonly { value: string; label: string; color: string }[];
}

export interface DetailField<E> {
  label: string;
  value: (event: E) => React.ReactNode;
  /** Hides the field from events that never have it, instead of showing that it is empty. */
  when?: (event: E) => boolean;
}

export interface RelatedLink {
  label: string;
  log: LogName;
  search: Record<string, string | string[]>;
}

export interface Series {
  value: string;
  label: string;
  color: string;
  counts: number[];
}

/** The layers of the stack, and one more for the events of all other values. */
export function seriesOf(chart: Chart, buckets: readonly Bucket[]): Series[] {
  const named = chart.series.map((series) => ({
    ...series,
    counts: buckets.map((bucket) => bucket.counts[series.value] ?? 0),
  }));
  const rest = buckets.map(
    (bucket, index) => bucket.total - named.reduce((sum, series) => sum + (series.counts[index] ?? 0), 0),
  );
  if (rest.every((count) => count <= 0)) return named;
  return [...named, { value: "", label: "Other", color: "--chart-rest", counts: rest }];
}

const ACRONYMS = new Set(["api", "id", "ip", "url", "otp", "sso", "mfa", "oidc", "csv", "json"]);

/** "app_updated" → "App updated", "api_key_created" → "API key created". */
export function humanize(value: string): string {
  const words = value.split("_").map((word) => (ACRONYMS.has(word) ? word.toUpperCase() : word));
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export interface Mark {
  tone: Tone;
  shape: Shape;
}

export function statusMark(status: string): Mark {
  // Most events are successes, so these have no colour.
  if (status === "success") return { tone: "neutral", shape: "tick" };
  if (status === "failure") return { tone: "bad", shape: "cross" };
  if (status === "denied") return { tone: "warn", shape: "ban" };
  return { tone: "neutral", shape: "dot" };
}

export interface EventChanges {
  list: readonly Change[];
  kind: "create" | "update" | "delete";
  /** The parameter that filters by changed field, if the log has one. */
  fieldParam?: string;
}
