/** The values at one path inside the metadata. */
export interface MetadataEntry {
  /** The keys, joined by dots, as in the API's filter `metadata.<path>`. */
  path: string;
  /** The items of an array, or the only value. */
  values: readonly unknown[];
  /** JSON pointer into the event. */
  pointer: string;
}

/** The values inside an object, in the order of its keys. The items of an array have the array's path. */
export function flatten(
  metadata: Readonly<Record<string, unknown>>,
  path = "",
  pointer = "/metadata",
): MetadataEntry[] {
  return Object.entries(metadata).flatMap(([key, value]) => {
    const here = path ? `${path}.${key}` : key;
    const herePointer = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (isObject(value) && Object.keys(value).length > 0) return flatten(value, here, herePointer);
    return [
      { path: here, pointer: herePointer, values: Array.isArray(value) ? (value as unknown[]) : [value] },
    ];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Longer values are for reading. */
const MAX_FILTER_LENGTH = 200;

/** How a filter writes a value: strings as they are, numbers and booleans as JSON does. Null if it cannot. */
export function filterText(value: unknown): string | null {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value !== "" && value.length <= MAX_FILTER_LENGTH ? value : null;
}

/** Whether a JSON pointer leads to a value or to something around it. */
export function covers(pointer: string, value: string): boolean {
  return value === pointer || value.startsWith(`${pointer}/`);
}
