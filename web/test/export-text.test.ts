import { describe, expect, it } from "vitest";
import type { Exportable } from "../src/api/export";
import { canStartAgain, exportedOf, exportTitle, filtersText } from "../src/routes/exports/export-text";
import { formatBytes } from "../src/ui/format-bytes";

const clock = { zone: "UTC", format: "yyyy-mm-dd" as const };
const of = (log: string, query: string) => ({ log, format: "csv", query }) satisfies Exportable;
const text = (log: string, query: string) => filtersText(exportedOf(of(log, query)), clock);

describe("an export in words", () => {
  it("has the filters of its log, the search and the range", () => {
    expect(exportTitle(of("access", ""))).toBe("Access log, CSV");
    expect(text("access", "format=csv")).toBe("All events · All time");
    expect(
      text("access", "format=csv&since=2026-11-01&q=rao&not_status=failure&metadata.request.region=eu"),
    ).toBe("“rao”, Status is not Failure, request.region is eu · Since 2026-11-01");
  });

  it("has the conditions of a timeline", () => {
    const one = exportedOf(of("timeline", "format=parquet&record=visit%3A7&until=2026-11-02"));
    expect(one).toEqual({ log: "timeline", search: { record: "visit:7", until: "2026-11-02" } });
    expect(filtersText(one, clock)).toBe("Record visit:7 · Until 2026-11-01");
    expect(exportTitle(of("timeline", ""))).toBe("Timeline, CSV");
  });

  it("is not started again when a part of the question is lost", () => {
    expect(canStartAgain(of("access", "a".repeat(3_999)))).toBe(true);
    expect(canStartAgain(of("access", "a".repeat(4_000)))).toBe(false);
  });

  it("has a size that people read", () => {
    expect([0, 1, 1023, 1536, 4_200_000, 300 * 1024 ** 2, 5 * 1024 ** 4].map(formatBytes)).toEqual([
      "0 bytes",
      "1 byte",
      "1,023 bytes",
      "1.5 KiB",
      "4 MiB",
      "300 MiB",
      "5,120 GiB",
    ]);
  });
});
