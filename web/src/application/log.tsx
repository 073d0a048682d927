import { applicationApi } from "../api/logs";
import type { ApplicationEvent, ApplicationMetrics } from "../api/types";
import { Status, type Shape, type Tone } from "../ui/Status";
import { ActorValue, NameWithId, None, Timestamp, Value } from "../logs/cells";
import { changesSummary } from "../logs/Changes";
import { ACTOR_TYPES, humanize, type LogDefinition, type RelatedLink } from "../logs/definition";

const ACTIONS: Record<string, { label: string; tone: Tone; shape: Shape }> = {
  create: { label: "Create", tone: "good", shape: "plus" },
  update: { label: "Update", tone: "info", shape: "dot" },
  delete: { label: "Delete", tone: "bad", shape: "minus" },
};

function actionLabel(value: string): string {
  return ACTIONS[value]?.label ?? humanize(value);
}

function ActionMark({ action }: { action: string }) {
  const { tone, shape } = ACTIONS[action] ?? { tone: "neutral", shape: "dot" };
  return (
    <Status tone={tone} shape={shape}>
      {actionLabel(action)}
    </Status>
  );
}

function Action({ action, wrap = false }: { action: string; wrap?: boolean }) {
  return (
    <Value param="action" value={action} label={actionLabel(action)} wrap={wrap}>
      <ActionMark action={action} />
    </Value>
  );
}

function RecordValue({ event, wrap = false }: { event: ApplicationEvent; wrap?: boolean }) {
  return (
    <Value param="record_id" value={event.record_id} label={event.record_name ?? event.record_id} wrap={wrap}>
      <NameWithId name={event.record_name} id={event.record_id} />
    </Value>
  );
}

const VERBS: Record<string, string> = { create: "created", update: "changed", delete: "deleted" };

function headline(event: ApplicationEvent): string {
  const who = event.actor.name ?? event.actor.id ?? humanize(event.actor.type);
  const verb = VERBS[event.action] ?? humanize(event.action).toLowerCase();
  const record = event.record_name ?? event.record_id;
  // Many records are named after their model: "changed visit Visit 12" would repeat it.
  const named = record.toLowerCase().startsWith(event.model.toLowerCase());
  return `${who} ${verb} ${named ? record : `${event.model} ${record}`}`;
}

function related(event: ApplicationEvent): RelatedLink[] {
  const links: RelatedLink[] = [
    {
      label: "This record's history",
      log: "application",
      search: { model: [event.model], record_id: [event.record_id] },
    },
  ];
  const { id } = event.actor;
  if (id) {
    links.push({ label: "This user's changes", log: "application", search: { actor_id: [id] } });
    links.push({ label: "This user's access events", log: "access", search: { user_id: [id] } });
  }
  if (event.session_id) {
    links.push({ label: "Same session", log: "application", search: { q: event.session_id } });
    links.push({
      label: "Sign-in for this session",
      log: "access",
      search: { session_id: [event.session_id] },
    });
  }
  if (event.correlation_id) {
    links.push({ label: "Same correlation ID", log: "application", search: { q: event.correlation_id } });
    links.push({
      label: "Framework events, same correlation ID",
      log: "framework",
      search: { q: event.correlation_id },
    });
  }
  return links;
}

export const applicationLog: LogDefinition<"application", ApplicationEvent, ApplicationMetrics> = {
  name: "application",
  title: "Application log",
  question: "What changed in the data?",
  api: applicationApi,
  columns: [
    { id: "time", title: "Time", width: "168px", cell: (event) => <Timestamp at={event.occurred_at} /> },
    {
      id: "actor",
      title: "Actor",
      width: "minmax(140px, 1.2fr)",
      cell: (event) => <ActorValue actor={event.actor} />,
    },
    { id: "action", title: "Action", width: "100px", cell: (event) => <Action action={event.action} /> },
    {
      id: "model",
      title: "Model",
      width: "minmax(90px, 0.8fr)",
      hideBelow: 640,
      cell: (event) => <Value param="model" value={event.model} />,
    },
    {
      id: "record",
      title: "Record",
      width: "minmax(170px, 1.5fr)",
      cell: (event) => <RecordValue event={event} />,
    },
    {
      id: "changes",
      title: "What changed",
      width: "minmax(140px, 1.6fr)",
      hideBelow: 820,
      cell: (event) =>
        event.changes.length > 0 ? (
          <span title={event.changes.map((change) => change.field).join(", ")}>
            {changesSummary(event.changes)}
          </span>
        ) : (
          <None />
        ),
    },
  ],
  card: (event) => ({
    primary: event.record_name ?? event.record_id,
    secondary: (
      <>
        <ActionMark action={event.action} /> · {event.model} ·{" "}
        {event.actor.name ?? humanize(event.actor.type)}
      </>
    ),
  }),
  filters: [
    { param: "action", label: "Action", kind: "facet", valueLabel: actionLabel },
    { param: "model", label: "Model", kind: "facet" },
    {
      param: "record_id",
      label: "Record",
      kind: "text",
      placeholder: "Record ID",
      fromEvent: (event) => ({ value: event.record_id, name: event.record_name }),
    },
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
    { param: "field", label: "Changed field", kind: "text", placeholder: "status" },
  ],
  metrics: [
    { title: "Total Changes", value: (metrics) => metrics.total },
    {
      title: "Created",
      value: (metrics) => metrics.created,
      filter: { param: "action", value: "create" },
    },
    {
      title: "Updated",
      value: (metrics) => metrics.updated,
      filter: { param: "action", value: "update" },
    },
    {
      title: "Deleted",
      value: (metrics) => metrics.deleted,
      filter: { param: "action", value: "delete" },
    },
  ],
  chart: {
    by: "action",
    series: [
      { value: "update", label: "Updated", color: "--chart-1" },
      { value: "create", label: "Created", color: "--chart-3" },
      { value: "delete", label: "Deleted", color: "--chart-2" },
    ],
  },
  headline,
  changes: (event) => ({
    list: event.changes,
    kind: event.action === "create" || event.action === "delete" ? event.action : "update",
    fieldParam: "field",
  }),
  fields: [
    { label: "Action", value: (event) => <Action action={event.action} wrap /> },
    { label: "Model", value: (event) => <Value param="model" value={event.model} wrap /> },
    { label: "Record", value: (event) => <RecordValue event={event} wrap /> },
    { label: "Actor", value: (event) => <ActorValue actor={event.actor} wrap /> },
    { label: "Role", value: (event) => event.role ?? <None /> },
    { label: "IP address", value: (event) => event.ip_address ?? <None /> },
    { label: "User agent", value: (event) => event.user_agent ?? <None /> },
    { label: "Session", value: (event) => event.session_id ?? <None /> },
    { label: "Correlation ID", value: (event) => event.correlation_id ?? <None /> },
  ],
  related,
  example: {
    action: "update",
    actor: { type: "user", id: "17", name: "Asha Rao" },
    model: "patient",
    record_id: "92",
    record_name: "Li Lei",
    changes: [{ field: "status", old: "open", new: "closed" }],
  },
};
