import { lazy, Suspense, useMemo, useState } from "react";
import type { Histogram as HistogramData } from "../api/types";
import { useNarrowerThan } from "../ui/use-narrower-than";
import { useTheme } from "../ui/theme";
import { formatDayShort } from "../ui/time/date-format";
import { type Clock, formatCount, formatDate, formatMinute } from "../ui/time/format";
import { firstDayOfWeek, WEEKDAYS } from "../ui/time/week";
import { wallTimeAt } from "../ui/time/zone";
import { cx } from "../ui/cx";
import { type Chart, seriesOf } from "./definition";
import styles from "./Histogram.module.css";
import { HistogramBrush } from "./HistogramBrush";
import { type Range, spanToRange } from "./range";

// The chart library is a quarter of the route's code, and the table does not have to wait for it.
const HistogramPlot = lazy(() => import("./HistogramPlot"));

const AXES = { left: 40, right: 14, bottom: 20 };
const INSET = { left: AXES.left, right: AXES.right, top: 6, bottom: AXES.bottom };

interface HistogramProps {
  data: HistogramData | undefined;
  chart: Chart;
  clock: Clock;
  stale?: boolean;
  /** The period before, drawn as a line over the bars. */
  before?: HistogramData | undefined;
  height?: number;
  /** Without it, the chart is read-only. */
  onRange?: (range: Range) => void;
}

export function Histogram({
  data,
  chart,
  clock,
  stale = false,
  before,
  height = 104,
  onRange,
}: HistogramProps) {
  const theme = useTheme();
  const buckets = useMemo(() => (data ? asLongAs(data.data, before?.data ?? []) : []), [data, before]);
  const series = useMemo(() => seriesOf(chart, buckets), [chart, buckets]);
  const labels = useMemo(() => barLabels(buckets, clock), [buckets, clock]);
  const [figure, setFigure] = useState<HTMLElement | null>(null);
  const slim = useNarrowerThan(figure, 480);
  const ticks = useMemo(() => tickLabels(buckets, clock, slim ? 4 : 8), [buckets, clock, slim]);
  const totals = useMemo(() => buckets.map((bucket) => bucket.total), [buckets]);
  // Bar by bar: the two periods are equally long.
  const line = useMemo(
    () => before && totals.map((_, index) => before.data[index]?.total ?? 0),
    [before, totals],
  );
  const earlier = useMemo(
    () => before && line && { labels: barLabels(before.data, clock), totals: line },
    [before, line, clock],
  );
  const empty = totals.every((total) => total === 0);

  return (
    <figure
      ref={setFigure}
      className={cx(styles.figure, stale && styles.stale)}
      aria-label="Events over time"
    >
      <div className={styles.head}>
        <span className={styles.legend}>
          {series.map((layer) => (
            <span key={layer.value} className={styles.key}>
              <span className={styles.swatch} style={{ background: `var(${layer.color})` }} />
              {layer.label}
            </span>
          ))}
        </span>
        {line && (
          <span className={styles.key}>
            <span className={styles.dash} />
            {periodText(before?.data ?? [], clock)}
          </span>
        )}
        {onRange && data && !empty && (
          <span className={styles.hint}>{intervalText(data.interval)} · drag to select a range</span>
        )}
      </div>
      <div className={styles.plot} style={{ height }}>
        {data && empty && <p className={styles.blank}>No events</p>}
        {!empty && (
          <Suspense fallback={null}>
            <HistogramPlot
              series={series}
              line={line}
              ticks={ticks}
              height={height}
              axes={AXES}
              theme={theme}
            />
          </Suspense>
        )}
        {!empty && onRange && (
          <HistogramBrush
            labels={labels}
            totals={totals}
            series={series}
            before={earlier}
            inset={INSET}
            onSelect={(first, last) => {
              const start = buckets[first];
              const end = buckets[last];
              if (start && end)
                onRange(spanToRange(Date.parse(start.start), Date.parse(end.end), clock.zone));
            }}
          />
        )}
      </div>
      {data && <figcaption className="visually-hidden">{summary(totals, labels)}</figcaption>}
    </figure>
  );
}

const INTERVALS: Record<string, string> = {
  "15m": "15 minutes per bar",
  "1h": "1 hour per bar",
  "6h": "6 hours per bar",
  "1d": "1 day per bar",
  "1mo": "1 month per bar",
};

function intervalText(interval: string): string {
  if (interval === "1w") return `1 week per bar, from ${WEEKDAYS[firstDayOfWeek(navigator.language) - 1]}`;
  return INTERVALS[interval] ?? `${interval} per bar`;
}

type Buckets = HistogramData["data"];

/** An open range ends with its last event. Beside a whole period, it is drawn to its end. */
function asLongAs(buckets: Buckets, before: Buckets): Buckets {
  const [first] = buckets;
  const [firstBefore] = before;
  if (!first || !firstBefore) return buckets;
  const later = Date.parse(first.start) - Date.parse(firstBefore.start);
  const moved = (moment: string) => new Date(Date.parse(moment) + later).toISOString();
  const missing = before.slice(buckets.length).map(({ start, end }) => ({
    start: moved(start),
    end: moved(end),
    total: 0,
    counts: {},
  }));
  return missing.length > 0 ? [...buckets, ...missing] : buckets;
}

/** "Period before, 01/10 – 31/10" */
function periodText(before: Buckets, clock: Clock): string {
  const first = before[0];
  const last = before.at(-1);
  if (!first || !last) return "Period before";
  const day = (moment: number) => formatDayShort(wallTimeAt(moment, clock.zone), clock.format);
  const [from, to] = [day(Date.parse(first.start)), day(Date.parse(last.end) - 1)];
  return `Period before, ${from === to ? from : `${from} – ${to}`}`;
}

function daily(buckets: Buckets): boolean {
  const first = buckets[0];
  return first !== undefined && Date.parse(first.end) - Date.parse(first.start) > 72_000_000;
}

function barLabels(buckets: Buckets, clock: Clock): string[] {
  const byDay = daily(buckets);
  return buckets.map((bucket) => {
    const start = Date.parse(bucket.start);
    return byDay ? formatDate(start, clock) : `${formatDate(start, clock)} ${formatMinute(start, clock)}`;
  });
}

/**
 * At most `max` of them. Bars of a day or more show dates. Shorter bars are labelled at midnights, where a date is enough; a
 * range with fewer than three midnights at even steps, with the time, and the date beside the first one of each day.
 */
export function tickLabels(buckets: Buckets, clock: Clock, max: number): (string | null)[] {
  const walls = buckets.map((bucket) => wallTimeAt(Date.parse(bucket.start), clock.zone));
  const midnights = walls.flatMap(({ hour, minute }, index) => (hour === 0 && minute === 0 ? [index] : []));
  const days = daily(buckets) ? walls.map((_, index) => index) : midnights;
  if (daily(buckets) || days.length > 2) {
    const step = Math.max(1, Math.ceil(days.length / max));
    const first = days.length > max ? Math.floor(step / 2) : 0;
    const labelled = new Set(days.filter((_, nth) => nth % step === first));
    return walls.map((wall, index) => (labelled.has(index) ? formatDayShort(wall, clock.format) : null));
  }
  // A label with its date is twice as wide.
  const step = Math.max(1, Math.ceil(buckets.length / Math.max(2, max - 2)));
  let day = -1;
  return buckets.map((bucket, index) => {
    const wall = walls[index];
    if (!wall || index % step !== Math.floor(step / 2)) return null;
    const time = formatMinute(Date.parse(bucket.start), clock);
    if (wall.day === day) return time;
    day = wall.day;
    return `${formatDayShort(wall, clock.format)} ${time}`;
  });
}

function summary(totals: readonly number[], labels: readonly string[]): string {
  if (totals.length === 0) return "No events in this range.";
  const peak = Math.max(...totals);
  const sum = totals.reduce((all, total) => all + total, 0);
  return (
    `${formatCount(sum)} events from ${labels[0]} to ${labels[labels.length - 1]}. ` +
    `Peak: ${formatCount(peak)} at ${labels[totals.indexOf(peak)]}.`
  );
}
