import type { BlamedField, RecordGap } from "../../api/types";
import { actorText, Timestamp } from "../../logs/cells";
import { humanize } from "../../logs/definition";
import { Icon } from "../../ui/Icon";
import { FieldName, FieldValue } from "./FieldValue";
import styles from "./records.module.css";

interface StateTableProps {
  fields: readonly BlamedField[];
  gaps: readonly RecordGap[];
}

/** The fields of a record, and beside each who last set it. */
export function StateTable({ fields, gaps }: StateTableProps) {
  if (fields.length === 0) return <p className={styles.none}>The log names no field up to this version.</p>;
  const withGaps = new Set(gaps.map((gap) => gap.field));
  return (
    <table className={styles.table} aria-label="Fields">
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Value</th>
          <th scope="col">Last set by</th>
          <th scope="col">Before</th>
        </tr>
      </thead>
      <tbody>
        {fields.map((field) => (
          <tr key={field.field}>
            <th scope="row">
              <FieldName field={field.field} label={field.label} />
              {withGaps.has(field.field) && (
                <span className={styles.warn} title="The log missed a write of this field">
                  <Icon name="alert" size={14} />
                  <span className="visually-hidden">, with a gap</span>
                </span>
              )}
            </th>
            <td data-title="Value">
              <FieldValue value={field.value} label={field.value_label} />
            </td>
            <td data-title="Last set by">
              <SetBy field={field} />
            </td>
            <td data-title="Before">
              {field.event_id ? <FieldValue value={field.old} label={field.old_label} /> : null}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function SetBy({ field }: { field: BlamedField }) {
  if (field.inferred) return <span className={styles.quiet}>Before the log; a later change names it</span>;
  if (!field.set_at) return <span className={styles.quiet}>Unknown: the log missed it</span>;
  return (
    <span className={styles.text}>
      {actorText(field.set_by, field.on_behalf_of)}{" "}
      <span className={styles.quiet}>
        in version {field.set_in_version}
        {field.action === "update" ? "" : ` (${humanize(field.action ?? "").toLowerCase()})`},{" "}
      </span>
      <Timestamp at={field.set_at} />
    </span>
  );
}
