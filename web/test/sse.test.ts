import { describe, expect, it } from "vitest";
import { SseParser } from "../src/api/sse";

function parse(pieces: readonly string[]) {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.feed(piece));
}

const STREAM = 'retry: 1000\nid: 41\n\nid: 42\ndata: {"a":1}\n\n:\nid: 43\n\n';
const MESSAGES = [
  { id: "41", data: null },
  { id: "42", data: '{"a":1}' },
  { id: "43", data: null },
];

describe("a stream of events", () => {
  it("is the same however it is cut", () => {
    expect(parse([STREAM])).toEqual(MESSAGES);
    for (let at = 1; at < STREAM.length; at += 1) {
      expect(parse([STREAM.slice(0, at), STREAM.slice(at)])).toEqual(MESSAGES);
    }
    expect(parse([...STREAM])).toEqual(MESSAGES);
  });

  it("may end its lines in three ways", () => {
    for (const end of ["\r\n", "\r", "\n"]) {
      // After a lone return, only what follows shows that the line has ended.
      const stream = STREAM.replaceAll("\n", end) + ":";
      expect(parse([stream])).toEqual(MESSAGES);
      expect(parse([...stream])).toEqual(MESSAGES);
    }
  });

  it("ignores comments, types and unknown fields, and a mark at its start", () => {
    expect(parse(["\uFEFF: hello\nevent: x\nsomething: else\nid:7\ndata:y\n\n: bye\n\n"])).toEqual([
      { id: "7", data: "y" },
    ]);
  });

  it("joins the lines of data", () => {
    expect(parse(["data: one\ndata\ndata:  three\n\n"])).toEqual([{ id: null, data: "one\n\n three" }]);
  });

  it("keeps back what is not complete", () => {
    const parser = new SseParser();
    expect(parser.feed("id: 1\ndata: x\n")).toEqual([]);
    expect(parser.feed("\n")).toEqual([{ id: "1", data: "x" }]);
  });

  it("says how long to wait, and refuses a line without end", () => {
    const parser = new SseParser();
    parser.feed("retry: 250\nretry: soon\n");
    expect(parser.retry).toBe(250);
    expect(() => parser.feed("x".repeat(8_000_001))).toThrow("too long");
  });
});
