import type { Column } from "./definition";

// The columns of a table in its URL: `user.240,event_type,ip`. Their order is that of the table, and a number is a width in
// pixels. The time is always the first column and not named.

const LEAST = 56;
const MOST = 900;

export interface Chosen {
  id: string;
  /** In pixels. The usual width without it. */
  width?: number;
}

export function parseColumns(text: string | undefined): Chosen[] | undefined {
  const chosen = text?.split(",").flatMap((part) => {
    const [, id, width] = /^([a-z_]+)(?:\.(\d{1,4}))?$/.exec(part) ?? [];
    if (!id) return [];
    return [{ id, ...(width && { width: clampWidth(Number(width)) }) }];
  });
  return chosen && chosen.length > 0 ? chosen : undefined;
}

export function columnsText(chosen: readonly Chosen[]): string {
  return chosen.map(({ id, width }) => (width ? `${id}.${width}` : id)).join(",");
}

export function clampWidth(width: number): number {
  return Math.round(Math.min(MOST, Math.max(LEAST, width)));
}

/** What stands beside the columns of a row, in pixels. */
const BESIDE = 24;

/** The least width of columns, of which each says its own first. */
export function leastWidth(columns: readonly Pick<Column<never>, "width">[]): number {
  return columns.reduce((sum, { width }) => sum + Number(/(\d+)px/.exec(width)?.[1] ?? 0), BESIDE);
}

/** Without those that are hidden first, until the others fit. */
function fitting<E>(columns: readonly Column<E>[], width: number): readonly Column<E>[] {
  if (leastWidth(columns) <= width) return columns;
  const first = Math.max(...columns.map(({ hideBelow = 0 }) => hideBelow));
  return first === 0
    ? columns
    : fitting(
        columns.filter(({ hideBelow = 0 }) => hideBelow < first),
        width,
      );
}

/** The columns as chosen, or by default those that fit into the width. What a log does not have is passed over. */
export function shownColumns<E>(
  all: readonly Column<E>[],
  chosen: readonly Chosen[] | undefined,
  width: number,
): Column<E>[] {
  if (!chosen)
    return [
      ...fitting(
        all.filter(({ hideBelow = 0 }) => width >= hideBelow),
        width,
      ),
    ];
  const [time] = all;
  const found = chosen.flatMap(({ id, width }) => {
    const column = all.slice(1).find((other) => other.id === id);
    return column ? [{ ...column, ...(width && { width: `${width}px` }) }] : [];
  });
  return time ? [time, ...found] : found;
}

/** The choice that says what the table shows without one. */
export function usualColumns<E>(all: readonly Column<E>[]): Chosen[] {
  return all.slice(1).map(({ id }) => ({ id }));
}
