import { type DateFormat, formatDay } from "./date-format";
import { offsetLabel, pad, wallTimeAt } from "./zone";

/** The time zone and the date format of a workspace. */
export interface Clock {
  zone: string;
  format: DateFormat;
}

export function formatDate(instant: number, clock: Clock): string {
  return formatDay(wallTimeAt(instant, clock.zone), clock.format);
}

export function formatTime(instant: number, clock: Clock): string {
  const { hour, minute, second } = wallTimeAt(instant, clock.zone);
  return `${pad(hour)}:${pad(minute)}:${pad(second)}`;
}

export function formatMinute(instant: number, clock: Clock): string {
  return formatTime(instant, clock).slice(0, 5);
}

export function formatDateTime(instant: number, clock: Clock): string {
  return `${formatDate(instant, clock)} ${formatTime(instant, clock)}`;
}

/** To the millisecond and with the offset from UTC, to compare with the clock of another system. */
export function formatExact(instant: number, clock: Clock): string {
  const ms = pad(((instant % 1000) + 1000) % 1000, 3);
  return `${formatDateTime(instant, clock)}.${ms} ${offsetLabel(instant, clock.zone)}`;
}

export function formatUtc(instant: number): string {
  return new Date(instant).toISOString().replace("T", " ").replace("Z", " UTC");
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export function formatRelative(instant: number, now: number): string {
  const seconds = Math.round((instant - now) / 1000);
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(seconds, "second");
}

/** "36 s", "12 min", "3 h 5 min", "2 d 4 h": two units at most, the smaller one only if it counts. */
export function formatDuration(seconds: number): string {
  const units: readonly [string, number][] = [
    ["d", 86_400],
    ["h", 3_600],
    ["min", 60],
  ];
  for (const [index, [unit, size]] of units.entries()) {
    if (seconds < size) continue;
    const [smaller, step] = units[index + 1] ?? [null, size];
    const rest = smaller === null ? 0 : Math.floor((seconds % size) / step);
    return `${Math.floor(seconds / size)} ${unit}${rest > 0 ? ` ${rest} ${smaller}` : ""}`;
  }
  return `${Math.floor(seconds)} s`;
}

const number = new Intl.NumberFormat("en");

/** A count that is only a lower bound is shown as "10,000+". */
export function formatCount(count: number, exact = true): string {
  return exact ? number.format(count) : `${number.format(count)}+`;
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function formatCompact(count: number): string {
  return compact.format(count);
}
