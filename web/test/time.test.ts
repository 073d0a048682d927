import { describe, expect, it } from "vitest";
import { type DateFormat, formatDay, parseDay, parseTime } from "../src/ui/time/date-format";
import { formatCount, formatDateTime, formatExact, formatRelative, formatUtc } from "../src/ui/time/format";
import { instantOf, knownZone, offsetLabel, wallTimeAt } from "../src/ui/time/zone";

const at = (text: string) => Date.parse(text);
const wall = (year: number, month: number, day: number, hour = 0, minute = 0, second = 0) => ({
  year,
  month,
  day,
  hour,
  minute,
  second,
});

describe("zones", () => {
  it("converts an instant to wall time in a zone with a half-hour offset", () => {
    expect(wallTimeAt(at("2026-11-22T20:48:59Z"), "Asia/Kolkata")).toEqual(wall(2026, 11, 23, 2, 18, 59));
    expect(offsetLabel(at("2026-11-22T20:48:59Z"), "Asia/Kolkata")).toBe("UTC+05:30");
  });

  it("converts wall time to an instant", () => {
    expect(instantOf(wall(2026, 11, 23, 2, 18, 59), "Asia/Kolkata")).toBe(at("2026-11-22T20:48:59Z"));
    expect(instantOf(wall(2026, 7, 1), "Europe/Berlin")).toBe(at("2026-06-30T22:00:00Z"));
    expect(instantOf(wall(2026, 1, 1), "America/New_York")).toBe(at("2026-01-01T05:00:00Z"));
  });

  it("takes the first of two 02:30s when clocks go back", () => {
    expect(instantOf(wall(2026, 10, 25, 2, 30), "Europe/Berlin")).toBe(at("2026-10-25T00:30:00Z"));
  });

  it("moves a skipped time forward by the length of the gap", () => {
    const instant = instantOf(wall(2026, 3, 29, 2, 30), "Europe/Berlin");
    expect(instant).toBe(at("2026-03-29T01:30:00Z"));
    expect(wallTimeAt(instant, "Europe/Berlin").hour).toBe(3);
  });

  it("has days of 23 and of 25 hours when clocks change", () => {
    const length = (day: number, month: number) =>
      instantOf(wall(2026, month, day + 1), "Europe/Berlin") -
      instantOf(wall(2026, month, day), "Europe/Berlin");
    expect(length(29, 3) / 3_600_000).toBe(23);
    expect(length(25, 10) / 3_600_000).toBe(25);
  });

  it("falls back to UTC for an unknown zone", () => {
    expect(knownZone("Mars/Olympus")).toBe("UTC");
    expect(knownZone("Asia/Kolkata")).toBe("Asia/Kolkata");
  });
});

describe("dates", () => {
  const day = { year: 2026, month: 11, day: 3 };
  const examples: [DateFormat, string][] = [
    ["dd/mm/yyyy", "03/11/2026"],
    ["mm/dd/yyyy", "11/03/2026"],
    ["yyyy-mm-dd", "2026-11-03"],
    ["dd mmm yyyy", "03 Nov 2026"],
  ];

  it.each(examples)("formats and parses %s", (format, text) => {
    expect(formatDay(day, format)).toBe(text);
    expect(parseDay(text, format)).toEqual(day);
  });

  it("parses other common spellings", () => {
    expect(parseDay("3.11.26", "dd/mm/yyyy")).toEqual(day);
    expect(parseDay(" 3-11-2026 ", "dd/mm/yyyy")).toEqual(day);
    expect(parseDay("3 november 2026", "dd mmm yyyy")).toEqual(day);
    expect(parseDay("3 11 2026", "dd mmm yyyy")).toEqual(day);
    expect(parseDay("2026-11-03", "mm/dd/yyyy")).toEqual(day);
  });

  it("rejects days that do not exist and incomplete dates", () => {
    for (const text of ["31/02/2026", "29/02/2025", "13/13/2026", "1/2", "", "aa/bb/cccc", "1/2/202"]) {
      expect(parseDay(text, "dd/mm/yyyy"), text).toBeNull();
    }
    expect(parseDay("29/02/2028", "dd/mm/yyyy")).toEqual({ year: 2028, month: 2, day: 29 });
  });

  it("parses times of day", () => {
    expect(parseTime("9")).toEqual({ hour: 9, minute: 0, second: 0 });
    expect(parseTime("23:59:30")).toEqual({ hour: 23, minute: 59, second: 30 });
    expect(parseTime("24:00")).toBeNull();
    expect(parseTime("9:60")).toBeNull();
  });
});

describe("formatting", () => {
  const instant = at("2026-11-22T20:48:59.119Z");
  const clock = { zone: "Asia/Kolkata", format: "dd/mm/yyyy" as const };

  it("uses the workspace's zone and date format", () => {
    expect(formatDateTime(instant, clock)).toBe("23/11/2026 02:18:59");
    expect(formatExact(instant, clock)).toBe("23/11/2026 02:18:59.119 UTC+05:30");
    expect(formatUtc(instant)).toBe("2026-11-22 20:48:59.119 UTC");
  });

  it("describes how long ago an instant was", () => {
    expect(formatRelative(instant, instant + 20_000)).toBe("20 seconds ago");
    expect(formatRelative(instant, instant + 26 * 3_600_000)).toBe("yesterday");
    expect(formatRelative(instant, instant - 7_200_000)).toBe("in 2 hours");
  });

  it("marks a count that is a lower bound", () => {
    expect(formatCount(10_000)).toBe("10,000");
    expect(formatCount(10_000, false)).toBe("10,000+");
  });
});
