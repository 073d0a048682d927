import { addDays, formatDay, isoDay, parseDay, parseIsoDay, parseTime } from "../ui/time/date-format";
import { type Clock, formatDateTime } from "../ui/time/format";
import { instantOf, pad, wallTimeAt } from "../ui/time/zone";
import type { LogSearch } from "./search";

export const PRESETS = {
  "15m": { label: "Last 15 minutes", seconds: 900 },
  "1h": { label: "Last hour", seconds: 3_600 },
  "24h": { label: "Last 24 hours", seconds: 86_400 },
  "7d": { label: "Last 7 days", seconds: 604_800 },
  "30d": { label: "Last 30 days", seconds: 2_592_000 },
  "90d": { label: "Last 90 days", seconds: 7_776_000 },
} as const;

export type Preset = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as Preset[];

export interface Range {
  since?: string;
  until?: string;
}

/** The range to send to the API. `now` is an argument, so that the list and all counts use the same time. */
export function resolveRange(search: Pick<LogSearch, "range" | "since" | "until">, now: number): Range {
  if (search.range) return { since: new Date(now - PRESETS[search.range].seconds * 1000).toISOString() };
  return { ...(search.since && { since: search.since }), ...(search.until && { until: search.until }) };
}

/** Like the API, this takes a bare date as midnight in the workspace's zone. */
export function momentInstant(moment: string, zone: string): number {
  const day = parseIsoDay(moment);
  return day ? instantOf({ ...day, hour: 0, minute: 0, second: 0 }, zone) : Date.parse(moment);
}

/** Whether new events can be in the range. */
export function reachesNow({ until }: Pick<LogSearch, "until">, clock: Clock, now: number): boolean {
  return until === undefined || momentInstant(until, clock.zone) > now;
}

/** A bare date is shown as a whole day: an exclusive end of 24/11 reads "to 23/11". */
function describeMoment(moment: string, end: boolean, clock: Clock): string {
  const day = parseIsoDay(moment);
  if (day) return formatDay(end ? addDays(day, -1) : day, clock.format);
  return formatDateTime(Date.parse(moment), clock);
}

export function describeRange(search: Pick<LogSearch, "range" | "since" | "until">, clock: Clock): string {
  if (search.range) return PRESETS[search.range].label;
  const from = search.since && describeMoment(search.since, false, clock);
  const to = search.until && describeMoment(search.until, true, clock);
  if (from && to) return from === to ? from : `${from} – ${to}`;
  if (from) return `Since ${from}`;
  if (to) return `Until ${to}`;
  return "All time";
}

/** The four fields of the range form, as typed. */
export interface RangeInput {
  fromDate: string;
  fromTime: string;
  toDate: string;
  toTime: string;
}

export type RangeInputErrors = Partial<Record<keyof RangeInput, string>>;

interface ParsedEnd {
  moment?: string;
  dateError?: string;
  timeError?: string;
}

function parseEnd(date: string, time: string, end: boolean, clock: Clock): ParsedEnd {
  if (date.trim() === "") return time.trim() === "" ? {} : { dateError: "Enter a date for this time." };
  const day = parseDay(date, clock.format);
  if (!day) return { dateError: `Enter a date as ${clock.format}.` };
  if (time.trim() === "") return { moment: isoDay(end ? addDays(day, 1) : day) };
  const clockTime = parseTime(time);
  if (!clockTime) return { timeError: "Enter a time as hh:mm." };
  // An end of 17:30 includes that whole minute, an end of 17:30:15 that whole second.
  const step = end ? (/:\d+:/.test(time) ? 1_000 : 60_000) : 0;
  const instant = instantOf({ ...day, ...clockTime }, clock.zone) + step;
  return { moment: new Date(instant).toISOString().replace(".000Z", "Z") };
}

/** Parses the form. A typed end is the last day or minute to show, and `until` is the moment after it. */
export function parseRangeInput(
  input: RangeInput,
  clock: Clock,
): { range: Range } | { errors: RangeInputErrors } {
  const from = parseEnd(input.fromDate, input.fromTime, false, clock);
  const to = parseEnd(input.toDate, input.toTime, true, clock);
  const errors: RangeInputErrors = {};
  if (from.dateError) errors.fromDate = from.dateError;
  if (from.timeError) errors.fromTime = from.timeError;
  if (to.dateError) errors.toDate = to.dateError;
  if (to.timeError) errors.toTime = to.timeError;
  if (from.moment && to.moment) {
    const isReversed = momentInstant(from.moment, clock.zone) >= momentInstant(to.moment, clock.zone);
    if (isReversed) errors.toDate = "The end is before the start.";
  }
  if (Object.keys(errors).length > 0) return { errors };
  return {
    range: { ...(from.moment && { since: from.moment }), ...(to.moment && { until: to.moment }) },
  };
}

function momentInput(moment: string | undefined, end: boolean, clock: Clock): [string, string] {
  if (!moment) return ["", ""];
  const day = parseIsoDay(moment);
  if (day) return [formatDay(end ? addDays(day, -1) : day, clock.format), ""];
  const instant = Date.parse(moment);
  const wall = wallTimeAt(instant, clock.zone);
  const midnight = wall.hour === 0 && wall.minute === 0 && wall.second === 0;
  if (midnight) return [formatDay(end ? addDays(wall, -1) : wall, clock.format), ""];
  const shown = wallTimeAt(end ? instant - (wall.second === 0 ? 60_000 : 1_000) : instant, clock.zone);
  const seconds = shown.second === 0 || (end && wall.second === 0) ? "" : `:${pad(shown.second)}`;
  return [formatDay(shown, clock.format), `${pad(shown.hour)}:${pad(shown.minute)}${seconds}`];
}

/** The range as the form shows it. Parsing the result gives the same range. */
export function toRangeInput(search: Pick<LogSearch, "since" | "until">, clock: Clock): RangeInput {
  const [fromDate, fromTime] = momentInput(search.since, false, clock);
  const [toDate, toTime] = momentInput(search.until, true, clock);
  return { fromDate, fromTime, toDate, toTime };
}

/** The range of selected bars. Whole days become bare dates, which keeps the link readable. */
export function spanToRange(start: number, end: number, zone: string): Range {
  return { since: momentText(start, zone), until: momentText(end, zone) };
}

function momentText(instant: number, zone: string): string {
  const wall = wallTimeAt(instant, zone);
  const whole = instant % 1000 === 0 && wall.hour === 0 && wall.minute === 0 && wall.second === 0;
  return whole ? isoDay(wall) : new Date(instant).toISOString().replace(".000Z", "Z");
}
