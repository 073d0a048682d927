import { frameworkApi } from "../api/logs";
import type { FrameworkEvent, FrameworkMetrics } from "../api/types";
import { Status } from "../ui/Status";
import { ActorValue, NameWithId, None, StatusValue, Timestamp, Value } from "../logs/cells";
import { ACTOR_TYPES, humanize, type LogDefinition, type RelatedLink, statusMark } from "../logs/definition";
import styles from "./framework.module.css";

/** The value of the component filter: a type, or one component as "type:id". */
function componentValue({ component }: FrameworkEvent): string {
  return component.id ? `${component.type}:${component.id}` : component.type;
}

function componentName({ component }: FrameworkEvent): string {
  return component.name ?? component.id ?? humanize(component.type);
}

/** The last line of a traceback says what went wrong. The table shows only that line. */
function lastLine(error: string): string {
  return error.trimEnd().split("\n").at(-1) ?? error;
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
  if (event.session_id) {
    links.push({ label: "Same session", log: "framework", search: { q: event.session_id } });
  }
  if (event.correlation_id) {
    links.push({ label: "Same correlation ID", log: "framework", search: { q: event.correlation_id } });
    links.push({
      label: "Changes, same correlation ID",
      log: "application",
      search: { q: event.correlation_id },
    });
  }
  return links;
}

export const frameworkLog: LogDefinition<"framework", FrameworkEvent, FrameworkMetrics> = {
  name: "framework",
  title: "Framework log",
  question: "What did the platform do?",
  api: frameworkApi,
  columns: [
    { id: "time", title: "Time", width: "168px", cell: (event) => <Timestamp at={event.occurred_at} /> },
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
      width: "minmax(130px, 1fr)",
      hideBelow: 740,
      cell: (event) => <ActorValue actor={event.actor} />,
    },
    { id: "status", title: "Status", width: "104px", cell: (event) => <StatusValue status={event.status} /> },
    {
      id: "error",
      title: "Error",
      width: "minmax(140px, 1.6fr)",
      hideBelow: 800,
      cell: (event) =>
        event.error ? (
          <span className={styles.error} title={event.error}>
            {lastLine(event.error)}
          </span>
        ) : (
          <None />
        ),
    },
  ],
  card: (event) => ({
    primary: `${humanize(event.action)}: ${componentName(event)}`,
    secondary: (
      <>
        <Status {...statusMark(event.status)}>{humanize(event.status)}</Status>
        {` · ${(event.error && lastLine(event.error)) ?? event.actor.name ?? humanize(event.actor.type)}`}
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
      fromEvent: (event) => ({ value: componentValue(event), name: event.component.name }),
    },
    { param: "status", label: "Status", kind: "facet", valueLabel: humanize },
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
      placeholder: "Actor ID",
      fromEvent: (event) => ({ value: event.actor.id, name: event.actor.name }),
    },
  ],
  metrics: [
    { title: "Total Events", value: (metrics) => metrics.total },
    {
      title: "Failed",
      value: (metrics) => metrics.failed,
      filter: { param: "status", value: "failure" },
    },
  ],
  chart: {
    by: "status",
    series: [
      { value: "success", label: "Success", color: "--chart-1" },
      { value: "failure", label: "Failure", color: "--chart-2" },
    ],
  },
  headline: (event) => `${humanize(event.action)}: ${componentName(event)}`,
  changes: (event) => ({ list: event.changes, kind: changeKind(event.action) }),
  fields: [
    { label: "Status", value: (event) => <StatusValue status={event.status} wrap /> },
    {
      label: "Error",
      value: (event) => (event.error ? <span className={styles.trace}>{event.error}</span> : <None />),
    },
    { label: "Action", value: (event) => <Action event={event} wrap /> },
    { label: "Component", value: (event) => <Component event={event} wrap /> },
    { label: "Component ID", value: (event) => event.component.id ?? <None /> },
    { label: "Actor", value: (event) => <ActorValue actor={event.actor} wrap /> },
    { label: "Role", value: (event) => event.role ?? <None /> },
    { label: "IP address", value: (event) => event.ip_address ?? <None /> },
    { label: "User agent", value: (event) => event.user_agent ?? <None /> },
    { label: "Session", value: (event) => event.session_id ?? <None /> },
    { label: "Correlation ID", value: (event) => event.correlation_id ?? <None /> },
  ],
  related,
  example: {
    action: "policy_synced",
    component: { type: "policy", id: "2", name: "OpsAccess" },
    status: "success",
  },
};
