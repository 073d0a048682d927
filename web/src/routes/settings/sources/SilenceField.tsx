import { Select } from "../../../ui/Select";
import { TextField } from "../../../ui/TextField";
import { mostOf, OTHER, type Silence, SILENCES, UNITS } from "./silence";
import styles from "./sources.module.css";

interface SilenceFieldProps {
  value: Silence;
  onChange: (value: Silence) => void;
  /** Beside the number. */
  children?: React.ReactNode;
}

/** After how long the silence of a source is reported: a usual time, or any number of minutes, hours or days. */
export function SilenceField({ value, onChange, children }: SilenceFieldProps) {
  return (
    <div className={styles.part}>
      <Select
        label="Report silence after"
        options={SILENCES}
        value={value.choice}
        onChange={(choice) => onChange({ ...value, choice })}
      />
      {value.choice === OTHER && (
        <div className={styles.silence}>
          <TextField
            large
            hideLabel
            label="How many"
            type="number"
            inputMode="numeric"
            required
            min={1}
            max={mostOf(value.unit)}
            step={1}
            value={value.count}
            onChange={(count) => onChange({ ...value, count })}
          />
          <Select
            hideLabel
            small={false}
            label="Of what"
            options={UNITS}
            value={value.unit}
            onChange={(unit) => onChange({ ...value, unit })}
          />
          {children}
        </div>
      )}
    </div>
  );
}
