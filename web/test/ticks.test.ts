import { describe, expect, it } from "vitest";
import { tickLabels } from "../src/logs/Histogram";

const HOUR = 3_600_000;
const clock = { zone: "Asia/Kolkata", format: "dd/mm/yyyy" } as const;

/** Bars from a time on, each so many hours long. */
function bars(start: string, hours: number, count: number) {
  const first = Date.parse(start);
  const at = (index: number) => new Date(first + index * hours * HOUR).toISOString();
  return Array.from({ length: count }, (_, index) => ({
    start: at(index),
    end: at(index + 1),
    total: 1,
    counts: {},
  }));
}

const labels = (...args: Parameters<typeof bars>) =>
  tickLabels(bars(...args), clock, 8).filter((label) => label !== null);

describe("the ticks of a chart", () => {
  it("of seven days in six-hour bars are the midnights of the zone", () => {
    // Midnight of Kolkata is 18:30 UTC.
    expect(labels("2026-11-19T12:30:00Z", 6, 28)).toEqual([
      "20/11",
      "21/11",
      "22/11",
      "23/11",
      "24/11",
      "25/11",
      "26/11",
    ]);
  });

  it("of a day are times, each day's first one with its date", () => {
    const shown = labels("2026-11-25T12:30:00Z", 1, 24);
    expect(shown.length).toBeGreaterThan(3);
    expect(shown[0]).toMatch(/^25\/11 \d\d:\d\d$/);
    expect(shown.filter((label) => label.includes("/"))).toHaveLength(2);
  });

  it("are never the same twice", () => {
    for (const [hours, count] of [
      [0.25, 4],
      [0.25, 96],
      [1, 24],
      [1, 50],
      [6, 28],
      [6, 120],
      [24, 30],
      [24, 365],
    ] as const) {
      const shown = labels("2026-10-31T18:30:00Z", hours, count);
      expect(new Set(shown).size, `${count} bars of ${hours} hours`).toBe(shown.length);
      expect(shown.length).toBeGreaterThan(0);
      expect(shown.length).toBeLessThanOrEqual(8);
    }
  });
});
