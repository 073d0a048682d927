import { Link } from "@tanstack/react-router";
import type { UserSession } from "../../api/types";
import { actorName, None, Timestamp } from "../../logs/cells";
import { SortButton } from "../../logs/TableParts";
import { SkeletonLine } from "../../ui/Skeleton";
import { Status } from "../../ui/Status";
import { type Clock, formatCount, formatDate, formatDuration } from "../../ui/time/format";
import type { SessionSearch } from "./session-search";
import { deviceText, endOf, isEndInferred, timelineOf } from "./session-text";
import styles from "./SessionsPage.module.css";

interface SessionTableProps {
  slug: string;
  clock: Clock;
  sessions: readonly UserSession[];
  loading: boolean;
  order: "asc" | "desc";
  onOrder: () => void;
  onFilter: (filter: SessionSearch) => void;
}

const SIGNED_IN = "Signed in";
const COLUMNS = ["User", SIGNED_IN, "Duration", "Ended", "Device", "IP address"] as const;

/** A row is a link to everything in its session. */
export function SessionTable({
  slug,
  clock,
  sessions,
  loading,
  order,
  onOrder,
  onFilter,
}: SessionTableProps) {
  const direction = order === "desc" ? "descending" : "ascending";
  return (
    <table className={styles.table} aria-label="Sessions" aria-busy={loading}>
      <thead>
        <tr>
          {COLUMNS.map((title) => (
            <th key={title} scope="col" aria-sort={title === SIGNED_IN ? direction : undefined}>
              {title === SIGNED_IN ? <SortButton title={title} order={order} onOrder={onOrder} /> : title}
            </th>
          ))}
          <th scope="col" className={styles.number}>
            Events
          </th>
          <th scope="col" className={styles.number}>
            Changes
          </th>
        </tr>
      </thead>
      <tbody>
        {loading
          ? [72, 58, 64, 48, 70, 54, 62, 50].map((width) => (
              <tr key={width}>
                <td colSpan={COLUMNS.length + 2}>
                  <SkeletonLine width={`${width}%`} />
                </td>
              </tr>
            ))
          : sessions.map((session) => (
              <SessionRow
                key={session.login_event_id}
                slug={slug}
                clock={clock}
                session={session}
                onFilter={onFilter}
              />
            ))}
      </tbody>
    </table>
  );
}

function SessionRow({
  slug,
  clock,
  session,
  onFilter,
}: Pick<SessionTableProps, "slug" | "clock" | "onFilter"> & { session: UserSession }) {
  const { user, role, started_at, ended_at, duration_seconds, ip_address, user_agent } = session;
  const name = actorName(user);
  const device = deviceText(session);
  const count = (number: number) => formatCount(number, session.is_complete);
  return (
    <tr className={styles.row}>
      <td className={styles.user}>
        <Link
          to="/w/$slug/timeline"
          params={{ slug }}
          search={timelineOf(session)}
          className={styles.link}
          aria-label={`${name}, session of ${formatDate(Date.parse(started_at), clock)}: everything in it`}
        >
          {name}
        </Link>
        {user?.name && user.id && <span className={styles.id}>{user.id}</span>}
        {role && <span className={styles.role}>{role}</span>}
      </td>
      <td className={styles.time}>
        <Timestamp at={started_at} />
      </td>
      <td className={styles.duration}>
        {duration_seconds === null ? <None /> : formatDuration(duration_seconds)}
      </td>
      <td className={styles.end}>
        {ended_at === null ? (
          <Status tone="good" shape="dot">
            {endOf(session)}
          </Status>
        ) : (
          <span title={`${isEndInferred(session) ? "Inferred: no event says it. " : ""}Until ${ended_at}`}>
            {endOf(session)}
            {isEndInferred(session) && <span className={styles.tag}>inferred</span>}
          </span>
        )}
      </td>
      <td className={styles.device} title={user_agent ?? undefined}>
        {device ?? <None />}
      </td>
      <td className={styles.address}>
        {ip_address ? (
          <button
            type="button"
            className={styles.filter}
            title={`Sessions from ${ip_address}`}
            onClick={() => onFilter({ ip_address })}
          >
            {ip_address}
          </button>
        ) : (
          <None />
        )}
      </td>
      <td className={styles.number} data-label={session.events === 1 ? "event" : "events"}>
        {count(session.events)}
      </td>
      <td className={styles.number} data-label={session.changes === 1 ? "change" : "changes"}>
        {count(session.changes)}
        {session.failures > 0 && (
          <span className={styles.failures} title="Failed or denied">
            {count(session.failures)} failed
          </span>
        )}
      </td>
    </tr>
  );
}
