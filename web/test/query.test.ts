import { describe, expect, it } from "vitest";
import { serializeQuery } from "../src/api/client";
import { filterQuery } from "../src/logs/use-log-data";

describe("the query of a request", () => {
  it("has one pair for each value, and none for what is not set", () => {
    expect(serializeQuery({ status: ["failure", "denied"], limit: 50, q: undefined, cursor: null })).toBe(
      "status=failure&status=denied&limit=50",
    );
  });

  it("names metadata paths as they are, and encodes names as well as values", () => {
    const search = { "metadata.request.region": ["eu"], "not_metadata.a&b=c": ["ü &"], not_role: ["Nurse"] };
    const query = serializeQuery(filterQuery(search, 0));
    expect(query).toBe("metadata.request.region=eu&not_metadata.a%26b%3Dc=%C3%BC+%26&not_role=Nurse");
    expect([...new URLSearchParams(query)]).toEqual([
      ["metadata.request.region", "eu"],
      ["not_metadata.a&b=c", "ü &"],
      ["not_role", "Nurse"],
    ]);
  });
});
