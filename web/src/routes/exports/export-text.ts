import { accessLog } from "../../access/log";
import { activityLog } from "../../activity/log";
import { type Exportable, type ExportFormat, FORMAT_NAMES } from "../../api/export";
import type { LogName } from "../../api/types";
import { applicationLog } from "../../application/log";
import { frameworkLog } from "../../framework/log";
import type { Filter } from "../../logs/definition";
import { filterTexts } from "../../logs/filter-text";
import { describeRange } from "../../logs/range";
import { type LogSearch, readSearch } from "../../logs/search";
import type { Clock } from "../../ui/time/format";
import { LOG_FILTERS } from "../log-filters";
import { parseSearch } from "../query-string";
import { readTimelineSearch, timelineName, type TimelineSearch } from "../timeline/timeline-search";

const LOGS = {
  access: accessLog,
  application: applicationLog,
  framework: frameworkLog,
  activity: activityLog,
};

/** The server keeps no more of a question. One that is longer cannot be asked again. */
const MOST_QUERY = 4_000;

export function canStartAgain({ query }: Exportable): boolean {
  return [...query].length < MOST_QUERY;
}

/** What was exported: the page that shows it. */
export type Exported = { log: LogName; search: LogSearch } | { log: "timeline"; search: TimelineSearch };

export function exportedOf({ log, query }: Exportable): Exported {
  const raw = parseSearch(query);
  if (log in LOGS) return { log: log as LogName, search: readSearch(raw, LOG_FILTERS[log as LogName]) };
  return { log: "timeline", search: readTimelineSearch(raw) };
}

export function exportTitle({ log, format }: Exportable): string {
  const title = log in LOGS ? LOGS[log as LogName].title : "Timeline";
  return `${title}, ${FORMAT_NAMES[format as ExportFormat] ?? format}`;
}

/** The filters in words, and the time. */
export function filtersText(exported: Exported, clock: Clock): string {
  const range = describeRange(
    {
      ...(exported.search.since && { since: exported.search.since }),
      ...(exported.search.until && { until: exported.search.until }),
    },
    clock,
  );
  if (exported.log === "timeline") return [timelineName(exported.search, []), range].join(" · ");
  const { log, search } = exported;
  const filters = LOGS[log].filters as readonly Filter<unknown>[];
  const words = filterTexts(filters, [], search).map(({ label, word, text }) =>
    [label, word, text].join(" "),
  );
  if (search.q) words.unshift(`“${search.q}”`);
  return [words.length > 0 ? words.join(", ") : "All events", range].join(" · ");
}

/** The server's words as a sentence. */
export function reasonText(reason: string): string {
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}
