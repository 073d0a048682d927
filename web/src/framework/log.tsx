import { frameworkApi } from "../api/logs";
import type { FrameworkEvent, FrameworkMetrics } from "../api/types";
import {
  actorName,
  actorText,
  ActorValue,
  lastLine,
  NameWithId,
  Outcome,
  Reason,
  StatusValue,
  Value,
} from "../logs/cells";
import { ACTOR_TYPES, humanize, type LogDefinition, type RelatedLink } from "../logs/definition";
import {
  actorSuggestions,
  deniedMetric,
  failedMetric,
  sharedFields,
  sharedFilters,
  statusChart,
  statusFilter,
  timeColumn,
  changedFilter,
} from "../logs/shared";

/** The value of the component filter: a type, or one component as "type:id". */
function componentValue({ component }: FrameworkEvent): string {
  return component.id ? `${component.type}:${component.id}` : component.type;
}

function componentName({ component }: FrameworkEvent): string {
  return component.name ?? component.id ?? humanize(component.type);
}

function headline(event: FrameworkEvent): string {
  return [humanize(event.action), componentName(event)].filter(Boolean).join(": ");
}

function Component({ event, wrap = false }: { event: FrameworkEvent; wrap?: boolean }) {
  return (
    <Value
      param="component"
      value={componentValue(event)}
      label={`${humanize(event.component.type)} ${componentName(event)}`}
      wrap={wrap}
    >
      <NameWithId name={componentName(event)} kind={humanize(event.component.type)} />
    </Value>
  );
}

function Action({ event, wrap = false }: { event: FrameworkEvent; wrap?: boolean }) {
  return (
    <Value param="action" value={event.action} label={humanize(event.action)} wrap={wrap}>
      {humanize(event.action)}
    </Value>
  );
}

/** Actions are free text. The endings of "user_created" and "role_deleted" say what happened to the component. */
function changeKind(action: string): "create" | "update" | "delete" {
  if (action.endsWith("_created")) return "create";
  return action.endsWith("_deleted") ? "delete" : "update";
}

function related(event: FrameworkEvent): RelatedLink[] {
  const links: RelatedLink[] = [
    { label: "This component's history", log: "framework", search: { component: [componentValue(event)] } },
  ];
  const { id, type } = event.actor;
  if (id) links.push({ label: "This actor's events", log: "framework", search: { actor_id: [id] } });
  if (id && type === "user") {
    links.push({ label: "This user's changes", log: "application", search: { actor_id: [id] } });
  }
  return links;
}

export const frameworkLog: LogDefinition<"framework", FrameworkEvent, FrameworkMetrics> = {
  name: "framework",
  title: "Framework log",
  question: "What did the platform do?",
  api: frameworkApi,
  columns: [
    timeColumn,
    {
      id: "action",
      title: "Action",
      width: "minmax(140px, 1.1fr)",
      cell: (event) => <Action event={event} />,
    },
    {
      id: "component",
      title: "Component",
      width: "minmax(160px, 1.3fr)",
      cell: (event) => <Component event={event} />,
    },
    {
      id: "actor",
      title: "Actor",
      width: "minmax(150px, 1.2fr)",
      hideBelow: 860,
      cell: (event) => <ActorValue actor={event.actor} onBehalfOf={event.on_behalf_of} />,
    },
    { id: "status", title: "Status", width: "104px", cell: (event) => <StatusValue status={event.status} /> },
    {
      id: "error",
      title: "Error",
      width: "minmax(140px, 1.6fr)",
      hideBelow: 520,
      cell: (event) => <Reason status={event.status} text={event.error} />,
    },
  ],
  card: (event) => ({
    primary: headline(event),
    secondary: (
      <>
        <Outcome status={event.status} />
        {` · ${(event.error && lastLine(event.error)) ?? actorText(event.actor, event.on_behalf_of)}`}
      </>
    ),
  }),
  filters: [
    { param: "action", label: "Action", kind: "facet", valueLabel: humanize },
    {
      param: "component",
      label: "Component",
      kind: "facet",
      valueLabel: (value) => (value.includes(":") ? value : humanize(value)),
      fromEvent: (event) => [{ value: componentValue(event), name: event.component.name }],
    },
    statusFilter,
    {
      param: "actor_type",
      label: "Actor type",
      kind: "choice",
      values: ACTOR_TYPES,
      valueLabel: humanize,
    },
    {
      param: "actor_id",
      label: "Actor",
      kind: "text",
      placeholder: "Actor’s name or ID",
      suggest: actorSuggestions,
      fromEvent: (event) => [{ value: event.actor.id, name: actorName(event.actor) }],
    },
    { param: "field", label: "Changed field", kind: "text", placeholder: "status" },
    changedFilter(frameworkApi),
    ...sharedFilters,
  ],
  metrics: [{ title: "Total Events", value: (metrics) => metrics.total }, failedMetric, deniedMetric],
  chart: statusChart,
  top: [
    { field: "component", title: "Components", valueLabel: (value) => humanize(value.replace(":", " ")) },
    { field: "error", title: "Errors", filter: null, valueLabel: lastLine },
    { field: "action", title: "Actions", valueLabel: humanize },
    { field: "actor_id", title: "Actors" },
    { field: "status", title: "Status", valueLabel: humanize },
    { field: "source", title: "Sources" },
  ],
  headline,
  changes: (event) => ({ list: event.changes, kind: changeKind(event.action), fieldParam: "field" }),
  fields: [
    { label: "Status", value: (event) => <StatusValue status={event.status} wrap /> },
    {
      label: "Error",
      value: (event) => <Reason status={event.status} text={event.error} wrap />,
      when: (event) => event.error !== null,
    },
    { label: "Action", value: (event) => <Action event={event} wrap /> },
    { label: "Component", value: (event) => <Component event={event} wrap /> },
    {
      label: "Component ID",
      value: (event) => event.component.id,
      when: (event) => event.component.id !== null,
    },
    { label: "Actor", value: (event) => <ActorValue actor={event.actor} wrap /> },
    ...sharedFields,
  ],
  related,
  example: {
    action: "policy_synced",
    component: { type: "policy", id: "2", name: "OpsAccess" },
    status: "success",
  },
};
