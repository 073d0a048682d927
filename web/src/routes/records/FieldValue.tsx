import { Masked } from "../../logs/Changes";
import { cx } from "../../ui/cx";
import styles from "./records.module.css";

const MASK = /^\[masked(:[0-9a-f]+)?\]$/;

export function isMasked(value: unknown): boolean {
  return typeof value === "string" && MASK.test(value);
}

/** JSON on one line if it fits; a text as it is, and simple members of a set or an array one after the other. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item !== "object")) {
    return value.map(String).join(", ");
  }
  if (typeof value !== "object" || value === null) return String(value);
  const line = JSON.stringify(value);
  return line.length <= 48 ? line : JSON.stringify(value, null, 2);
}

/** A value by its label, if it has one, with the value itself beside it. */
export function FieldValue({ value, label }: { value: unknown; label: string | null }) {
  if (isMasked(value)) return <Masked value={value} />;
  if (value === null || value === undefined) return <span className={styles.empty}>empty</span>;
  if (value === "") return <span className={styles.empty}>empty text</span>;
  if (Array.isArray(value) && value.length === 0) return <span className={styles.empty}>none</span>;
  if (label) {
    return (
      <span className={styles.text}>
        {label} <span className={styles.id}>{textOf(value)}</span>
      </span>
    );
  }
  const isJson = typeof value === "object" && textOf(value).startsWith("{");
  return <span className={cx(styles.text, isJson && styles.json)}>{textOf(value)}</span>;
}

export function FieldName({ field, label }: { field: string; label: string | null }) {
  return (
    <span className={styles.text}>
      {label ?? field}
      {label && label !== field && <span className={styles.id}> {field}</span>}
    </span>
  );
}
