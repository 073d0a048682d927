import type { UserSession } from "../../api/types";
import { humanize } from "../../logs/definition";
import type { TimelineSearch } from "../timeline/timeline-search";

/** Everything in a session. One without an id is what its user did in that time. */
export function timelineOf(session: UserSession): TimelineSearch {
  const { session_id, user, started_at, ended_at, last_event_at, login_event_id } = session;
  if (session_id !== null) return { session_id };
  if (!user?.id) return { around: login_event_id };
  // The end of a range is exclusive, and its text may be cut to milliseconds.
  const until = new Date(Date.parse(ended_at ?? last_event_at) + 1).toISOString();
  return { actor: `${user.type}:${user.id}`, since: started_at, until };
}

const ENDS: Record<NonNullable<UserSession["ended_by"]>, string> = {
  logout: "Signed out",
  session_expired: "Expired",
  next_login: "Signed in again",
  inactivity: "No more events",
};

export function endOf({ ended_by }: UserSession): string {
  return ended_by === null ? "Still open" : (ENDS[ended_by] ?? humanize(ended_by));
}

/** The end is a conclusion, and no event says it. */
export function isEndInferred({ ended_by }: UserSession): boolean {
  return ended_by === "next_login" || ended_by === "inactivity";
}

export function deviceText({ device: { browser, os }, user_agent }: UserSession): string | null {
  if (browser && os) return `${browser} on ${os}`;
  return browser ?? os ?? user_agent;
}
