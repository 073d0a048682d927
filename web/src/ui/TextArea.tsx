import { useId } from "react";
import { cx } from "./cx";
import styles from "./Field.module.css";

type TextAreaProps = Omit<React.ComponentProps<"textarea">, "onChange" | "className" | "id"> & {
  label: string;
  onChange: (value: string) => void;
  error?: string | null;
  help?: string | undefined;
  /** Hides the label from sight, but not from screen readers. */
  hideLabel?: boolean;
};

/** A text of several lines. */
export function TextArea({ label, onChange, error, help, hideLabel, ...area }: TextAreaProps) {
  const id = useId();
  const note = error ? `${id}-error` : help ? `${id}-help` : undefined;
  return (
    <div className={styles.field}>
      <label className={hideLabel ? "visually-hidden" : styles.label} htmlFor={id}>
        {label}
      </label>
      <textarea
        {...area}
        id={id}
        className={cx(styles.input, styles.area)}
        aria-invalid={error ? true : undefined}
        aria-describedby={note}
        onChange={(event) => onChange(event.target.value)}
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
