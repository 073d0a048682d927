import type { LogApi } from "../api/logs";
import type { Change, LogEvent, LogName, Suggestion } from "../api/types";
import { actorName, OnBehalfOf, targetValue, TargetValue, Timestamp, Value } from "./cells";
import styles from "./cells.module.css";
import { CHANGED, changedValue } from "./changed";
import { metadataPaths } from "./metadata-paths";
import { type Chart, type Column, type DetailField, type Filter, humanize, type Metric } from "./definition";

// What all logs have in common. A log spreads these into its own lists.

export const timeColumn: Column<LogEvent> = {
  id: "time",
  title: "Time",
  width: "84px",
  cell: (event) => <Timestamp at={event.occurred_at} dated={false} />,
};

/** "patient:92" */
export function typeAndId({ type, id }: Suggestion): string {
  return id ? `${type}:${id}` : (type ?? "");
}

export const actorSuggestions = { field: "actor", valueOf: ({ id }: Suggestion) => id ?? "" } as const;

export const statusFilter: Filter<LogEvent> = {
  param: "status",
  label: "Status",
  kind: "facet",
  valueLabel: humanize,
};

export const sharedFilters: readonly Filter<LogEvent>[] = [
  { param: "role", label: "Role", kind: "facet" },
  { param: "source", label: "Source", kind: "facet" },
  {
    param: "on_behalf_of",
    label: "On behalf of",
    kind: "text",
    suggest: actorSuggestions,
    placeholder: "Person ID",
    fromEvent: ({ on_behalf_of: person }) => (person ? [{ value: person.id, name: actorName(person) }] : []),
  },
  {
    param: "target",
    label: "Target",
    kind: "text",
    suggest: { field: "target", valueOf: typeAndId },
    placeholder: "group or group:7",
    fromEvent: ({ targets }) => targets.map((target) => ({ value: targetValue(target), name: target.name })),
  },
  { param: "ip_address", label: "IP address", kind: "text", placeholder: "10.0.0.0/8", check: true },
  { param: "session_id", label: "Session", kind: "text", placeholder: "Session ID" },
  { param: "correlation_id", label: "Correlation ID", kind: "text", placeholder: "Correlation ID" },
  {
    param: "metadata",
    label: "Metadata",
    kind: "metadata",
    placeholder: "eu",
    check: true,
    suggestPart: metadataPaths,
  },
];

const MOST_FIELDS = 100;

/** By the value that a field was changed to. The fields that are suggested are those that change most. */
export function changedFilter<L extends LogName>(
  api: Pick<LogApi<L, never, never>, "name" | "top">,
): Filter<{ changes: readonly Change[] }> {
  return {
    ...plainChangedFilter,
    suggestPart: {
      key: `${api.name} field`,
      fixed: true,
      find: async (workspace, _q, signal) => {
        const top = await api.top(workspace, {} as never, "field", MOST_FIELDS, signal);
        return top.data.map(({ value, name }) => ({ id: value, name: name ?? null, type: "field" }));
      },
    },
  };
}

/** The same for a log that does not count its fields. */
export const plainChangedFilter: Filter<{ changes: readonly Change[] }> = {
  param: CHANGED,
  label: "Changed to",
  kind: "change",
  placeholder: "closed",
  check: true,
  fromEvent: ({ changes }) =>
    changes.map((change) => ({
      value: "new" in change ? changedValue(change.field, change.new) : null,
      name: "new_label" in change ? change.new_label : null,
      id: "new" in change ? String(change.new) : "",
    })),
};

interface Outcomes {
  failed: number;
  denied: number;
}

export const failedMetric: Metric<Outcomes> = {
  title: "Failed",
  value: ({ failed }) => failed,
  filter: { param: "status", value: "failure" },
  isBad: true,
};

export const deniedMetric: Metric<Outcomes> = {
  title: "Denied",
  value: ({ denied }) => denied,
  filter: { param: "status", value: "denied" },
  isBad: true,
};

export const statusChart: Chart = {
  by: "status",
  series: [
    { value: "success", label: "Success", color: "--chart-1" },
    { value: "failure", label: "Failure", color: "--chart-2" },
    { value: "denied", label: "Denied", color: "--chart-4" },
  ],
};

/** The fields of an open event that follow those of its log. */
export const sharedFields: readonly DetailField<LogEvent>[] = [
  {
    label: "On behalf of",
    value: (event) => <OnBehalfOf person={event.on_behalf_of} wrap />,
    when: (event) => event.on_behalf_of !== null,
  },
  { label: "Purpose", value: (event) => event.purpose, when: (event) => event.purpose !== null },
  {
    label: "Role",
    value: (event) => <Value param="role" value={event.role} wrap />,
    when: (event) => event.role !== null,
  },
  {
    label: "Targets",
    value: (event) => (
      <ul className={styles.targets}>
        {event.targets.map((target) => (
          <li key={targetValue(target)}>
            <TargetValue target={target} wrap />
          </li>
        ))}
      </ul>
    ),
    when: (event) => event.targets.length > 0,
  },
  {
    label: "IP address",
    value: (event) => <Value param="ip_address" value={event.ip_address} wrap />,
    when: (event) => event.ip_address !== null,
  },
  { label: "User agent", value: (event) => event.user_agent, when: (event) => event.user_agent !== null },
  {
    label: "Session",
    value: (event) => <Value param="session_id" value={event.session_id} wrap />,
    when: (event) => event.session_id !== null,
  },
  {
    label: "Correlation ID",
    value: (event) => <Value param="correlation_id" value={event.correlation_id} wrap />,
    when: (event) => event.correlation_id !== null,
  },
  { label: "Source", value: (event) => <Value param="source" value={event.source} wrap /> },
  {
    label: "Producer's count",
    value: (event) => [event.sequence, event.epoch && `epoch ${event.epoch}`].filter(Boolean).join(", "),
    when: (event) => event.sequence !== null || event.epoch !== null,
  },
];
