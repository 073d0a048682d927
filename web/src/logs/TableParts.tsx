import { CheckMark } from "../ui/CheckMark";
import { cx } from "../ui/cx";
import { Icon } from "../ui/Icon";
import { SkeletonLine } from "../ui/Skeleton";
import { Timestamp } from "./cells";
import type { ListedEvent } from "./definition";
import styles from "./LogTable.module.css";

/** The values of a row are reached by the arrows, and have keys of their own. Before the first one is the row itself. */
export function moveToValue(at: HTMLElement, step: 1 | -1) {
  const row = at.closest<HTMLElement>("[role=row]");
  const values = [...(row?.querySelectorAll<HTMLElement>("[data-value]") ?? [])];
  const next = values.indexOf(at) + step;
  (next < 0 ? row : values[next])?.focus({ preventScroll: true });
}

/** The heading of the column by which a table is sorted; pressing it turns the order round. */
export function SortButton({
  title,
  order,
  onOrder,
}: {
  title: string;
  order: "asc" | "desc";
  onOrder: () => void;
}) {
  const text = order === "desc" ? "newest first" : "oldest first";
  return (
    <button type="button" className={styles.sort} onClick={onOrder} title={`Sorted ${text}`}>
      {title}
      <span className="visually-hidden">, {text}</span>
      <Icon name={order === "desc" ? "sortDesc" : "sortAsc"} size={14} />
    </button>
  );
}

/** The right edge of a column's heading. The menu of columns does the same by key. */
export function Resizer({ onWidth }: { onWidth: (width: number) => void }) {
  return (
    <span
      className={styles.resizer}
      aria-hidden="true"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        event.preventDefault();
      }}
      onPointerMove={({ currentTarget, pointerId, clientX }) => {
        const heading = currentTarget.parentElement;
        if (!heading || !currentTarget.hasPointerCapture(pointerId)) return;
        onWidth(clientX - heading.getBoundingClientRect().left);
      }}
    />
  );
}

export function CardCell<E extends ListedEvent>({
  event,
  card,
}: {
  event: E;
  card: (event: E) => { primary: React.ReactNode; secondary: React.ReactNode };
}) {
  const { primary, secondary } = card(event);
  return (
    <div role="gridcell" className={styles.card}>
      <div className={styles.cardLine}>
        <span>{primary}</span>
        <span className={styles.cardTime}>
          <Timestamp at={event.occurred_at} dated={false} />
        </span>
      </div>
      <div className={cx(styles.cardLine, styles.cardSecondary)}>
        <span>{secondary}</span>
      </div>
    </div>
  );
}

/** Where rows are selected by taps. The whole row is its target: the native checkbox is for those who do not see the row. */
export function CheckCell({
  label,
  checked,
  onChange,
}: {
  label: string;
  checked: boolean;
  onChange: () => void;
}) {
  return (
    <div role="gridcell" className={styles.check}>
      <input
        type="checkbox"
        className={styles.native}
        tabIndex={-1}
        aria-label={label}
        checked={checked}
        onChange={onChange}
        // The row would take it for another click.
        onClick={(event) => event.stopPropagation()}
      />
      <CheckMark large />
    </div>
  );
}

const WIDTHS = ["72%", "58%", "64%", "48%", "70%", "54%"];

export function SkeletonRow({ index, height, cells }: { index: number; height: number; cells: number }) {
  return (
    <div className={styles.row} style={{ transform: `translateY(${index * height}px)` }} aria-hidden="true">
      {Array.from({ length: cells }, (_, cell) => (
        <div key={cell} className={styles.cell}>
          <SkeletonLine width={WIDTHS[(index + cell) % WIDTHS.length] ?? "60%"} />
        </div>
      ))}
    </div>
  );
}
