import type { FeedEvent } from "../../api/types";
import {
  actorName,
  actorText,
  ActorValue,
  NameWithId,
  None,
  Outcome,
  OutcomeWithReason,
  Timestamp,
} from "../../logs/cells";
import { type Column, humanize } from "../../logs/definition";
import { Marked } from "../../logs/matches";

/** An event of any log, with the outcome under the name that the table knows. */
export type TimelineEvent = FeedEvent & { status: string };

export function asTimelineEvent(event: FeedEvent): TimelineEvent {
  return { ...event, status: event.outcome };
}

function Target({ target }: { target: FeedEvent["target"] }) {
  if (!target) return <None />;
  return <NameWithId name={target.name} id={target.id} kind={target.type ? humanize(target.type) : null} />;
}

const columns: readonly Column<TimelineEvent>[] = [
  {
    id: "time",
    title: "Time",
    width: "84px",
    cell: (event) => <Timestamp at={event.occurred_at} dated={false} />,
  },
  { id: "log", title: "Log", width: "96px", cell: (event) => humanize(event.log) },
  {
    id: "actor",
    title: "Actor",
    width: "minmax(130px, 1.2fr)",
    cell: (event) => <ActorValue actor={event.actor} onBehalfOf={event.on_behalf_of} />,
  },
  {
    id: "action",
    title: "Action",
    width: "minmax(110px, 1fr)",
    cell: (event) => <Marked text={humanize(event.action)} />,
  },
  {
    id: "target",
    title: "Target",
    width: "minmax(140px, 1.4fr)",
    cell: (event) => <Target target={event.target} />,
  },
  {
    id: "outcome",
    title: "Outcome",
    width: "minmax(104px, 1.3fr)",
    hideBelow: 620,
    cell: (event) => <OutcomeWithReason status={event.outcome} reason={event.outcome_reason} />,
  },
  {
    id: "ip",
    title: "IP address",
    width: "minmax(110px, 0.8fr)",
    hideBelow: 820,
    cell: (event) => (event.ip_address ? <Marked text={event.ip_address} /> : <None />),
  },
];

export const headline = ({ action, target }: TimelineEvent) =>
  [humanize(action), target?.name ?? target?.id].filter(Boolean).join(": ");

/** What a copied table says of an event. */
export function timelineCells(event: TimelineEvent): Record<string, string> {
  return {
    Time: event.occurred_at,
    Log: humanize(event.log),
    Event: headline(event),
    Actor: actorText(event.actor, event.on_behalf_of),
    Outcome: event.outcome,
    "IP address": event.ip_address ?? "",
    "Event ID": event.id,
  };
}

export const timelineTable = {
  title: "Timeline",
  columns,
  headline,
  card: (event: TimelineEvent) => ({
    primary: headline(event),
    secondary: (
      <>
        <Outcome status={event.outcome} />
        {` · ${humanize(event.log)} · ${actorName(event.actor)}`}
      </>
    ),
  }),
};
