import type { RecordName } from "../api/records";

/** What the page of a record has in its URL beside the path. */
export interface RecordSearch {
  /** The event after which the record is shown. Absent: the latest. */
  at?: string;
  /** The event with which it is compared. */
  from?: string;
  /** Names that cannot be a part of the path, which then has "-". */
  model?: string;
  record_id?: string;
}

/** No path has a slash or a control character in a name, and a last part with a dot is a file. */
const ODD = /[/\\.\p{Cc}]/u;

export function recordLink(slug: string, { model, id }: RecordName, search: RecordSearch = {}) {
  const [oddModel, oddId] = [ODD.test(model), ODD.test(id)];
  return {
    to: "/w/$slug/records/$model/$recordId",
    params: { slug, model: oddModel ? "-" : model, recordId: oddId ? "-" : id },
    search: { ...search, ...(oddModel && { model }), ...(oddId && { record_id: id }) },
  } as const;
}

/** The record that a URL names. */
export function recordOf(params: { model: string; recordId: string }, search: RecordSearch): RecordName {
  return { model: search.model ?? params.model, id: search.record_id ?? params.recordId };
}

export function readRecordSearch(raw: Record<string, unknown>): RecordSearch {
  const text = (name: keyof RecordSearch) =>
    typeof raw[name] === "string" && raw[name] !== "" ? { [name]: raw[name] } : {};
  return { ...text("at"), ...text("from"), ...text("model"), ...text("record_id") };
}
