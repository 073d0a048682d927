import { Link } from "@tanstack/react-router";
import type { LogEvent, LogName } from "../api/types";
import { Timestamp } from "../logs/cells";
import type { LogDefinition } from "../logs/definition";
import { LOG_PATHS } from "../logs/paths";
import styles from "./Overview.module.css";

interface LatestEventProps<L extends LogName, E extends LogEvent, M> {
  log: LogDefinition<L, E, M>;
  event: E;
  workspace: string;
  /** What its log is opened with, beside the event. */
  search: object;
  /** When it happened. By default the date and the time. */
  time?: React.ReactNode;
  /** The second line. By default that of the log's card. */
  secondary?: React.ReactNode;
}

/** An event in a list of the overview. */
export function LatestEvent<L extends LogName, E extends LogEvent, M>(props: LatestEventProps<L, E, M>) {
  const { log, event, workspace, search, time = <Timestamp at={event.occurred_at} /> } = props;
  const card = log.card(event);
  const name: LogName = log.name;
  return (
    <li>
      <Link
        to={LOG_PATHS[name]}
        params={{ slug: workspace }}
        search={{ ...search, event: event.id }}
        className={styles.event}
      >
        <span className={styles.line}>
          <span>{card.primary}</span>
          <span className={styles.time}>{time}</span>
        </span>
        <span className={`${styles.line} ${styles.secondary}`}>
          <span>{props.secondary ?? card.secondary}</span>
        </span>
      </Link>
    </li>
  );
}
