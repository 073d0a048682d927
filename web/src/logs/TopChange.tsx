import { formatCount, formatDateTime } from "../ui/time/format";
import { Change } from "./Change";
import { useLog } from "./context";
import styles from "./TopChange.module.css";
import { TOP_BEFORE_LIMIT } from "./use-log-data";

/** What both top values and groups say of what they counted. */
interface Counted {
  data: readonly unknown[];
  exact: boolean;
  counted: number;
  since?: string | null;
}

interface ChangeOfProps {
  count: number;
  of: Counted;
  /** The count in the period before, if it is in its list. */
  found: number | undefined;
  before: Counted;
}

/** How a value changed: its count, or its share where only the newest events of a period were counted. */
export function ChangeOf({ count, of, found, before }: ChangeOfProps) {
  if (of.exact && before.exact) {
    // Beyond the end of a full list it is not known.
    const complete = before.data.length < TOP_BEFORE_LIMIT;
    return found === undefined && !complete ? null : <Change now={count} before={found ?? 0} />;
  }
  if (found === undefined || shareOf(found, before) === shareOf(count, of)) return null;
  return (
    <span className={styles.was} title="Share in the period before">
      was {shareOf(found, before)}
    </span>
  );
}

/** "12%" of the events that were counted. */
export function shareOf(count: number, { counted }: Counted): string {
  if (counted === 0) return "";
  const percent = (count / counted) * 100;
  return percent < 1 ? "<1%" : `${Math.round(percent)}%`;
}

export function Bound({ top: { counted, since } }: { top: Counted }) {
  const { clock } = useLog();
  return (
    <p className={styles.bound}>
      Of the newest {formatCount(counted)} events
      {since && `, since ${formatDateTime(Date.parse(since), clock)}`}
    </p>
  );
}
