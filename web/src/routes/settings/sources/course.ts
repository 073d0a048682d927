import type { Source } from "../../../api/types";

const DAYS = 14;
const DAY_MS = 86_400_000;

/** The UTC day of an instant, as the API writes it. */
export function dayOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}

/** Events of each of the last days, the oldest first. A day on which nothing came has none. */
export function courseOf({ days }: Pick<Source, "days">, now: number): number[] {
  const known = new Map(days.map(({ day, events }) => [day, events]));
  return Array.from({ length: DAYS }, (_, index) => known.get(dayOf(now - (DAYS - 1 - index) * DAY_MS)) ?? 0);
}
