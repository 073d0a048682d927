import { useState } from "react";
import type { Change } from "../api/types";
import { cx } from "../ui/cx";
import { Icon } from "../ui/Icon";
import styles from "./Changes.module.css";
import { Breakable, None, Value } from "./cells";
import { useLog } from "./context";
import { CHANGED, splitChanged } from "./changed";
import { FindChange } from "./FindChange";
import { Marked } from "./matches";
import { covers } from "./metadata";
import { filtersOf } from "./search";

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
            <Field change={change} {...(fieldParam && { param: fieldParam })} />
          </span>
          {isSet(change) ? (
            <SetChange
              added={change.added ?? []}
              removed={change.removed ?? []}
              addedLabel={change.new_label}
              removedLabel={change.old_label}
              {...(fieldParam && { field: change.field })}
            />
          ) : (
            <ValueChange
              before={change.old}
              after={change.new}
              beforeLabel={change.old_label}
              afterLabel={change.new_label}
              maskedBefore={masked.some((pointer) => covers(pointer, `/changes/${index}/old`))}
              maskedAfter={masked.some((pointer) => covers(pointer, `/changes/${index}/new`))}
              side={snapshot ? (kind === "create" ? "new" : "old") : "both"}
              {...(fieldParam && { field: change.field })}
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
  /** Names beside what only a program understands. */
  label?: string;
  old_label?: string;
  new_label?: string;
}

/** The name of a field, followed by the field itself where they differ. */
function Field({ change: { field, label }, param }: { change: AnyChange; param?: string }) {
  const text = (
    <>
      <Breakable text={label ?? field} />
      {label && label !== field && (
        <>
          {" "}
          <span className={styles.raw}>
            <Breakable text={field} />
          </span>
        </>
      )}
    </>
  );
  return param ? (
    <Value param={param} value={field} label={label} wrap>
      {text}
    </Value>
  ) : (
    text
  );
}

function isSet(change: AnyChange): boolean {
  return Boolean(change.added ?? change.removed);
}

interface ValueChangeProps {
  before: unknown;
  after: unknown;
  beforeLabel: string | undefined;
  afterLabel: string | undefined;
  maskedBefore: boolean;
  maskedAfter: boolean;
  side: "both" | "old" | "new";
  /** Changes of this field to the same value can be found. */
  field?: string;
}

function ValueChange(props: ValueChangeProps) {
  const { before, after, maskedBefore, maskedAfter, side, field } = props;
  const old = { value: before, label: props.beforeLabel, masked: maskedBefore, as: "old" } as const;
  const now = { value: after, label: props.afterLabel, masked: maskedAfter, as: "new" } as const;
  const find = field !== undefined && !maskedAfter && (
    <FindChange field={field} value={after} label={now.label} />
  );
  if (side === "new") {
    return (
      <span className={styles.found}>
        <OneValue {...now} plain />
        {find}
      </span>
    );
  }
  if (side === "old") return <OneValue {...old} plain />;
  const multiline = needsLines(old.label ?? before) || needsLines(now.label ?? after);
  return (
    <div className={cx(styles.values, multiline && styles.multiline)}>
      <OneValue {...old} strikethrough={!multiline} />
      {!multiline && (
        <span className={styles.arrow}>
          <Icon name="arrowRight" size={12} />
        </span>
      )}
      <span className={styles.found}>
        <OneValue {...now} />
        {find}
      </span>
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
  /** The name of the value, shown instead of it. The value follows, muted. */
  label: string | undefined;
  masked: boolean;
  as: "old" | "new";
  strikethrough?: boolean;
  plain?: boolean;
}

/** Longer text is cut until somebody asks for all of it. */
const MAX_LENGTH = 320;

function OneValue({ value, label, masked, as, strikethrough = false, plain = false }: OneValueProps) {
  const [expanded, setExpanded] = useState(false);
  const Tag = plain ? "span" : as === "old" ? "del" : "ins";
  if (masked) return <Masked value={value} />;
  if (label) {
    return (
      <span>
        <Tag className={cx(styles[as], strikethrough && styles.strikethrough)}>
          {!plain && <span className="visually-hidden">{as === "old" ? "was " : "now "}</span>}
          {label}
        </Tag>
        <RawValue value={value} />
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

/** What a name stands for, beside the name. */
function RawValue({ value }: { value: unknown }) {
  if (value === null || value === undefined || value === "") return null;
  return <span className={styles.raw}> {asText(value)}</span>;
}

/** Equal secrets of a workspace have the same digits. */
export function Masked({ value }: { value: unknown }) {
  const digits =
    typeof value === "string" ? /^\[masked:([0-9a-f]{8})[0-9a-f]*\]$/.exec(value)?.[1] : undefined;
  return (
    <span className={styles.masked}>
      <Icon name="lock" size={12} />
      {digits ? `masked ${digits}` : "masked"}
      <span className="visually-hidden">: a secret value, which is not stored</span>
    </span>
  );
}

/** On one line if it fits. */
function jsonText(value: object): string {
  const line = JSON.stringify(value);
  return line.length <= 48 ? line : JSON.stringify(value, null, 2);
}

interface SetChangeProps {
  added: readonly unknown[];
  removed: readonly unknown[];
  /** One name for all values that were added or removed. */
  addedLabel: string | undefined;
  removedLabel: string | undefined;
  /** Changes of this field to the same values can be found. */
  field?: string;
}

function SetChange({ added, removed, addedLabel, removedLabel, field }: SetChangeProps) {
  if (added.length === 0 && removed.length === 0) return <None />;
  return (
    <div className={styles.values}>
      <Members values={removed} label={removedLabel} as="old" />
      <Members values={added} label={addedLabel} as="new" {...(field !== undefined && { field })} />
    </div>
  );
}

function Members({
  values,
  label,
  as,
  field,
}: {
  values: readonly unknown[];
  label: string | undefined;
  as: "old" | "new";
  field?: string;
}) {
  const Tag = as === "old" ? "del" : "ins";
  const [sign, word] = as === "old" ? ["−", "removed"] : ["+", "added"];
  const member = (text: string) => (
    <Tag key={text} className={styles[as]}>
      <span className={styles.sign} aria-hidden="true">
        {sign}{" "}
      </span>
      <span className="visually-hidden">{word} </span>
      {text}
    </Tag>
  );
  if (!label || values.length === 0) {
    return values.map((value) => (
      <span key={asText(value)} className={styles.found}>
        {member(asText(value))}
        {field !== undefined && <FindChange field={field} value={value} />}
      </span>
    ));
  }
  return (
    <span>
      {member(label)} <span className={styles.raw}>{values.map(asText).join(", ")}</span>
    </span>
  );
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** For a table cell: one change with its values, and how many there are besides. Of a field that was asked for, its change. */
export function ChangesSummary({ list }: { list: readonly Change[] }) {
  const { search } = useLog();
  const filters = filtersOf(search);
  const asked = [
    ...(filters.field ?? []),
    ...(filters[CHANGED] ?? []).map((text) => splitChanged(text).field),
  ];
  return (
    <span title={list.map(fieldName).join(", ")}>
      <Marked text={changesSummary(list, asked, search.q)} />
    </span>
  );
}

/** "status: open → closed, +1". `fields` and `q` are what is looked for: a change that has it comes first. */
export function changesSummary(list: readonly Change[], fields: readonly string[] = [], q = ""): string {
  const all: readonly AnyChange[] = list;
  const texts = all.map(oneSummary);
  const asked = all.findIndex(({ field }) => fields.includes(field));
  const found = q ? texts.findIndex((text) => text.toLowerCase().includes(q.toLowerCase())) : -1;
  // A new record's ID is in the row already.
  const telling = all.findIndex(({ field }) => field !== "id" && field !== "pk");
  const shown = texts[[asked, found, telling, 0].find((index) => index >= 0) ?? 0];
  if (shown === undefined) return "";
  return list.length > 1 ? `${shown}, +${list.length - 1}` : shown;
}

function oneSummary(change: AnyChange): string {
  const values = isSet(change)
    ? [
        ...members("−", change.removed ?? [], change.old_label),
        ...members("+", change.added ?? [], change.new_label),
      ]
    : [`${change.old_label ?? brief(change.old)} → ${change.new_label ?? brief(change.new)}`];
  return `${fieldName(change)}: ${values.join(" ")}`;
}

/** The name of a changed field, or the field itself. */
export function fieldName({ field, label }: AnyChange): string {
  return label ?? field;
}

function members(sign: string, values: readonly unknown[], label: string | undefined): string[] {
  if (label && values.length > 0) return [`${sign}${label}`];
  return values.map((value) => `${sign}${asText(value)}`);
}

/** A cell has no room for more. */
const MAX_BRIEF = 120;

function brief(value: unknown): string {
  if (value === null || value === undefined || value === "") return "empty";
  const text = asText(value);
  return text.length > MAX_BRIEF ? `${text.slice(0, MAX_BRIEF)}…` : text;
}
