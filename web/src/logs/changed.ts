import { filterText } from "./metadata";

/** The parameter that finds changes by the value that a field was changed to. */
export const CHANGED = "changed";

/** "status:closed", as the filter writes it. Null for what it cannot find: an object, a long text, a field with a colon. */
export function changedValue(field: string, value: unknown): string | null {
  const text = value === null ? "null" : filterText(value);
  return text === null || field === "" || field.includes(":") ? null : `${field}:${text}`;
}

/** The field ends with the first colon. */
export function splitChanged(text: string): { field: string; value: string } {
  const [field = "", ...rest] = text.split(":");
  return { field, value: rest.join(":") };
}
