import { activityApi } from "../api/logs";
import type { ActivityEvent, ActivityMetrics } from "../api/types";
import {
  actorName,
  ActorValue,
  None,
  Outcome,
  Reason,
  StatusValue,
  targetValue,
  TargetValue,
  Value,
} from "../logs/cells";
import { ACTOR_TYPES, humanize, type LogDefinition, type RelatedLink } from "../logs/definition";
import {
  deniedMetric,
  failedMetric,
  sharedFields,
  sharedFilters,
  statusChart,
  statusFilter,
  timeColumn,
  plainChangedFilter,
} from "../logs/shared";

function Action({ event, wrap = false }: { event: ActivityEvent; wrap?: boolean }) {
  return (
    <Value param="action" value={event.action} label={humanize(event.action)} wrap={wrap}>
      {humanize(event.action)}
    </Value>
  );
}

/** Reading a log has no target of its own: the metadata says which log. */
function logRead({ metadata }: ActivityEvent): string | null {
  const { log } = metadata as { log?: unknown };
  return typeof log === "string" && log !== "" ? log : null;
}

function Target({ event, wrap = false }: { event: ActivityEvent; wrap?: boolean }) {
  const log = logRead(event);
  if (event.target) return <TargetValue target={event.target} wrap={wrap} />;
  if (!log) return <None />;
  return (
    <Value param="metadata.log" value={log} wrap={wrap}>
      {`${humanize(log)} log`}
    </Value>
  );
}

function targetName(event: ActivityEvent): string | null {
  const { target } = event;
  return target ? (target.name ?? target.id ?? target.type) : logRead(event);
}

function related(event: ActivityEvent): RelatedLink[] {
  const links: RelatedLink[] = [];
  const add = (label: string, search: RelatedLink["search"]) =>
    links.push({ label, log: "activity", search });
  if (event.actor?.id) add("This actor's activity", { actor_id: [event.actor.id] });
  if (event.target) add("Same target", { target: [targetValue(event.target)] });
  if (event.ip_address) add("Same IP address", { ip_address: [event.ip_address] });
  if (event.session_id) add("Same session", { session_id: [event.session_id] });
  if (event.correlation_id) add("Same request", { correlation_id: [event.correlation_id] });
  return links;
}

/** What happened in Logbook itself. Logbook alone writes it. */
export const activityLog: LogDefinition<"activity", ActivityEvent, ActivityMetrics> = {
  name: "activity",
  title: "Activity log",
  question: "Who did what in Logbook?",
  api: activityApi,
  columns: [
    timeColumn,
    {
      id: "actor",
      title: "Actor",
      width: "minmax(160px, 1.4fr)",
      cell: (event) => <ActorValue actor={event.actor} onBehalfOf={event.on_behalf_of} />,
    },
    {
      id: "action",
      title: "Action",
      width: "minmax(140px, 1.1fr)",
      cell: (event) => <Action event={event} />,
    },
    {
      id: "target",
      title: "Target",
      width: "minmax(150px, 1.3fr)",
      hideBelow: 640,
      cell: (event) => <Target event={event} />,
    },
    { id: "status", title: "Status", width: "104px", cell: (event) => <StatusValue status={event.status} /> },
    {
      id: "ip",
      title: "IP address",
      width: "minmax(120px, 0.8fr)",
      hideBelow: 780,
      cell: (event) => <Value param="ip_address" value={event.ip_address} />,
    },
    {
      id: "reason",
      title: "Reason",
      width: "minmax(120px, 1fr)",
      hideBelow: 940,
      cell: (event) => (
        <Reason status={event.status} text={event.status_reason && humanize(event.status_reason)} />
      ),
    },
  ],
  card: (event) => ({
    primary: [humanize(event.action), targetName(event)].filter(Boolean).join(": "),
    secondary: (
      <>
        <Outcome status={event.status} />
        {` · ${actorName(event.actor)}`}
      </>
    ),
  }),
  filters: [
    { param: "action", label: "Action", kind: "facet", valueLabel: humanize },
    statusFilter,
    { param: "target_type", label: "Target type", kind: "facet", valueLabel: humanize },
    { param: "actor_type", label: "Actor type", kind: "choice", values: ACTOR_TYPES, valueLabel: humanize },
    {
      param: "actor_id",
      label: "Actor",
      kind: "text",
      placeholder: "user:17",
      fromEvent: (event) => [{ value: event.actor?.id, name: event.actor && actorName(event.actor) }],
    },
    { param: "field", label: "Changed field", kind: "text", placeholder: "role" },
    plainChangedFilter,
    ...sharedFilters,
  ],
  metrics: [{ title: "Total Activity", value: (metrics) => metrics.total }, failedMetric, deniedMetric],
  chart: statusChart,
  top: [
    { field: "actor_id", title: "Actors" },
    { field: "action", title: "Actions", valueLabel: humanize },
    { field: "ip_address", title: "IP addresses" },
    { field: "status_reason", title: "Reasons", filter: null, valueLabel: humanize },
    { field: "role", title: "Roles" },
    { field: "status", title: "Status", valueLabel: humanize },
  ],
  headline: (event) => [humanize(event.action), targetName(event)].filter(Boolean).join(": "),
  changes: (event) => ({ list: event.changes, kind: "update", fieldParam: "field" }),
  fields: [
    { label: "Status", value: (event) => <StatusValue status={event.status} wrap /> },
    {
      label: "Reason",
      value: ({ status, status_reason: reason }) => (
        <Reason status={status} text={reason && humanize(reason)} wrap />
      ),
      when: (event) => event.status_reason !== null,
    },
    { label: "Action", value: (event) => <Action event={event} wrap /> },
    { label: "Actor", value: (event) => <ActorValue actor={event.actor} wrap /> },
    { label: "Target", value: (event) => <Target event={event} wrap /> },
    ...sharedFields,
  ],
  related,
};
