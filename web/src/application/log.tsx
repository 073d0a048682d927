import { applicationApi } from "../api/logs";
import type { ApplicationEvent, ApplicationMetrics } from "../api/types";
import { Status, type Shape, type Tone } from "../ui/Status";
import {
  actorName,
  actorText,
  ActorValue,
  NameWithId,
  None,
  Reason,
  StatusValue,
  Value,
} from "../logs/cells";
import { ChangesSummary } from "../logs/Changes";
import { ACTOR_TYPES, humanize, type LogDefinition, type RelatedLink, statusMark } from "../logs/definition";
import {
  actorSuggestions,
  deniedMetric,
  failedMetric,
  sharedFields,
  sharedFilters,
  statusFilter,
  timeColumn,
  typeAndId,
  changedFilter,
} from "../logs/shared";

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

/** A record's id alone may be that of a record of another model, too. */
function recordValue({ model, record_id }: ApplicationEvent): string {
  return `${model}:${record_id}`;
}

/** "patient Li Lei". Many records are named after their model: "visit Visit 12" would repeat it. */
function recordText({ model, record_id, record_name }: ApplicationEvent): string {
  const record = record_name ?? record_id;
  return record.toLowerCase().startsWith(model.toLowerCase()) ? record : `${model} ${record}`;
}

function RecordValue({ event, wrap = false }: { event: ApplicationEvent; wrap?: boolean }) {
  return (
    <Value param="record" value={recordValue(event)} label={recordText(event)} wrap={wrap}>
      <NameWithId name={event.record_name} id={event.record_id} />
    </Value>
  );
}

const VERBS: Record<string, string> = { create: "created", update: "changed", delete: "deleted" };

/** What the actor did, or tried: "failed to delete", "was not allowed to update". */
function verbOf({ action, status }: ApplicationEvent): string {
  const infinitive = humanize(action).toLowerCase();
  if (status === "failure") return `failed to ${infinitive}`;
  if (status === "denied") return `was not allowed to ${infinitive}`;
  return VERBS[action] ?? infinitive;
}

function headline(event: ApplicationEvent): string {
  const who = actorText(event.actor, event.on_behalf_of);
  const verb = verbOf(event);
  return `${who} ${verb} ${recordText(event)}`;
}

function related(event: ApplicationEvent): RelatedLink[] {
  const links: RelatedLink[] = [
    {
      label: "This record's history",
      log: "application",
      search: { record: [recordValue(event)] },
    },
  ];
  const { id } = event.actor;
  if (id) {
    links.push({ label: "This user's changes", log: "application", search: { actor_id: [id] } });
    links.push({ label: "This user's access events", log: "access", search: { user_id: [id] } });
  }
  if (event.session_id) {
    links.push({
      label: "Sign-in for this session",
      log: "access",
      search: { session_id: [event.session_id] },
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
    timeColumn,
    {
      id: "actor",
      title: "Actor",
      width: "minmax(160px, 1.4fr)",
      cell: (event) => <ActorValue actor={event.actor} onBehalfOf={event.on_behalf_of} />,
    },
    { id: "action", title: "Action", width: "100px", cell: (event) => <Action action={event.action} /> },
    {
      id: "model",
      title: "Model",
      width: "minmax(90px, 0.8fr)",
      hideBelow: 820,
      cell: (event) => <Value param="model" value={event.model} />,
    },
    {
      id: "record",
      title: "Record",
      width: "minmax(170px, 1.5fr)",
      cell: (event) => <RecordValue event={event} />,
    },
    {
      id: "status",
      title: "Status",
      width: "96px",
      hideBelow: 920,
      cell: (event) => <StatusValue status={event.status} />,
    },
    {
      id: "changes",
      title: "What changed",
      width: "minmax(140px, 1.6fr)",
      hideBelow: 520,
      cell: (event) =>
        // What was not done changed nothing: the reason is what matters.
        event.status_reason ? (
          <Reason status={event.status} text={event.status_reason} />
        ) : event.changes.length > 0 ? (
          <ChangesSummary list={event.changes} />
        ) : (
          <None />
        ),
    },
  ],
  card: (event) => ({
    primary: event.record_name ?? event.record_id,
    secondary: (
      <>
        {event.status === "success" ? (
          <ActionMark action={event.action} />
        ) : (
          <Status {...statusMark(event.status)}>
            {actionLabel(event.action)}, {event.status === "denied" ? "denied" : "failed"}
          </Status>
        )}{" "}
        · {event.model} · {actorText(event.actor, event.on_behalf_of)}
      </>
    ),
  }),
  filters: [
    { param: "action", label: "Action", kind: "facet", valueLabel: actionLabel },
    { param: "model", label: "Model", kind: "facet" },
    statusFilter,
    {
      param: "record",
      label: "Record",
      kind: "text",
      placeholder: "patient:92, or a name",
      suggest: { field: "record", valueOf: typeAndId },
      check: true,
      valueLabel: (value) => value.replace(":", " "),
      fromEvent: (event) => [{ value: recordValue(event), name: recordText(event), id: event.record_id }],
    },
    { param: "record_id", label: "Record ID", kind: "text", placeholder: "92" },
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
    changedFilter(applicationApi),
    ...sharedFilters,
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
    failedMetric,
    deniedMetric,
  ],
  chart: {
    by: "action",
    series: [
      { value: "update", label: "Updated", color: "--chart-1" },
      { value: "create", label: "Created", color: "--chart-3" },
      { value: "delete", label: "Deleted", color: "--chart-2" },
    ],
  },
  top: [
    { field: "actor_id", title: "Actors" },
    { field: "record", title: "Records", valueLabel: (value) => value.replace(":", " ") },
    { field: "field", title: "Changed fields" },
    { field: "model", title: "Models" },
    { field: "action", title: "Actions", valueLabel: actionLabel },
    { field: "role", title: "Roles" },
    { field: "ip_address", title: "IP addresses" },
    { field: "source", title: "Sources" },
  ],
  headline,
  changes: (event) => ({
    list: event.changes,
    kind: event.action === "create" || event.action === "delete" ? event.action : "update",
    fieldParam: "field",
  }),
  fields: [
    { label: "Action", value: (event) => <Action action={event.action} wrap /> },
    { label: "Status", value: (event) => <StatusValue status={event.status} wrap /> },
    {
      label: "Reason",
      value: (event) => <Reason status={event.status} text={event.status_reason} wrap />,
      when: (event) => event.status_reason !== null,
    },
    { label: "Model", value: (event) => <Value param="model" value={event.model} wrap /> },
    { label: "Record", value: (event) => <RecordValue event={event} wrap /> },
    { label: "Actor", value: (event) => <ActorValue actor={event.actor} wrap /> },
    ...sharedFields,
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
