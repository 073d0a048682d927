import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { LogEvent } from "../api/types";
import { cx } from "../ui/cx";
import { Icon } from "../ui/Icon";
import { SkeletonLine } from "../ui/Skeleton";
import { Timestamp } from "./cells";
import type { LogDefinition } from "./definition";
import styles from "./LogTable.module.css";

interface LogTableProps<E extends LogEvent> {
  log: Pick<LogDefinition<never, E, never>, "title" | "card" | "columns">;
  events: readonly E[];
  /** Shows skeleton rows until the first page is loaded. */
  loading: boolean;
  stale: boolean;
  hasMore: boolean;
  onMore: () => void;
  order: "asc" | "desc";
  onOrder: () => void;
  openId: string | undefined;
  onOpen: (id: string) => void;
  cursor: number;
  onCursor: (index: number) => void;
  narrow: boolean;
  /** The element that scrolls. Null until it is mounted. */
  scroller: HTMLElement | null;
  footer: React.ReactNode;
}

const ROW = 36;
const CARD = 58;
const HEADER = 32;
const SKELETON_ROWS = 14;

const EDGES: Record<string, string | undefined> = { failure: styles.failed, denied: styles.denied };

export function LogTable<E extends LogEvent>(props: LogTableProps<E>) {
  const { log, events, loading, stale, hasMore, onMore, order, onOrder, openId, onOpen, narrow, scroller } =
    props;
  const { cursor, onCursor } = props;
  const body = useRef<HTMLDivElement>(null);
  const [layout, setLayout] = useState({ margin: 0, width: 1200 });
  const height = narrow ? CARD : ROW;

  // The cards and the chart scroll together with the rows and stand above them. The margin is their height.
  useLayoutEffect(() => {
    const element = body.current;
    if (!element || !scroller) return;
    const measure = () => {
      const margin = Math.round(
        element.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop,
      );
      const width = element.clientWidth;
      setLayout((old) => (old.margin === margin && old.width === width ? old : { margin, width }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    for (const sibling of scroller.children) observer.observe(sibling);
    return () => observer.disconnect();
  }, [scroller]);

  const columns = log.columns.filter((column) => layout.width >= (column.hideBelow ?? 0));
  const tracks = narrow ? "minmax(0, 1fr)" : columns.map((column) => column.width).join(" ");

  // eslint-disable-next-line react-hooks/incompatible-library -- its functions change identity by design; none is memoized here
  const virtual = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroller,
    estimateSize: () => height,
    overscan: 12,
    scrollMargin: layout.margin,
    scrollPaddingStart: HEADER + 4,
    scrollPaddingEnd: 8,
    // The row at the cursor is always rendered: it is the only row that the Tab key reaches.
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      return shown.includes(cursor) || cursor >= events.length
        ? shown
        : [...shown, cursor].sort((a, b) => a - b);
    },
    getItemKey: (index) => events[index]?.id ?? index,
  });
  useEffect(() => {
    virtual.measure();
  }, [virtual, height]);

  const items = virtual.getVirtualItems();
  const lastShown = virtual.range?.endIndex ?? -1;
  useEffect(() => {
    if (hasMore && !stale && lastShown >= events.length - 20) onMore();
  }, [hasMore, stale, lastShown, events.length, onMore]);

  // Moves the focus to the row at the cursor once it is rendered, but only after a key moved the cursor.
  const follow = useRef(false);
  useEffect(() => {
    if (!follow.current) return;
    const row = body.current?.querySelector<HTMLElement>(`[data-index="${cursor}"]`);
    if (!row) return;
    row.focus({ preventScroll: true });
    follow.current = false;
  });
  const moveTo = (index: number) => {
    const next = Math.max(0, Math.min(events.length - 1, index));
    follow.current = true;
    virtual.scrollToIndex(next, { align: "auto" });
    onCursor(next);
    // While an event is open, the drawer shows the event at the cursor.
    const event = events[next];
    if (openId && event) onOpen(event.id);
  };

  // The row of the open event stays in view when the drawer moves to another event.
  const openIndex = openId ? events.findIndex((event) => event.id === openId) : -1;
  useEffect(() => {
    if (openIndex >= 0) virtual.scrollToIndex(openIndex, { align: "auto" });
  }, [virtual, openIndex]);

  const onKeyDown = (keyEvent: React.KeyboardEvent<HTMLDivElement>) => {
    if (keyEvent.ctrlKey || keyEvent.metaKey || keyEvent.altKey) return;
    const page = Math.max(1, Math.floor((scroller?.clientHeight ?? 400) / height) - 3);
    const moves: Record<string, number> = {
      j: cursor + 1,
      ArrowDown: cursor + 1,
      k: cursor - 1,
      ArrowUp: cursor - 1,
      PageDown: cursor + page,
      PageUp: cursor - page,
      Home: 0,
      End: events.length - 1,
    };
    const target = moves[keyEvent.key];
    const event = events[cursor];
    if (target !== undefined) moveTo(target);
    else if (keyEvent.key === "Enter" && event && (keyEvent.target as Element).getAttribute("role") === "row")
      onOpen(event.id);
    else return;
    keyEvent.preventDefault();
    keyEvent.stopPropagation();
  };

  const sortText = order === "desc" ? "newest first" : "oldest first";
  return (
    // One row at a time has the focus. The grid handles the keys for all of them.
    <div
      className={styles.table}
      style={{ "--columns": tracks, "--row": `${height}px` } as React.CSSProperties}
      role="grid"
      aria-label={log.title}
      aria-rowcount={hasMore ? -1 : events.length + 1}
      aria-busy={loading || stale}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" className={styles.header}>
        <div role="row" aria-rowindex={1} className={styles.headerRow}>
          {narrow ? (
            <div role="columnheader">
              <SortButton text={sortText} order={order} onOrder={onOrder} />
            </div>
          ) : (
            columns.map((column, index) => (
              <div
                key={column.id}
                role="columnheader"
                aria-sort={index === 0 ? (order === "desc" ? "descending" : "ascending") : undefined}
              >
                {index === 0 ? <SortButton text={sortText} order={order} onOrder={onOrder} /> : column.title}
              </div>
            ))
          )}
        </div>
      </div>
      <div
        ref={body}
        role="rowgroup"
        className={cx(styles.body, stale && styles.stale)}
        style={{ height: loading ? SKELETON_ROWS * height : virtual.getTotalSize() }}
      >
        {loading &&
          Array.from({ length: SKELETON_ROWS }, (_, index) => (
            <SkeletonRow key={index} index={index} height={height} cells={narrow ? 1 : columns.length} />
          ))}
        {items.map((item) => {
          const event = events[item.index];
          if (loading || !event) return null;
          return (
            // The grid handles the keys. A click does the same as Enter.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <div
              key={item.key}
              role="row"
              data-index={item.index}
              aria-rowindex={item.index + 2}
              aria-selected={event.id === openId}
              tabIndex={item.index === cursor ? 0 : -1}
              className={cx(styles.row, EDGES[event.status])}
              style={{ transform: `translateY(${item.start - layout.margin}px)` }}
              onFocus={({ target, currentTarget }) => {
                if (target === currentTarget) onCursor(item.index);
              }}
              onClick={({ metaKey, ctrlKey }) => {
                // Selecting text to copy it must not open the row.
                if (getSelection()?.toString() || metaKey || ctrlKey) return;
                onCursor(item.index);
                onOpen(event.id);
              }}
            >
              {narrow ? (
                <CardCell event={event} card={log.card} />
              ) : (
                columns.map((column) => (
                  <div key={column.id} role="gridcell" className={styles.cell}>
                    {column.cell(event)}
                  </div>
                ))
              )}
            </div>
          );
        })}
      </div>
      {!loading && <div className={styles.footer}>{props.footer}</div>}
    </div>
  );
}

function SortButton({ text, order, onOrder }: { text: string; order: "asc" | "desc"; onOrder: () => void }) {
  return (
    <button type="button" className={styles.sort} onClick={onOrder} title={`Sorted ${text}`}>
      Time
      <span className="visually-hidden">, {text}</span>
      <Icon name={order === "desc" ? "sortDesc" : "sortAsc"} size={14} />
    </button>
  );
}

function CardCell<E extends LogEvent>({ event, card }: { event: E; card: LogTableProps<E>["log"]["card"] }) {
  const { primary, secondary } = card(event);
  return (
    <div role="gridcell" className={styles.card}>
      <div className={styles.cardLine}>
        <span>{primary}</span>
        <span className={styles.cardTime}>
          <Timestamp at={event.occurred_at} />
        </span>
      </div>
      <div className={cx(styles.cardLine, styles.cardSecondary)}>
        <span>{secondary}</span>
      </div>
    </div>
  );
}

const WIDTHS = ["72%", "58%", "64%", "48%", "70%", "54%"];

function SkeletonRow({ index, height, cells }: { index: number; height: number; cells: number }) {
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
