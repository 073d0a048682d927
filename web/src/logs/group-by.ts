import type { TopField } from "./definition";
import { parseGroup } from "./group-fields";
import { type LogSearch, addFilter, dropEmpty, excluding } from "./search";

/** Those fields by which the log can be grouped. */
export function groupFields(search: LogSearch, known: readonly TopField[]): TopField[] {
  return parseGroup(search.group).flatMap((name) => known.find(({ field }) => field === name) ?? []);
}

export function withGroup(search: LogSearch, fields: readonly string[]): LogSearch {
  const group = [...new Set(fields.filter((field) => field !== ""))].join(",");
  return dropEmpty({ ...search, group: group || undefined });
}

/** The filter of a field. Null for a field that is none. */
export function filterOf({ field, filter = field }: TopField): string | null {
  return filter;
}

/** Filters by all values of a group. */
export function withGroupValues(
  search: LogSearch,
  fields: readonly TopField[],
  values: readonly string[],
): LogSearch {
  return fields.reduce((next, field, index) => {
    const [param, value] = [filterOf(field), values[index]];
    return param === null || value === undefined ? next : addFilter(next, param, value);
  }, search);
}

export function withoutValue(search: LogSearch, field: TopField, value: string): LogSearch {
  const param = filterOf(field);
  return param === null ? search : addFilter(search, excluding(param), value);
}
