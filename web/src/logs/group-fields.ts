const MOST_FIELDS = 2;
const FIELD = /^[a-z_]{1,40}$/;
/** The API takes paths of 255 bytes. */
const METADATA_FIELD = /^metadata\..{1,255}$/u;

/** A path of the metadata may have a comma in it, which separates the fields. */
const escape = (field: string) => field.replaceAll("%", "%25").replaceAll(",", "%2C");
const unescape = (text: string) => text.replaceAll("%2C", ",").replaceAll("%25", "%");

/** The fields of the query string: "user_id,metadata.request.region". */
export function parseGroup(text: string | undefined): string[] {
  const fields = (text ?? "")
    .split(",")
    .map(unescape)
    .filter((field) => FIELD.test(field) || METADATA_FIELD.test(field));
  return [...new Set(fields)].slice(0, MOST_FIELDS);
}

export function groupText(fields: readonly string[]): string {
  return [...new Set(fields.filter((field) => field !== ""))].map(escape).join(",");
}
