/** A message of a stream of Server-Sent Events. One without data only says how far the stream is. */
export interface SseMessage {
  id: string | null;
  data: string | null;
}

/** A line that is longer belongs to no event of Logbook. */
const LONGEST = 8_000_000;
const LINE_END = /[\r\n]/g;

/** Puts messages together from text that may be cut anywhere. Event types are ignored: the tail has only one. */
export class SseParser {
  #rest = "";
  #id: string | null = null;
  #data: string[] = [];
  #retry: number | null = null;
  #first = true;

  /** How long the server wants a client to wait before it comes back, in milliseconds. */
  get retry(): number | null {
    return this.#retry;
  }

  /** The messages that are complete with this text. */
  feed(text: string): SseMessage[] {
    if (this.#first && text !== "") {
      this.#first = false;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    this.#rest += text;
    const messages: SseMessage[] = [];
    let start = 0;
    for (;;) {
      LINE_END.lastIndex = start;
      const at = LINE_END.exec(this.#rest)?.index;
      if (at === undefined) break;
      const isReturn = this.#rest[at] === "\r";
      // The other half of the line's end may be in the next piece.
      if (isReturn && at + 1 === this.#rest.length) break;
      const message = this.#line(this.#rest.slice(start, at));
      if (message) messages.push(message);
      start = at + (isReturn && this.#rest[at + 1] === "\n" ? 2 : 1);
    }
    this.#rest = this.#rest.slice(start);
    if (this.#rest.length > LONGEST) throw new Error("a line of the stream is too long");
    return messages;
  }

  #line(line: string): SseMessage | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.#retry = Number(value);
    return null;
  }

  #dispatch(): SseMessage | null {
    const data = this.#data.length > 0 ? this.#data.join("\n") : null;
    const message = data === null && this.#id === null ? null : { id: this.#id, data };
    this.#data = [];
    this.#id = null;
    return message;
  }
}
