import { accessApi } from "../api/logs";
import type { AccessEvent, AccessMetrics } from "../api/types";
import {
  actorName,
  ActorValue,
  NameWithId,
  None,
  Reason,
  Outcome,
  StatusValue,
  StatusWithReason,
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
} from "../logs/shared";
import { browserName } from "./browser-name";

const EVENT_TYPES: Record<string, string> = {
  login: "Login",
  logout: "Logout",
  login_failed: "Failed login",
  session_expired: "Session expired",
  role_switched: "Role switched",
};

function typeLabel(value: string): string {
  return EVENT_TYPES[value] ?? humanize(value);
}

function person(event: AccessEvent): string | null {
  return event.user?.name ?? event.username ?? event.user?.id ?? null;
}

function User({ event, wrap = false }: { event: AccessEvent; wrap?: boolean }) {
  const { user, username } = event;
  // A failed login has no user, only the username that somebody entered.
  if (!user?.id && !user?.name) {
    return username ? <NameWithId name={username} kind="as entered" /> : <None />;
  }
  return (
    <ActorValue
      actor={{ ...user, name: user.name ?? username }}
      onBehalfOf={wrap ? null : event.on_behalf_of}
      idParam="user_id"
      typeParam="user_type"
      wrap={wrap}
    />
  );
}

function related(event: AccessEvent): RelatedLink[] {
  const links: RelatedLink[] = [];
  const id = event.user?.id;
  if (id) {
    links.push({ label: "This user's access events", log: "access", search: { user_id: [id] } });
    links.push({ label: "This user's changes", log: "application", search: { actor_id: [id] } });
  }
  if (event.session_id) {
    links.push({
      label: "Changes in this session",
      log: "application",
      search: { session_id: [event.session_id] },
    });
  }
  return links;
}

export const accessLog: LogDefinition<"access", AccessEvent, AccessMetrics> = {
  name: "access",
  title: "Access log",
  question: "Who signed in?",
  api: accessApi,
  columns: [
    timeColumn,
    { id: "user", title: "User", width: "minmax(170px, 1.8fr)", cell: (event) => <User event={event} /> },
    {
      id: "event_type",
      title: "Event",
      width: "minmax(112px, 1fr)",
      cell: (event) => (
        <Value param="event_type" value={event.event_type} label={typeLabel(event.event_type)}>
          {typeLabel(event.event_type)}
        </Value>
      ),
    },
    {
      id: "status",
      title: "Status",
      width: "minmax(104px, 1.3fr)",
      cell: (event) => <StatusWithReason status={event.status} reason={event.status_reason} />,
    },
    {
      id: "role",
      title: "Role",
      width: "minmax(90px, 1fr)",
      hideBelow: 760,
      cell: (event) => <Value param="role" value={event.role} />,
    },
    {
      id: "ip",
      title: "IP address",
      width: "minmax(120px, 1fr)",
      hideBelow: 540,
      cell: (event) => <Value param="ip_address" value={event.ip_address} />,
    },
    {
      id: "user_agent",
      title: "User agent",
      width: "minmax(120px, 1.4fr)",
      hideBelow: 940,
      cell: (event) =>
        event.user_agent ? <span title={event.user_agent}>{browserName(event.user_agent)}</span> : <None />,
    },
  ],
  card: (event) => ({
    primary: event.on_behalf_of
      ? `${person(event) ?? "Unknown user"} for ${actorName(event.on_behalf_of)}`
      : (person(event) ?? "Unknown user"),
    secondary: (
      <>
        <Outcome status={event.status}>
          {typeLabel(event.event_type)}
          {event.status === "denied" && ", denied"}
        </Outcome>
        {[event.status_reason && humanize(event.status_reason), event.role, event.ip_address]
          .filter(Boolean)
          .map((part) => ` · ${part}`)}
      </>
    ),
  }),
  filters: [
    { param: "event_type", label: "Event", kind: "facet", valueLabel: typeLabel },
    statusFilter,
    { param: "user_type", label: "User type", kind: "choice", values: ACTOR_TYPES, valueLabel: humanize },
    {
      param: "user_id",
      label: "User",
      kind: "text",
      placeholder: "User’s name or ID",
      suggest: actorSuggestions,
      fromEvent: (event) => [{ value: event.user?.id, name: event.user?.name }],
    },
    ...sharedFilters,
  ],
  metrics: [
    { title: "Total Access Logs", value: (metrics) => metrics.total },
    { ...failedMetric, title: "Failed Attempts" },
    deniedMetric,
  ],
  chart: statusChart,
  top: [
    { field: "user_id", title: "Users" },
    { field: "ip_address", title: "IP addresses" },
    { field: "status_reason", title: "Reasons", filter: null, valueLabel: humanize },
    { field: "event_type", title: "Events", valueLabel: typeLabel },
    { field: "role", title: "Roles" },
    { field: "user_agent", title: "Browsers and programs", filter: null, valueLabel: browserName },
    { field: "status", title: "Status", valueLabel: humanize },
    { field: "source", title: "Sources" },
  ],
  headline: (event) => `${typeLabel(event.event_type)}: ${person(event) ?? "unknown user"}`,
  fields: [
    { label: "Status", value: (event) => <StatusValue status={event.status} wrap /> },
    {
      label: "Reason",
      value: ({ status, status_reason: reason }) => (
        <Reason status={status} text={reason && humanize(reason)} wrap />
      ),
      when: (event) => event.status_reason !== null,
    },
    {
      label: "Event",
      value: (event) => (
        <Value param="event_type" value={event.event_type} label={typeLabel(event.event_type)} wrap>
          {typeLabel(event.event_type)}
        </Value>
      ),
    },
    { label: "User", value: (event) => <User event={event} wrap /> },
    { label: "Username", value: (event) => event.username, when: (event) => event.username !== null },
    ...sharedFields,
  ],
  related,
  example: {
    event_type: "login",
    user: { id: "17", name: "Asha Rao" },
    role: "Nurse",
    ip_address: "198.51.100.4",
  },
};
