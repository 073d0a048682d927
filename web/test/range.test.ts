import { describe, expect, it } from "vitest";
import {
  describeRange,
  momentInstant,
  parseRangeInput,
  resolveRange,
  spanToRange,
  toRangeInput,
} from "../src/logs/range";

const clock = { zone: "Asia/Kolkata", format: "dd/mm/yyyy" as const };
const berlin = { zone: "Europe/Berlin", format: "dd/mm/yyyy" as const };
const input = (fromDate = "", toDate = "", fromTime = "", toTime = "") => ({
  fromDate,
  fromTime,
  toDate,
  toTime,
});

describe("a typed range", () => {
  it("includes its last day: `until` is the day after", () => {
    expect(parseRangeInput(input("01/11/2026", "05/11/2026"), clock)).toEqual({
      range: { since: "2026-11-01", until: "2026-11-06" },
    });
    expect(parseRangeInput(input("31/12/2026", "31/12/2026"), clock)).toEqual({
      range: { since: "2026-12-31", until: "2027-01-01" },
    });
  });

  it("reads times in the workspace's zone and includes the last minute", () => {
    expect(parseRangeInput(input("01/11/2026", "01/11/2026", "09:00", "17:30"), clock)).toEqual({
      range: { since: "2026-11-01T03:30:00Z", until: "2026-11-01T12:01:00Z" },
    });
    expect(parseRangeInput(input("", "01/11/2026", "", "17:30:15"), clock)).toEqual({
      range: { until: "2026-11-01T12:00:16Z" },
    });
  });

  it("may be open at either end", () => {
    expect(parseRangeInput(input("01/11/2026"), clock)).toEqual({ range: { since: "2026-11-01" } });
    expect(parseRangeInput(input(), clock)).toEqual({ range: {} });
  });

  it("reports each error at its field", () => {
    expect(parseRangeInput(input("31/02/2026"), clock)).toEqual({
      errors: { fromDate: "Enter a date as dd/mm/yyyy." },
    });
    expect(parseRangeInput(input("01/11/2026", "", "25:00"), clock)).toEqual({
      errors: { fromTime: "Enter a time as hh:mm." },
    });
    expect(parseRangeInput(input("", "", "", "10:00"), clock)).toEqual({
      errors: { toDate: "Enter a date for this time." },
    });
    expect(parseRangeInput(input("05/11/2026", "01/11/2026"), clock)).toEqual({
      errors: { toDate: "The end is before the start." },
    });
  });

  it.each([
    { since: "2026-11-01", until: "2026-11-06" },
    { since: "2026-11-01T03:30:00Z", until: "2026-11-01T12:01:00Z" },
    { since: "2026-11-01T03:30:20Z", until: "2026-11-01T12:00:16Z" },
    { since: "2026-11-01" },
    {},
  ])("stays the same when it is shown and parsed again: %o", (range) => {
    expect(parseRangeInput(toRangeInput(range, clock), clock)).toEqual({ range });
  });
});

describe("a range", () => {
  it("resolves presets relative to the given time", () => {
    const now = Date.parse("2026-11-23T12:00:00Z");
    expect(resolveRange({ range: "24h" }, now)).toEqual({ since: "2026-11-22T12:00:00.000Z" });
    expect(resolveRange({}, now)).toEqual({});
  });

  it("reads bare dates as midnight in the zone, also when clocks change", () => {
    expect(momentInstant("2026-11-01", clock.zone)).toBe(Date.parse("2026-10-31T18:30:00Z"));
    expect(momentInstant("2026-10-25", berlin.zone)).toBe(Date.parse("2026-10-24T22:00:00Z"));
    expect(momentInstant("2026-10-26", berlin.zone)).toBe(Date.parse("2026-10-25T23:00:00Z"));
  });

  it("writes selected whole days as dates and other spans as timestamps", () => {
    const start = momentInstant("2026-10-25", berlin.zone);
    const end = momentInstant("2026-10-26", berlin.zone);
    expect(spanToRange(start, end, berlin.zone)).toEqual({ since: "2026-10-25", until: "2026-10-26" });
    expect(spanToRange(start + 900_000, end, berlin.zone).since).toBe("2026-10-24T22:15:00Z");
  });

  it("is described by its last day, not by the day after", () => {
    expect(describeRange({ since: "2026-11-01", until: "2026-11-06" }, clock)).toBe(
      "01/11/2026 – 05/11/2026",
    );
    expect(describeRange({ since: "2026-11-01", until: "2026-11-02" }, clock)).toBe("01/11/2026");
    expect(describeRange({ range: "7d" }, clock)).toBe("Last 7 days");
    expect(describeRange({}, clock)).toBe("All time");
  });
});
