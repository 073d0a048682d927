import type { LogEvent, LogName } from "../api/types";
import { serializeQuery } from "../api/client";
import { actorText } from "./cells";
import { resolveRange } from "./range";
import { dropEmpty, filtersOf, type LogSearch } from "./search";

// Texts for the clipboard. None has a token: it would end up in a chat or a ticket.

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function curl(url: string): string {
  return `curl -H "Authorization: Bearer $TOKEN" ${quoted(url)}`;
}

/** The command that gets one event. */
export function curlOfEvent(workspace: string, log: LogName, id: string): string {
  return curl(`${location.origin}/api/v1/workspaces/${workspace}/logs/${log}/${id}`);
}

/** The command that gets what the list shows, at the times at which it was asked. */
export function curlOfList(workspace: string, log: LogName, search: LogSearch, now: number): string {
  const { q, order } = search;
  const query = serializeQuery({
    ...fixedRange(search, now),
    ...(q && { q }),
    ...filtersOf(search),
    ...(order && { order }),
  });
  return curl(`${location.origin}/api/v1/workspaces/${workspace}/logs/${log}${query && `?${query}`}`);
}

function fixedRange(search: LogSearch, now: number) {
  const range = resolveRange(search, now);
  return search.range ? { ...range, until: new Date(now).toISOString() } : range;
}

/** The same question whenever it is opened: "Last 24 hours" becomes the times that it means now. */
export function withFixedTimes(search: LogSearch, now: number): LogSearch {
  return dropEmpty({ ...search, range: undefined, ...fixedRange(search, now) });
}

/** A table in Markdown, as tickets and chats show it. Empty fields are left out. */
export function tableOf(event: LogEvent, headline: string): string {
  const rows = Object.entries(event).flatMap(([name, value]: [string, unknown]) => {
    const isEmpty =
      value === null ||
      value === "" ||
      (typeof value === "object" && Object.keys(value as object).length === 0);
    return isEmpty ? [] : [`| ${name} | ${cell(value)} |`];
  });
  return [`**${headline}**`, "", "| Field | Value |", "| --- | --- |", ...rows].join("\n");
}

/** What a table of several events says of one. */
export function cellsOf(event: LogEvent, headline: string): Record<string, string> {
  const actor = "user" in event ? event.user : event.actor;
  return {
    Time: event.occurred_at,
    Event: headline,
    Actor: actorText(actor, event.on_behalf_of),
    Status: event.status,
    "IP address": event.ip_address ?? "",
    "Event ID": event.id,
  };
}

/** A table of several events in Markdown, with a column for each name of the first one's cells. */
export function tableOfEvents(rows: readonly Record<string, string>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(names),
    line(names.map(() => "---")),
    ...rows.map((row) => line(names.map((name) => cell(row[name] ?? "")))),
  ].join("\n");
}

function cell(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
