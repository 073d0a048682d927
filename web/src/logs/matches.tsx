import type { Change } from "../api/types";
import styles from "./cells.module.css";
import { useLog } from "./context";
import { humanize } from "./definition";
import { flatten } from "./metadata";

/** Characters shown before what was found. */
const BEFORE = 16;

/** Like the server: upper and lower case, full-width and usual letters are the same. */
function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** Where the search is in a text, or -1. Where folding changes the length, the place cannot be told. */
function placeOf(text: string, q: string): number {
  const here = folded(text);
  return here.length === text.length ? here.indexOf(folded(q)) : -1;
}

/** A text with the words of the search marked in it. */
export function Marked({ text }: { text: string }) {
  const { q } = useLog().search;
  const at = q ? placeOf(text, q) : -1;
  if (!q || at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <mark className={styles.mark}>{text.slice(at, at + folded(q).length)}</mark>
      {text.slice(at + folded(q).length)}
    </>
  );
}

interface Place {
  label: string;
  text: string;
}

/** Everything of an event that a search looks at: first what its row rarely shows, then the rest. */
function* placesOf(event: object): Generator<Place> {
  const {
    changes = [],
    metadata,
    ...rest
  } = event as { changes?: readonly Change[]; metadata?: Record<string, unknown> };
  for (const change of changes) {
    const { field, label, ...values } = change as Change & Record<string, unknown> & { label?: string };
    for (const text of [field, label, ...textsOf(values)]) {
      if (text) yield { label: label ?? field, text };
    }
  }
  for (const { path, values } of flatten(metadata ?? {})) {
    yield { label: path, text: path };
    for (const value of values) for (const text of textsOf(value)) yield { label: path, text };
  }
  const last = ["actor", "user", "model", "record_id", "record_name", "component", "event_type", "action"];
  const order = Object.keys(rest).sort((a, b) => Number(last.includes(a)) - Number(last.includes(b)));
  for (const name of order) {
    for (const text of textsOf(rest[name as keyof typeof rest])) yield { label: humanize(name), text };
  }
}

function* textsOf(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "number" || typeof value === "boolean") yield String(value);
  else if (Array.isArray(value)) for (const item of value as unknown[]) yield* textsOf(item);
  else if (value) for (const item of Object.values(value)) yield* textsOf(item);
}

/** Where the search found an event, for a row that may not show it. */
export function FoundIn({ event }: { event: object }) {
  const { q } = useLog().search;
  if (!q) return null;
  for (const { label, text } of placesOf(event)) {
    if (!folded(text).includes(folded(q))) continue;
    const at = Math.max(0, placeOf(text, q) - BEFORE);
    return (
      <span title={`${label}: ${text}`}>
        <span className={styles.foundIn}>{label}: </span>
        {at > 0 && "…"}
        <Marked text={text.slice(at)} />
      </span>
    );
  }
  return null;
}
