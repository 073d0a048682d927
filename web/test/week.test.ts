import { describe, expect, it } from "vitest";
import type { Histogram } from "../src/api/types";
import { weeksOf } from "../src/logs/weeks";
import { firstDayOfRegion, firstDayOfWeek } from "../src/ui/time/week";

describe("the first day of the week", () => {
  it("is that of the person's locale", () => {
    expect(["de-DE", "en-GB", "en-US", "pt-BR", "ar-EG", "hi"].map(firstDayOfWeek)).toEqual([
      1, 1, 7, 7, 6, 7,
    ]);
    expect(firstDayOfWeek("not a locale")).toBe(1);
  });

  it("comes from a table where the browser does not tell", () => {
    expect(["US", "IN", "EG", "MV", "FR", undefined].map(firstDayOfRegion)).toEqual([7, 7, 6, 5, 1, 1]);
  });
});

describe("days as weeks", () => {
  const day = (number: number) => ({
    start: new Date(Date.UTC(2026, 9, number - 1, 18, 30)).toISOString(),
    end: new Date(Date.UTC(2026, 9, number, 18, 30)).toISOString(),
    total: number,
    counts: { success: number - 1, ...(number > 5 && { failure: 1 }) },
  });
  // Thursday 1 to Wednesday 14 October 2026, in Kolkata.
  const days = {
    interval: "1d",
    timezone: "Asia/Kolkata",
    data: Array.from({ length: 14 }, (_, index) => day(index + 1)),
  } as unknown as Histogram;

  it("begin with the wanted day of the workspace's zone, and lose no event", () => {
    const { interval, data } = weeksOf(days, 7);
    expect(interval).toBe("1w");
    expect(data.map(({ start, total }) => [start, total])).toEqual([
      [day(1).start, 6],
      [day(4).start, 49],
      [day(11).start, 50],
    ]);
    expect(data[1]?.end).toBe(day(10).end);
    expect(data[1]?.counts).toEqual({ success: 42, failure: 5 });
    expect(days.data[3]?.total).toBe(4);
  });
});
