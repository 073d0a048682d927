/** A rejected record as it was sent. */
export interface Sent {
  bytes: Uint8Array<ArrayBuffer>;
  /** Null where the bytes are no UTF-8. */
  text: string | null;
}

export interface Shown {
  text: string;
  /** False: there is more than fits. */
  whole: boolean;
}

export function decodeRecord(base64: string): Sent {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  try {
    // A byte order mark was sent, too.
    return { bytes, text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { bytes, text: null };
  }
}

/** The beginning of a text. A character of two halves is not cut. */
export function beginning(text: string, most: number): Shown {
  if (text.length <= most) return { text, whole: true };
  const last = text.charCodeAt(most - 1);
  const isHalf = last >= 0xd800 && last < 0xdc00;
  return { text: text.slice(0, isHalf ? most - 1 : most), whole: false };
}

const ROW = 16;

/** Bytes in hexadecimal, sixteen in a row. `most` is a number of characters. */
export function hexadecimal(bytes: Uint8Array, most: number): Shown {
  const count = Math.min(bytes.length, Math.floor(most / 3));
  const rows: string[] = [];
  for (let at = 0; at < count; at += ROW) {
    const row = [...bytes.slice(at, Math.min(at + ROW, count))];
    rows.push(row.map((byte) => byte.toString(16).padStart(2, "0")).join(" "));
  }
  return { text: rows.join("\n"), whole: count === bytes.length };
}

/** Whether indentation helps: the text begins as an object or a list of JSON does. */
export function looksLikeJson(text: string): boolean {
  return /^\uFEFF?[ \t\r\n]*[{[]/.test(text);
}

/** Deeper levels stay as they were sent: indentation would multiply their length. */
const DEEPEST = 16;
const NO_SPACE = /[^ \t\r\n]/g;
const NO_WORD = /[ \t\r\n"{}[\],:]/g;
const IN_STRING = /["\\]/g;

/**
 * JSON with a line for each member. Only whitespace outside strings changes: numbers, names and escapes stay as they
 * were sent, and a text that is no JSON keeps all that it has.
 */
export function indented(text: string, most: number): Shown {
  let shown = "";
  let depth = 0;
  let before = "";
  let at = 0;
  while (at < text.length && shown.length <= most) {
    const start = find(NO_SPACE, text, at);
    const end = tokenEnd(text, start);
    const token = text.slice(start, end);
    shown += between(before, token, depth, text.slice(at, start)) + token;
    if (opens(token)) depth += 1;
    else if (closes(token)) depth = Math.max(0, depth - 1);
    before = token;
    at = end;
  }
  const cut = beginning(shown, most);
  return { text: cut.text, whole: cut.whole && at >= text.length };
}

const opens = (token: string) => token === "{" || token === "[";
const closes = (token: string) => token === "}" || token === "]";

/** What stands between two tokens. `sent` stood there. */
function between(before: string, token: string, depth: number, sent: string): string {
  if (depth === 0 || depth > DEEPEST) return sent;
  const line = (level: number) => `\n${"  ".repeat(level)}`;
  if (opens(before)) return closes(token) ? "" : line(depth);
  if (closes(token)) return line(depth - 1);
  if (before === ",") return line(depth);
  if (before === ":") return " ";
  // Two words would become one without it.
  return token === "," || token === ":" ? "" : sent;
}

/** The place of the first match, or the end. */
function find(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

function tokenEnd(text: string, start: number): number {
  const first = text.charAt(start);
  if (first !== '"') return Math.max(find(NO_WORD, text, start), Math.min(start + 1, text.length));
  let at = find(IN_STRING, text, start + 1);
  while (text.charAt(at) === "\\") at = find(IN_STRING, text, at + 2);
  return Math.min(at + 1, text.length);
}
