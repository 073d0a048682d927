import type { RecordGap } from "../../api/types";
import { Timestamp } from "../../logs/cells";
import { Icon } from "../../ui/Icon";
import { formatCount } from "../../ui/time/format";
import { FieldValue } from "./FieldValue";
import styles from "./records.module.css";

/** Gaps that are listed; the rest are only counted. */
const MOST = 20;

/** Writes that the log missed, the latest first. */
export function Gaps({ gaps, count }: { gaps: readonly RecordGap[]; count: number }) {
  if (count === 0) return null;
  const shown = gaps.slice(-MOST).reverse();
  return (
    <div className={styles.gaps} role="note" aria-label="Gaps">
      <p className={styles.gapsTitle}>
        <Icon name="alert" />
        {count === 1 ? "The log missed a write" : `The log missed writes: ${formatCount(count)} gaps`}
      </p>
      <ul>
        {shown.map((gap) => (
          <li key={`${gap.event_id} ${gap.field}`}>
            Before <Timestamp at={gap.occurred_at} />, <b>{gap.field}</b> became{" "}
            <FieldValue value={gap.found} label={null} /> from{" "}
            <FieldValue value={gap.expected} label={null} />, and no event says who did it.
          </li>
        ))}
      </ul>
      {count > shown.length && <p>and {formatCount(count - shown.length)} earlier ones</p>}
    </div>
  );
}
