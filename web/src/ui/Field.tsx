import { useId } from "react";
import { cx } from "./cx";
import styles from "./Field.module.css";

export interface FieldProps {
  label: string;
  error?: string | null | undefined;
  help?: string | undefined;
  large?: boolean | undefined;
  /** Hides the label from sight, but not from screen readers. */
  hideLabel?: boolean | undefined;
}

interface FrameProps extends FieldProps {
  /** The control, with what ties it to its label and its note. */
  children: (tied: {
    id: string;
    "aria-invalid": true | undefined;
    "aria-describedby": string | undefined;
  }) => React.ReactNode;
}

/** A control between its label and its note. */
export function Field({ label, error, help, large, hideLabel, children }: FrameProps) {
  const id = useId();
  const note = error ? `${id}-error` : help ? `${id}-help` : undefined;
  return (
    <div className={cx(styles.field, large && styles.large)}>
      <label className={hideLabel ? "visually-hidden" : styles.label} htmlFor={id}>
        {label}
      </label>
      {children({ id, "aria-invalid": error ? true : undefined, "aria-describedby": note })}
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
