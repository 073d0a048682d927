import type { Source } from "../../../api/types";
import { formatCount, formatDuration } from "../../../ui/time/format";

type Problem = Source["problems"][number];

export const PROBLEM_NAMES: Record<Problem, string> = {
  silent: "Silent",
  gap: "Events missing",
  skewed: "Clock differs",
  rejected: "In quarantine",
};

/** Ranges that a sentence lists. */
const LISTED = 3;

const FIELDS: Record<string, string> = {
  actor: "who did it",
  origin: "the address it came from",
  target: "what it concerned",
};

function missing({ gaps, gaps_complete }: Source): string {
  const count = gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const ranges = gaps
    .slice(0, LISTED)
    .map(
      ({ epoch, from, to }) => `${epoch && `${epoch}: `}${from === to ? String(from) : `${from} to ${to}`}`,
    );
  const more = gaps.length > LISTED || !gaps_complete ? " and more" : "";
  const events =
    count === 1 && gaps_complete ? "1 event has" : `${formatCount(count, gaps_complete)} events have`;
  return `${events} not come (${ranges.join(", ")}${more}). It counts its events, so Logbook knows; the gap closes when they come.`;
}

/** What is wrong with a source, as sentences. */
export function problemTexts(source: Source, now: number): string[] {
  const texts = source.problems.map((problem) => {
    switch (problem) {
      case "silent": {
        const since = source.silent_since ? (now - Date.parse(source.silent_since)) / 1000 : 0;
        const normal = formatDuration(source.silence_seconds ?? 0);
        return `Silent for ${formatDuration(Math.max(0, since))}; it normally sends within ${normal}.`;
      }
      case "gap":
        return missing(source);
      case "skewed": {
        const skew = source.skew_seconds ?? 0;
        return skew < 0
          ? `Its clock is ${formatDuration(-skew)} ahead.`
          : `Its events come at least ${formatDuration(skew)} late, or its clock is behind.`;
      }
      case "rejected":
        return source.rejected === 1
          ? "1 record could not be read and is in quarantine."
          : `${formatCount(source.rejected)} records could not be read and are in quarantine.`;
    }
  });
  return texts;
}

/** What PCI DSS wants of each event and this source mostly leaves out. */
export function missingFields({ missing_fields }: Source): string | null {
  if (missing_fields.length === 0) return null;
  const names = missing_fields.map((field) => FIELDS[field] ?? field);
  return `Most of its events do not say ${names.join(", or ")}. PCI DSS 10.2.2 wants that of each event.`;
}
