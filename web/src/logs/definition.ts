import type { LogApi } from "../api/logs";
import type { Bucket, Change, LogEvent, LogName } from "../api/types";
import type { Shape, Tone } from "../ui/Status";

/** What a log contributes to the shared view. Plain module constants: a log has no state of its own. */
export interface LogDefinition<L extends LogName, E extends LogEvent, M> {
  name: L;
  title: string;
  /** One sentence under the title where there is room, and on the overview. */
  question: string;
  api: LogApi<L, E, M>;
  /** The list query's own filters, picked by name so that an unknown one is a type error. */
  columns: readonly Column<E>[];
  /** Two lines for narrow screens, where columns do not fit. */
  card: (event: E) => { primary: React.ReactNode; secondary: React.ReactNode };
  filters: readonly Filter<E>[];
  metrics: readonly Metric<M>[];
  chart: Chart;
  /** The heading of an open event: what happened, in a few words. */
  headline: (event: E) => React.ReactNode;
  fields: readonly DetailField<E>[];
  changes?: (event: E) => EventChanges;
  related: (event: E) => RelatedLink[];
  /** A first event to post, for a log that has none. */
  example: object;
}

export interface Column<E> {
  id: string;
  title: string;
  /** A CSS grid track. */
  width: string;
  /** Left out when the table is narrower than this, in pixels. */
  hideBelow?: number;
  cell: (event: E) => React.ReactNode;
}

export interface Filter<E> {
  /** The API's parameter. */
  param: string;
  label: string;
  /** A facet comes with its values and counts, a choice has a few known ones, a text is typed. */
  kind: "facet" | "choice" | "text";
  /** Of a choice. */
  values?: readonly string[];
  placeholder?: string;
  /** How a value reads: "login_failed" is "Failed login". */
  valueLabel?: (value: string) => string;
  /** The value that an event has, with its name, so that a chip can say "Asha Rao" rather than "17". */
  fromEvent?: (event: E) => { value: string | null | undefined; name: string | null | undefined };
}

/** The kinds of actor that the API knows. */
export const ACTOR_TYPES = ["user", "admin", "service", "system"] as const;

export interface Metric<M> {
  title: string;
  value: (metrics: M) => number;
  /** What a click on the card filters by. Without it, the card clears the filter of the others. */
  filter?: { param: string; value: string };
}

export interface Chart {
  by: string;
  /** The stack from the ground up. Values outside it are drawn together as "Other". */
  series: readonly { value: string; label: string; color: string }[];
}

export interface DetailField<E> {
  label: string;
  value: (event: E) => React.ReactNode;
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

/** The stack's layers, plus one for every value that the log's own list does not name. */
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

/** "app_updated" → "App updated". */
export function humanize(value: string): string {
  const words = value.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export interface Mark {
  tone: Tone;
  shape: Shape;
}

export function statusMark(status: string): Mark {
  if (status === "success") return { tone: "good", shape: "disc" };
  if (status === "failure") return { tone: "bad", shape: "cross" };
  return { tone: "neutral", shape: "dot" };
}

export interface EventChanges {
  list: readonly Change[];
  kind: "create" | "update" | "delete";
  /** The filter for events that changed a field, where the log has one. */
  fieldParam?: string;
}
