const MOST_FIELDS = 2;
const FIELD = /^[a-z_]{1,40}$/;

/** The fields of the query string: "user_id,ip_address". */
export function parseGroup(text: string | undefined): string[] {
  const fields = (text ?? "").split(",").filter((field) => FIELD.test(field));
  return [...new Set(fields)].slice(0, MOST_FIELDS);
}
