import { cx } from "./cx";
import { Field, type FieldProps } from "./Field";
import styles from "./Field.module.css";

type TextAreaProps = Omit<React.ComponentProps<"textarea">, "onChange" | "className" | "id"> &
  Omit<FieldProps, "large"> & { onChange: (value: string) => void };

/** A text of several lines. */
export function TextArea({ label, onChange, error, help, hideLabel, ...area }: TextAreaProps) {
  return (
    <Field {...{ label, error, help, hideLabel }}>
      {(tied) => (
        <textarea
          {...area}
          {...tied}
          className={cx(styles.input, styles.area)}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
