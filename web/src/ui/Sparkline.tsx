import styles from "./Sparkline.module.css";

interface SparklineProps {
  counts: readonly number[];
  /** What the line tells, for those who do not see it: its lowest, highest and last value are added. */
  label: string;
  format: (count: number) => string;
}

const WIDTH = 120;
const HEIGHT = 22;
const INSET = 2;

/** The course of a count in the height of a line of text. Its scale begins at zero and ends at the highest value. */
export function Sparkline({ counts, label, format }: SparklineProps) {
  const last = counts.at(-1);
  if (last === undefined) return null;
  const most = Math.max(...counts, 1);
  const x = (index: number) => INSET + (index / Math.max(1, counts.length - 1)) * (WIDTH - 2 * INSET);
  const y = (count: number) => HEIGHT - INSET - (count / most) * (HEIGHT - 2 * INSET);
  const points = counts.map((count, index) => `${x(index).toFixed(1)},${y(count).toFixed(1)}`);
  const text = `${label}: lowest ${format(Math.min(...counts))}, highest ${format(Math.max(...counts))}, last ${format(last)}`;
  const end = HEIGHT - INSET;
  return (
    <svg
      className={styles.line}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={text}
    >
      <title>{text}</title>
      <polygon
        className={styles.area}
        points={`${x(0)},${end} ${points.join(" ")} ${x(counts.length - 1)},${end}`}
      />
      <polyline className={styles.stroke} points={points.join(" ")} />
      <circle className={styles.end} cx={x(counts.length - 1)} cy={y(last)} r="2" />
    </svg>
  );
}
