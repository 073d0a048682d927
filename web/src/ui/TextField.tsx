import { Field, type FieldProps } from "./Field";
import styles from "./Field.module.css";

export type TextFieldProps = Omit<React.ComponentProps<"input">, "onChange" | "className" | "id"> &
  FieldProps & { onChange?: (value: string) => void };

export function TextField({ label, onChange, error, help, large, hideLabel, ...input }: TextFieldProps) {
  return (
    <Field {...{ label, error, help, large, hideLabel }}>
      {(tied) => (
        <input
          {...input}
          {...tied}
          className={styles.input}
          onChange={(event) => onChange?.(event.target.value)}
        />
      )}
    </Field>
  );
}
