import { describe, expect, it } from "vitest";
import { KIND_NAMES } from "../src/routes/settings/sources/kinds";
import { snippets } from "../src/routes/settings/sources/sender-config";

const sender = {
  origin: "https://logbook.test",
  workspace: "clinic",
  source: "door",
  key: "lbk_key",
  signed: false,
};
const textOf = (kind: (typeof KIND_NAMES)[number], changes: Partial<typeof sender> = {}) =>
  snippets(kind, { ...sender, ...changes })
    .map(({ title, text, note = "" }) => [title, text, note].join("\n"))
    .join("\n\n");

describe("the configuration of a sender", () => {
  it.each(KIND_NAMES)("of %s has the address and the key", (kind) => {
    expect(textOf(kind)).toContain("lbk_key");
    expect(textOf(kind)).toContain("logbook.test");
  });

  it("has no time and no id that would be the same a second time", () => {
    for (const kind of KIND_NAMES) {
      const text = textOf(kind);
      expect(text, kind).not.toMatch(/\b1[0-9]{9,}\b|\b20\d\d-\d\d-\d\d/);
      expect(text, kind).not.toMatch(/"(?:_document_)?id": "\d+", "(?:time|action|source)/);
    }
  });

  it("of a source with a secret is signed, in the header of its kind, and has no key", () => {
    for (const [kind, header] of [
      ["keycloak", '-H "X-Keycloak-Signature: $signature"'],
      ["github", '-H "X-Hub-Signature-256: sha256=$signature"'],
    ] as const) {
      const signed = textOf(kind, { signed: true });
      expect(signed).toContain(header);
      expect(signed).not.toContain("lbk_key");
      expect(textOf(kind)).not.toContain(header);
      expect(textOf(kind)).toContain("-H 'Authorization: Bearer lbk_key'");
    }
  });

  it("says that Keycloak's sender needs a secret", () => {
    expect(textOf("keycloak")).toContain("set a secret in the settings of this source first");
    expect(textOf("keycloak", { signed: true })).toContain("a key is not needed");
  });
});
