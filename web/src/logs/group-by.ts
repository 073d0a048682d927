import type { TopField } from "./definition";
import { groupText, parseGroup } from "./group-fields";
import { type LogSearch, addFilter, dropEmpty, excluding } from "./search";

const METADATA = "metadata.";

/** Those fields by which the log can be grouped: some of its own, and every path of the metadata. */
export function groupFields(search: LogSearch, known: readonly TopField[]): TopField[] {
  return parseGroup(search.group).flatMap((name) =>
    name.startsWith(METADATA)
      ? { field: name, title: name.slice(METADATA.length) }
      : (known.find(({ field }) => field === name) ?? []),
  );
}

export function metadataField(path: string): string {
  return METADATA + path;
}

export function withGroup(search: LogSearch, fields: readonly string[]): LogSearch {
  return dropEmpty({ ...search, group: groupText(fields) || undefined });
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
