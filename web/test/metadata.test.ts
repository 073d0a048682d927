import { describe, expect, it } from "vitest";
import { covers, filterText, flatten } from "../src/logs/metadata";

describe("metadata", () => {
  it("is a list of paths with their values", () => {
    const metadata = {
      request: { region: "eu", retries: 2 },
      tags: ["vip", "night"],
      empty: {},
      "a/b": null,
    };
    expect(flatten(metadata)).toEqual([
      { path: "request.region", pointer: "/metadata/request/region", values: ["eu"] },
      { path: "request.retries", pointer: "/metadata/request/retries", values: [2] },
      { path: "tags", pointer: "/metadata/tags", values: ["vip", "night"] },
      { path: "empty", pointer: "/metadata/empty", values: [{}] },
      { path: "a/b", pointer: "/metadata/a~1b", values: [null] },
    ]);
  });

  it("has filters for values that the API can compare", () => {
    expect(["eu", 2, false, 0].map(filterText)).toEqual(["eu", "2", "false", "0"]);
    expect([null, "", {}, ["a"], "x".repeat(201)].map(filterText)).toEqual([null, null, null, null, null]);
  });

  it("tells a pointer's value from one whose name only begins alike", () => {
    expect(covers("/metadata/token", "/metadata/token/0")).toBe(true);
    expect(covers("/metadata/token", "/metadata/tokens")).toBe(false);
  });
});
