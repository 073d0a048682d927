import styles from "./Checkbox.module.css";
import { CheckMark } from "./CheckMark";
import { cx } from "./cx";
import { Icon } from "./Icon";

interface CheckboxProps {
  checked: boolean;
  onChange: () => void;
  label: string;
  count?: string | undefined;
  excluded?: boolean;
  /** Adds a button that excludes the value. */
  onExclude?: () => void;
  /** Adds a button that chooses the value alone. */
  onOnly?: () => void;
}

/**
 * A native checkbox, invisible over a drawn one, so that keyboards and screen readers work as usual. The button
 * beside it excludes the value: it takes the place of the count under the pointer and on focus, and is always there
 * for fingers.
 */
export function Checkbox({
  checked,
  onChange,
  label,
  count,
  excluded = false,
  onExclude,
  onOnly,
}: CheckboxProps) {
  return (
    <div className={cx(styles.row, excluded && styles.excluded)}>
      <label className={styles.label}>
        <input
          type="checkbox"
          className={styles.native}
          checked={checked}
          onChange={onChange}
          onKeyDown={(event) => {
            if (event.ctrlKey || event.metaKey || event.altKey) return;
            if (event.key === "e") onExclude?.();
            if (event.key === "x") onOnly?.();
          }}
        />
        <CheckMark />
        <span className={styles.text} title={label}>
          {label}
        </span>
        {excluded ? (
          <span className={styles.word}>excluded</span>
        ) : (
          count !== undefined && (
            <span className={styles.count}>
              {count}
              <span className="visually-hidden"> events</span>
            </span>
          )
        )}
      </label>
      {onOnly && (
        // Not a stop of the Tab key: the checkbox has a key for it.
        <button
          type="button"
          tabIndex={-1}
          className={styles.only}
          aria-label={`Only ${label}`}
          title={`Only ${label} (x)`}
          onClick={onOnly}
        >
          only
        </button>
      )}
      {onExclude && (
        <button
          type="button"
          className={styles.exclude}
          aria-pressed={excluded}
          aria-label={`Exclude ${label}`}
          title={excluded ? `${label} is excluded: click to undo` : `Exclude ${label} (e)`}
          onClick={onExclude}
        >
          <Icon name="ban" size={14} />
        </button>
      )}
    </div>
  );
}
