/** What a rejected record says: pretty JSON, a text, or its bytes in hexadecimal. */
export function recordText(base64: string): { text: string; json: boolean } {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { text: hex(bytes), json: false };
  }
  try {
    return { text: JSON.stringify(JSON.parse(text), null, 2), json: true };
  } catch {
    return { text, json: false };
  }
}

const ROW = 16;
/** Bytes that are shown. The export has all of them. */
const MOST = 4096;

function hex(bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, MOST); at += ROW) {
    const row = [...bytes.slice(at, at + ROW)];
    rows.push(row.map((byte) => byte.toString(16).padStart(2, "0")).join(" "));
  }
  if (bytes.length > MOST) rows.push("…");
  return rows.join("\n");
}
