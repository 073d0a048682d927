import { describe, expect, it } from "vitest";
import type { LogEvent } from "../src/api/types";
import { rowsOf } from "../src/logs/rows";

const at = (occurred_at: string) => ({ occurred_at }) as LogEvent;

describe("the rows of a table", () => {
  it("have a separator above the first event of each day of the zone", () => {
    const events = [at("2026-11-23T20:00:00Z"), at("2026-11-23T18:30:00Z"), at("2026-11-23T18:29:59Z")];
    const clock = { zone: "Asia/Kolkata", format: "dd/mm/yyyy" } as const;
    const { rows, rowOf } = rowsOf(events, clock);
    expect(rows).toEqual([
      { day: "Tuesday 24/11/2026" },
      { index: 0 },
      { index: 1 },
      { day: "Monday 23/11/2026" },
      { index: 2 },
    ]);
    expect(rowOf).toEqual([1, 2, 4]);
  });

  it("are none without events", () => {
    expect(rowsOf([], { zone: "UTC", format: "yyyy-mm-dd" })).toEqual({ rows: [], rowOf: [] });
  });
});
