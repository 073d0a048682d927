import { describe, expect, it } from "vitest";
import { readRecordSearch, recordLink, recordOf } from "../src/logs/record-link";

describe("the link to a record", () => {
  it.each([
    ["patient", "92"],
    ["app:patient", "a b%c"],
    ["app/patient", "2026/92"],
    ["back\\slash", "."],
    ["Ärzte", "v1.2"],
    ["-", "-"],
  ])("leads back to %s %s", (model, id) => {
    const { params, search } = recordLink("clinic", { model, id }, { at: "1" });
    expect(recordOf(params, readRecordSearch(search))).toEqual({ model, id });
    expect(`${params.model}${params.recordId}`).not.toMatch(/[/\\.]/);
    expect(search.at).toBe("1");
  });
});
