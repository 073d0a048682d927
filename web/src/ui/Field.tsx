import { useId } from "react";
import { cx } from "./cx";
import styles from "./Field.module.css";

type FieldProps = Omit<React.ComponentProps<"input">, "onChange" | "className" | "id"> & {
  label: string;
  onChange?: (value: string) => void;
  error?: string | null;
  help?: string;
  large?: boolean;
};

export function Field({ label, onChange, error, help, large, ...input }: FieldProps) {
  const id = useId();
  const note = error ? `${id}-error` : help ? `${id}-help` : undefined;
  return (
    <div className={cx(styles.field, large && styles.large)}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      <input
        {...input}
        id={id}
        className={styles.input}
        aria-invalid={error ? true : undefined}
        aria-describedby={note}
        onChange={(event) => onChange?.(event.target.value)}
      />
      {error ? (
        <p className={styles.error} id={note} role="alert">
          {error}
        </p>
      ) : (
        help && (
          <p className={styles.help} id={note}>
            {help}
          </p>
        )
      )}
    </div>
  );
}

interface ChoiceProps<V extends string> {
  label: string;
  options: readonly V[];
  value: V;
  onChange: (value: V) => void;
  /** What an option reads; default: itself. */
  words?: (option: V) => string;
  /** Its label is heard, not seen: for a choice in a row of a list. */
  bare?: boolean;
  disabled?: boolean;
}

export function Choice<V extends string>({
  label,
  options,
  value,
  onChange,
  words = (option) => option,
  bare = false,
  disabled = false,
}: ChoiceProps<V>) {
  const id = useId();
  return (
    <div className={cx(styles.field, !bare && styles.large)}>
      <label className={bare ? "quiet" : styles.label} htmlFor={id}>
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
            {words(option)}
          </option>
        ))}
      </select>
    </div>
  );
}
