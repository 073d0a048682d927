import { useId } from "react";
import { cx } from "./cx";
import styles from "./Field.module.css";

export type TextFieldProps = Omit<React.ComponentProps<"input">, "onChange" | "className" | "id"> & {
  label: string;
  onChange?: (value: string) => void;
  error?: string | null;
  help?: string;
  large?: boolean;
  /** Hides the label from sight, but not from screen readers. */
  hideLabel?: boolean;
};

export function TextField({ label, onChange, error, help, large, hideLabel, ...input }: TextFieldProps) {
  const id = useId();
  const note = error ? `${id}-error` : help ? `${id}-help` : undefined;
  return (
    <div className={cx(styles.field, large && styles.large)}>
      <label className={hideLabel ? "visually-hidden" : styles.label} htmlFor={id}>
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
