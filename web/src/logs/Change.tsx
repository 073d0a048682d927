import { cx } from "../ui/cx";
import { formatCount } from "../ui/time/format";
import styles from "./Change.module.css";

/** "↑ 12%": how a count changed against the period before. */
export function Change({ now, before, isBad = false }: { now: number; before: number; isBad?: boolean }) {
  if (now === before) return null;
  const percent = before === 0 ? null : Math.round(((now - before) / before) * 100);
  const up = now > before;
  const size = percent === null ? "new" : `${formatCount(Math.min(999, Math.abs(percent)))}%`;
  return (
    <span
      className={cx(styles.change, isBad && up && styles.worse)}
      title={`${formatCount(before)} in the period before`}
    >
      <span aria-hidden="true">{percent !== null && (up ? "↑ " : "↓ ")}</span>
      {size}
      <span className="visually-hidden">
        {" "}
        {up ? "more" : "less"} than the {formatCount(before)} of the period before:{" "}
      </span>
    </span>
  );
}
