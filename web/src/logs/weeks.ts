import type { Bucket, Histogram } from "../api/types";
import { knownZone, wallTimeAt } from "../ui/time/zone";

/** Days as weeks that begin with a day: 1 for Monday to 7 for Sunday. The first and the last may be shorter. */
export function weeksOf(days: Histogram, firstDay: number): Histogram {
  const zone = knownZone(days.timezone);
  const weeks: Bucket[] = [];
  for (const day of days.data) {
    const week = weeks.at(-1);
    if (!week || weekday(day.start, zone) === firstDay) {
      weeks.push({ ...day, counts: { ...day.counts } });
      continue;
    }
    week.end = day.end;
    week.total += day.total;
    for (const [value, count] of Object.entries(day.counts)) {
      week.counts[value] = (week.counts[value] ?? 0) + count;
    }
  }
  return { ...days, interval: "1w", data: weeks };
}

function weekday(moment: string, zone: string): number {
  const { year, month, day } = wallTimeAt(Date.parse(moment), zone);
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay() || 7;
}
