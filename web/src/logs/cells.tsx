import type { Actor } from "../api/types";
import { cx } from "../ui/cx";
import { Status } from "../ui/Status";
import { formatDate, formatTime } from "../ui/time/format";
import styles from "./cells.module.css";
import { useLog } from "./context";
import { humanize, statusMark } from "./definition";

export function None() {
  return (
    <span className={styles.none}>
      <span aria-hidden="true">–</span>
      <span className="visually-hidden">none</span>
    </span>
  );
}

interface ValueProps {
  /** The filter that a click on the value sets. */
  param: string;
  value: string | null | undefined;
  /** The value as text, for the tooltip, where the children are more than text. */
  label?: string | undefined;
  wrap?: boolean;
  children?: React.ReactNode;
}

/**
 * A value that sets its filter when clicked. In the table it is not in the tab order, because hundreds of stops
 * would make the keyboard useless. The drawer of an event shows the same values within the tab order.
 */
export function Value({ param, value, label, wrap = false, children }: ValueProps) {
  const { filterBy, filterLabel } = useLog();
  if (value === null || value === undefined || value === "") return <None />;
  const className = cx(styles.value, wrap && styles.wrap);
  if (!filterBy) {
    return (
      <span className={className}>
        <span className={styles.text}>{children ?? value}</span>
      </span>
    );
  }
  const hint = `filter by ${withLowerInitial(filterLabel(param))}`;
  return (
    <button
      type="button"
      tabIndex={wrap ? 0 : -1}
      className={className}
      title={`${label ?? value}: click to ${hint}`}
      onClick={(event) => {
        event.stopPropagation();
        filterBy(param, value);
      }}
    >
      <span className={styles.text}>
        {children ?? value}
        <span className={styles.hint}>, {hint}</span>
      </span>
    </button>
  );
}

/** "Role" → "role", but "IP address" stays as it is. */
function withLowerInitial(label: string): string {
  return label.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase());
}

/** A name and its ID: names repeat and change, IDs do not. */
export function NameWithId({
  name,
  id,
  kind,
}: {
  name?: string | null;
  id?: string | null;
  kind?: string | null;
}) {
  return (
    <span className={styles.named}>
      <span className={styles.name}>{name ?? id}</span>
      {name && id && <span className={styles.id}>{id}</span>}
      {kind && <span className={styles.kind}>{kind}</span>}
    </span>
  );
}

export function ActorValue({ actor, wrap = false }: { actor: Actor; wrap?: boolean }) {
  const kind = actor.type === "user" ? null : humanize(actor.type);
  if (!actor.id) {
    // An actor without an ID, such as the system, can be filtered by its type.
    return (
      <Value param="actor_type" value={actor.type} label={actor.name ?? humanize(actor.type)} wrap={wrap}>
        <NameWithId name={actor.name ?? humanize(actor.type)} kind={actor.name ? kind : null} />
      </Value>
    );
  }
  return (
    <Value param="actor_id" value={actor.id} label={actor.name ?? actor.id} wrap={wrap}>
      <NameWithId name={actor.name} id={actor.id} kind={kind} />
    </Value>
  );
}

export function StatusValue({ status, wrap = false }: { status: string; wrap?: boolean }) {
  return (
    <Value param="status" value={status} label={humanize(status)} wrap={wrap}>
      <Status {...statusMark(status)}>{humanize(status)}</Status>
    </Value>
  );
}

export function Timestamp({ at }: { at: string }) {
  const { clock } = useLog();
  const instant = Date.parse(at);
  return (
    <time className={styles.time} dateTime={at} data-instant={instant}>
      <span className={styles.date}>{formatDate(instant, clock)} </span>
      {formatTime(instant, clock)}
    </time>
  );
}
