import { describe, expect, it } from "vitest";
import {
  beginning,
  decodeRecord,
  hexadecimal,
  indented,
  looksLikeJson,
} from "../src/routes/settings/sources/record-text";

const MANY = 1_000_000;
const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64");
const indent = (text: string) => indented(text, MANY).text;

describe("a record in quarantine", () => {
  it("is the text that was sent, character by character", () => {
    for (const sent of [
      "",
      "no JSON",
      "\uFEFF{}",
      "\u0000\u0007",
      "李雷 👩‍⚕️",
      '{"id":12345678901234567890,"id":1e400}',
    ])
      expect(decodeRecord(base64(sent)).text).toBe(sent);
  });

  it("is shown as bytes where it is no text", () => {
    const { bytes, text } = decodeRecord(base64(Uint8Array.from([0xff, 0x00, 0x41])));
    expect(text).toBeNull();
    expect(hexadecimal(bytes, MANY)).toEqual({ text: "ff 00 41", whole: true });
    const long = hexadecimal(new Uint8Array(100), 60);
    expect(long).toEqual({ text: `${"00 ".repeat(16).trim()}\n00 00 00 00`, whole: false });
  });

  it("is not cut inside a character", () => {
    expect(beginning("a👩b", 2)).toEqual({ text: "a", whole: false });
    expect(beginning("a👩b", 3)).toEqual({ text: "a👩", whole: false });
    expect(beginning("a👩b", 4)).toEqual({ text: "a👩b", whole: true });
  });
});

describe("the indentation of a record", () => {
  it("gives each member a line", () => {
    expect(indent('{"a":[1,{"b":null}], "c" : {} ,"d":[ ]}')).toBe(
      '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ],\n  "c": {},\n  "d": []\n}',
    );
  });

  it("keeps numbers, names and escapes as they were sent", () => {
    const sent = '{"n":12345678901234567890,"n":1.10,"e":"\\u00e9\\/ { [ , : \\" \\\\","x":-0,"y":1E400}';
    expect(indent(sent)).toBe(
      '{\n  "n": 12345678901234567890,\n  "n": 1.10,\n  "e": "\\u00e9\\/ { [ , : \\" \\\\",\n  "x": -0,\n  "y": 1E400\n}',
    );
  });

  it("changes nothing but whitespace, whatever was sent", () => {
    const texts = [
      '{"a": 1 2, "b" "c"}',
      "{'single': [tr ue, nul l,]}",
      '{"open": "never closed, [ { ',
      '{"escape at the end": "\\',
      "]]}}{{[[,,::",
      "[1,\u00a02,\u30003]",
      "plain text, with: signs",
      '{"a":1}\n{"b":2}',
      "[".repeat(40) + "1, 2" + "]".repeat(40),
    ];
    // Strings count with their whitespace, everything else without.
    const essence = (text: string) =>
      text.replace(/"(?:[^"\\]|\\[^])*(?:"|\\?$)|[ \t\r\n]+/g, (part) => (part.startsWith('"') ? part : ""));
    for (const text of texts) expect(essence(indent(text)), text).toBe(essence(text));
    expect(indent('{"a": 1 2}')).toContain("1 2");
    expect(indent("plain text, with: signs")).toBe("plain text, with: signs");
  });

  it("is bounded, however deep a record is", () => {
    const deep = "[".repeat(100_000);
    const { text, whole } = indented(deep, MANY);
    expect(whole).toBe(true);
    expect(text.length).toBeLessThan(101_000);
    expect(text.replace(/\s/g, "")).toBe(deep);
    const wide = `${"[".repeat(16)}${"1,".repeat(100_000)}`;
    expect(indented(wide, 10_000).text.length).toBeLessThanOrEqual(10_000);
    expect(indented(wide, 10_000).whole).toBe(false);
  });

  it("is offered for objects and lists alone", () => {
    expect([' {"a"', "\uFEFF[", '"a"', "time=1 [x]", "1"].map(looksLikeJson)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
