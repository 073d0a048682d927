import { describe, expect, it } from "vitest";
import type { LogEvent } from "../src/api/types";
import { curlOfList, tableOf, withFixedTimes } from "../src/logs/copy";

const NOW = Date.parse("2026-11-26T12:00:00Z");

describe("what is copied", () => {
  it("is a command that quotes what people typed", () => {
    const curl = curlOfList("clinic", "access", { range: "24h", q: "it's", role: ["Nurse"] }, NOW);
    expect(curl).toContain("/api/v1/workspaces/clinic/logs/access?since=2026-11-25T12%3A00%3A00.000Z");
    expect(curl).toContain("until=2026-11-26T12%3A00%3A00.000Z");
    expect(curl).toContain("q=it%27s&role=Nurse");
    expect(curl).toContain('"Authorization: Bearer $TOKEN"');
  });

  it("is a link that shows the same later", () => {
    expect(withFixedTimes({ range: "1h", role: ["Nurse"] }, NOW)).toEqual({
      since: "2026-11-26T11:00:00.000Z",
      until: "2026-11-26T12:00:00.000Z",
      role: ["Nurse"],
    });
    expect(withFixedTimes({ since: "2026-11-01" }, NOW)).toEqual({ since: "2026-11-01" });
  });

  it("is a table without empty fields", () => {
    const event = { id: "01", role: null, metadata: {}, note: "a|b\nc", changes: [{ field: "x" }] };
    expect(tableOf(event as unknown as LogEvent, "Asha Rao changed x").split("\n")).toEqual([
      "**Asha Rao changed x**",
      "",
      "| Field | Value |",
      "| --- | --- |",
      "| id | 01 |",
      "| note | a\\|b c |",
      '| changes | [{"field":"x"}] |',
    ]);
  });
});
