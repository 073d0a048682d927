import { useState } from "react";
import type { Change } from "../api/types";
import { cx } from "../ui/cx";
import { Icon } from "../ui/Icon";
import styles from "./Changes.module.css";
import { None, Value } from "./cells";

interface ChangesProps {
  list: readonly Change[];
  kind: "create" | "update" | "delete";
  /** JSON pointers into the event, of values that were secrets. */
  masked: readonly string[];
  /** The filter for "events that changed this field", where the log has one. */
  fieldParam?: string;
}

/** What changed, field by field. A create or a delete has one side only and is shown as a snapshot. */
export function Changes({ list, kind, masked, fieldParam }: ChangesProps) {
  const sides: readonly Sides[] = list;
  const snapshot = kind !== "update" && sides.every((change) => !isSet(change));
  return (
    <ul
      className={cx(styles.list, snapshot && styles.snapshot)}
      aria-label={snapshot ? "Values" : "Changed fields"}
    >
      {sides.map((change, index) => (
        <li key={`${index} ${change.field}`} className={styles.change}>
          <span className={styles.field}>
            {fieldParam ? <Value param={fieldParam} value={change.field} wrap /> : change.field}
          </span>
          {isSet(change) ? (
            <SetValues added={change.added ?? []} removed={change.removed ?? []} />
          ) : (
            <Values
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

/** A change seen from the side of its reader: one value became another, or a set gained and lost members. */
interface Sides {
  field: string;
  old?: unknown;
  new?: unknown;
  added?: readonly unknown[] | null;
  removed?: readonly unknown[] | null;
}

function isSet(change: Sides): boolean {
  return Boolean(change.added ?? change.removed);
}

function covers(pointer: string, value: string): boolean {
  return value === pointer || value.startsWith(`${pointer}/`);
}

interface ValuesProps {
  before: unknown;
  after: unknown;
  maskedBefore: boolean;
  maskedAfter: boolean;
  side: "both" | "old" | "new";
}

function Values({ before, after, maskedBefore, maskedAfter, side }: ValuesProps) {
  if (side === "new") return <One value={after} masked={maskedAfter} as="new" plain />;
  if (side === "old") return <One value={before} masked={maskedBefore} as="old" plain />;
  const tall = isTall(before) || isTall(after);
  return (
    <div className={cx(styles.values, tall && styles.tall)}>
      <One value={before} masked={maskedBefore} as="old" short={!tall} />
      {!tall && (
        <span className={styles.arrow}>
          <Icon name="arrowRight" size={12} />
        </span>
      )}
      <One value={after} masked={maskedAfter} as="new" />
    </div>
  );
}

function isTall(value: unknown): boolean {
  const text = typeof value === "object" && value !== null ? jsonText(value) : String(value);
  return text.length > 48 || text.includes("\n");
}

interface OneProps {
  value: unknown;
  masked: boolean;
  as: "old" | "new";
  short?: boolean;
  plain?: boolean;
}

const LONG = 320;

function One({ value, masked, as, short = false, plain = false }: OneProps) {
  const [whole, setWhole] = useState(false);
  const Tag = plain ? "span" : as === "old" ? "del" : "ins";
  if (masked) {
    return (
      <span className={styles.masked}>
        <Icon name="lock" size={12} />
        masked
        <span className="quiet">, this value was a secret and is not stored</span>
      </span>
    );
  }
  if (value === null || value === undefined) return <span className={styles.empty}>empty</span>;
  if (value === "") return <span className={styles.empty}>empty text</span>;
  const structured = typeof value === "object";
  const text = structured ? jsonText(value) : String(value);
  const cut = !whole && text.length > LONG ? `${text.slice(0, LONG)}…` : text;
  return (
    <span>
      <Tag className={cx(styles[as], short && styles.short, structured && styles.json)}>
        {!plain && <span className="quiet">{as === "old" ? "was " : "now "}</span>}
        {cut}
      </Tag>
      {text.length > LONG && (
        <button type="button" className={styles.more} onClick={() => setWhole(!whole)}>
          {whole ? "Show less" : `Show all ${text.length.toLocaleString("en")} characters`}
        </button>
      )}
    </span>
  );
}

/** On one line where it fits. */
function jsonText(value: object): string {
  const line = JSON.stringify(value);
  return line.length <= 48 ? line : JSON.stringify(value, null, 2);
}

function SetValues({ added, removed }: { added: readonly unknown[]; removed: readonly unknown[] }) {
  if (added.length === 0 && removed.length === 0) return <None />;
  return (
    <div className={styles.values}>
      {removed.map((value) => (
        <del key={`- ${asText(value)}`} className={styles.old}>
          <span className={styles.sign} aria-hidden="true">
            −{" "}
          </span>
          <span className="quiet">removed </span>
          {asText(value)}
        </del>
      ))}
      {added.map((value) => (
        <ins key={`+ ${asText(value)}`} className={styles.new}>
          <span className={styles.sign} aria-hidden="true">
            +{" "}
          </span>
          <span className="quiet">added </span>
          {asText(value)}
        </ins>
      ))}
    </div>
  );
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** For a table's cell: one small change in full, "status: open → closed"; of more, the fields: "status, name +2". */
export function changesSummary(list: readonly Change[]): string {
  const only: Sides | undefined = list.length === 1 ? list[0] : undefined;
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
