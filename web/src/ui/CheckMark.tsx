import styles from "./CheckMark.module.css";
import { cx } from "./cx";
import { Icon } from "./Icon";

/** The drawn box right after a native checkbox, which is invisible. */
export function CheckMark({ large = false }: { large?: boolean }) {
  return (
    <span className={cx(styles.box, large && styles.large)}>
      <Icon name="check" size={large ? 14 : 12} />
    </span>
  );
}
