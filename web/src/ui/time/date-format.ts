import { pad } from "./zone";

export interface Day {
  year: number;
  month: number;
  day: number;
}

export type DateFormat = "dd/mm/yyyy" | "mm/dd/yyyy" | "yyyy-mm-dd" | "dd mmm yyyy";

export const DATE_FORMATS: readonly string[] = ["dd/mm/yyyy", "mm/dd/yyyy", "yyyy-mm-dd", "dd mmm yyyy"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function asDateFormat(value: string): DateFormat {
  return DATE_FORMATS.includes(value) ? (value as DateFormat) : "dd/mm/yyyy";
}

export function formatDay({ year, month, day }: Day, format: DateFormat): string {
  const y = pad(year, 4);
  switch (format) {
    case "dd/mm/yyyy":
      return `${pad(day)}/${pad(month)}/${y}`;
    case "mm/dd/yyyy":
      return `${pad(month)}/${pad(day)}/${y}`;
    case "yyyy-mm-dd":
      return isoDay({ year, month, day });
    case "dd mmm yyyy":
      return `${pad(day)} ${MONTHS[month - 1]} ${y}`;
  }
}

/** Day and month without the year, for the axis of a chart. */
export function formatDayShort({ month, day }: Day, format: DateFormat): string {
  switch (format) {
    case "dd/mm/yyyy":
      return `${pad(day)}/${pad(month)}`;
    case "mm/dd/yyyy":
      return `${pad(month)}/${pad(day)}`;
    case "yyyy-mm-dd":
      return `${pad(month)}-${pad(day)}`;
    case "dd mmm yyyy":
      return `${pad(day)} ${MONTHS[month - 1]}`;
  }
}

export function isoDay({ year, month, day }: Day): string {
  return `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
}

export function parseIsoDay(text: string): Day | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  return match ? realDay(Number(match[1]), Number(match[2]), Number(match[3])) : null;
}

/** Null for a day that does not exist, such as 31/02, which Date would turn into 3 March. */
function realDay(year: number, month: number, day: number): Day | null {
  if (year < 1970 || year > 9999) return null;
  const date = new Date(Date.UTC(year, month - 1, day));
  const same = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return same ? { year, month, day } : null;
}

/**
 * Parses a typed date. Parts are separated by `/ . -` or spaces, leading zeros are optional, and a two-digit year
 * is in this century. yyyy-mm-dd is accepted whatever the format, because it is unambiguous.
 */
export function parseDay(text: string, format: DateFormat): Day | null {
  const trimmed = text.trim();
  const iso = parseIsoDay(trimmed);
  if (iso) return iso;
  const parts = trimmed.split(/[/.\-\s]+/);
  if (parts.length !== 3) return null;
  const [a = "", b = "", c = ""] = parts;
  switch (format) {
    case "dd/mm/yyyy":
      return fromParts(c, b, a);
    case "mm/dd/yyyy":
      return fromParts(c, a, b);
    case "yyyy-mm-dd":
      return fromParts(a, b, c);
    case "dd mmm yyyy":
      return fromParts(c, monthNumber(b), a);
  }
}

function monthNumber(text: string): string {
  const index = MONTHS.findIndex((month) => month.toLowerCase() === text.slice(0, 3).toLowerCase());
  return index >= 0 ? String(index + 1) : text;
}

function fromParts(year: string, month: string, day: string): Day | null {
  if (!/^(\d{2}|\d{4})$/.test(year) || !/^\d{1,2}$/.test(month) || !/^\d{1,2}$/.test(day)) return null;
  const fullYear = year.length === 2 ? 2000 + Number(year) : Number(year);
  return realDay(fullYear, Number(month), Number(day));
}

export function addDays({ year, month, day }: Day, days: number): Day {
  const date = new Date(Date.UTC(year, month - 1, day + days));
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

export interface TimeOfDay {
  hour: number;
  minute: number;
  second: number;
}

/** 24-hour time: "9", "9:05", "09:05:30". */
export function parseTime(text: string): TimeOfDay | null {
  const match = /^(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?$/.exec(text.trim());
  if (!match) return null;
  const time = { hour: Number(match[1]), minute: Number(match[2] ?? 0), second: Number(match[3] ?? 0) };
  return time.hour < 24 && time.minute < 60 && time.second < 60 ? time : null;
}
