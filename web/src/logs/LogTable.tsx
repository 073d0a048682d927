import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { cx } from "../ui/cx";
import { type Chosen, clampWidth, shownColumns, usualColumns } from "./columns";
import { useLog } from "./context";
import type { Column, ListedEvent } from "./definition";
import styles from "./LogTable.module.css";
import { FoundIn } from "./matches";
import { type Row, rowsOf } from "./rows";
import { useLongPress } from "./use-long-press";
import type { SelectedRows } from "./use-selection";
import { SelectButton } from "./SelectButton";
import { CardCell, CheckCell, moveToValue, Resizer, SkeletonRow, SortButton } from "./TableParts";

export interface LogTableProps<E extends ListedEvent> {
  log: {
    title: string;
    columns: readonly Column<E>[];
    card: (event: E) => { primary: React.ReactNode; secondary: React.ReactNode };
    headline: (event: E) => string;
  };
  events: readonly E[];
  /** Shows skeleton rows until the first page is loaded. */
  loading: boolean;
  stale: boolean;
  /** Those that have just come. */
  fresh?: ReadonlySet<string>;
  hasMore: boolean;
  onMore: () => void;
  /** Undefined for the usual ones, as many as fit. */
  columns?: readonly Chosen[] | undefined;
  onColumns?: (chosen: readonly Chosen[] | undefined) => void;
  compact?: boolean;
  order: "asc" | "desc";
  onOrder: () => void;
  openId: string | undefined;
  onOpen: (id: string) => void;
  /** Goes to everything in the session of an event. */
  onSession?: (session: string) => void;
  cursor: number;
  onCursor: (index: number) => void;
  selection?: SelectedRows;
  narrow: boolean;
  /** The element that scrolls. Null until it is mounted. */
  scroller: HTMLElement | null;
  footer: React.ReactNode;
}

const ROW = 36;
const COMPACT_ROW = 28;
const CARD = 58;
/** The separator above the rows of a day. */
const DAY = 28;
const HEADER = 32;
/** With a button for fingers. */
const NARROW_HEADER = 37;
/** The width of the checkboxes, without the edge of the row. */
const CHECK = 32;
const SKELETON_ROWS = 14;
/** So many rows before the end, the next page is loaded: two pages ahead of the reader. */
const AHEAD = 200;

export const FOUND_IN: Column<object> = {
  id: "found",
  title: "Found in",
  width: "minmax(110px, 1.5fr)",
  hideBelow: 780,
  cell: (event) => <FoundIn event={event} />,
};

function isDay(row: Row | undefined): boolean {
  return row !== undefined && "day" in row;
}

const EDGES: Record<string, string | undefined> = { failure: styles.failed, denied: styles.denied };

export function LogTable<E extends ListedEvent>(props: LogTableProps<E>) {
  const { log, events, loading, stale, hasMore, onMore, order, onOrder, openId, onOpen, narrow, scroller } =
    props;
  const { cursor, onCursor, selection, columns: chosen, onColumns, compact = false } = props;
  const { clock, search } = useLog();
  const body = useRef<HTMLDivElement>(null);
  const [layout, setLayout] = useState({ margin: 0, width: 1200 });
  const selecting = selection?.selecting ?? false;
  const height = narrow ? CARD : compact ? COMPACT_ROW : ROW;
  const { rows, rowOf } = useMemo(() => rowsOf(events, clock), [events, clock]);

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

  const all: readonly Column<E>[] = search.q ? [...log.columns, FOUND_IN] : log.columns;
  const columns = shownColumns(
    all,
    chosen && search.q ? [...chosen, { id: FOUND_IN.id }] : chosen,
    layout.width - (selecting ? CHECK : 0),
  );
  const widths = narrow ? ["minmax(0, 1fr)"] : columns.map((column) => column.width);
  const tracks = [...(selecting ? [`${CHECK}px`] : []), ...widths].join(" ");

  // eslint-disable-next-line react-hooks/incompatible-library -- its functions change identity by design; none is memoized here
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller,
    estimateSize: (index) => (isDay(rows[index]) ? DAY : height),
    overscan: 12,
    scrollMargin: layout.margin,
    scrollPaddingStart: (narrow ? NARROW_HEADER : HEADER) + 4,
    scrollPaddingEnd: 8,
    // The row at the cursor is always rendered: it is the only row that the Tab key reaches.
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      const row = rowOf[cursor];
      return row === undefined || shown.includes(row) ? shown : [...shown, row].sort((a, b) => a - b);
    },
    getItemKey: (index) => {
      const row = rows[index];
      return row && "index" in row ? (events[row.index]?.id ?? index) : (row?.day ?? index);
    },
  });
  useEffect(() => {
    virtual.measure();
  }, [virtual, height, rows]);

  const items = virtual.getVirtualItems();
  const lastShown = virtual.range?.endIndex ?? -1;
  useEffect(() => {
    if (hasMore && !stale && lastShown >= rows.length - AHEAD) onMore();
  }, [hasMore, stale, lastShown, rows.length, onMore]);

  // Moves the focus to the row at the cursor once it is rendered, but only after a key moved the cursor.
  const follow = useRef(false);
  useEffect(() => {
    if (!follow.current) return;
    const row = body.current?.querySelector<HTMLElement>(`[data-index="${cursor}"]`);
    if (!row) return;
    row.focus({ preventScroll: true });
    follow.current = false;
  });
  const scrollTo = (index: number) => {
    // The day of the first event comes into view with it.
    const row = rowOf[index] ?? 0;
    virtual.scrollToIndex(isDay(rows[row - 1]) ? row - 1 : row, { align: "auto" });
    virtual.scrollToIndex(row, { align: "auto" });
  };
  const moveTo = (index: number) => {
    const next = Math.max(0, Math.min(events.length - 1, index));
    follow.current = true;
    scrollTo(next);
    onCursor(next);
    // While an event is open, the drawer shows the event at the cursor.
    const event = events[next];
    if (openId && event) onOpen(event.id);
  };

  // The row of the open event stays in view when the drawer moves to another event.
  const openIndex = openId ? events.findIndex((event) => event.id === openId) : -1;
  const openRow = rowOf[openIndex];
  useEffect(() => {
    if (openRow !== undefined) virtual.scrollToIndex(openRow, { align: "auto" });
  }, [virtual, openRow]);

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
    const { shiftKey } = keyEvent;
    // Shift and j is J.
    const target = moves[shiftKey && keyEvent.key.length === 1 ? keyEvent.key.toLowerCase() : keyEvent.key];
    const event = events[cursor];
    const at = keyEvent.target as HTMLElement;
    const onRow = at.getAttribute("role") === "row";
    if (target !== undefined) {
      if (shiftKey) selection?.extend(target, cursor);
      moveTo(target);
    } else if (event && onRow && keyEvent.key === " ") selection?.toggle(event.id);
    else if (event && ((keyEvent.key === "Enter" && onRow) || keyEvent.key === "o")) onOpen(event.id);
    else if (keyEvent.key === "s" && event?.session_id && props.onSession) props.onSession(event.session_id);
    else if (keyEvent.key === "ArrowRight" || keyEvent.key === "ArrowLeft") {
      moveToValue(at, keyEvent.key === "ArrowRight" ? 1 : -1);
    } else return;
    keyEvent.preventDefault();
    keyEvent.stopPropagation();
  };

  const longPress = useLongPress((at) => {
    const row = at.closest<HTMLElement>("[role=row][data-index]");
    const event = events[Number(row?.dataset.index ?? -1)];
    if (!event || !selection || selecting) return;
    selection.setSelecting(true);
    if (!selection.has(event.id)) selection.toggle(event.id);
  });

  return (
    // One row at a time has the focus. The grid handles the keys for all of them.
    <div
      className={cx(styles.table, selecting && styles.selecting)}
      style={{ "--columns": tracks, "--row": `${height}px` } as React.CSSProperties}
      role="grid"
      aria-label={log.title}
      aria-rowcount={hasMore ? -1 : events.length + 1}
      aria-busy={loading || stale}
      aria-multiselectable={selection !== undefined}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" className={styles.header}>
        <div
          role="row"
          aria-rowindex={1}
          className={cx(styles.headerRow, narrow && selection && styles.withSelect)}
        >
          {selecting && !narrow && (
            <div role="columnheader">
              <span className="visually-hidden">Selected</span>
            </div>
          )}
          {narrow ? (
            <>
              <div role="columnheader">
                <SortButton title="Time" order={order} onOrder={onOrder} />
              </div>
              {selection && (
                <div role="columnheader">
                  <SelectButton plain rows={selection} />
                </div>
              )}
            </>
          ) : (
            columns.map((column, index) => (
              <div
                key={column.id}
                role="columnheader"
                aria-sort={index === 0 ? (order === "desc" ? "descending" : "ascending") : undefined}
              >
                {index === 0 ? <SortButton title="Time" order={order} onOrder={onOrder} /> : column.title}
                {index > 0 && onColumns && column.id !== FOUND_IN.id && (
                  <Resizer
                    onWidth={(width) =>
                      onColumns(
                        (chosen ?? usualColumns(columns.filter(({ id }) => id !== FOUND_IN.id))).map(
                          (other) =>
                            other.id === column.id ? { ...other, width: clampWidth(width) } : other,
                        ),
                      )
                    }
                  />
                )}
              </div>
            ))
          )}
        </div>
      </div>
      <div
        {...(selection && longPress)}
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
          const row = rows[item.index];
          if (loading || !row) return null;
          const transform = `translateY(${item.start - layout.margin}px)`;
          if ("day" in row) {
            return (
              // Each row says its date to those who do not see this one.
              <div key={item.key} className={styles.day} style={{ transform }} aria-hidden="true">
                {row.day}
              </div>
            );
          }
          const { index } = row;
          const event = events[index];
          if (!event) return null;
          return (
            // The grid handles the keys. A click does the same as Enter.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <div
              key={item.key}
              role="row"
              data-index={index}
              aria-rowindex={index + 2}
              aria-selected={selection?.has(event.id) ?? false}
              aria-current={event.id === openId ? "true" : undefined}
              tabIndex={index === cursor ? 0 : -1}
              className={cx(styles.row, EDGES[event.status], props.fresh?.has(event.id) && styles.fresh)}
              style={{ transform }}
              onFocus={({ target, currentTarget }) => {
                if (target === currentTarget) onCursor(index);
              }}
              onMouseDown={(mouse) => {
                // Otherwise the text between two rows would be selected.
                if (mouse.shiftKey && selection) mouse.preventDefault();
              }}
              onClick={({ metaKey, ctrlKey, shiftKey }) => {
                if (selection && shiftKey) selection.extend(index, cursor);
                else if (selection && (selecting || metaKey || ctrlKey)) selection.toggle(event.id);
                // Selecting text to copy it must not open the row.
                else if (!getSelection()?.toString()) onOpen(event.id);
                else return;
                onCursor(index);
              }}
            >
              {selecting && (
                <CheckCell
                  label={`Select ${log.headline(event)}`}
                  checked={selection?.has(event.id) ?? false}
                  onChange={() => selection?.toggle(event.id)}
                />
              )}
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
