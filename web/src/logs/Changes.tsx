import { useState } from "react";
import type { Change } from "../api/types";
import { cx } from "../ui/cx";
import { Icon } from "../ui/Icon";
import styles from "./Changes.module.css";
import { None, Value } from "./cells";

interface ChangesProps {
  list: readonly Change[];
  kind: "create" | "update" | "delete";
  /** JSON pointers into the event, to values that were secrets. */
  masked: readonly string[];
  /** The parameter that filters by changed field, if the log has one. */
  fieldParam?: string;
}

/** The changed fields. A create or a delete has only new or only old values and is shown as a snapshot. */
export function Changes({ list, kind, masked, fieldParam }: ChangesProps) {
  const changes: readonly AnyChange[] = list;
  const snapshot = kind !== "update" && changes.every((change) => !isSet(change));
  return (
    <ul
      className={cx(styles.list, snapshot && styles.snapshot)}
      aria-label={snapshot ? "Values" : "Changed fields"}
    >
      {changes.map((change, index) => (
        <li key={`${index} ${change.field}`} className={styles.change}>
          <span className={styles.field}>
            {fieldParam ? <Value param={fieldParam} value={change.field} wrap /> : change.field}
          </span>
          {isSet(change) ? (
            <SetChange added={change.added ?? []} removed={change.removed ?? []} />
          ) : (
            <ValueChange
              before={change.old}
              after={change.new}
              maskedBefore={masked.some((pointer) => covers(pointer, `/changes/${index}/old`))}
              maskedAfter={masked.some((pointer) => covers(pointer, `/changes/${index}/new`))}
              side={snapshot ? (kind === "create" ? "new" : "old") : "both"}
            />
          )}
        </li>
      ))}
    </ul>
  );
}

/** Either kind of change: one value replaces another, or a set gains and loses members. */
interface AnyChange {
  field: string;
  old?: unknown;
  new?: unknown;
  added?: readonly unknown[] | null;
  removed?: readonly unknown[] | null;
}

function isSet(change: AnyChange): boolean {
  return Boolean(change.added ?? change.removed);
}

function covers(pointer: string, value: string): boolean {
  return value === pointer || value.startsWith(`${pointer}/`);
}

interface ValueChangeProps {
  before: unknown;
  after: unknown;
  maskedBefore: boolean;
  maskedAfter: boolean;
  side: "both" | "old" | "new";
}

function ValueChange({ before, after, maskedBefore, maskedAfter, side }: ValueChangeProps) {
  if (side === "new") return <OneValue value={after} masked={maskedAfter} as="new" plain />;
  if (side === "old") return <OneValue value={before} masked={maskedBefore} as="old" plain />;
  const multiline = needsLines(before) || needsLines(after);
  return (
    <div className={cx(styles.values, multiline && styles.multiline)}>
      <OneValue value={before} masked={maskedBefore} as="old" strikethrough={!multiline} />
      {!multiline && (
        <span className={styles.arrow}>
          <Icon name="arrowRight" size={12} />
        </span>
      )}
      <OneValue value={after} masked={maskedAfter} as="new" />
    </div>
  );
}

/** Too long, or too many lines, to stand beside another value. */
function needsLines(value: unknown): boolean {
  const text = typeof value === "object" && value !== null ? jsonText(value) : String(value);
  return text.length > 48 || text.includes("\n");
}

interface OneValueProps {
  value: unknown;
  masked: boolean;
  as: "old" | "new";
  strikethrough?: boolean;
  plain?: boolean;
}

/** Longer text is cut until somebody asks for all of it. */
const MAX_LENGTH = 320;

function OneValue({ value, masked, as, strikethrough = false, plain = false }: OneValueProps) {
  const [expanded, setExpanded] = useState(false);
  const Tag = plain ? "span" : as === "old" ? "del" : "ins";
  if (masked) {
    return (
      <span className={styles.masked}>
        <Icon name="lock" size={12} />
        masked
        <span className="visually-hidden">: a secret value, which is not stored</span>
      </span>
    );
  }
  if (value === null || value === undefined) return <span className={styles.empty}>empty</span>;
  if (value === "") return <span className={styles.empty}>empty text</span>;
  const structured = typeof value === "object";
  const text = structured ? jsonText(value) : String(value);
  const shown = !expanded && text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return (
    <span>
      <Tag className={cx(styles[as], strikethrough && styles.strikethrough, structured && styles.json)}>
        {!plain && <span className="visually-hidden">{as === "old" ? "was " : "now "}</span>}
        {shown}
      </Tag>
      {text.length > MAX_LENGTH && (
        <button type="button" className={styles.more} onClick={() => setExpanded(!expanded)}>
          {expanded ? "Show less" : `Show all ${text.length.toLocaleString("en")} characters`}
        </button>
      )}
    </span>
  );
}

/** On one line if it fits. */
function jsonText(value: object): string {
  const line = JSON.stringify(value);
  return line.length <= 48 ? line : JSON.stringify(value, null, 2);
}

function SetChange({ added, removed }: { added: readonly unknown[]; removed: readonly unknown[] }) {
  if (added.length === 0 && removed.length === 0) return <None />;
  return (
    <div className={styles.values}>
      {removed.map((value) => (
        <del key={`- ${asText(value)}`} className={styles.old}>
          <span className={styles.sign} aria-hidden="true">
            −{" "}
          </span>
          <span className="visually-hidden">removed </span>
          {asText(value)}
        </del>
      ))}
      {added.map((value) => (
        <ins key={`+ ${asText(value)}`} className={styles.new}>
          <span className={styles.sign} aria-hidden="true">
            +{" "}
          </span>
          <span className="visually-hidden">added </span>
          {asText(value)}
        </ins>
      ))}
    </div>
  );
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** For a table cell: a single short change as "status: open → closed", otherwise the fields as "status, name +2". */
export function changesSummary(list: readonly Change[]): string {
  const only: AnyChange | undefined = list.length === 1 ? list[0] : undefined;
  if (only) {
    const values = isSet(only)
      ? [
          ...(only.removed ?? []).map((value) => `−${asText(value)}`),
          ...(only.added ?? []).map((value) => `+${asText(value)}`),
        ]
      : [`${brief(only.old)} → ${brief(only.new)}`];
    const text = `${only.field}: ${values.join(" ")}`;
    if (text.length <= 60) return text;
  }
  const fields = list.map((change) => change.field);
  return fields.length > 3 ? `${fields.slice(0, 3).join(", ")} +${fields.length - 3}` : fields.join(", ");
}

function brief(value: unknown): string {
  if (value === null || value === undefined || value === "") return "empty";
  return asText(value);
}
