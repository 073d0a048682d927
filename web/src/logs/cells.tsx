import type { Actor, Target } from "../api/types";
import { cx } from "../ui/cx";
import { Icon } from "../ui/Icon";
import { Status } from "../ui/Status";
import { formatDate, formatTime } from "../ui/time/format";
import styles from "./cells.module.css";
import { useLog } from "./context";
import { humanize, statusMark } from "./definition";
import { Marked } from "./matches";
import { excluding } from "./search";

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
 * A value that sets its filter when clicked, and a button beside it that excludes the value (as Alt and a click do).
 * In the table they are not in the tab order, because hundreds of stops would make the keyboard useless. The drawer
 * of an event shows the same values within the tab order.
 */
export function Value({ param, value, label, wrap = false, children }: ValueProps) {
  const { filterBy, onlyBy, filterLabel } = useLog();
  if (value === null || value === undefined || value === "") return <None />;
  const className = cx(styles.value, wrap && styles.wrap);
  if (!filterBy) {
    return (
      <span className={className}>
        <span className={styles.text}>{children ?? value}</span>
      </span>
    );
  }
  const text = typeof children === "string" ? children : children === undefined ? value : null;
  const shown = label ?? value;
  const subject = withLowerInitial(filterLabel(param));
  const hint = `filter by ${subject}`;
  return (
    <span className={cx(styles.actions, wrap && styles.wrapActions)}>
      <button
        type="button"
        tabIndex={wrap ? 0 : -1}
        className={className}
        title={`${shown}: click to ${hint}, Alt and click to exclude it, Shift and click for it alone`}
        data-value=""
        onClick={(event) => {
          event.stopPropagation();
          if (event.shiftKey) onlyBy?.(param, value);
          else filterBy(event.altKey ? excluding(param) : param, value);
        }}
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey) return;
          if (event.key === "e") filterBy(excluding(param), value);
          else if (event.key === "x") onlyBy?.(param, value);
          else return;
          event.stopPropagation();
        }}
      >
        <span className={styles.text}>
          {text === null ? children : <Marked text={text} />}
          <span className={styles.hint}>, {hint}</span>
        </span>
      </button>
      <button
        type="button"
        tabIndex={wrap ? 0 : -1}
        className={styles.exclude}
        title={`Exclude ${shown}`}
        aria-label={`Exclude ${subject} ${shown}`}
        onClick={(event) => {
          event.stopPropagation();
          filterBy(excluding(param), value);
        }}
      >
        <Icon name="ban" size={14} />
      </button>
    </span>
  );
}

/** "Role" → "role", but "IP address" stays as it is. */
function withLowerInitial(label: string): string {
  return label.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase());
}

/** Text that may break after an underscore or a dot, where a name such as phone_number has its parts. */
export function Breakable({ text }: { text: string }) {
  return text.split(/(?<=[_.])/).map((part, index) => (
    <span key={index}>
      {index > 0 && <wbr />}
      {part}
    </span>
  ));
}

/** A name and its ID: names repeat and change, IDs do not. */
export function NameWithId({
  name,
  id,
  kind,
  agent = false,
  brief = false,
}: {
  name?: string | null;
  id?: string | null;
  kind?: string | null;
  /** An agent decides by itself what it does, so its mark differs from those of other actors. */
  agent?: boolean;
  /** Shows the mark of an agent without its word, where two names share a cell. */
  brief?: boolean;
}) {
  return (
    <span className={styles.named}>
      <span className={styles.name}>
        <Marked text={name ?? id ?? ""} />
      </span>
      {name && id && (
        <span className={styles.id}>
          <Marked text={id} />
        </span>
      )}
      {kind && (
        <span className={cx(styles.kind, agent && styles.agent)}>
          {agent && <Icon name="agent" size={12} />}
          <span className={agent && brief ? "visually-hidden" : undefined}>{kind}</span>
        </span>
      )}
    </span>
  );
}

interface ActorValueProps {
  actor: Actor | null;
  /** The person for whom the actor acted. The drawer has a field of its own for it. */
  onBehalfOf?: Actor | null;
  wrap?: boolean;
  /** The filters by the actor's ID and type. */
  idParam?: string;
  typeParam?: string;
}

export function ActorValue({
  actor,
  onBehalfOf = null,
  wrap = false,
  idParam = "actor_id",
  typeParam = "actor_type",
}: ActorValueProps) {
  if (!actor) return <None />;
  const agent = actor.type === "agent";
  const kind = actor.type === "user" ? null : humanize(actor.type);
  const type = humanize(actor.type);
  // An actor without an ID, such as the system, can be filtered by its type.
  const value = actor.id ? (
    <Value param={idParam} value={actor.id} label={actor.name ?? actor.id} wrap={wrap}>
      <NameWithId
        name={actor.name}
        id={onBehalfOf ? null : actor.id}
        kind={kind}
        agent={agent}
        brief={onBehalfOf !== null}
      />
    </Value>
  ) : (
    <Value param={typeParam} value={actor.type} label={actor.name ?? type} wrap={wrap}>
      <NameWithId name={actor.name ?? type} kind={actor.name ? kind : null} agent={agent} />
    </Value>
  );
  if (!onBehalfOf) return value;
  return (
    <span className={styles.pair}>
      {value}
      <span className={styles.for}>for</span>
      <OnBehalfOf person={onBehalfOf} wrap={wrap} />
    </span>
  );
}

export function OnBehalfOf({ person, wrap = false }: { person: Actor | null; wrap?: boolean }) {
  if (!person) return <None />;
  const name = actorName(person);
  if (!person.id) return <span>{name}</span>;
  return (
    <Value param="on_behalf_of" value={person.id} label={name} wrap={wrap}>
      <NameWithId name={name} id={wrap ? person.id : null} />
    </Value>
  );
}

export function actorName(actor: Actor | null): string {
  if (!actor) return "Unknown";
  return actor.name ?? actor.id ?? humanize(actor.type);
}

/** "Support Bot for Asha Rao", for places where nothing is clickable. */
export function actorText(actor: Actor | null, onBehalfOf: Actor | null): string {
  return onBehalfOf ? `${actorName(actor)} for ${actorName(onBehalfOf)}` : actorName(actor);
}

/** The value of the target filter: a type, or one target as "type:id". */
export function targetValue({ type, id }: Target): string {
  return id ? `${type ?? ""}:${id}` : (type ?? "");
}

export function TargetValue({ target, wrap = false }: { target: Target; wrap?: boolean }) {
  const kind = target.type ? humanize(target.type) : null;
  const name = target.name ?? target.id ?? kind;
  return (
    <Value param="target" value={targetValue(target)} label={[kind, name].join(" ")} wrap={wrap}>
      <NameWithId
        name={name}
        id={wrap && target.name ? target.id : null}
        kind={target.name || target.id ? kind : null}
      />
    </Value>
  );
}

export function StatusValue({ status, wrap = false }: { status: string; wrap?: boolean }) {
  return (
    <Value param="status" value={status} label={humanize(status)} wrap={wrap}>
      <Outcome status={status} />
    </Value>
  );
}

/** A success is plain text, so that what failed or was denied stands out. */
export function Outcome({ status, children }: { status: string; children?: React.ReactNode }) {
  const text = children ?? humanize(status);
  if (status === "success") return <span className={styles.success}>{text}</span>;
  return <Status {...statusMark(status)}>{text}</Status>;
}

/** The status, and why. */
export function StatusWithReason({ status, reason }: { status: string; reason: string | null }) {
  return (
    <span className={styles.withReason}>
      <StatusValue status={status} />
      {reason && (
        <span className={styles.reason} title={reason}>
          <Marked text={humanize(reason)} />
        </span>
      )}
    </span>
  );
}

/** The outcome, and why, where neither is a filter. */
export function OutcomeWithReason({ status, reason }: { status: string; reason: string | null }) {
  return (
    <span className={styles.withReason}>
      <Outcome status={status} />
      {reason && (
        <span className={styles.reason} title={reason}>
          <Marked text={humanize(reason)} />
        </span>
      )}
    </span>
  );
}

/** Why an event failed or was denied. The table has room for one line of it. */
export function Reason({
  status,
  text,
  wrap = false,
}: {
  status: string;
  text: string | null;
  wrap?: boolean;
}) {
  if (!text) return <None />;
  return (
    <span
      className={cx(wrap && styles.trace, status === "denied" ? styles.denied : styles.failed)}
      title={wrap ? undefined : text}
    >
      <Marked text={wrap ? text : lastLine(text)} />
    </span>
  );
}

/** The last line of a traceback says what went wrong. */
export function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? text;
}

/** A date and a time. Where the date stands above the row, it is for screen readers alone. */
export function Timestamp({ at, dated = true }: { at: string; dated?: boolean }) {
  const { clock } = useLog();
  const instant = Date.parse(at);
  return (
    <time className={styles.time} dateTime={at} data-instant={instant}>
      <span className={dated ? styles.date : "visually-hidden"}>{formatDate(instant, clock)} </span>
      {formatTime(instant, clock)}
    </time>
  );
}
