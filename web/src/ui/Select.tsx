import { useId } from "react";
import { cx } from "./cx";
import styles from "./Field.module.css";

interface SelectProps<V extends string> {
  label: string;
  options: readonly V[];
  value: V;
  onChange: (value: V) => void;
  /** The text of an option. By default the option itself. */
  optionLabel?: (option: V) => string;
  /** Hides the label from sight, but not from screen readers: for a select in a row of a list. */
  hideLabel?: boolean;
  /** As high as a text field, where it stands beside one. */
  small?: boolean;
  disabled?: boolean;
}

export function Select<V extends string>({
  label,
  options,
  value,
  onChange,
  optionLabel = (option) => option,
  hideLabel = false,
  small = hideLabel,
  disabled = false,
}: SelectProps<V>) {
  const id = useId();
  return (
    <div className={cx(styles.field, !small && styles.large)}>
      <label className={hideLabel ? "visually-hidden" : styles.label} htmlFor={id}>
        {label}
      </label>
      <select
        id={id}
        className={styles.input}
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(options[event.target.selectedIndex] ?? value)}
      >
        {options.map((option) => (
          <option key={option} value={option}>
            {optionLabel(option)}
          </option>
        ))}
      </select>
    </div>
  );
}
