import { formatDay } from "../ui/time/date-format";
import type { Clock } from "../ui/time/format";
import { wallTimeAt } from "../ui/time/zone";

/** A row of the table: an event by its place in the list, or the day of those below it. */
export type Row = { index: number } | { day: string };

export interface Rows {
  rows: readonly Row[];
  /** The row of each event. */
  rowOf: readonly number[];
}

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** The events, with a separator above the first one of each day in the clock's zone. */
export function rowsOf(events: readonly { occurred_at: string }[], clock: Clock): Rows {
  const rows: Row[] = [];
  const rowOf: number[] = [];
  let last = "";
  for (const [index, event] of events.entries()) {
    const wall = wallTimeAt(Date.parse(event.occurred_at), clock.zone);
    const weekday = WEEKDAYS[new Date(Date.UTC(wall.year, wall.month - 1, wall.day)).getUTCDay()];
    const day = `${weekday} ${formatDay(wall, clock.format)}`;
    if (day !== last) rows.push({ day });
    last = day;
    rowOf.push(rows.length);
    rows.push({ index });
  }
  return { rows, rowOf };
}
