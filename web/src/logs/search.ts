import { columnsText, parseColumns } from "./columns";
import { groupText, parseGroup } from "./group-fields";
import { PRESETS, type Preset } from "./range";

/**
 * The query string of a log's page. `since` and `until` mean the same as in the API (`until` is exclusive). All
 * keys that are not named here are filters of the log, with the API's names: `role` matches any of its values,
 * `not_role` leaves them out, and `metadata.request.region` looks inside the metadata.
 */
export interface LogSearch {
  range?: Preset;
  since?: string;
  until?: string;
  q?: string;
  order?: "asc";
  event?: string;
  /** Which columns, in which order and how wide (`columns.ts`). */
  columns?: string;
  rows?: "compact";
  /** The most frequent values in place of the events. */
  view?: "top";
  /** The fields by which the top values are grouped: "user_id,ip_address". */
  group?: string;
  /** The period before, beside the one that is shown. */
  compare?: "before";
  [filter: string]: string | string[] | undefined;
}

export type Filters = Record<string, string[]>;

const NOT_FILTERS = new Set([
  "range",
  "since",
  "until",
  "q",
  "order",
  "event",
  "columns",
  "rows",
  "view",
  "compare",
  "group",
]);
/** The API refuses more. */
const MAX_METADATA_PATHS = 20;
const METADATA = /^(not_)?metadata\../;
const MOMENT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

function firstText(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" && first !== "" ? first : undefined;
}

function allTexts(value: unknown): string[] | undefined {
  const all = (Array.isArray(value) ? value : [value]).filter(
    (item): item is string => typeof item === "string" && item !== "",
  );
  return all.length > 0 ? [...new Set(all)] : undefined;
}

function moment(value: unknown): string | undefined {
  const text = firstText(value);
  return text && MOMENT.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined;
}

/** Ignores what is not valid, so that a link that was cut off in an e-mail still opens. */
export function readSearch(raw: Record<string, unknown>, params: readonly string[]): LogSearch {
  const search: LogSearch = {};
  const since = moment(raw.since);
  const until = moment(raw.until);
  const range = firstText(raw.range);
  if (since || until) {
    if (since) search.since = since;
    if (until) search.until = until;
  } else if (range && range in PRESETS) search.range = range as Preset;
  const q = firstText(raw.q);
  if (q) search.q = q.slice(0, 200);
  if (firstText(raw.order) === "asc") search.order = "asc";
  const event = firstText(raw.event);
  if (event) search.event = event;
  const columns = parseColumns(firstText(raw.columns));
  if (columns) search.columns = columnsText(columns);
  if (firstText(raw.rows) === "compact") search.rows = "compact";
  if (firstText(raw.view) === "top") search.view = "top";
  if (firstText(raw.compare) === "before") search.compare = "before";
  const group = groupText(parseGroup(firstText(raw.group)));
  if (group) search.group = group;
  const metadata = Object.keys(raw).filter((key) => METADATA.test(key));
  const known = params.flatMap((param) => [param, excluding(param)]);
  for (const param of [...known, ...metadata.slice(0, MAX_METADATA_PATHS)]) {
    const values = allTexts(raw[param]);
    if (values) search[param] = values;
  }
  return search;
}

/** The parameter that leaves out what `param` matches. */
export function excluding(param: string): string {
  return `not_${param}`;
}

/** "not_role" → role, excluded. No filter of the API begins with "not_" itself. */
export function splitParam(key: string): { param: string; excluded: boolean } {
  const excluded = key.startsWith("not_");
  return { param: excluded ? key.slice(4) : key, excluded };
}

function opposite(key: string): string {
  const { param, excluded } = splitParam(key);
  return excluded ? param : excluding(param);
}

export function filtersOf(search: LogSearch): Filters {
  const filters: Filters = {};
  for (const [param, values] of Object.entries(search)) {
    if (!NOT_FILTERS.has(param) && Array.isArray(values)) filters[param] = values;
  }
  return filters;
}

export function hasFilter(search: LogSearch, param: string, value: string): boolean {
  return search[param]?.includes(value) ?? false;
}

/** Changing a filter closes the open event, which belongs to the previous result. */
export function withFilter(search: LogSearch, param: string, values: string[]): LogSearch {
  const next: LogSearch = { ...search, event: undefined, [param]: values.length > 0 ? values : undefined };
  return dropEmpty(next);
}

/** A value is either matched or left out: adding it to one parameter removes it from the other. */
export function addFilter(search: LogSearch, param: string, value: string): LogSearch {
  const rest = removeFilter(search, opposite(param), value);
  const values = filtersOf(rest)[param] ?? [];
  return withFilter(rest, param, values.includes(value) ? values : [...values, value]);
}

/** From "role is Nurse" to "role is not Nurse", and back. */
export function flipFilter(search: LogSearch, param: string, value: string): LogSearch {
  return addFilter(search, opposite(param), value);
}

export function removeFilter(search: LogSearch, param: string, value: string): LogSearch {
  return withFilter(
    search,
    param,
    (filtersOf(search)[param] ?? []).filter((other) => other !== value),
  );
}

export function toggleFilter(search: LogSearch, param: string, value: string): LogSearch {
  return hasFilter(search, param, value)
    ? removeFilter(search, param, value)
    : addFilter(search, param, value);
}

/** Filters by this value alone, or clears the filter if it already does. A click on a metric card. */
export function chooseFilter(search: LogSearch, param: string, value: string): LogSearch {
  const current = filtersOf(search)[param];
  const next = withFilter(search, excluding(param), []);
  return withFilter(next, param, current?.length === 1 && current[0] === value ? [] : [value]);
}

/** Filters by this value alone. */
export function onlyFilter(search: LogSearch, param: string, value: string): LogSearch {
  return withFilter(withFilter(search, excluding(param), []), param, [value]);
}

/** Clears a filter and its exclusions. */
export function clearFilter(search: LogSearch, param: string): LogSearch {
  return withFilter(withFilter(search, param, []), excluding(param), []);
}

export function clearFilters(search: LogSearch): LogSearch {
  return dropEmpty({
    range: search.range,
    since: search.since,
    until: search.until,
    order: search.order,
    columns: search.columns,
    rows: search.rows,
    view: search.view,
    compare: search.compare,
    group: search.group,
  });
}

/** What is asked, without how it is shown: two searches with the same one have the same answer. */
export function questionOf(search: LogSearch): string {
  const shown = {
    event: undefined,
    columns: undefined,
    rows: undefined,
    view: undefined,
    compare: undefined,
    group: undefined,
  };
  return JSON.stringify({ ...search, ...shown });
}

/** Sets another range, or none. A range is either a preset or a start and an end. */
export function withRange(search: LogSearch, range: Pick<LogSearch, "range" | "since" | "until">): LogSearch {
  return dropEmpty({
    ...search,
    event: undefined,
    range: range.range,
    since: range.since,
    until: range.until,
  });
}

export function dropEmpty(search: LogSearch): LogSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}
