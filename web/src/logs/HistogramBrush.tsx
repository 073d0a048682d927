import { useId, useState } from "react";
import { formatCount } from "../ui/time/format";
import { cx } from "../ui/cx";
import type { Series } from "./definition";
import styles from "./Histogram.module.css";

interface HistogramBrushProps {
  /** The label of each bar: "23/11/2026 02:00". */
  labels: readonly string[];
  totals: readonly number[];
  series: readonly Series[];
  /** The bars of the period before, one for each. */
  before?: Before | undefined;
  /** The margins around the bars, inside the figure. */
  inset: { left: number; right: number; top: number; bottom: number };
  onSelect: (first: number, last: number) => void;
}

interface Before {
  labels: readonly string[];
  totals: readonly number[];
}

interface Span {
  anchor: number;
  head: number;
}

/**
 * Makes the histogram usable by mouse, keyboard and screen reader. The bars are drawn on a canvas. Over it lies a
 * list box with one option per bar, which handles drags and keys (arrows, Shift with arrows, Enter) and gives
 * each bar a text.
 */
export function HistogramBrush({ labels, totals, series, before, inset, onSelect }: HistogramBrushProps) {
  const id = useId();
  const [span, setSpan] = useState<Span | null>(null);
  const [dragging, setDragging] = useState(false);
  const [hover, setHover] = useState<number | null>(null);
  const count = labels.length;
  const last = count - 1;
  const from = span ? Math.min(span.anchor, span.head, last) : -1;
  const to = span ? Math.min(Math.max(span.anchor, span.head), last) : -1;
  const active = span ? Math.min(span.head, last) : hover;

  const indexAt = (event: React.PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = box.width > 0 ? (event.clientX - box.left) / box.width : 0;
    return Math.max(0, Math.min(last, Math.floor(share * count)));
  };

  const apply = (first: number, end: number) => {
    setSpan(null);
    setHover(null);
    onSelect(first, end);
  };

  const onKeyDown = (event: React.KeyboardEvent) => {
    const head = span ? Math.min(span.head, last) : last;
    const moves: Record<string, number> = {
      ArrowLeft: head - 1,
      ArrowRight: head + 1,
      PageUp: head - 10,
      PageDown: head + 10,
      Home: 0,
      End: last,
    };
    const target = moves[event.key];
    if (target !== undefined) {
      const next = span ? Math.max(0, Math.min(last, target)) : last;
      setSpan({ anchor: event.shiftKey && span ? span.anchor : next, head: next });
    } else if ((event.key === "Enter" || event.key === " ") && span) apply(from, to);
    else if (event.key === "Escape" && span) setSpan(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      className={styles.brush}
      style={inset}
      role="listbox"
      aria-label="Events over time. Select bars to set the time range."
      aria-multiselectable="true"
      aria-orientation="horizontal"
      aria-activedescendant={span ? `${id}-${active}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setSpan(null)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture?.(event.pointerId);
        const index = indexAt(event);
        setDragging(true);
        setSpan({ anchor: index, head: index });
      }}
      onPointerMove={(event) => {
        const index = indexAt(event);
        if (dragging && span) setSpan({ ...span, head: index });
        else setHover(index);
      }}
      onPointerUp={() => {
        if (dragging && span) apply(from, to);
        setDragging(false);
      }}
      onPointerCancel={() => {
        setDragging(false);
        setSpan(null);
      }}
      onPointerLeave={() => setHover(null)}
    >
      {labels.map((label, index) => (
        <div
          key={label}
          id={`${id}-${index}`}
          role="option"
          className={styles.option}
          style={{ left: `${(index / count) * 100}%`, width: `${100 / count}%` }}
          aria-selected={index >= from && index <= to}
          aria-label={barLabel(label, index, totals, series) + beforeLabel(index, before)}
          data-active={index === active}
        />
      ))}
      {active !== null && labels[active] !== undefined && (
        <Tooltip
          title={from < to ? `${labels[from]} – ${labels[to]}` : (labels[active] ?? "")}
          series={series}
          before={before}
          from={from < to ? from : active}
          to={from < to ? to : active}
          share={count > 0 ? active / count : 0}
        />
      )}
    </div>
  );
}

function barLabel(
  label: string,
  index: number,
  totals: readonly number[],
  series: readonly Series[],
): string {
  const parts = series
    .filter((layer) => (layer.counts[index] ?? 0) > 0)
    .map((layer) => `${layer.label} ${formatCount(layer.counts[index] ?? 0)}`);
  const total = totals[index] ?? 0;
  if (total === 0) return `${label}: no events`;
  return `${label}: ${formatCount(total)} ${total === 1 ? "event" : "events"}, ${parts.join(", ")}`;
}

function beforeLabel(index: number, before: Before | undefined): string {
  const label = before?.labels[index];
  return label === undefined ? "" : `; before, ${label}: ${formatCount(before?.totals[index] ?? 0)}`;
}

interface TooltipProps {
  title: string;
  series: readonly Series[];
  before: Before | undefined;
  from: number;
  to: number;
  share: number;
}

function Tooltip({ title, series, before, from, to, share }: TooltipProps) {
  const sum = (counts: readonly number[]) =>
    counts.slice(from, to + 1).reduce((all, count) => all + count, 0);
  const labels = [before?.labels[from], before?.labels[to]].filter((label) => label !== undefined);
  const side = share > 0.5 ? { right: `${(1 - share) * 100}%` } : { left: `${share * 100}%` };
  return (
    <div className={styles.tooltip} style={side} aria-hidden="true">
      <strong>{title}</strong>
      {series.map((layer) => (
        <span key={layer.value} className={styles.tooltipRow}>
          <span className={styles.swatch} style={{ background: `var(${layer.color})` }} />
          {layer.label}
          <b>{formatCount(sum(layer.counts))}</b>
        </span>
      ))}
      {before && labels.length > 0 && (
        <span className={cx(styles.tooltipRow, styles.tooltipBefore)}>
          <span className={styles.dash} />
          {[...new Set(labels)].join(" – ")}
          <b>{formatCount(sum(before.totals))}</b>
        </span>
      )}
    </div>
  );
}
